"""Exercises of *Segment*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import BACKGROUND, CYTOPLASM, NUCLEUS, Dataset
from helpers.features import nucleus_to_cell_area
from helpers.metrics import segmentation_scores, summarise
from helpers.preprocessing import segment_cell_otsu
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise

TABLE_SIZE = 48  # pixels; of the images in the table of the baseline


def _interval_widths(data: Dataset) -> pd.Series:
    """Return the width of the 95 % interval of the mean Dice of each region of the baseline, widest first."""
    predicted = np.stack([segment_cell_otsu(image) for image in data.load_images(TABLE_SIZE)])
    scores = segmentation_scores(data.load_masks(TABLE_SIZE), predicted, data.frame.index)
    scores = scores.dropna(subset="dice")
    table = summarise(scores, "dice", ["region"], groups=data.frame["group"], seed=20).set_index("region")
    return (table["high"] - table["low"]).sort_values(ascending=False)


def _mean_ratio(masks: np.ndarray) -> tuple[float, int]:
    ratios = nucleus_to_cell_area(masks)
    return float(np.nanmean(ratios)), int(np.isnan(ratios).sum())


def _mean_with_zeros(masks: np.ndarray) -> tuple[float, int]:
    ratios = nucleus_to_cell_area(masks)
    return float(np.nan_to_num(ratios).mean()), int(np.isnan(ratios).sum())


def _ratio_of_sums(masks: np.ndarray) -> tuple[float, int]:
    return np.count_nonzero(masks == NUCLEUS) / np.count_nonzero(masks), _mean_ratio(masks)[1]


def _stacks() -> list[tuple[np.ndarray]]:
    """Return stacks of masks with and without masks that have no cell."""
    cell, bare, cytoplasm, empty = (mask for (mask,) in _masks())
    stacks = [[cell, bare], [cell, empty, empty, bare], [cytoplasm, cell, empty]]
    return [(np.stack(masks),) for masks in stacks]


# Masks of the chapter, 4 × 4 pixels of three classes; a prediction is 0.8 sure of its class.
TRUE_LABELS = np.array([[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 2, 2], [0, 0, 0, 0]])
PREDICTED_LABELS = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 2], [0, 0, 0, 0]])


def _loss(classes: slice, smoothing: float = 1.0) -> float:
    """Return cross-entropy plus 1 − mean soft Dice of some classes for the masks of the chapter."""
    truth, probability = np.eye(3)[TRUE_LABELS], 0.7 * np.eye(3)[PREDICTED_LABELS] + 0.1
    surprise = -np.log((truth * probability).sum(axis=-1))
    shared, total = ((truth * probability).sum(axis=(0, 1)), (truth + probability).sum(axis=(0, 1)))
    dice = (2 * shared + smoothing) / (total + smoothing)
    return float(surprise.mean() + 1 - dice[classes].mean())


def _masks() -> list[tuple[np.ndarray]]:
    """Return masks of a cell with both parts, of a bare nucleus, of cytoplasm alone and of nothing."""
    cell = np.full((8, 8), BACKGROUND, np.uint8)
    cell[1:7, 1:7] = CYTOPLASM
    cell[2:5, 2:6] = NUCLEUS
    bare, empty = np.where(cell == NUCLEUS, cell, BACKGROUND), np.zeros_like(cell)
    return [(mask,) for mask in (cell, bare, np.where(cell == CYTOPLASM, cell, BACKGROUND), empty)]


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
    "segment-stride": ValueExercise(
        solve=lambda data: 11,
        hint="where does the last of the four blocks begin, and how wide is it",
        mistakes=(
            Mistake(
                lambda data: 12,
                "the last block is only as wide as the kernel; Keras adds an empty line there",
            ),
            Mistake(lambda data: 8, "that is the side with a stride of 2, where the blocks touch"),
            Mistake(lambda data: 5, "that is the side with a stride of 1, where the blocks overlap"),
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
    "segment-loss": ValueExercise(
        solve=lambda data: _loss(slice(1, None)),
        hint="take the columns from 1 on of shared and total, before the division",
        mistakes=(
            Mistake(lambda data: _loss(slice(None)), "the background still counts in the Dice"),
            Mistake(lambda data: _loss(slice(0, 1)), "you kept the background alone; leave it out"),
            Mistake(lambda data: _loss(slice(2, None)), "you kept the nucleus alone; the cytoplasm counts as well"),
            Mistake(lambda data: _loss(slice(1, None), 0.0), "the + 1 in numerator and denominator is missing"),
        ),
    ),
    "segment-mean-ratio": FunctionExercise(
        solve=_mean_ratio,
        cases=_stacks,
        hint="count the 2s and the pixels above 0 of each mask; keep the masks whose cell has pixels",
        mistakes=(
            Mistake(_mean_with_zeros, "masks without a cell enter the mean as 0; they have no ratio"),
            Mistake(_ratio_of_sums, "you divided sums over all masks, in which a large cell counts more"),
            Mistake(lambda masks: _mean_ratio(masks)[0], "you return the mean alone; return how many are missing too"),
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
