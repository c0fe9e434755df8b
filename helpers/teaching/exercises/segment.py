"""Exercises of *Segment*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import BACKGROUND, CYTOPLASM, NUCLEUS, Dataset
from helpers.metrics import dice_and_iou, segmentation_scores, summarise
from helpers.preprocessing import segment_cell_otsu, segment_nucleus_otsu
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise

TABLE_SIZE = 48  # pixels; of the images in the table of the baseline


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


def _interval_widths(data: Dataset) -> pd.Series:
    """Return the width of the 95 % interval of the mean Dice of each region of the baseline, widest first."""
    predicted = np.stack([segment_cell_otsu(image) for image in data.load_images(TABLE_SIZE)])
    scores = segmentation_scores(data.load_masks(TABLE_SIZE), predicted, data.frame.index)
    scores = scores.dropna(subset="dice")
    table = summarise(scores, "dice", ["region"], groups=data.frame["group"], seed=20).set_index("region")
    return (table["high"] - table["low"]).sort_values(ascending=False)


def _area_ratio(mask: np.ndarray) -> float:
    cell = np.count_nonzero(mask > 0)
    return float(np.count_nonzero(mask == NUCLEUS) / cell) if cell else float("nan")


def _nucleus_to_cytoplasm(mask: np.ndarray) -> float:
    cytoplasm = np.count_nonzero(mask == CYTOPLASM)
    return float(np.count_nonzero(mask == NUCLEUS) / cytoplasm) if cytoplasm else float("nan")


def _masks() -> list[tuple[np.ndarray]]:
    """Return masks of a cell with both parts, of a bare nucleus, of cytoplasm alone and of nothing."""
    cell = np.full((8, 8), BACKGROUND, np.uint8)
    cell[1:7, 1:7] = CYTOPLASM
    cell[2:5, 2:6] = NUCLEUS
    bare, empty = np.where(cell == NUCLEUS, cell, BACKGROUND), np.zeros_like(cell)
    return [(mask,) for mask in (cell, bare, np.where(cell == CYTOPLASM, cell, BACKGROUND), empty)]


def _dice(truth: np.ndarray, predicted: np.ndarray) -> float:
    return dice_and_iou(truth, predicted)[0]


def _dice_without_empty_masks(truth: np.ndarray, predicted: np.ndarray) -> float:
    return _dice(truth, predicted) if truth.any() or predicted.any() else float("nan")


def _dice_of_zero_for_empty_masks(truth: np.ndarray, predicted: np.ndarray) -> float:
    return _dice(truth, predicted) if truth.any() or predicted.any() else 0.0


def _pixel_accuracy(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float((truth == predicted).mean())


def _mask_pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    truth, predicted = np.zeros((2, 6, 6), bool)
    truth[1:4, 1:4], predicted[2:5, 1:5] = True, True
    nothing = np.zeros_like(truth)
    return [(truth, predicted), (truth, truth), (truth, nothing), (nothing, nothing)]


def _halve_by_nearest(mask: np.ndarray) -> np.ndarray:
    return mask[::2, ::2]


def _halve_by_mean(mask: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    return mask.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)).round().astype(np.uint8)


def _halve_by_maximum(mask: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    return mask.reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3))


EXERCISES: dict[str, Exercise] = {
    "segment-shifted-dice": ValueExercise(
        solve=lambda data: 0.9,
        hint="how many of the ten columns are in both squares",
        mistakes=(
            Mistake(lambda data: 90 / 110, "you gave the IoU, which divides by the 110 pixels of the union"),
            Mistake(lambda data: 0.8, "you counted both rims as errors but not the shared pixels twice"),
        ),
    ),
    "segment-widest-interval": ValueExercise(
        solve=lambda data: str(_interval_widths(data).index[0]),
        hint="one of whole cell, cytoplasm and nucleus; subtract the lower end of each interval from the upper one",
        mistakes=(
            Mistake(
                lambda data: str(_interval_widths(data).index[-1]), "you gave the region with the narrowest interval"
            ),
            Mistake(lambda data: str(_interval_widths(data).index[1]), "you gave the region in the middle"),
        ),
    ),
    "segment-baseline-iou": ValueExercise(
        solve=lambda data: _cell_scores(data)[1],
        hint="both masks are larger than 0 where the cell is; dice_and_iou gives IoU second",
        mistakes=(
            Mistake(lambda data: _cell_scores(data)[0], "you gave Dice, not intersection over union"),
            Mistake(_nucleus_iou, "you compared the nucleus, not the whole cell"),
        ),
    ),
    "segment-area-ratio": FunctionExercise(
        solve=_area_ratio,
        cases=_masks,
        hint="count the 2s, and the pixels above 0; without a cell return nan",
        mistakes=(
            Mistake(
                _nucleus_to_cytoplasm,
                "you divided by the area of the cytoplasm; the whole cell is cytoplasm and nucleus together",
            ),
            Mistake(
                lambda mask: float((mask == NUCLEUS).mean()), "you divided by the area of the image, not of the cell"
            ),
            Mistake(
                lambda mask: _area_ratio(mask) if mask.any() else 0.0,
                "a mask without a cell has no ratio; 0 would count as a cell without a nucleus",
            ),
        ),
    ),
    "segment-dice": FunctionExercise(
        solve=_dice,
        cases=_mask_pairs,
        hint="twice the pixels in both, over the sum of both areas; two empty masks score 1",
        mistakes=(
            Mistake(lambda truth, predicted: dice_and_iou(truth, predicted)[1], "you wrote the IoU"),
            Mistake(_pixel_accuracy, "you counted the background that both leave empty"),
            Mistake(_dice_without_empty_masks, "two empty masks give nan; nothing to find and nothing found scores 1"),
            Mistake(
                _dice_of_zero_for_empty_masks, "two empty masks give 0; nothing to find and nothing found scores 1"
            ),
        ),
    ),
    "segment-halve-mask": FunctionExercise(
        solve=_halve_by_nearest,
        cases=_masks,
        hint="take every second row and every second column, without computing with labels",
        mistakes=(
            Mistake(
                _halve_by_mean,
                "you still average labels; halfway between background (0) and nucleus (2) there is no cytoplasm (1)",
            ),
            Mistake(_halve_by_maximum, "you take the largest label of a block, which lets every nucleus grow"),
        ),
    ),
}
