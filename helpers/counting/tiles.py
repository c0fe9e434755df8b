"""Overlapping tiles of fields, so that a field of any size takes bounded memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from helpers.counting.network import UM_PER_PIXEL
from helpers.counting.scale import border_colour, measure_light, rescale_field

CORE = 384  # side of the part of a tile whose cells count, in pixels of the network
MARGIN = 64  # around it, 16 µm, so that the network sees the surroundings and the whole of a cell
PADDING = 16  # at the border of a field


@dataclass(frozen=True)
class Tile:
    """Hold a tile of a field, at the scale of the network.

    Attributes:
        canvas: ``uint8 (height, width, 3)``; sides are multiples of the step of the network.
        origin: x and y of the first pixel of ``canvas`` in pixels of the field, ``float (2,)``.
        factor: pixels of ``canvas`` per pixel of the field, along x and y, ``float (2,)``.
        core: left, top, right and bottom of the part whose cells count, in pixels of the field; cores do not overlap
            and cover the field.
    """

    canvas: np.ndarray
    origin: np.ndarray
    factor: np.ndarray
    core: tuple[int, int, int, int]

    def to_field(self, boxes: np.ndarray) -> np.ndarray:
        """Convert boxes from pixels of ``canvas`` to pixels of the field, ``float (n, 4)``."""
        return boxes / np.tile(self.factor, 2) + np.tile(self.origin, 2)

    def owns(self, boxes: np.ndarray) -> np.ndarray:
        """Tell which boxes have their middle in the core, ``bool (n,)``, so that each belongs to one tile."""
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        return ((middle >= self.core[:2]) & (middle < self.core[2:])).all(axis=1)


def iter_tiles(field: np.ndarray, um_per_pixel: float, step: int) -> Iterator[Tile]:
    """Cut a field into tiles at the scale of the network; only one tile is made at a time.

    Args:
        field: ``uint8 (height, width, 3)`` RGB; it may be mapped from a file.
        um_per_pixel: scale of the field in µm per pixel.
        step: sides of a canvas are multiples of it, in pixels.
    """
    factor = um_per_pixel / UM_PER_PIXEL
    core, margin = (max(1, round(side / factor)) for side in (CORE, MARGIN))
    (height, width), light = field.shape[:2], measure_light(field)
    for top, bottom in _spans(height, core):
        for left, right in _spans(width, core):
            first_x, first_y = max(0, left - margin), max(0, top - margin)
            part = field[first_y : bottom + margin, first_x : right + margin]
            small = rescale_field(part, factor, light)
            sides = np.array([-(-(side + 2 * PADDING) // step) * step for side in small.shape[:2]])
            row, column = (sides - small.shape[:2]) // 2
            canvas = np.empty((*sides, 3), np.uint8)
            canvas[:] = border_colour(small)
            canvas[row : row + small.shape[0], column : column + small.shape[1]] = small
            scale = np.array([small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]])
            origin = np.array([first_x, first_y]) - np.array([column, row]) / scale
            # The first and last cores reach beyond the field: the middle of a cut cell may lie outside.
            outer = (
                left if left > 0 else -width,
                top if top > 0 else -height,
                right if right < width else 2 * width,
                bottom if bottom < height else 2 * height,
            )
            yield Tile(canvas, origin, scale, outer)


def _spans(length: int, core: int) -> list[tuple[int, int]]:
    """Divide a side into spans of nearly equal length, of at most ``core`` pixels."""
    edges = np.linspace(0, length, -(-length // core) + 1).round().astype(int)
    return [(int(first), int(last)) for first, last in itertools.pairwise(edges)]
