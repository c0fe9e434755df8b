"""Exercises of *Another laboratory*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.learners.alignment import align_moments
from helpers.metrics import conformal_threshold
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, RepairExercise, ValueExercise
from helpers.teaching.exercises import conformal_promise, referral_rule

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]
_SLIDES = np.array([[90, 6, 4, 0], [2, 48, 0, 0], [0, 10, 30, 0], [12, 8, 0, 20]])  # images by slide and class


def _lookup_recall() -> float:
    best = _SLIDES.argmax(axis=1)
    right = np.zeros(_SLIDES.shape[1])
    np.add.at(right, best, _SLIDES.max(axis=1))
    return float((right / _SLIDES.sum(axis=0)).mean())


def _share_of_most_common(data: Dataset) -> float:
    counts = pd.crosstab(data.frame["group"], data.frame["label"])
    return float(counts.max(axis=1).sum() / len(data))


def _share_of_other_cells(data: Dataset) -> float:
    group, label = data.frame["group"], data.frame["label"]
    others = pd.crosstab(group, label).loc[group].set_axis(label.index) - pd.get_dummies(label, dtype=int)
    return float((others.idxmax(axis=1) == label).mean())


def _share_of_largest_class(data: Dataset) -> float:
    return float(data.frame["label"].value_counts(normalize=True).iloc[0])


def _weighted_threshold(scores: np.ndarray, weights: np.ndarray, coverage: float) -> float:
    order = np.argsort(scores)
    reached = np.cumsum(weights[order]) >= coverage - 1e-12
    return float(scores[order][reached.argmax()]) if reached.any() else float("inf")


def _threshold_by_image(scores: np.ndarray, groups: np.ndarray, coverage: float) -> float:
    return _weighted_threshold(scores, np.full(len(scores), 1 / (len(scores) + 1)), coverage)


def _threshold_without_new_group(scores: np.ndarray, groups: np.ndarray, coverage: float) -> float:
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return _weighted_threshold(scores, 1 / (sizes[group] * len(sizes)), coverage)


def _plain_quantile(scores: np.ndarray, groups: np.ndarray, coverage: float) -> float:
    return float(np.quantile(scores, coverage))


def _threshold_of_the_miss(scores: np.ndarray, groups: np.ndarray, coverage: float) -> float:
    return conformal_threshold(scores, groups, 1 - coverage)


def _scores_of_patients() -> list[tuple[np.ndarray, np.ndarray, float]]:
    random = np.random.default_rng(12)
    cases = []
    for n_groups, coverage in ((12, 0.9), (25, 0.8), (8, 0.9), (30, 0.9)):
        sizes = random.integers(1, 9, n_groups)
        group = np.repeat(np.arange(n_groups), sizes)
        scores = np.clip(0.06 * sizes[group] + random.normal(0.2, 0.08, len(group)), 0.01, 0.99)
        order = random.permutation(len(group))
        cases.append((scores[order], np.array([f"P{k:02d}" for k in group])[order], coverage))
    return cases


def _moments_exchanged(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    return align_moments(features, source, target)


def _moments_of_features(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    return align_moments(features, features, source)


def _means_only(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    return features - target.mean(axis=0) + source.mean(axis=0)


def _not_given_back(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    deviation = target.std(axis=0)
    return (features - target.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _over_all_features(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    return (features - target.mean()) / target.std() * source.std() + source.mean()


def _divided_by_zero(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        standard = (features - target.mean(axis=0)) / target.std(axis=0)
        return standard * source.std(axis=0) + source.mean(axis=0)


def _features_of_laboratories() -> list[Arrays]:
    random = np.random.default_rng(8)
    cases = []
    for n, m, k, n_features in ((3, 20, 30, 4), (10, 10, 25, 2), (1, 15, 40, 6)):
        target = random.normal(5, 2, (m, n_features)) * np.arange(1, n_features + 1)
        source = random.normal(-1, 0.5, (k, n_features))
        target[:, -1] = 7.0
        features = target[:n] + 0.5 * random.normal(size=(n, n_features))
        features[:, -1] = 7.0
        cases.append((features, target, source))
    return cases


EXERCISES: dict[str, Exercise] = {
    "another-laboratory-fewest-patients": ValueExercise(
        solve=lambda data: 19,
        hint="the patients together weigh K / (K + 1), and that must reach the promise",
        mistakes=(
            Mistake(lambda data: 20, "the new patient is one of the 20 that share the weight"),
            Mistake(lambda data: 9, "that is enough for a promise of 90 %"),
            Mistake(lambda data: 95, "95 % is a share of the weight, not a number of patients"),
        ),
    ),
    "another-laboratory-slide-lookup": ValueExercise(
        solve=lambda data: _lookup_recall(),
        hint="answer each slide with its most common class, divide the right ones of a class by its images; average",
        mistakes=(
            Mistake(
                lambda data: float(_SLIDES.max(axis=1).sum() / _SLIDES.sum()),
                "you gave the accuracy; balanced accuracy is the mean recall of the classes",
            ),
            Mistake(
                lambda data: float((_SLIDES.max(axis=1) / _SLIDES.sum(axis=1)).mean()),
                "you averaged over slides; balanced accuracy averages over classes",
            ),
            Mistake(lambda data: 0.25, "you gave every image the same class; each slide has its own answer"),
        ),
    ),
    "another-laboratory-patient-lookup": ValueExercise(
        solve=_share_of_other_cells,
        hint="take one from the count of a cell's own class before idxmax(axis=1)",
        mistakes=(
            Mistake(_share_of_most_common, "each cell is still among those in which its answer is looked up"),
            Mistake(_share_of_largest_class, "you gave all cells the most common class of the data"),
        ),
    ),
    "another-laboratory-threshold": FunctionExercise(
        solve=conformal_threshold,
        cases=_scores_of_patients,
        hint="sort by score, add up 1 / ((K + 1) × images of the patient), and take the first that reaches coverage",
        mistakes=(
            Mistake(_threshold_by_image, "every image has the same weight; every patient should have it"),
            Mistake(_threshold_without_new_group, "the weights add up to 1; leave 1 / (K + 1) to the new patient"),
            Mistake(_plain_quantile, "a quantile of the images knows neither patients nor the new one"),
            Mistake(_threshold_of_the_miss, "you took 1 - coverage of the weight; high scores are the bad ones"),
        ),
    ),
    "another-laboratory-align": FunctionExercise(
        solve=align_moments,
        cases=_features_of_laboratories,
        hint="subtract the mean of target and divide by its standard deviation; then multiply and add those of source",
        mistakes=(
            Mistake(_moments_exchanged, "source and target are exchanged"),
            Mistake(_moments_of_features, "the moments come from features; one image has none; take those of target"),
            Mistake(_means_only, "you moved the means only; the standard deviations differ, too"),
            Mistake(_not_given_back, "you standardised the features, but did not give them the moments of source"),
            Mistake(_over_all_features, "each feature has its own mean and deviation; use axis=0"),
            Mistake(_divided_by_zero, "a feature that is constant in target is divided by 0; divide it by 1"),
        ),
    ),
    "another-laboratory-debug-promise": RepairExercise(
        steps=(conformal_promise.STEP,),
        mistakes=conformal_promise.FAULTS,
        hint="divide the patients in two with GroupShuffleSplit; train on one part and calibrate on the other",
    ),
    "another-laboratory-referral-rule": RepairExercise(
        steps=referral_rule.STEPS,
        mistakes=referral_rule.FAULTS,
        hint="hold out patients in fit, and take from them the least confidence and the largest distance to keep",
    ),
}
