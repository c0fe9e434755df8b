"""Check that outputs can be written before work begins, so that a training does not fail when it saves its model."""

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
MIN_FREE = 200 * MIB  # default free disk space required
# Ends of the names of images that commands write, possibly into the folder that they read.
OWN_IMAGES = (".mask.png", ".overlay.png", ".maps.png")


class OutputError(LeukobookError):
    """A file or folder is not writable; the message states path, reason and remedy."""


def require_file(path: Path, needed: int = MIN_FREE) -> Path:
    """Check that a file can be written or replaced, without changing anything.

    Args:
        path: path of the file; ``~`` is the home directory, and the folder need not exist.
        needed: bytes that must be free.

    Returns:
        The path with ``~`` expanded.

    Raises:
        OutputError: the path is a folder or a device, its folder is a file or read-only, or the disk is nearly full.
    """
    path = _expanded(path)
    with _os_errors_converted(path):
        if path.exists() and (kind := files.irregular_file_kind(path)):
            raise OutputError(f"{path}: is {kind}; give the name of a file")
        _require_free_space(path.parent, needed)
    return path


def require_folder(path: Path, needed: int = MIN_FREE) -> Path:
    """Check that files can be written to a folder, which need not exist, without changing anything.

    Args:
        path: path of the folder; ``~`` is the home directory.
        needed: bytes that must be free.

    Returns:
        The path with ``~`` expanded.

    Raises:
        OutputError: the path is a file or read-only, or the disk is nearly full.
    """
    path = _expanded(path)
    with _os_errors_converted(path):
        _require_free_space(path, needed)
    return path


def replacement_note(path: Path) -> str:
    """Return a notice that a file of an earlier run will be replaced, to print before the work begins.

    Args:
        path: path of the file; ``~`` is the home directory.

    Returns:
        One line; empty if the file does not exist.

    Raises:
        OutputError: the home directory is unknown.
    """
    return f"{path}: exists from an earlier run and will be replaced" if _expanded(path).exists() else ""


def relative_names(paths: Sequence[Path], folder: Path | None = None) -> list[str]:
    """Return the paths of inputs relative to a folder, so that equal file names in different folders differ.

    Args:
        paths: paths of the inputs.
        folder: folder that contains all inputs; by default the lowest common folder.

    Returns:
        One name per input, with ``/`` between folders; bytes that are not UTF-8 are escaped as ``\\xNN``.
    """
    if not paths:
        return []
    if folder is None:
        folder = Path(os.path.commonpath([path.absolute().parent for path in paths]))
        paths = [path.absolute() for path in paths]
    return [printable(path.relative_to(folder).as_posix()) for path in paths]


def without_own_images(paths: Sequence[Path]) -> list[Path]:
    """Leave out images that ``segment`` and ``explain`` have written: masks, overlays and saliency maps.

    Raises:
        OutputError: no other image is left.
    """
    inputs = [path for path in paths if not path.name.endswith(OWN_IMAGES)]
    if paths and not inputs:
        raise OutputError(
            f"{paths[0].parent}: all {len(paths)} files are masks, overlays or maps that a command has written; "
            "give the images themselves"
        )
    return inputs


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise OutputError(f"{path}: the home folder of this user is not known; give the whole path") from None


@contextlib.contextmanager
def _os_errors_converted(path: Path) -> Iterator[None]:
    """Convert an OSError into an :class:`OutputError` with path and remedy."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written to ({error.strerror}); choose another folder") from None


def _require_free_space(folder: Path, needed: int) -> None:
    """Check that a folder, or its nearest existing parent, is writable and has ``needed`` bytes free."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise OutputError(f"{existing}: is a file, not a folder; give another path")
    with tempfile.TemporaryFile(dir=existing):
        pass
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise OutputError(
            f"{folder}: {free / MIB:.0f} MB are free on this disk, and {needed / MIB:.0f} MB are needed; "
            "free some space, or choose another folder"
        )
