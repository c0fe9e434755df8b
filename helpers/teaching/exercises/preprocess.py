"""Exercises of *Preprocess*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from skimage.filters import threshold_otsu

from helpers.datasets import CYTOPLASM, NUCLEUS, Dataset
from helpers.metrics import dice_and_iou
from helpers.splits import group_folds
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise

DARK = 100  # green value of the exercise on the histogram


def _first_image(data: Dataset) -> np.ndarray:
    return data.select(data.frame.index[:1]).load_images(128)[0]


def _n_dark(data: Dataset, channel: int = 1) -> int:
    return int((_first_image(data)[..., channel] <= DARK).sum())


def _n_bright(data: Dataset) -> int:
    return int((_first_image(data)[..., 1] > DARK).sum())


def _scores_of_channel(data: Dataset, channel: int = 0, labels: tuple[int, ...] = (NUCLEUS,)) -> np.ndarray:
    """Return mean Dice and mean IoU of one Otsu threshold on a channel, over the first ten images."""
    first = data.select(data.frame.index[:10])
    pairs = zip(first.load_images(128)[..., channel], first.load_masks(128), strict=True)
    return np.mean(
        [dice_and_iou(np.isin(mask, labels), values <= threshold_otsu(values)) for values, mask in pairs], axis=0
    )


def _fold_sizes(data: Dataset) -> pd.Series:
    return group_folds(data.frame, 5, 20).value_counts()


def _dice(truth: np.ndarray, predicted: np.ndarray) -> float:
    total = truth.sum() + predicted.sum()
    return float(2 * (truth & predicted).sum() / total) if total else 1.0


def _iou(truth: np.ndarray, predicted: np.ndarray) -> float:
    union = (truth | predicted).sum()
    return float((truth & predicted).sum() / union) if union else 1.0


def _share_found(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float((truth & predicted).sum() / truth.sum()) if truth.any() else 1.0


def _share_right(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float((truth == predicted).mean())


def _dice_of_empty_undefined(truth: np.ndarray, predicted: np.ndarray) -> float:
    total = truth.sum() + predicted.sum()
    return float(2 * (truth & predicted).sum() / total) if total else float("nan")


def _mask_pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(7)
    empty = np.zeros((6, 5), bool)
    pairs = [(random.random((6, 5)) < 0.4, random.random((6, 5)) < 0.6) for _ in range(3)]
    return [*pairs, (pairs[0][0], empty), (empty, empty)]


def _shared_groups(train_groups: Sequence[str], test_groups: Sequence[str]) -> list[str]:
    return sorted(set(train_groups) & set(test_groups))


def _position_by_position(train_groups: Sequence[str], test_groups: Sequence[str]) -> list[str]:
    return [train for train, test in zip(train_groups, test_groups, strict=False) if train == test]


def _with_repeats(train_groups: Sequence[str], test_groups: Sequence[str]) -> list[str]:
    return [group for group in test_groups if group in train_groups]


def _group_lists() -> list[tuple[list[str], list[str]]]:
    return [
        (["P1", "P1", "P2", "P3"], ["P3", "P2", "P3"]),
        (["P4", "P5"], ["P6"]),
        (["P9", "P2", "P9"], ["P9", "P9", "P2"]),
    ]


EXERCISES: dict[str, Exercise] = {
    "preprocess-predict-dice": ValueExercise(
        solve=lambda data: 2 * 50 / (100 + 50),
        hint="twice the overlap, over the sum of both areas; all 50 pixels of the nucleus overlap",
        mistakes=(
            Mistake(lambda data: 0.5, "that is intersection over union, 50 of 100 pixels"),
            Mistake(lambda data: 50 / 150, "count the overlap twice, since both areas are in the denominator"),
            Mistake(lambda data: 1.0, "that is the share of the nucleus that was found; the rule marks too much"),
        ),
    ),
    "preprocess-dark-pixels": ValueExercise(
        solve=_n_dark,
        hint="data.load_images(128)[0][..., 1] is green; compare it with 100 and take the sum",
        mistakes=(
            Mistake(_n_bright, "you counted the pixels above 100"),
            Mistake(lambda data: _n_dark(data, 0), "you counted in the red channel; green is channel 1"),
            Mistake(lambda data: _n_dark(data, 2), "you counted in the blue channel; green is channel 1"),
            Mistake(
                lambda data: float((_first_image(data)[..., 1] <= DARK).mean()),
                "you gave their share, not their number",
            ),
        ),
    ),
    "preprocess-red-channel": ValueExercise(
        solve=lambda data: float(_scores_of_channel(data)[0]),
        hint="for each image, values <= threshold_otsu(values) against mask == 2; then the mean of the Dice",
        mistakes=(
            Mistake(lambda data: float(_scores_of_channel(data, 1)[0]), "that is green; red is channel 0"),
            Mistake(lambda data: float(_scores_of_channel(data)[1]), "you gave intersection over union, not Dice"),
            Mistake(
                lambda data: float(_scores_of_channel(data, 0, (CYTOPLASM, NUCLEUS))[0]),
                "you compared with the whole cell; the nucleus is where the mask equals 2",
            ),
        ),
    ),
    "preprocess-smallest-fold": ValueExercise(
        solve=lambda data: int(_fold_sizes(data).min()),
        hint="splits.group_folds(cells.frame, 5, 20).value_counts()",
        mistakes=(
            Mistake(lambda data: int(_fold_sizes(data).max()), "that is the largest fold, or one of four"),
            Mistake(lambda data: len(data) / 5, "you divided the images evenly; groups are kept whole, so count them"),
        ),
    ),
    "preprocess-write-dice": FunctionExercise(
        solve=_dice,
        cases=_mask_pairs,
        hint="2 * (truth & predicted).sum() over the sum of both areas, and 1 if that sum is 0",
        mistakes=(
            Mistake(_iou, "you divide by the union, which is intersection over union"),
            Mistake(_share_found, "you divide by the true area alone, so that marking everything would be perfect"),
            Mistake(_share_right, "you count all pixels that agree, and most of them are background"),
            Mistake(_dice_of_empty_undefined, "two empty masks give 0 / 0; they are identical, so return 1"),
        ),
    ),
    "preprocess-debug-audit": FunctionExercise(
        solve=_shared_groups,
        cases=_group_lists,
        hint="set(train_groups) & set(test_groups), sorted",
        mistakes=(
            Mistake(_position_by_position, "zip compares only groups at the same position in both lists"),
            Mistake(_with_repeats, "a group with several test images is listed several times, or not in order"),
        ),
    ),
}
