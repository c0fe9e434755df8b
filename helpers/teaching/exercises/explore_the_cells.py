"""Exercises of *Explore the cells*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _group_shares(data: Dataset) -> pd.Series:
    return data.frame["group"].value_counts(normalize=True)


def _groups_in_both_halves(groups: pd.Series) -> set[str]:
    first = np.arange(len(groups)) < len(groups) // 2
    return set(groups[first]) & set(groups[~first])


def _leaked_groups(data: Dataset) -> set[str]:
    return _groups_in_both_halves(data.frame.sort_index()["group"])


EXERCISES: dict[str, Exercise] = {
    "explore-the-cells-largest-group": ValueExercise(
        solve=lambda data: float(_group_shares(data).iloc[0]),
        hint="value_counts(normalize=True) gives shares; take the largest",
        mistakes=(
            Mistake(
                lambda data: int(data.frame["group"].value_counts().iloc[0]),
                "you gave the number of images of the largest group, not their share of all images",
            ),
            Mistake(lambda data: float(_group_shares(data).mean()), "you gave the mean share of a group"),
            Mistake(lambda data: float(_group_shares(data).iloc[-1]), "you gave the share of the smallest group"),
            Mistake(
                lambda data: float(data.frame["label"].value_counts(normalize=True).iloc[0]),
                "you gave the share of the largest class, not of the largest group",
            ),
        ),
    ),
    "explore-the-cells-leaked-groups": ValueExercise(
        solve=lambda data: len(_leaked_groups(data)),
        hint="sort by id, cut in two halves, and intersect the two sets of groups",
        mistakes=(
            Mistake(
                lambda data: int(data.frame["group"].isin(_leaked_groups(data)).sum()),
                "you counted the images of these groups, not the groups",
            ),
            Mistake(lambda data: int(data.frame["group"].nunique()), "you counted all groups, in one half or in both"),
            Mistake(
                lambda data: len(_groups_in_both_halves(data.frame["group"])),
                "you cut the table in the order in which it is; sort it by id first",
            ),
        ),
    ),
}
