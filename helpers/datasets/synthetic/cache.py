"""Disk cache of rendered images: reading an image back is about ten times faster than rendering it."""

from __future__ import annotations

import functools
import hashlib
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from helpers import images, project

PNG_END = b"IEND\xaeB`\x82"


def folder() -> Path:
    """Return the cache directory, with one PNG file per image; it may be deleted at any time."""
    return project.user_cache() / "synthetic" / code_digest()


@functools.cache
def code_digest() -> str:
    """Hash the source of this package and the NumPy and OpenCV versions, on which the pixels depend."""
    digest = hashlib.sha256(f"{np.__version__} {cv2.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cached_rendering(content: bytes, size: int, draw: Callable[[], np.ndarray]) -> np.ndarray:
    """Load a rendered image from the cache, or render and store it; warn if it cannot be stored.

    Args:
        content: cache key, everything that the pixels depend on.
        size: side in pixels.
        draw: renders the image with its mask as fourth channel, ``uint8 (size, size, 4)``.

    Returns:
        Image and mask, ``uint8 (size, size, 4)``.
    """
    key = hashlib.sha256(content).hexdigest()[:32]
    try:
        path = folder() / key[:2] / f"{key}.png"
    except project.HomeError as error:
        warnings.warn(f"synthetic images are not cached and are rendered each time: {error}", stacklevel=2)
        return draw()
    picture = _read(path)
    if picture is not None and picture.shape == (size, size, 4):
        return picture
    picture = draw()
    try:
        _remove_outdated()
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write_png(path, picture)
    except OSError as error:
        warnings.warn(
            f"synthetic images cannot be cached in {folder()} and are rendered each time ({error})", stacklevel=2
        )
    return picture


def _read(path: Path) -> np.ndarray | None:
    """Read a cached image; ``None`` if the file is missing or damaged."""
    try:
        coded = path.read_bytes()
    except OSError:
        return None
    whole = coded.endswith(PNG_END)
    picture = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_UNCHANGED) if whole else None
    return None if picture is None or picture.ndim != 3 else cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)


@functools.cache
def _remove_outdated() -> None:
    """Delete images rendered by other versions of the code, so that the cache does not keep growing."""
    for old in folder().parent.glob("*"):
        if old != folder():
            shutil.rmtree(old, ignore_errors=True)
