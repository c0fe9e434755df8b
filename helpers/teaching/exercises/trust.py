"""Exercises of *Trust*."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.metrics import expected_outcomes
from helpers.splits import Fold, image_folds, split_for_fold
from helpers.teaching.declarations import Exercise, FunctionExercise, Mistake, RepairExercise, ValueExercise
from helpers.teaching.exercises import leaky_analysis, shift_detector

_ACCURACY, _SENSITIVITY, _SPECIFICITY = 0.5972, 0.8179, 0.1821
_SHARE = (_ACCURACY - _SPECIFICITY) / (_SENSITIVITY - _SPECIFICITY)
_NO_INTERVAL_ABOVE = (39 / 40) ** 60


def _split_by_image(data: Dataset) -> Fold:
    return split_for_fold(image_folds(data.frame, 5, 20), 0)


def _shared_patients(data: Dataset) -> int:
    split, group = _split_by_image(data), data.frame["group"]
    return len(set(group[split.train]) & set(group[split.test]))


def _images_of_shared_patients(data: Dataset) -> int:
    split, group = _split_by_image(data), data.frame["group"]
    return int(group[split.test].isin(group[split.train]).sum())


def _predictive_value(sensitivity: float, specificity: float, prevalence: float) -> float:
    return expected_outcomes(sensitivity, specificity, prevalence).positive_predictive_value


def _value_at_one_half(sensitivity: float, specificity: float, prevalence: float) -> float:
    return _predictive_value(sensitivity, specificity, 0.5)


def _alarms_from_specificity(sensitivity: float, specificity: float, prevalence: float) -> float:
    hits = sensitivity * prevalence
    return hits / (hits + specificity * (1 - prevalence))


def _negative_value(sensitivity: float, specificity: float, prevalence: float) -> float:
    negatives = specificity * (1 - prevalence)
    return negatives / (negatives + (1 - sensitivity) * prevalence)


def _accuracy_by_id(predicted: pd.Series, label: pd.Series) -> float:
    return float((predicted == label.loc[predicted.index]).mean())


def _accuracy_by_position(predicted: pd.Series, label: pd.Series) -> float:
    return float((predicted.to_numpy() == label.to_numpy()[: len(predicted)]).mean())


def _accuracy_over_all_labels(predicted: pd.Series, label: pd.Series) -> float:
    return float((predicted == label.loc[predicted.index]).sum() / len(label))


def _predictions_and_labels() -> list[tuple[pd.Series, pd.Series]]:
    random = np.random.default_rng(5)
    cases = []
    for n, tested in ((12, 12), (30, 20), (40, 40)):
        ids = pd.Index([f"cell-{k:02d}" for k in range(n)], name="image_id")
        label = pd.Series(random.choice(["blast", "normal"], n), ids)
        shuffled = random.permutation(ids)[:tested]
        wrong = random.random(tested) < 0.2
        predicted = label.loc[shuffled].where(~wrong, "blast")
        cases.append((predicted, label))
    return cases


EXERCISES: dict[str, Exercise] = {
    "trust-tries": ValueExercise(
        solve=lambda data: 1 - _NO_INTERVAL_ABOVE,
        hint="one less the probability that none of sixty lies above",
        mistakes=(
            Mistake(lambda data: _NO_INTERVAL_ABOVE, "you gave the probability that no interval lies above one half"),
            Mistake(lambda data: 1 / 40, "you gave the probability for a single model"),
            Mistake(lambda data: 60 / 40, "you added up probabilities; the sum exceeds 1, so it cannot be one"),
        ),
    ),
    "trust-share": ValueExercise(
        solve=lambda data: _SHARE,
        hint="accuracy is share × sensitivity + (1 - share) × specificity",
        mistakes=(
            Mistake(lambda data: 1 - _SHARE, "you gave the share of the normal cells"),
            Mistake(
                lambda data: _ACCURACY / _SENSITIVITY,
                "you left out the normal cells; those that are classified correctly count in the accuracy, too",
            ),
        ),
    ),
    "trust-shared-patients": ValueExercise(
        solve=_shared_patients,
        hint="set(group[split.train]) & set(group[split.test]), where group is frame['group']",
        mistakes=(
            Mistake(_images_of_shared_patients, "you counted test images, not patients"),
            Mistake(lambda data: 0, "you still split by patient; use splits.image_folds"),
        ),
    ),
    "trust-predictive-value": FunctionExercise(
        solve=_predictive_value,
        cases=lambda: [(0.95, 0.9, 0.02), (0.8, 0.99, 0.3), (1.0, 0.5, 0.5), (0.6, 0.97, 0.001)],
        hint="right alarms are sensitivity × prevalence, false ones (1 - specificity) × (1 - prevalence)",
        mistakes=(
            Mistake(_value_at_one_half, "you left the prevalence out, so that half of the cells are positive"),
            Mistake(_alarms_from_specificity, "false alarms are 1 - specificity of the negative cells"),
            Mistake(_negative_value, "you gave the negative predictive value"),
        ),
    ),
    "trust-shift-detector": RepairExercise(
        steps=(shift_detector.STEP,),
        mistakes=shift_detector.FAULTS,
        hint="label the rows 0 and 1, and predict them with cross_val_predict, StratifiedGroupKFold and groups",
    ),
    "trust-debug-pairing": FunctionExercise(
        solve=_accuracy_by_id,
        cases=_predictions_and_labels,
        hint="label.loc[predicted.index] has the labels in the order of the predictions",
        mistakes=(
            Mistake(_accuracy_by_position, "predictions and labels are still paired by position"),
            Mistake(_accuracy_over_all_labels, "you divide by all labels; only some images were predicted"),
        ),
    ),
    "trust-repair": RepairExercise(
        steps=leaky_analysis.STEPS,
        mistakes=leaky_analysis.FAULTS,
        hint="start with split: GroupShuffleSplit first, and only then copies of training rows",
    ),
}
