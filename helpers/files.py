"""Write a file whole or not at all: a reader, or a kill, never meets half of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file through a partial one beside it, which is gone afterwards; threads and processes may do so at once.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """:func:`write_bytes` of text in UTF-8."""
    write_bytes(path, text.encode())
