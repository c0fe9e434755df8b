"""Exercises of *Segment*."""

from __future__ import annotations

import numpy as np

from helpers.datasets import CYTOPLASM, NUCLEUS, Dataset
from helpers.metrics import dice_and_iou
from helpers.preprocessing import segment_cell_otsu, segment_nucleus_otsu
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _first_cell(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return image and mask of the first cell at 128 pixels."""
    first = data.select(data.frame.index[:1])
    return first.load_images(128)[0], first.load_masks(128)[0]


def _cell_scores(data: Dataset) -> tuple[float, float]:
    image, mask = _first_cell(data)
    return dice_and_iou(mask > 0, segment_cell_otsu(image) > 0)


def _nucleus_iou(data: Dataset) -> float:
    image, mask = _first_cell(data)
    return dice_and_iou(mask == NUCLEUS, segment_nucleus_otsu(image))[1]


def _area_ratios(data: Dataset) -> np.ndarray:
    """Return the nucleus-to-cell area ratio of every mask."""
    masks = data.load_masks(128)
    return (masks == NUCLEUS).sum((1, 2)) / (masks > 0).sum((1, 2))


def _nucleus_to_cytoplasm(data: Dataset) -> float:
    masks = data.load_masks(128)
    nuclei, cytoplasm = (masks == NUCLEUS).sum((1, 2)), (masks == CYTOPLASM).sum((1, 2))
    return float(np.median(nuclei / np.maximum(cytoplasm, 1)))


def _nucleus_to_image(data: Dataset) -> float:
    return float(np.median((data.load_masks(128) == NUCLEUS).mean((1, 2))))


EXERCISES: dict[str, Exercise] = {
    "segment-baseline-iou": ValueExercise(
        solve=lambda data: _cell_scores(data)[1],
        hint="both masks are larger than 0 where the cell is; dice_and_iou gives IoU second",
        mistakes=(
            Mistake(lambda data: _cell_scores(data)[0], "you gave Dice, not intersection over union"),
            Mistake(_nucleus_iou, "you compared the nucleus, not the whole cell"),
        ),
    ),
    "segment-area-ratio": ValueExercise(
        solve=lambda data: float(np.median(_area_ratios(data))),
        hint="count the 2s and the pixels above 0 of each mask; then the median of the ratios",
        mistakes=(
            Mistake(
                _nucleus_to_cytoplasm,
                "you divided by the area of the cytoplasm; the whole cell is cytoplasm and nucleus together",
            ),
            Mistake(_nucleus_to_image, "you divided by the area of the image, not of the cell"),
            Mistake(lambda data: float(_area_ratios(data).mean()), "you gave the mean, not the median"),
        ),
    ),
}
