"""Exercises of *Classify*."""

from __future__ import annotations

import pandas as pd

from helpers.datasets import Dataset
from helpers.splits import image_folds
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _largest_class(data: Dataset) -> float:
    return float(data.frame["label"].value_counts(normalize=True).iloc[0])


def _folds_per_group(data: Dataset) -> pd.Series:
    return image_folds(data.frame, 5, 20).groupby(data.frame["group"]).nunique()


def _images_of_spread_groups(data: Dataset) -> int:
    folds = _folds_per_group(data)
    return int(data.frame["group"].isin(folds.index[folds > 1]).sum())


EXERCISES: dict[str, Exercise] = {
    "classify-always": ValueExercise(
        solve=_largest_class,
        hint="value_counts(normalize=True) gives the share of every class",
        mistakes=(
            Mistake(lambda data: 1 - _largest_class(data), "you gave the share of images that the model gets wrong"),
            Mistake(
                lambda data: 1 / len(data.classes),
                "you gave the accuracy of guessing, each class as often as the others",
            ),
            Mistake(
                lambda data: int(data.frame["label"].value_counts().iloc[0]),
                "you gave the number of images of the class, not its share",
            ),
        ),
    ),
    "classify-leaked": ValueExercise(
        solve=lambda data: int((_folds_per_group(data) > 1).sum()),
        hint="group the folds by data.frame['group'] and count the different ones",
        mistakes=(
            Mistake(_images_of_spread_groups, "you counted the images of these groups, not the groups"),
            Mistake(
                lambda data: int((_folds_per_group(data) == 1).sum()),
                "you counted the groups that are in a single fold",
            ),
            Mistake(lambda data: int(data.frame["group"].nunique()), "you counted all groups"),
        ),
    ),
}
