"""Exercises of *Saliency*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.datasets import NUCLEUS, Dataset
from helpers.features import segment_foreground
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise


def _cells(data: Dataset) -> np.ndarray | Sequence[np.ndarray]:
    """Return where the cells are: from masks, or from the images of a dataset without masks."""
    if data.has_masks:
        return data.load_masks(64) > 0
    return [segment_foreground(image) for image in data.load_images(64)]


def _share_of_nuclei(data: Dataset) -> float:
    """Return the share of the nuclei; NaN, which no answer equals, without masks."""
    return float((data.load_masks(64) == NUCLEUS).mean()) if data.has_masks else float("nan")


def _energy(attribution: np.ndarray, mask: np.ndarray) -> float:
    positive = np.maximum(attribution, 0)
    total = positive.sum()
    return float(positive[mask].sum() / total) if total > 0 else 0.0


def _energy_of_all_values(attribution: np.ndarray, mask: np.ndarray) -> float:
    total = attribution.sum()
    return float(attribution[mask].sum() / total) if total else 0.0


def _energy_without_signs(attribution: np.ndarray, mask: np.ndarray) -> float:
    return _energy(np.abs(attribution), mask)


def _mean_within(attribution: np.ndarray, mask: np.ndarray) -> float:
    return float(np.maximum(attribution, 0)[mask].mean())


def _undefined_without_relevance(attribution: np.ndarray, mask: np.ndarray) -> float:
    return _energy(attribution, mask) if (attribution > 0).any() else float("nan")


def _maps() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return maps with values of both signs, without a sign, and without any positive value, with their mask."""
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:4] = True
    signed = np.arange(16.0).reshape(4, 4) - 6
    return [(signed, mask), (np.abs(signed), mask), (-np.ones((4, 4)), mask)]


def _shares(slopes: np.ndarray, image: np.ndarray, start: np.ndarray) -> np.ndarray:
    return (image - start) * slopes.mean(axis=0)


def _slopes() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return gradients along a path, with both ends: of the sum of squares, for 1, 4 and 8 steps, and random ones."""
    image, start = np.array([[3.0, 1.0], [0.0, 2.0]]), np.array([[1.0, 1.0], [1.0, 1.0]])
    cases = []
    for n_steps in (1, 4, 8):
        middles = (np.arange(n_steps)[:, None, None] + 0.5) / n_steps
        cases.append((2 * (start + middles * (image - start)), image, start))
    return [*cases, (np.random.default_rng(5).normal(size=(6, 2, 2)), image, start)]


EXERCISES: dict[str, Exercise] = {
    "saliency-moved": ValueExercise(
        solve=lambda data: 0.0,
        hint="what does it call a lymphocyte with a dot, and a lymphoblast without one",
        mistakes=(
            Mistake(lambda data: 0.5, "you gave the chance level; every answer is turned round instead"),
            Mistake(lambda data: 1, "you gave the accuracy before the dot changed sides"),
        ),
    ),
    "saliency-passes": ValueExercise(
        solve=lambda data: 50 * len(data),
        hint="squares begin at 0, 8, … 48 along each side; and one image uncovered",
        mistakes=(
            Mistake(lambda data: 49 * len(data), "you left out the uncovered images"),
            Mistake(lambda data: 50, "you counted the images for one map; every image of data has its own"),
            Mistake(lambda data: 17 * len(data), "you let the squares lie side by side; neighbours overlap by half"),
            Mistake(lambda data: 65 * len(data), "you took eight squares along a side; the last begins at 48"),
        ),
    ),
    "saliency-chance": ValueExercise(
        solve=lambda data: float(np.mean(_cells(data))),
        hint="the mean of (data.load_masks(64) > 0) is the share that cells cover; without masks, that of "
        "features.segment_foreground",
        mistakes=(
            Mistake(lambda data: 1 - float(np.mean(_cells(data))), "you gave the share of the background"),
            Mistake(_share_of_nuclei, "you gave the share of the nuclei; the cell is larger"),
        ),
    ),
    "saliency-energy": FunctionExercise(
        solve=_energy,
        cases=_maps,
        hint="set negative values to 0 first, then divide the sum within the mask by the sum of the whole map",
        mistakes=(
            Mistake(_energy_of_all_values, "you let negative values cancel positive ones"),
            Mistake(_energy_without_signs, "you counted negative values as if they spoke for the class"),
            Mistake(_mean_within, "you gave the mean within the mask, not its share of the whole map"),
            Mistake(_undefined_without_relevance, "a map without a positive value divides 0 by 0; return 0"),
        ),
    ),
    "saliency-shares": FunctionExercise(
        solve=_shares,
        cases=_slopes,
        hint="check that the shares of the test add up to the difference of the scores",
        mistakes=(
            Mistake(
                lambda slopes, image, start: (image - start) * slopes.sum(axis=0),
                "you still add up the steps, so that more steps give larger shares; the integral is their mean",
            ),
            Mistake(
                lambda slopes, image, start: image * slopes.mean(axis=0),
                "you still multiply with the image; a pixel travels from start to image, the difference of both",
            ),
            Mistake(
                lambda slopes, image, start: image * slopes.sum(axis=0), "both errors of the colleague are still there"
            ),
            Mistake(
                lambda slopes, image, start: (start - image) * slopes.mean(axis=0),
                "you walk from the image to the start, which turns the sign round",
            ),
        ),
    ),
}
