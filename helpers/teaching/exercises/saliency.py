"""Exercises of *Saliency*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.datasets import NUCLEUS, Dataset
from helpers.features import segment_foreground
from helpers.teaching.declarations import Exercise, Mistake, ValueExercise


def _cells(data: Dataset) -> np.ndarray | Sequence[np.ndarray]:
    """Return where the cells are: from masks, or from the images of a dataset without masks."""
    if data.has_masks:
        return data.load_masks(64) > 0
    return [segment_foreground(image) for image in data.load_images(64)]


def _share_of_nuclei(data: Dataset) -> float:
    """Return the share of the nuclei; NaN, which no answer equals, without masks."""
    return float((data.load_masks(64) == NUCLEUS).mean()) if data.has_masks else float("nan")


EXERCISES: dict[str, Exercise] = {
    "saliency-chance": ValueExercise(
        solve=lambda data: float(np.mean(_cells(data))),
        hint="the mean of (data.load_masks(64) > 0) is the share that cells cover; without masks, that of "
        "features.segment_foreground",
        mistakes=(
            Mistake(lambda data: 1 - float(np.mean(_cells(data))), "you gave the share of the background"),
            Mistake(_share_of_nuclei, "you gave the share of the nuclei; the cell is larger"),
        ),
    ),
    "saliency-passes": ValueExercise(
        solve=lambda data: 50 * len(data),
        hint="patches begin at 0, 8, … 48 along each side; and one picture uncovered",
        mistakes=(
            Mistake(lambda data: 49 * len(data), "you left out the uncovered pictures"),
            Mistake(lambda data: 50, "you counted the pictures for one map; every image of data has its own"),
            Mistake(lambda data: 17 * len(data), "you let the patches lie side by side; neighbours overlap by half"),
            Mistake(lambda data: 65 * len(data), "you took eight patches along a side; the last begins at 48"),
        ),
    ),
}
