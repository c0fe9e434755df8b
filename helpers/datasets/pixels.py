"""Pixels of large datasets: decoded once, in files of the user's cache that are mapped into memory.

The operating system reads from such a file what is asked for, and gives the memory back when others need it, so that an
array may be larger than the memory. A file is named after its content: another image, size or version is another file.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL

from helpers import files, images, outputs, project

MIN_BYTES = 512 * 2**20  # smaller arrays are decoded into memory
MAX_BYTES = 64 * 2**30  # of all files; those that were not used for longest are removed
_FLUSHED = 1024  # rows after which the progress is written


def folder() -> Path:
    """Return the folder of the files; it may be deleted at any time."""
    return project.user_cache() / "pixels"


@functools.cache
def decoder() -> str:
    """Hash what pixels depend on beside the image files: the code that decodes and resizes, and its libraries."""
    digest = hashlib.sha256(f"{np.__version__} {cv2.__version__} {PIL.__version__}".encode())
    own = [Path(__file__).with_name(name) for name in ("readers.py", "masks.py", "mask_files.py")]
    for path in [*sorted(Path(images.__file__).parent.glob("*.py")), *own]:
        digest.update(files.code_digest(path).encode())
    return digest.hexdigest()


def mapped_array(key: str, shape: tuple[int, ...], read_from: Callable[[int], Iterator[np.ndarray]]) -> np.ndarray:
    """Return an array of the cache; decode it first, or the rest of it after an interruption.

    Args:
        key: name of the file, a hash of everything that determines the pixels.
        shape: shape of the array, with one image per row.
        read_from: function from a row to the images from this row on, each ``uint8 shape[1:]``.

    Returns:
        Mapped array, ``uint8 shape``; what is written to it stays in memory.

    Raises:
        helpers.outputs.OutputError: the folder cannot be written to, or the disk is nearly full.
    """
    path = folder() / f"{key}.npy"
    if not path.exists():
        n_bytes = int(np.prod(shape))
        outputs.require_folder(folder(), 0)
        folder().mkdir(parents=True, exist_ok=True)
        with files.locked(folder() / "lock", wait=True):
            if not path.exists():  # another process may have made it in the meantime
                _remove_oldest(MAX_BYTES - n_bytes, keep=path.with_suffix(".part"))
                outputs.require_folder(folder(), n_bytes + outputs.MIN_FREE)
                _decode(path, shape, read_from)
    os.utime(path)
    return np.load(path, mmap_mode="c")


def cached_files() -> list[tuple[Path, int]]:
    """List the files and their sizes in bytes, those that were not used for longest first."""
    found = []
    for path in [*folder().glob("*.npy"), *folder().glob("*.part")]:
        with contextlib.suppress(FileNotFoundError):  # a process has just completed or removed it
            status = path.stat()
            found.append((status.st_mtime, path, status.st_size))
    return [(path, size) for _, path, size in sorted(found)]


def clear() -> int:
    """Remove all files.

    Returns:
        Number of bytes that were removed.

    Raises:
        helpers.files.LockedError: a process is decoding images.
    """
    if not folder().is_dir():
        return 0
    with files.locked(folder() / "lock", wait=False):
        return _remove_oldest(0)


def _remove_oldest(limit: int, keep: Path | None = None) -> int:
    """Remove the files that were not used for longest, until the others have ``limit`` bytes; return the bytes."""
    listed = [(path, size) for path, size in cached_files() if path != keep]
    total, removed = sum(size for _, size in listed), 0
    for path, size in listed:
        if total - removed <= limit:
            break
        with contextlib.suppress(OSError):  # Windows keeps a file that a process has mapped; others keep its content
            path.unlink()
            path.with_suffix(".rows").unlink(missing_ok=True)
            removed += size
    return removed


def _decode(path: Path, shape: tuple[int, ...], read_from: Callable[[int], Iterator[np.ndarray]]) -> None:
    """Write an array row by row; a file beside it holds how many rows are complete."""
    part, progress = path.with_suffix(".part"), path.with_suffix(".rows")
    done = int(progress.read_text(encoding="utf-8")) if part.exists() and progress.exists() else 0
    array = np.lib.format.open_memmap(part, "r+" if done else "w+", np.uint8, shape)
    for row, pixels in enumerate(read_from(done), done):
        array[row] = pixels
        if (row + 1) % _FLUSHED == 0:
            array.flush()
            files.write_text(progress, str(row + 1))
    array.flush()
    del array  # Windows renames no file that is mapped
    part.replace(path)
    progress.unlink(missing_ok=True)
