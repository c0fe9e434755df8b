"""Exercises of *Classify*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.metrics import expected_outcomes
from helpers.splits import image_folds
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, ValueExercise

N_FOLDS = 5


def _folds_per_group(data: Dataset) -> pd.Series:
    return image_folds(data.frame, N_FOLDS, 20).groupby(data.frame["group"]).nunique()


def _images_of_spread_groups(data: Dataset) -> int:
    folds = _folds_per_group(data)
    return int(data.frame["group"].isin(folds.index[folds == N_FOLDS]).sum())


def _area_under_curve(scores: np.ndarray, is_positive: np.ndarray) -> float:
    gaps = scores[is_positive][:, None] - scores[~is_positive][None]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


def _area_without_ties(scores: np.ndarray, is_positive: np.ndarray) -> float:
    return float(np.mean(scores[is_positive][:, None] > scores[~is_positive][None]))


def _area_of_ties_as_won(scores: np.ndarray, is_positive: np.ndarray) -> float:
    return float(np.mean(scores[is_positive][:, None] >= scores[~is_positive][None]))


def _scored_cells() -> list[tuple[np.ndarray, np.ndarray]]:
    """Return scores and classes of cells: a mixed ranking with ties, a perfect one, and one score for all."""
    random = np.random.default_rng(4)
    is_positive = random.random(30) < 0.4
    scores = np.round(random.normal(0.5 + 0.15 * is_positive, 0.2), 1)
    return [(scores, is_positive), (is_positive * 1.0, is_positive), (np.full(30, 0.3), is_positive)]


def _patient_sensitivity(scores: np.ndarray, is_positive: np.ndarray, patients: np.ndarray, threshold: float) -> float:
    means = pd.Series(scores[is_positive]).groupby(patients[is_positive]).mean()
    return float((means >= threshold).mean())


def _sensitivity_of_cells(scores: np.ndarray, is_positive: np.ndarray, patients: np.ndarray, threshold: float) -> float:
    return float((scores[is_positive] >= threshold).mean())


def _sensitivity_of_any_cell(
    scores: np.ndarray, is_positive: np.ndarray, patients: np.ndarray, threshold: float
) -> float:
    highest = pd.Series(scores[is_positive]).groupby(patients[is_positive]).max()
    return float((highest >= threshold).mean())


def _share_of_all_patients(
    scores: np.ndarray, is_positive: np.ndarray, patients: np.ndarray, threshold: float
) -> float:
    return float((pd.Series(scores).groupby(patients).mean() >= threshold).mean())


def _cells_of_patients() -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Return cells of seven patients, of whom one has most of the cells, at three thresholds."""
    patients = np.repeat(list("ABCDEFG"), [9, 2, 2, 2, 2, 3, 3])
    is_positive = np.isin(patients, list("ABCD"))
    means = {"A": 0.8, "B": 0.3, "C": 0.55, "D": 0.6, "E": 0.2, "F": 0.7, "G": 0.4}
    around = np.random.default_rng(2).uniform(-0.15, 0.15, len(patients))
    scores = np.array([means[name] for name in patients]) + around
    return [(scores, is_positive, patients, threshold) for threshold in (0.5, 0.35, 0.75)]


def _threshold_for(scores: np.ndarray, is_positive: np.ndarray, target: float) -> float:
    descending = np.sort(scores[is_positive])[::-1]
    return float(descending[int(np.ceil(target * len(descending) - 1e-9)) - 1])


def _quantile_of_all(scores: np.ndarray, is_positive: np.ndarray, target: float) -> float:
    return float(np.quantile(scores, 1 - target))


def _quantile_of_positives(scores: np.ndarray, is_positive: np.ndarray, target: float) -> float:
    return float(np.quantile(scores[is_positive], 1 - target))


def _lowest_positive(scores: np.ndarray, is_positive: np.ndarray, target: float) -> float:
    return float(scores[is_positive].min())


def _threshold_of_others(scores: np.ndarray, is_positive: np.ndarray, target: float) -> float:
    return _threshold_for(scores, ~is_positive, target)


def _cells_with_targets() -> list[tuple[np.ndarray, np.ndarray, float]]:
    random = np.random.default_rng(8)
    is_positive = np.arange(40) % 2 == 0
    scores = random.normal(0.4 + 0.25 * is_positive, 0.15)
    few = is_positive & (np.arange(40) < 26)  # 13 positive cells, of which no whole number is 0.8
    return [*((scores, is_positive, target) for target in (0.95, 0.5, 1.0)), (scores, few, 0.8)]


def _predictive_value(prevalence: float) -> float:
    return expected_outcomes(0.95, 0.90, prevalence).positive_predictive_value


EXERCISES: dict[str, Exercise] = {
    "classify-always": ValueExercise(
        solve=lambda data: 0.92,
        hint="it is right where the cell is of the commonest class, and nowhere else",
        mistakes=(
            Mistake(lambda data: 0.08, "you gave the share of cells that the program gets wrong"),
            Mistake(lambda data: 0.5, "you gave the accuracy of guessing, each class as often as the other"),
            Mistake(lambda data: 920, "you gave the number of cells that are right, not their share"),
        ),
    ),
    "classify-predictive-value": ValueExercise(
        solve=lambda data: _predictive_value(0.01),
        hint="of 1,000 films, how many with blasts are flagged, and how many without; then divide",
        mistakes=(
            Mistake(lambda data: 0.95, "you gave the sensitivity: the share of films with blasts that are flagged"),
            Mistake(
                lambda data: _predictive_value(0.5),
                "you let half of the films have blasts; here 1 in 100 has",
            ),
            Mistake(lambda data: 9.5 / 99, "you divided by the false alarms alone; divide by all flags"),
            Mistake(lambda data: 0.1, "you gave the false positive rate, 1 minus the specificity"),
            Mistake(lambda data: 100 * _predictive_value(0.01), "you gave a percentage; divide it by 100"),
        ),
    ),
    "classify-leaked": ValueExercise(
        solve=lambda data: int((_folds_per_group(data) == N_FOLDS).sum()),
        hint="group the folds by frame['group'], count the different ones, and the groups that have five",
        mistakes=(
            Mistake(_images_of_spread_groups, "you counted the images of these groups, not the groups"),
            Mistake(
                lambda data: int(data.frame["group"].map(_folds_per_group(data)).gt(1).sum()),
                "you counted images of groups in more than one fold: group by patient, and ask for all five",
            ),
            Mistake(
                lambda data: int((_folds_per_group(data) > 1).sum()),
                "you counted the groups that are in more than one fold; here it is all five",
            ),
        ),
    ),
    "classify-area": FunctionExercise(
        solve=_area_under_curve,
        cases=_scored_cells,
        hint="scores[is_positive][:, None] - scores[~is_positive][None] has all differences; 0 is a tie",
        mistakes=(
            Mistake(_area_without_ties, "you let a tie count as lost; it counts as one half"),
            Mistake(_area_of_ties_as_won, "you let a tie count as won; it counts as one half"),
            Mistake(
                lambda scores, is_positive: 1 - _area_under_curve(scores, is_positive),
                "you counted how often the other cell scores higher",
            ),
        ),
    ),
    "classify-sensitivity-of-patients": FunctionExercise(
        solve=_patient_sensitivity,
        cases=_cells_of_patients,
        hint="take the mean score of every positive patient, then the share of these that reach the threshold",
        mistakes=(
            Mistake(_sensitivity_of_cells, "you counted cells, not patients"),
            Mistake(_sensitivity_of_any_cell, "you took a patient's highest score, not the mean"),
            Mistake(_share_of_all_patients, "you divided by all patients, not by the positive ones"),
        ),
    ),
    "classify-threshold": FunctionExercise(
        solve=_threshold_for,
        cases=_cells_with_targets,
        hint="sort the positive scores from high to low and take the k-th, with k = ceil(target * n)",
        mistakes=(
            Mistake(_quantile_of_all, "you took the quantile of all cells; the target is a share of the positive ones"),
            Mistake(
                _quantile_of_positives,
                "a quantile lies between two scores: it is too high, or not the highest threshold that finds enough",
            ),
            Mistake(_lowest_positive, "your threshold finds all positive cells, whatever the target is"),
            Mistake(_threshold_of_others, "you used the scores of the other class"),
        ),
    ),
}
