"""Fine texture of images (band-pass filtered grey values), registered and correlated where neither is black.

Different cells of similar shape and colour, or on the same black background, differ in fine texture.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

SIDE = 128  # side of the compared images, pixels
ZOOM = (0.7, 1.43)  # range of the magnification between two images
_FINE, _COARSE = 0.7, 2.5  # standard deviations of the band-pass blurs, pixels
_BLACK = 24  # largest level of background that was made black: JPEG does not keep 0


class Pictures(NamedTuple):
    """Hold all images: ``grey``, ``uint8 (n, side, side)``; ``foreground``, where they are not black, as bits."""

    grey: np.ndarray
    foreground: np.ndarray


class Texture(NamedTuple):
    """Hold the fine texture of an image, and the pixels that are not removed (black) background."""

    values: np.ndarray
    foreground: np.ndarray


def read_pictures(batches: Iterable[np.ndarray]) -> Pictures:
    """Keep what is compared of images, ``uint8 (n, side, side, 3)`` RGB per batch."""
    grey, foreground = [], []
    for batch in batches:
        grey.append(np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in batch]))
        foreground.append(np.packbits(batch.max(axis=3) > _BLACK, axis=2))
    return Pictures(np.concatenate(grey), np.concatenate(foreground))


def texture_of(pictures: Pictures, number: int, *, mirrored: bool = False) -> Texture:
    """Return the texture of an image, or of its mirror image."""
    grey = pictures.grey[number].astype(np.float32)
    seen = np.unpackbits(pictures.foreground[number], axis=1, count=SIDE)
    if mirrored:
        grey, seen = np.ascontiguousarray(grey[:, ::-1]), np.ascontiguousarray(seen[:, ::-1])
    values = cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    return Texture(values, cv2.erode(seen, np.ones((7, 7), np.uint8)))


def register(first: Texture, second: Texture, transform: np.ndarray) -> tuple[float, float]:
    """Register the first image to the second, starting from a transform, and compare their texture.

    Args:
        first: texture of the image that is moved.
        second: texture of the image that is not.
        transform: affine matrix from the first to the second, ``float (2, 3)``.

    Returns:
        Texture correlation, -1 to 1, and the largest displacement of a corner as a share of the side.
    """
    inverse = cv2.invertAffineTransform(np.asarray(transform, np.float32))
    inverses = [inverse]
    try:  # refine by ECC maximisation (Evangelidis and Psarakis 2008)
        stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
        values = first.values * first.foreground
        refined = inverse.copy()
        cv2.findTransformECC(second.values, values, refined, cv2.MOTION_AFFINE, stop, second.foreground, 5)
        inverses.append(refined)
    except cv2.error:  # ECC does not converge: the images have little in common
        pass
    correlations = [_correlation(first, second, candidate) for candidate in inverses]
    best = int(np.argmax(correlations))
    corners = np.array([[0, 0], [0, SIDE], [SIDE, 0], [SIDE, SIDE]], float)
    moved = corners @ inverses[best][:, :2].T + inverses[best][:, 2]
    return correlations[best], float(np.abs(moved - corners).max() / SIDE)


def _correlation(first: Texture, second: Texture, inverse: np.ndarray) -> float:
    if not ZOOM[0] ** 2 < abs(np.linalg.det(inverse[:, :2])) < ZOOM[1] ** 2:
        return -1.0
    linear, nearest = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR, cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
    warped = cv2.warpAffine(first.values, inverse, (SIDE, SIDE), flags=linear)
    both = (cv2.warpAffine(first.foreground, inverse, (SIDE, SIDE), flags=nearest) & second.foreground) > 0
    if both.mean() < 0.1:
        return -1.0
    x, y = warped[both] - warped[both].mean(), second.values[both] - second.values[both].mean()
    return float((x * y).sum() / max(1e-6, np.linalg.norm(x) * np.linalg.norm(y)))
