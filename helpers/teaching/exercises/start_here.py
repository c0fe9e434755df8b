"""Exercises of *Start here*."""

from __future__ import annotations

from helpers.datasets import Dataset
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _count_groups(data: Dataset) -> int:
    return int(data.frame["group"].nunique())


EXERCISES: dict[str, Exercise] = {
    "start-here-count": ValueExercise(
        solve=len,
        hint="len(data) is the number of images in a dataset",
        mistakes=(
            Mistake(_count_groups, "you counted groups, not images"),
            Mistake(lambda data: len(data.classes), "you counted classes, not images"),
            Mistake(lambda data: len(data.frame.columns), "you counted the columns of the table, not its rows"),
        ),
    ),
    "start-here-groups": ValueExercise(
        solve=_count_groups,
        hint="count the different values of data.frame['group']",
        mistakes=(
            Mistake(len, "you counted images, not groups (patients, where they are known)"),
            Mistake(lambda data: len(data.classes), "you counted classes, not groups"),
        ),
    ),
}
