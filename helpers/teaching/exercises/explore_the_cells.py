"""Exercises of *Explore the cells*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise


def _largest_class(data: Dataset) -> pd.DataFrame:
    return data.frame[data.frame["label"] == data.frame["label"].value_counts().idxmax()]


def _group_shares(frame: pd.DataFrame) -> pd.Series:
    return frame["group"].value_counts(normalize=True)


def _parts(data: Dataset) -> tuple[pd.Series, pd.Series]:
    """Return the groups of the first 70 % of the images, sorted by group, and of the others."""
    groups = data.frame["group"].sort_values()
    cut = len(groups) * 7 // 10
    return groups[:cut], groups[cut:]


def _leaked_groups(data: Dataset) -> set[str]:
    first, second = _parts(data)
    return set(first) & set(second)


def ratio_of_cell(mask: np.ndarray) -> float:
    """Return the area of the nucleus over the area of the whole cell; NaN without a cell."""
    return float((mask == 2).sum() / (mask > 0).sum()) if mask.any() else float("nan")


def _ratio_to_cytoplasm(mask: np.ndarray) -> float:
    return float((mask == 2).sum() / max((mask == 1).sum(), 1))


def _ratio_to_image(mask: np.ndarray) -> float:
    return float((mask == 2).mean())


def _sum_of_labels(mask: np.ndarray) -> float:
    return float(mask[mask == 2].sum() / max(mask.sum(), 1))


def _masks() -> list[tuple[np.ndarray]]:
    """A cell that is a quarter nucleus, one that is half nucleus, one beside the middle, and an empty image."""
    masks = np.zeros((4, 20, 20), np.uint8)
    masks[0, 2:18, 2:18], masks[0, 6:14, 6:14] = 1, 2
    masks[1, 5:15, 5:15], masks[1, 5:15, 5:10] = 1, 2
    masks[2, 0:10, 8:20], masks[2, 2:8, 10:20] = 1, 2
    return [(mask,) for mask in masks]


def majority_baseline(labels: Sequence[str]) -> float:
    """Return the share of the commonest label, 0 to 1."""
    return float(pd.Series(list(labels)).value_counts(normalize=True).iloc[0])


def _label_lists() -> list[tuple[list[str]]]:
    return [
        (["lymphocyte"] * 90 + ["lymphoblast"] * 10,),
        (["monocyte", "neutrophil", "neutrophil", "eosinophil", "basophil"],),
        (["neutrophil"] * 4,),
        (["basophil"] * 2 + ["monocyte"] * 5 + ["eosinophil"] * 3,),
    ]


def mean_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean absolute difference of two ``uint8`` images."""
    return float(np.abs(first.astype(int) - second.astype(int)).mean())


def _images() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(7)
    noise = random.integers(0, 256, (2, 8, 8, 3), np.uint8)
    return [
        (np.full((6, 6, 3), 10, np.uint8), np.full((6, 6, 3), 20, np.uint8)),
        (np.full((6, 6, 3), 200, np.uint8), np.full((6, 6, 3), 150, np.uint8)),
        (noise[0], noise[1]),
    ]


EXERCISES: dict[str, Exercise] = {
    "explore-the-cells-numbers": ValueExercise(
        solve=lambda data: 96 * 96 * 3,
        hint="rows times columns times colour channels",
        mistakes=(
            Mistake(lambda data: 96 * 96, "you counted pixels; each has three numbers"),
            Mistake(
                lambda data: 96 * 96 * 256, "256 is how many values a number can have, not how many numbers there are"
            ),
            Mistake(lambda data: 96 * 3, "you counted one row; there are 96"),
        ),
    ),
    "explore-the-cells-largest-group": ValueExercise(
        solve=lambda data: float(_group_shares(_largest_class(data)).iloc[0]),
        hint="select the images of the largest class; value_counts(normalize=True) of their groups gives shares",
        mistakes=(
            Mistake(
                lambda data: int(_largest_class(data)["group"].value_counts().iloc[0]),
                "you gave the number of images of that group, not their share of the class",
            ),
            Mistake(
                lambda data: float(_group_shares(_largest_class(data)).mean()), "you gave the mean share of a group"
            ),
            Mistake(
                lambda data: float(_group_shares(_largest_class(data)).iloc[-1]),
                "you gave the share of the smallest group",
            ),
            Mistake(
                lambda data: float(_group_shares(data.frame).iloc[0]),
                "you counted the images of all classes; take those of the largest class first",
            ),
            Mistake(
                lambda data: len(_largest_class(data)) / len(data),
                "you gave the share of the largest class among all images",
            ),
        ),
    ),
    "explore-the-cells-leaked-groups": ValueExercise(
        solve=lambda data: len(_leaked_groups(data)),
        hint="sort by group, cut at 70 %, and intersect the two sets of groups",
        mistakes=(
            Mistake(
                lambda data: int(data.frame["group"].isin(_leaked_groups(data)).sum()),
                "you counted the images of these groups, not the groups",
            ),
            Mistake(
                lambda data: int(_parts(data)[0].nunique()),
                "you counted the groups of the first part; intersect them with the second",
            ),
            Mistake(
                lambda data: int(data.frame["group"].nunique()),
                "that is the number of all groups; sort the table by group before you cut it",
            ),
        ),
    ),
    "explore-the-cells-ratio": FunctionExercise(
        solve=ratio_of_cell,
        cases=_masks,
        hint="count the pixels equal to 2, and divide by those above 0; without a cell return nan",
        mistakes=(
            Mistake(
                lambda mask: ratio_of_cell(mask) if mask.any() else 0.0,
                "a mask without a cell gives 0, which would count as a cell without a nucleus; it has no ratio",
            ),
            Mistake(_ratio_to_cytoplasm, "it divides by the cytoplasm; this course divides by the whole cell"),
            Mistake(_ratio_to_image, "it divides by the whole image, background included"),
            Mistake(_sum_of_labels, "it adds up the labels 1 and 2 instead of counting pixels"),
        ),
    ),
    "explore-the-cells-baseline": FunctionExercise(
        solve=majority_baseline,
        cases=_label_lists,
        hint="count each label, take the largest count, divide by the number of labels",
        mistakes=(
            Mistake(
                lambda labels: 1 / len(set(labels)), "it is 1 over the number of classes, as if all were equally common"
            ),
            Mistake(
                lambda labels: max(labels.count(label) for label in labels),
                "it returns how many there are of the commonest label, not their share",
            ),
            Mistake(
                lambda labels: labels.count(labels[0]) / len(labels),
                "it takes the first label of the list, which need not be the commonest",
            ),
        ),
    ),
    "explore-the-cells-difference": FunctionExercise(
        solve=mean_difference,
        cases=_images,
        hint="uint8 cannot be negative; convert both images with astype(int) before you subtract",
        mistakes=(
            Mistake(
                lambda first, second: float(np.abs(first - second).mean()),
                "it still subtracts uint8, which wraps around below 0",
            ),
            Mistake(
                lambda first, second: float((first.astype(int) - second.astype(int)).mean()),
                "it lets positive and negative differences cancel; take np.abs before the mean",
            ),
        ),
    ),
}
