"""Whether a result can be written, asked before the work begins: a training must not die when it saves its model."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from helpers import files
from helpers.errors import LeukobookError, printable

MIB = 2**20
LEAST_FREE = 200 * MIB  # of the disk, where a caller does not know better


class OutputError(LeukobookError):
    """A file or folder that cannot be written to; the message names it, why, and what to do."""


def require_file(path: Path, needed: int = LEAST_FREE) -> Path:
    """Make sure that a file can be written, or replaced, and leave everything as it was.

    Args:
        path: of the file; ``~`` stands for the home folder. Its folder need not be there yet.
        needed: bytes that must be free.

    Returns:
        The path with ``~`` replaced.

    Raises:
        OutputError: it is a folder or a device, its folder is a file or read-only, or the disk is nearly full.
    """
    path = _expanded(path)
    with _told(path):
        if path.exists() and (kind := files.irregular_file_kind(path)):
            raise OutputError(f"{path}: is {kind}; give the name of a file")
        _require_room(path.parent, needed)
    return path


def require_folder(path: Path, needed: int = LEAST_FREE) -> Path:
    """Make sure that files can be written to a folder, which need not be there yet; otherwise as :func:`require_file`.

    Raises:
        OutputError: it is a file, or read-only, or the disk is nearly full.
    """
    path = _expanded(path)
    with _told(path):
        _require_room(path, needed)
    return path


def replacement_note(path: Path) -> str:
    """Write a line that a file of an earlier run is about to be replaced, for a command to print before its work.

    Args:
        path: of the file; ``~`` stands for the home folder.

    Returns:
        The line; empty where nothing is there.

    Raises:
        OutputError: the home folder is not known.
    """
    return f"{path}: is there from an earlier run and will be replaced" if _expanded(path).exists() else ""


def relative_names(paths: Sequence[Path], folder: Path | None = None) -> list[str]:
    """Name inputs in a table by their paths below a folder, so that two of one name in two folders differ.

    Args:
        paths: of the inputs.
        folder: that holds them all; where not given, the lowest one that does.

    Returns:
        A name for each, with ``/`` between folders; bytes that are not UTF-8 are written as ``\\xNN``.
    """
    if folder is None and paths:
        folder = Path(os.path.commonpath([path.absolute().parent for path in paths]))
        paths = [path.absolute() for path in paths]
    return [printable(path.relative_to(folder).as_posix()) for path in paths]


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise OutputError(f"{path}: the home folder of this user is not known; give the whole path") from None


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say which path it is that the system refuses, and what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written to ({error.strerror}); choose another place") from None


def _require_room(folder: Path, needed: int) -> None:
    """Make sure that a folder, or the nearest one above it that is there, can be written to and has room."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise OutputError(f"{there}: is a file, and a folder is needed there; give another path")
    with tempfile.TemporaryFile(dir=there):
        pass
    free = shutil.disk_usage(there).free
    if free < needed:
        raise OutputError(
            f"{folder}: {free / MIB:.0f} MB are free on this disk, and {needed / MIB:.0f} MB are needed; "
            "make room, or choose another place"
        )
