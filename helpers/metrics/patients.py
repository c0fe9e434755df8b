"""Metrics per patient: the mean probability of a patient's images, with a threshold for each fold."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers import parameters
from helpers.metrics.classification import aggregate_by_group, binary_metrics
from helpers.metrics.ranking import roc_auc
from helpers.metrics.thresholds import threshold_at_sensitivity

_RATES = ("sensitivity", "specificity", "false positive rate")
_COLUMNS = ["measure", "value", "low", "high", "interval", "n", "groups"]


@dataclass(frozen=True)
class PatientEvaluation:
    """Predictions and metrics with one row per patient; all tables are empty where patients have no label of their own.

    Attributes:
        test: table of predictions of the test patients.
        validation: table of predictions of the validation patients.
        threshold: threshold of each test patient, indexed by patient; that of the patient's fold.
        metrics: AUC, sensitivity, specificity and false positive rate over patients, with intervals.
    """

    test: pd.DataFrame
    validation: pd.DataFrame
    threshold: pd.Series
    metrics: pd.DataFrame


def evaluate_patients(
    test: pd.DataFrame, validation: pd.DataFrame, positive: str, *, target_sensitivity: float, seed: int
) -> PatientEvaluation:
    """Average predictions over the images of each patient, and test them at thresholds of the validation patients.

    Where patients have images of both classes, nothing is evaluated, and a sentence that says so is printed.

    Args:
        test, validation: tables of predictions of the images, see :mod:`helpers.metrics.classification`, of the same
            folds.
        positive: positive class.
        target_sensitivity: sensitivity over validation patients at which the threshold of each fold is chosen.
        seed: random seed of the resamples.

    Raises:
        ValueError: a fold has no positive validation patient, or the test has patients of one class only.
    """
    if not parameters.single_label_groups(test):
        nothing = pd.Series(dtype=float)
        return PatientEvaluation(test.iloc[:0], validation.iloc[:0], nothing, pd.DataFrame(columns=_COLUMNS))
    patients, of_validation = aggregate_by_group(test), aggregate_by_group(validation)
    by_fold = {
        k: threshold_at_sensitivity(of_fold, positive, target_sensitivity).value
        for k, of_fold in of_validation.groupby("fold")
    }
    threshold = patients["fold"].map(by_fold)
    rates = binary_metrics(patients, positive, threshold, seed=seed)
    auc = pd.DataFrame([{"measure": "AUC"} | roc_auc(patients, positive, seed).row("value")])
    table = pd.concat([auc, rates[rates["measure"].isin(_RATES)]])
    return PatientEvaluation(patients, of_validation, threshold, table)
