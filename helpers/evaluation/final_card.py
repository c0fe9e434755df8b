"""Describe a model that was tested in a design and then trained on its training images, for its model card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from helpers import metrics
from helpers.checks import Finding, InputStatistics, NucleusShares, scale_statistics
from helpers.datasets import Dataset
from helpers.evaluation import results
from helpers.evaluation.candidates import BATCH, SIZE
from helpers.evaluation.checking import check_predictions
from helpers.evaluation.design import Design
from helpers.evaluation.protocol import Predictions
from helpers.evaluation.thresholds import ThresholdRule
from helpers.learners.referral import calibrate_reference, calibrate_sets
from helpers.models import model_card
from helpers.models.card_sections import MetricRecord, metric_records
from helpers.runs import provenance


@dataclass(frozen=True)
class Outcome:
    """Hold how a model was tested.

    Attributes:
        design: images, folds and tested folds.
        validation: validation predictions of the model, of all tested folds, for the threshold for new images.
        selected: predictions of the models that each fold selected, whose test scores the card holds.
        features: hand-crafted features of all images, see :func:`helpers.learners.referral.measure_features`.
    """

    design: Design
    validation: pd.DataFrame
    selected: Predictions
    features: pd.DataFrame


def final_card(
    outcome: Outcome, positive: str, rule: ThresholdRule, *, seed: int
) -> tuple[dict[str, Any], list[Finding]]:
    """Collect the fields of a model card that do not depend on the model itself.

    Args:
        outcome: how the model was tested.
        positive: positive class; empty if all classes count alike, without a threshold.
        rule: rule by which thresholds are chosen.
        seed: random seed, of the resamples too.

    Returns:
        Fields of :class:`helpers.models.model_card.ModelCard`, and the failed checks of the predictions.
    """
    design, validation, selected = outcome.design, outcome.validation, outcome.selected
    threshold, thresholds = None, pd.Series(dtype=float)
    if positive:
        threshold = rule.choose(validation, positive)
        thresholds = rule.choose_per_fold(selected.test, selected.validation, positive)
    findings = check_predictions(design, selected.test, positive, thresholds, seed=seed)
    training = design.training_images
    fields = {
        "purpose": model_card.PURPOSE,
        "classes": list(design.dataset.classes),
        "positive": positive or None,
        "threshold": threshold.value if threshold else None,
        "sensitivity_wanted": rule.target(validation, positive) if positive else None,
        "sensitivity_expected": threshold.expected if threshold else None,
        "sensitivity_assurance": threshold.assurance if threshold else None,
        **_statistics(training),
        "prediction_sets": calibrate_sets(validation),
        "reference": calibrate_reference(outcome.features.loc[training.frame.index], training.frame, seed),
        "data": {
            "name": design.dataset.public_name,
            "title": design.dataset.card.title,
            "sha256": design.dataset.fingerprint(),
        },
        "split": _split(design, positive),
        "split_sizes": _split_sizes(design),
        "test": _scores(selected.test, positive, thresholds, seed),
        "findings": list(map(str, findings)),
        "seed": seed,
        "epochs_run": None,
        "versions": provenance.versions(),
    }
    return fields, findings


def _split(design: Design, positive: str) -> str:
    chosen = "model and threshold" if positive else "model"
    images = "all images" if len(design.tested) > 1 else "the training and validation images"
    return (
        f"{design.description}; {chosen} of each test fold chosen on its validation predictions; the final model is "
        f"trained on {images}"
    )


def _split_sizes(design: Design) -> dict[str, dict[str, int]]:
    """Count the images of each split; with several folds every image is in each of them once."""
    if len(design.tested) > 1:
        parts = dict.fromkeys(("train", "validation", "test"), design.dataset.frame.index)
    else:
        (fold,) = design.splits()
        parts = {"train": fold.train, "validation": fold.val, "test": fold.test}
    frame = design.dataset.frame
    return {name: {"images": len(ids), "groups": int(frame.loc[ids, "group"].nunique())} for name, ids in parts.items()}


def _scores(test: pd.DataFrame, positive: str, thresholds: pd.Series, seed: int) -> dict[str, MetricRecord]:
    """Estimate all metrics of the card; those of a decision come with the thresholds of the folds."""
    if positive:
        rows = metrics.binary_metrics(test, positive, thresholds, seed=seed)
        ranking = {
            "AUC": metrics.roc_auc(test, positive, seed),
            "Brier score": metrics.brier_score(test, positive, seed),
        }
        rows = pd.concat([pd.DataFrame([{"measure": k, **v.row("value")} for k, v in ranking.items()]), rows])
    else:
        rows = results.metric_table({"": test}, "", seed).drop(columns="model")
    return metric_records(rows)


def _statistics(dataset: Dataset) -> dict[str, Any]:
    """Compute the statistics of the training images, with which those of new images are compared."""
    colours, nuclei = InputStatistics(), NucleusShares(len(dataset))
    for _, images in dataset.iter_batches(SIZE, BATCH):
        colours.add(images)
        nuclei.add(images)
    return {"input": colours.summary(), "scale": scale_statistics(nuclei.shares, dataset.image_sizes())}
