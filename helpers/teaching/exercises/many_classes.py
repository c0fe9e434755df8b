"""Exercises of *Many classes*."""

from __future__ import annotations

import pandas as pd

from helpers.datasets import Dataset
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _missing_images(data: Dataset) -> pd.Series:
    """Return by how many images each class falls short of 60; negative where it has more."""
    return 60 - data.frame["label"].value_counts()


EXERCISES: dict[str, Exercise] = {
    "many-classes-constant": ValueExercise(
        solve=lambda data: 1 / len(data.classes),
        hint="the mean over classes of: 1 for one, 0 for the others",
        mistakes=(
            Mistake(
                lambda data: float(data.frame["label"].value_counts(normalize=True).iloc[0]),
                "you gave the accuracy; balanced accuracy is the mean of the recalls of all classes",
            ),
        ),
    ),
    "many-classes-copies": ValueExercise(
        solve=lambda data: int(_missing_images(data).clip(lower=0).sum()),
        hint="60 less the images of each class, where that is above 0, added up",
        mistakes=(
            Mistake(
                lambda data: int(_missing_images(data).sum()),
                "you subtracted the images that large classes have above 60; those classes need 0 copies",
            ),
            Mistake(
                lambda data: int((_missing_images(data) > 0).sum()),
                "you counted the classes that lack images, not the images",
            ),
            Mistake(
                lambda data: int(_missing_images(data).clip(lower=0).max()),
                "you gave what the rarest class lacks; add up what each class lacks",
            ),
        ),
    ),
}
