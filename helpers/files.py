"""Write a file whole or not at all: a reader, or a kill, never meets half of it. And say what a program does."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A partial file beside ``path`` to write to, which becomes ``path`` at the end and is gone where that fails.

    It ends in the same suffix, by which libraries choose a format. Threads and processes may write at once.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    part = path.with_name(f"part-{os.getpid()}-{threading.get_ident()}-{path.name}")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, :func:`whole`."""
    with whole(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """:func:`write_bytes` of text in UTF-8."""
    write_bytes(path, text.encode())


def code_digest(path: Path) -> str:
    """Hash what a Python file does, so that a comment, a docstring or the layout changes nothing.

    Returns:
        SHA-256, hexadecimal, of its syntax tree without docstrings; of its bytes where they are not Python.
    """
    source = path.read_bytes()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return hashlib.sha256(source).hexdigest()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
