"""Exercises of *Start here*."""

from __future__ import annotations

from collections.abc import Sequence

from helpers import datasets
from helpers.datasets import Dataset
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise


def _count_groups(data: Dataset) -> int:
    return int(data.frame["group"].nunique())


def _groups_of_twice_the_images(data: Dataset) -> int:
    return _count_groups(datasets.load("synthetic", n_images=480))


def absolute_count(white_count: float, percent: float) -> float:
    """Return the white blood cells of one kind, in the unit of ``white_count``."""
    return white_count * percent / 100


def share_of_kind(labels: Sequence[str], kind: str) -> float:
    """Return the share of one kind among labels, 0 to 1."""
    return sum(label == kind for label in labels) / len(labels)


def _share_of_kinds(labels: Sequence[str], kind: str) -> float:
    """Divide by the number of kinds, the mistake to be found."""
    return sum(label == kind for label in labels) / len(set(labels))


def _label_lists() -> list[tuple[list[str], str]]:
    return [
        (["lymphoblast"] * 7 + ["lymphocyte"] * 93, "lymphoblast"),
        (["neutrophil", "eosinophil", "neutrophil", "monocyte"], "neutrophil"),
        (["basophil"] * 5, "basophil"),
        (["monocyte"] * 3 + ["neutrophil"] * 9, "eosinophil"),
    ]


EXERCISES: dict[str, Exercise] = {
    "start-here-count": ValueExercise(
        solve=len,
        hint="len(data) is the number of images, and value_counts counts each of them once",
        mistakes=(
            Mistake(_count_groups, "you counted groups, not images"),
            Mistake(lambda data: len(data.classes), "you counted classes, not images"),
            Mistake(lambda data: 5, "you counted the rows that head() shows; the table has more"),
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
    "start-here-more-images": ValueExercise(
        solve=_groups_of_twice_the_images,
        hint="load('synthetic', n_images=480), then count the different values of the column group",
        mistakes=(
            Mistake(
                lambda data: 2 * _groups_of_twice_the_images(data),
                "you doubled the patients; the same patients gave more cells",
            ),
            Mistake(lambda data: 480, "you counted images, not groups"),
            Mistake(lambda data: 240, "you counted the images of the first dataset; load 480, and count groups"),
        ),
    ),
    "start-here-absolute-count": FunctionExercise(
        solve=absolute_count,
        cases=lambda: [(3.0, 60.0), (24.0, 31.0), (6.5, 0.0), (10.0, 100.0)],
        hint="60 % of 3.0 is 60 hundredths of it",
        mistakes=(
            Mistake(lambda white_count, percent: white_count * percent, "you forgot that per cent means hundredths"),
            Mistake(lambda white_count, percent: percent / 100, "you returned the share; multiply by the white count"),
            Mistake(
                lambda white_count, percent: percent / 100 / white_count, "you divided by the white count; multiply"
            ),
        ),
    ),
    "start-here-share": FunctionExercise(
        solve=share_of_kind,
        cases=_label_lists,
        hint="a share is the number of cells of the kind over the number of all cells",
        mistakes=(
            Mistake(_share_of_kinds, "it still divides by the number of different kinds, not by the number of cells"),
            Mistake(
                lambda labels, kind: sum(label == kind for label in labels),
                "it returns how many cells there are, not their share",
            ),
            Mistake(
                lambda labels, kind: 100 * share_of_kind(labels, kind), "it returns per cent, not a number from 0 to 1"
            ),
        ),
    ),
}
