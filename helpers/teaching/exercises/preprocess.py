"""Exercises of *Preprocess*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import NUCLEUS, Dataset
from helpers.metrics import dice_and_iou
from helpers.preprocessing import segment_cell_otsu, segment_nucleus_otsu
from helpers.splits import group_folds, image_folds
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _first_cell(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return image and mask of the first cell at 128 pixels."""
    first = data.select(data.frame.index[:1])
    return first.load_images(128)[0], first.load_masks(128)[0]


def _nucleus_scores(data: Dataset) -> tuple[float, float]:
    image, mask = _first_cell(data)
    return dice_and_iou(mask == NUCLEUS, segment_nucleus_otsu(image))


def _cell_dice(data: Dataset) -> float:
    image, mask = _first_cell(data)
    return dice_and_iou(mask > 0, segment_cell_otsu(image) > 0)[0]


def _dice_against_the_cell(data: Dataset) -> float:
    image, mask = _first_cell(data)
    return dice_and_iou(mask > 0, segment_nucleus_otsu(image))[0]


def _fold_sizes(data: Dataset) -> pd.Series:
    return group_folds(data.frame, 4, 20).value_counts()


EXERCISES: dict[str, Exercise] = {
    "preprocess-otsu-dice": ValueExercise(
        solve=lambda data: _nucleus_scores(data)[0],
        hint="compare load_masks(128)[0] == 2 with segment_nucleus_otsu(load_images(128)[0]); "
        "dice_and_iou gives Dice first",
        mistakes=(
            Mistake(lambda data: _nucleus_scores(data)[1], "you gave intersection over union, not Dice"),
            Mistake(_cell_dice, "you compared the whole cell, not its nucleus"),
            Mistake(
                _dice_against_the_cell,
                "you compared the nucleus with the mask of the whole cell; the nucleus is where the mask equals 2",
            ),
        ),
    ),
    "preprocess-widest-fold": ValueExercise(
        solve=lambda data: int(_fold_sizes(data).max()),
        hint="splits.group_folds(data.frame, 4, 20).value_counts()",
        mistakes=(
            Mistake(lambda data: int(_fold_sizes(data).min()), "you gave the images of the smallest fold"),
            Mistake(
                lambda data: int(image_folds(data.frame, 4, 20).value_counts().max()),
                "you split by image, not by group",
            ),
            Mistake(lambda data: len(data) / 4, "you divided the images evenly; groups are kept whole, so count them"),
        ),
    ),
}
