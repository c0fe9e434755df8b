"""Exercises of *Count*."""

from __future__ import annotations

import math

import numpy as np

from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, RepairExercise, ValueExercise
from helpers.teaching.exercises import counted_strip

_HITS = np.array([True, True, False, True, True, False, True, False])  # detections, the surest first
_N_CELLS = 6
_FIELDS = np.array([1, 1, 1, 1, 2, 2, 4, 8])  # cells in each field
_SHARE, _CHANCE = 0.02, 0.95


def _cells_to_see_one() -> int:
    return math.ceil(math.log(1 - _CHANCE) / math.log(1 - _SHARE))


def _precision_at_sensitivity(least: float) -> float:
    hits = np.cumsum(_HITS)
    first = int(np.argmax(hits / _N_CELLS >= least))
    return float(hits[first] / (first + 1))


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    width, height = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    both = max(width, 0.0) * max(height, 0.0)
    return float(both / (_area(a) + _area(b) - both))


def _area(box: np.ndarray) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))


def _iou_of_apart(a: np.ndarray, b: np.ndarray) -> float:
    width, height = (min(a[k + 2], b[k + 2]) - max(a[k], b[k]) for k in (0, 1))
    return float(width * height / (_area(a) + _area(b) - width * height))


def _over_sum(a: np.ndarray, b: np.ndarray) -> float:
    width, height = (max(min(a[k + 2], b[k + 2]) - max(a[k], b[k]), 0.0) for k in (0, 1))
    return float(width * height / (_area(a) + _area(b)))


def _over_first(a: np.ndarray, b: np.ndarray) -> float:
    width, height = (max(min(a[k + 2], b[k + 2]) - max(a[k], b[k]), 0.0) for k in (0, 1))
    return float(width * height / _area(a))


def _pairs_of_boxes() -> list[tuple[np.ndarray, np.ndarray]]:
    pairs = (
        ((0, 0, 10, 10), (5, 0, 15, 10)),
        ((0, 0, 10, 10), (20, 30, 40, 50)),
        ((0, 0, 8, 4), (2, 1, 6, 3)),
        ((3, 3, 9, 9), (3, 3, 9, 9)),
        ((0, 0, 10, 10), (12, 0, 20, 10)),
    )
    return [(np.array(a, float), np.array(b, float)) for a, b in pairs]


def _peaks(heat: np.ndarray, threshold: float) -> np.ndarray:
    padded = np.pad(heat, 1, constant_values=-np.inf)
    views = [padded[1 + dy : padded.shape[0] - 1 + dy, 1 + dx : padded.shape[1] - 1 + dx] for dy, dx in _AROUND]
    return np.argwhere((heat >= np.max(views, axis=0)) & (heat >= threshold))


_AROUND = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx]


def _above(heat: np.ndarray, threshold: float) -> np.ndarray:
    return np.argwhere(heat >= threshold)


def _without_corners(heat: np.ndarray, threshold: float) -> np.ndarray:
    padded = np.pad(heat, 1, constant_values=-np.inf)
    views = [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
    return np.argwhere((heat >= np.max(views, axis=0)) & (heat >= threshold))


def _all_peaks(heat: np.ndarray, threshold: float) -> np.ndarray:
    return _peaks(heat, 0.0)


def _inner_peaks(heat: np.ndarray, threshold: float) -> np.ndarray:
    found = _peaks(heat, threshold)
    return found[((found > 0) & (found < np.array(heat.shape) - 1)).all(axis=1)]


def _columns_first(heat: np.ndarray, threshold: float) -> np.ndarray:
    return _peaks(heat, threshold)[:, ::-1]


def _heat_maps() -> list[tuple[np.ndarray, float]]:
    cases = []
    for seed, (rows, columns), threshold in ((1, (6, 9), 0.4), (2, (12, 7), 0.9), (3, (5, 5), 0.3)):
        heat = np.random.default_rng(seed).random((rows, columns)).round(2)
        heat[0, 1], heat[-1, -2] = 0.995, 0.985  # two cells at the border
        heat[3, 2], heat[2, 3] = 0.97, 0.98  # of two peaks at a corner, one remains
        cases.append((heat, threshold))
    return cases


EXERCISES: dict[str, Exercise] = {
    "count-see-a-blast": ValueExercise(
        solve=lambda data: _cells_to_see_one(),
        hint="the chance to see none must fall to 5 %: 0.98 to the power of n",
        mistakes=(
            Mistake(lambda data: 50, "50 cells have one blast on average, and 36 % of such counts have none"),
            Mistake(lambda data: 148, "with 148 cells the chance to see none is still above 5 %"),
            Mistake(lambda data: 48, "that is 0.95 / 0.02, a mean; ask for the chance that not one is seen"),
        ),
    ),
    "count-read-precision": ValueExercise(
        solve=lambda data: _precision_at_sensitivity(0.8),
        hint="go down the list until 5 of the 6 cells are found, and count the detections down to there",
        mistakes=(
            Mistake(lambda data: _precision_at_sensitivity(0.6), "4 of 6 cells are a sensitivity of 0.67; go further"),
            Mistake(lambda data: 5 / 8, "you divided by all detections; those below the threshold do not count"),
            Mistake(lambda data: 5 / 6, "that is the sensitivity: 5 of 6 cells"),
        ),
    ),
    "count-field-of-a-cell": ValueExercise(
        solve=lambda data: float((_FIELDS**2).sum() / _FIELDS.sum()),
        hint="each cell names the size of its field: eight cells say 8, four say 4; take the mean over cells",
        mistakes=(
            Mistake(
                lambda data: float(_FIELDS.mean()), "that is the mean over fields; a full one has more cells to ask"
            ),
            Mistake(lambda data: 8, "that is the fullest field, not the mean over cells"),
            Mistake(lambda data: float((_FIELDS**2).mean()), "divide by the number of cells, not of fields"),
        ),
    ),
    "count-iou": FunctionExercise(
        solve=_iou,
        cases=_pairs_of_boxes,
        hint="shared width: the smaller right minus the larger left; union: both areas minus what is shared",
        mistakes=(
            Mistake(_iou_of_apart, "boxes that are apart share nothing; a negative width must become 0"),
            Mistake(_over_sum, "the shared area is in both areas; take it from their sum once"),
            Mistake(_over_first, "divide by the area that either box covers, not by that of the first"),
        ),
    ),
    "count-find-peaks": FunctionExercise(
        solve=_peaks,
        cases=_heat_maps,
        hint="pad the map with -np.inf, compare each point with its eight neighbours, and np.argwhere what is left",
        mistakes=(
            Mistake(_above, "these are all points above the threshold; a cell is one point, the hottest around"),
            Mistake(_without_corners, "neighbours at the corners count, too: a point has eight"),
            Mistake(_all_peaks, "peaks below the threshold are there, too"),
            Mistake(_inner_peaks, "cells at the border of the map are missing; pad it first"),
            Mistake(_columns_first, "rows come first, then columns"),
        ),
    ),
    "count-debug-tiles": RepairExercise(
        steps=(counted_strip.STEP,),
        mistakes=counted_strip.FAULTS,
        hint="let each tile count only the cells in its first step pixels, and let the tiles reach the end",
    ),
}
