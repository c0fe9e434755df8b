"""Normalise stain and light by the red cells, which are in every field and nearly the same in everyone.

The empty background is the light of the microscope, and the optical density of red cells is haemoglobin with eosin.
Both are known in every field, whatever white blood cell it shows, so that a class cannot pull the normalisation, as it
does where means over all pixels are matched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_PIXELS = 50
MAX_RATIO = 3.0  # of two densities of red cells; more is not the stain but a failed measurement, as in white light
CENTRE = 0.6  # share of the sides of a box that is used, so that corners and borders are left out


@dataclass(frozen=True)
class RedCells:
    """Hold light and red cells of a field, or of several.

    Attributes:
        background: colour of the empty field, ``float (3,)``, 0 to 255.
        density: median optical density of red cells in each channel, ``float (3,)``, natural logarithm, above 0.
    """

    background: np.ndarray
    density: np.ndarray


def fit_red_cells(images: Sequence[np.ndarray], boxes: Sequence[Sequence[tuple]]) -> RedCells:
    """Measure background and red cells of one or more fields of the same slide.

    Args:
        images: fields, each ``uint8 (height, width, 3)`` RGB.
        boxes: boxes of the cells of every field, ``(kind, left, top, right, bottom)`` in pixels; those of the kind
            ``"RBC"`` are used, in their middle.

    Raises:
        ValueError: fewer than 50 pixels of red cells are in the fields.
    """
    light, cells = [], []
    for image, field_boxes in zip(images, boxes, strict=True):
        light.append(np.percentile(image.reshape(-1, 3), 98, axis=0))
        for kind, left, top, right, bottom in field_boxes:
            if kind == "RBC":
                cells.append(_middle(image, left, top, right, bottom))
    pixels = np.concatenate(cells) if cells else np.empty((0, 3))
    if len(pixels) < MIN_PIXELS:
        raise ValueError(
            f"{len(pixels)} pixels of red cells in {len(images)} fields, and {MIN_PIXELS} are needed; give whole "
            "fields with boxes of red cells"
        )
    background = np.maximum(np.median(light, axis=0), 1.0)
    density = np.median(-np.log(np.maximum(pixels, 1) / background), axis=0)
    return RedCells(background, np.maximum(density, 1e-2))


def normalize_red_cells(image: np.ndarray, source: RedCells, target: RedCells) -> np.ndarray:
    """Scale the optical density of every channel so that red cells, and the background, look as in the target.

    A density changes by a factor of three at most, since the red cells of two fields do not differ more. Where the
    light of a field is clipped at white, they can hardly be measured.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        source: of the field of the image, or of its slide.
        target: reference, such as that of all training fields.

    Returns:
        ``uint8 (height, width, 3)`` RGB.
    """
    density = -np.log(np.maximum(image, 1) / source.background)
    ratio = np.clip(target.density / source.density, 1 / MAX_RATIO, MAX_RATIO)
    rgb = target.background * np.exp(-density * ratio)
    return np.round(np.clip(rgb, 0, 255)).astype(np.uint8)


def _middle(image: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Return the pixels in the middle of a box, ``(n, 3)``."""
    margin_x, margin_y = (round(side * (1 - CENTRE) / 2) for side in (right - left, bottom - top))
    return image[top + margin_y : bottom - margin_y, left + margin_x : right - margin_x].reshape(-1, 3)
