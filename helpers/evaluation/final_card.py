"""Describe a model that was cross-validated in all folds and trained on all images, for its model card."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pandas as pd

from helpers import checks, metrics, splits
from helpers.checks import Finding, InputStatistics
from helpers.datasets import Dataset, DatasetError
from helpers.evaluation import results
from helpers.evaluation.candidates import BATCH, SIZE
from helpers.evaluation.protocol import Predictions
from helpers.models import model_card
from helpers.models.model_card import MetricRecord
from helpers.runs import provenance


class Target(NamedTuple):
    """Describe what a threshold is chosen for.

    Attributes:
        positive: the class that must not be missed; empty if all classes count alike, without a threshold.
        sensitivity: target sensitivity, above 0 up to 1.
        assurance: target probability of reaching it, see :func:`helpers.metrics.threshold_at_sensitivity`.
    """

    positive: str
    sensitivity: float = 0.95
    assurance: float | None = None


def final_card(
    dataset: Dataset, predictions: Predictions, target: Target, *, seed: int
) -> tuple[dict[str, Any], list[Finding]]:
    """Collect the fields of a model card that do not depend on the model itself.

    Args:
        dataset: all images.
        predictions: cross-validation of the model in all folds.
        target: what the threshold is chosen for.
        seed: random seed, of the resamples too.

    Returns:
        Fields of :class:`helpers.models.model_card.ModelCard`, and the failed checks of the predictions.

    Raises:
        DatasetError: the validation predictions of a fold have no image of the positive class.
    """
    fold = predictions.test["fold"]
    threshold = _threshold(predictions.validation, target)
    findings = _findings(dataset, fold, predictions.test, target.positive, threshold, seed=seed)
    n = {"images": len(dataset), "groups": int(dataset.frame["group"].nunique())}
    chosen_on = (
        "threshold and model chosen on validation predictions"
        if threshold
        else "model chosen on validation predictions"
    )
    fields = {
        "purpose": model_card.PURPOSE,
        "classes": list(dataset.classes),
        "positive": target.positive or None,
        "threshold": threshold.value if threshold else None,
        "sensitivity_wanted": target.sensitivity if threshold else None,
        "sensitivity_expected": threshold.expected if threshold else None,
        "sensitivity_assurance": threshold.assurance if threshold else None,
        "input": _input_statistics(dataset),
        "data": {"name": dataset.public_name, "title": dataset.card.title, "sha256": dataset.fingerprint()},
        "split": f"{fold.nunique()} folds by group ({dataset.card.independent_unit}), all tested; {chosen_on}; the "
        "final model is trained on all images",
        "split_sizes": dict.fromkeys(splits.SPLITS, n),
        "test": _scores(predictions, target, seed),
        "findings": list(map(str, findings)),
        "seed": seed,
        "epochs_run": None,
        "versions": provenance.versions(),
    }
    return fields, findings


def fold_thresholds(predictions: Predictions, target: Target) -> pd.Series:
    """Choose the threshold of every test fold on its validation predictions; return one per test image."""
    validation = predictions.validation.groupby("fold")
    chosen = {fold: _threshold(table, target) for fold, table in validation}
    return predictions.test["fold"].map({fold: threshold.value for fold, threshold in chosen.items() if threshold})


def _threshold(validation: pd.DataFrame, target: Target) -> metrics.Threshold | None:
    if not target.positive:
        return None
    if not (validation["label"] == target.positive).any():
        folds = ", ".join(map(str, sorted(validation["fold"].unique())))
        raise DatasetError(
            f"no validation image of fold {folds} is {target.positive}, so no threshold can be chosen; add groups with "
            f"{target.positive}, or try another --seed"
        )
    return metrics.threshold_at_sensitivity(validation, target.positive, target.sensitivity, assurance=target.assurance)


def _scores(predictions: Predictions, target: Target, seed: int) -> dict[str, MetricRecord]:
    """Estimate all metrics of the card; those of a decision come with the thresholds of the folds."""
    test, positive = predictions.test, target.positive
    if positive:
        rows = metrics.binary_metrics(test, positive, fold_thresholds(predictions, target), seed=seed)
        ranking = {
            "AUC": metrics.roc_auc(test, positive, seed),
            "Brier score": metrics.brier_score(test, positive, seed),
        }
        rows = pd.concat([pd.DataFrame([{"measure": k, **v.row("value")} for k, v in ranking.items()]), rows])
    else:
        rows = results.metric_table({"": test}, "", seed).drop(columns="model")
    values = json.loads(rows.set_index("measure").to_json(orient="index"))  # NaN, of a single group, becomes null
    return {name: MetricRecord(**measured) for name, measured in values.items()}


def _input_statistics(dataset: Dataset) -> dict[str, Any]:
    statistics = InputStatistics()
    for _, images in dataset.iter_batches(SIZE, BATCH):
        statistics.add(images)
    return statistics.summary()


def _findings(
    dataset: Dataset,
    fold: pd.Series,
    test: pd.DataFrame,
    positive: str,
    threshold: metrics.Threshold | None,
    *,
    seed: int,
) -> list[Finding]:
    findings = [
        *checks.check_single_class(test),
        *checks.check_probabilities(test),
        *checks.check_leakage(dataset.frame, splits.split_for_fold(fold, 0).split_of(dataset.frame.index)),
        *checks.check_groups_known(dataset.frame),
        *checks.check_group_count(test),
    ]
    if threshold is not None:
        findings = [*checks.check_better_than_chance(test, positive, threshold.value, seed), *findings]
    return findings
