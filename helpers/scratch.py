"""Folders for the life of a process: what a killed one leaves behind goes when the next one starts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil


@contextlib.contextmanager
def folder(kind: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that is gone at the end; first remove those of this kind whose processes have been killed.

    Args:
        kind: begins its name, which goes on with the number of this process, and is letters only.
        parent: where it is made; the system's folder for temporary files where not given.

    Raises:
        OSError: it cannot be made there.
    """
    parent = parent or Path(tempfile.gettempdir())
    _remove_left(kind, parent)
    with (
        tempfile.TemporaryDirectory(prefix=f"{kind}-{os.getpid()}-", dir=parent, ignore_cleanup_errors=True) as made,
        filelock.FileLock(Path(made) / "lock"),
    ):
        yield Path(made)


def _remove_left(kind: str, parent: Path) -> None:
    """Remove the folders of this user's processes that have ended.

    The number tells processes of this system, and the lock those of another container that shares the folder.
    """
    with contextlib.suppress(OSError):
        for left in parent.glob(f"{kind}-*"):
            number = re.fullmatch(rf"{kind}-(\d+)-\w+", left.name)
            if number is None or psutil.pid_exists(int(number[1])) or not _mine(left):
                continue
            with contextlib.suppress(OSError, filelock.Timeout), filelock.FileLock(left / "lock", blocking=False):
                shutil.rmtree(left, ignore_errors=True)


def _mine(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return path.is_dir() and not path.is_symlink() and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
