"""Drawn pictures kept on disk, so that a picture is drawn once: reading one back is about ten times faster."""

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
    """Where drawn pictures are kept, one PNG file each; it may be deleted at any time."""
    return project.user_cache() / "synthetic" / code_digest()


@functools.cache
def code_digest() -> str:
    """A digest of this package's source: other code draws other pixels."""
    digest = hashlib.sha256(f"{np.__version__} {cv2.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cached_rendering(content: bytes, size: int, draw: Callable[[], np.ndarray]) -> np.ndarray:
    """A picture with its mask as fourth channel, from the disk or else drawn and put there.

    Args:
        content: everything that decides the pixels.
        size: side in pixels.
        draw: gives ``uint8 (size, size, 4)``.
    """
    key = hashlib.sha256(content).hexdigest()[:32]
    try:
        path = folder() / key[:2] / f"{key}.png"
    except project.HomeError as error:
        warnings.warn(f"drawn pictures are not kept, and drawn anew: {error}", stacklevel=2)
        return draw()
    picture = _read(path)
    if picture is not None and picture.shape == (size, size, 4):
        return picture
    picture = draw()
    try:
        _forget_older_drawings()
        path.parent.mkdir(parents=True, exist_ok=True)
        images.write_png(path, picture)
    except OSError as error:
        warnings.warn(f"drawn pictures cannot be kept in {folder()} and are drawn anew ({error})", stacklevel=2)
    return picture


def _read(path: Path) -> np.ndarray | None:
    """The picture, or ``None`` where there is none or the file is damaged."""
    try:
        coded = path.read_bytes()
    except OSError:
        return None
    whole = coded.endswith(PNG_END)
    picture = cv2.imdecode(np.frombuffer(coded, np.uint8), cv2.IMREAD_UNCHANGED) if whole else None
    return None if picture is None or picture.ndim != 3 else cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA)


@functools.cache
def _forget_older_drawings() -> None:
    """Delete what other code has drawn, so that the folder does not grow with every version."""
    for old in folder().parent.glob("*"):
        if old != folder():
            shutil.rmtree(old, ignore_errors=True)
