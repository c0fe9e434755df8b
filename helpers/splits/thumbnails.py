"""Which images are alike as a whole: correlation of thumbnails under the eight dihedral transforms.

All pairs are compared, but on a few principal components only; what the others could add at most is known from their
length (Cauchy–Schwarz), so that no pair is missed. Few pairs then remain to compare in full.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from helpers.images import dihedral_views

_SIDE, _SMOOTH = 32, 1.5  # side and high-pass blur of a thumbnail, pixels
_N_COMPONENTS = 128
_SAMPLE = 2_000  # thumbnails from which the components are computed
_BLOCK = 512  # rows at a time


class AlikePair(NamedTuple):
    """Hold the indices of two images, and the number of the view of the first that is most like the second."""

    a: int
    b: int
    view: int


def find_alike(grey: np.ndarray, minimum: float) -> list[AlikePair]:
    """Find all pairs of images whose thumbnails correlate under one of the eight dihedral transforms.

    Args:
        grey: ``uint8 (n, height, width)``.
        minimum: least correlation, 0 to 1.

    Returns:
        Pairs, the lower index first; views are numbered as :func:`helpers.images.dihedral_views` orders them.
    """
    thumbnails = np.stack([_thumbnail(image) for image in grey])
    vectors = _unit_vectors(thumbnails)
    basis = _components(thumbnails)
    short = _shorten(vectors, basis)
    found = []
    for start in tqdm(range(0, len(grey), _BLOCK), desc="comparing thumbnails", unit="block", delay=2, leave=False):
        pairs: dict[tuple[int, int], tuple[float, int]] = {}
        for number, view in enumerate(dihedral_views(thumbnails[start : start + _BLOCK])):
            turned = _unit_vectors(view)
            bound = _shorten(turned, basis) @ short[start:].T
            rows, columns = np.nonzero(np.triu(bound >= minimum, 1))
            correlations = np.einsum("ij,ij->i", turned[rows], vectors[start + columns])
            for row, column, correlation in zip(rows.tolist(), columns.tolist(), correlations.tolist(), strict=True):
                pair = (start + row, start + column)
                if correlation >= max(minimum, pairs.get(pair, (-1.0, 0))[0]):
                    pairs[pair] = (correlation, number)
        found += [AlikePair(a, b, view) for (a, b), (_, view) in sorted(pairs.items())]
    return found


def _thumbnail(grey: np.ndarray) -> np.ndarray:
    small = cv2.resize(grey.astype(np.float32), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return small - cv2.GaussianBlur(small, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT)


def _unit_vectors(thumbnails: np.ndarray) -> np.ndarray:
    flat = thumbnails.reshape(len(thumbnails), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _components(thumbnails: np.ndarray) -> np.ndarray:
    """Return the principal components of all views of some thumbnails, ``float32 (pixels, components)``."""
    some = thumbnails[:: max(1, len(thumbnails) // _SAMPLE)]
    scatter = np.zeros((_SIDE**2, _SIDE**2), np.float32)
    for view in dihedral_views(some):
        vectors = _unit_vectors(view)
        scatter += vectors.T @ vectors
    return np.linalg.eigh(scatter)[1][:, -_N_COMPONENTS:]


def _shorten(vectors: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the components of vectors and the length of the rest: products bound those of the vectors from above."""
    components = vectors @ basis
    rest = np.maximum((vectors**2).sum(axis=1) - (components**2).sum(axis=1), 0) + 1e-6  # rounding must not lose a pair
    return np.column_stack([components, np.sqrt(rest)])
