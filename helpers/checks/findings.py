"""Checks for invalid evaluations: a check that fails returns findings, one that passes an empty list."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers import splits
from helpers.checks.inputs import input_statistics
from helpers.metrics.bootstrap import INTERVAL
from helpers.metrics.classification import (
    binary_metrics,
    class_probabilities,
    predicted_classes,
)
from helpers.metrics.ranking import roc_auc
from helpers.metrics.resampling import MIN_GROUPS


@dataclass(frozen=True)
class Finding:
    """Describe a failed check, which must be explained before a result is used.

    Attributes:
        name: short title.
        observed: what the check observed.
        advice: what to verify.
    """

    name: str
    observed: str
    advice: str

    def __str__(self) -> str:
        return textwrap.fill(
            f"Check failed, {self.name}: {self.observed}. Verify {self.advice}.", 60, subsequent_indent="    "
        )


def check_better_than_chance(
    table: pd.DataFrame, positive: str, threshold: float | pd.Series, seed: int
) -> list[Finding]:
    """Check that a binary classifier is better than chance.

    It fails if the area under the ROC curve is within 0.05 of one half, its 95 % interval includes one half, or it is
    below one half, or if sensitivity and false positive rate differ by less than 0.05 and are not both 0 or both 1. An
    untrained model and labels in the wrong order look like chance; an area below it suggests exchanged classes. With
    imbalanced classes accuracy hides this: predicting the majority class for all images is right most of the time. For
    fewer than ten groups there is no interval, and only the value decides.

    Args:
        table: table of test predictions.
        positive, threshold: as in :func:`helpers.metrics.binary_metrics`.
        seed: random seed of the resamples.
    """
    values = binary_metrics(table, positive, threshold, seed=seed).set_index("measure")["value"].astype(float)
    prevalence = float((table["label"] == positive).mean())
    accuracy = f"; accuracy {values['accuracy']:.3f}, prevalence of {positive} {prevalence:.0%}"
    advice = "that each image has its own label: images and labels in different orders give this result"
    findings = []
    auc = roc_auc(table, positive, seed)
    if abs(auc.value - 0.5) < 0.05 or (auc.interval == INTERVAL and auc.low <= 0.5 <= auc.high):
        findings.append(Finding("AUC at chance level", f"area under the ROC curve {auc}{accuracy}", advice))
    elif auc.value < 0.5:
        exchanged = "which column of probabilities belongs to which class, and whether the labels are exchanged"
        findings.append(Finding("AUC below chance level", f"area under the ROC curve {auc}", exchanged))
    sensitivity, false_positive_rate = values["sensitivity"], values["false positive rate"]
    if abs(sensitivity - false_positive_rate) < 0.05 and 0 < sensitivity + false_positive_rate < 2:
        rates = f"sensitivity {sensitivity:.3f} and false positive rate {false_positive_rate:.3f} are about equal"
        findings.append(Finding("predictions independent of the label", rates + accuracy, advice))
    return findings


def check_single_class(table: pd.DataFrame) -> list[Finding]:
    """Check that a classifier predicts more than one class, if the table of predictions has several true classes."""
    predicted = predicted_classes(table)
    if predicted.nunique() > 1 or table["label"].nunique() == 1:
        return []
    name = predicted.iloc[0]
    share = (table["label"] == name).mean()
    observed = f"all {len(table)} images are predicted as {name}, the true class of {share:.0%}"
    return [Finding("single predicted class", observed, "learning rate, input scaling and class weights")]


def check_probabilities(table: pd.DataFrame) -> list[Finding]:
    """Check that not all predicted probabilities are 0 or 1, which rule out ROC curves and calibration."""
    probabilities = np.unique(class_probabilities(table))
    if not np.isin(probabilities, (0, 1)).all():
        return []
    observed = f"all predicted probabilities of {len(table)} images are 0 or 1"
    advice = "that curves are computed from probabilities, before a threshold is applied"
    return [Finding("hard predictions", observed, advice)]


def check_leakage(frame: pd.DataFrame, split: pd.Series, pairs: pd.DataFrame | None = None) -> list[Finding]:
    """Check for leakage: images, groups or near-duplicates shared between training, validation and test set.

    It also fails if an image occurs twice in the split, or if the validation or the test set is missing.

    Args:
        frame: table of the dataset.
        split: ``train``, ``validation`` or ``test`` of every image.
        pairs: near-duplicates from :func:`helpers.splits.find_near_duplicates`; without them only images and groups are
            checked.
    """
    if split.index.has_duplicates:
        twice = split.index[split.index.duplicated()].unique()
        observed = f"{len(twice)} images are in the split twice, such as {twice[0]}"
        return [Finding("data leakage", observed, "that copies are made after the split, of training images only")]
    if "test" not in set(split) or "validation" not in set(split):
        observed = f"there are only the splits {', '.join(sorted(set(map(str, split))))}"
        advice = "that epoch and threshold were not chosen on the test images"
        return [Finding("no separate validation and test set", observed, advice)]
    leaks = splits.find_leakage(frame, split, pairs)
    if not leaks:
        return []
    observed = f"{len(leaks)} overlaps between splits, such as: {leaks[0]}"
    return [Finding("data leakage", observed, "that the split is by patient, and that copies share a group")]


def check_groups_known(frame: pd.DataFrame) -> list[Finding]:
    """Check that some images of a dataset share a group; otherwise a split by group is a split by image."""
    if frame["group"].duplicated().any():
        return []
    observed = f"each of {len(frame)} images is a group of its own"
    advice = "whether patients can be identified; if not, metrics are too optimistic and intervals too narrow"
    return [Finding("unknown patients", observed, advice)]


def check_group_count(table: pd.DataFrame) -> list[Finding]:
    """Check that at least ten groups were tested; with fewer there is a range of the groups, not a 95 % interval."""
    groups = table["group"].nunique()
    if groups >= MIN_GROUPS:
        return []
    observed = f"{len(table)} test images of {groups} groups, and a 95 % interval needs at least {MIN_GROUPS} groups"
    return [Finding("too few groups", observed, "whether every fold can be tested in turn")]


def check_input_shift(images: np.ndarray, reference: dict[str, Any]) -> list[Finding]:
    """Check that images match the training images in dtype, range and mean colour, and in the order of channels.

    Args:
        images: ``(n, height, width, 3)``, the input of the model.
        reference: :func:`helpers.checks.input_statistics` of the training images.
    """
    return check_input_statistics(input_statistics(images), reference)


def check_input_statistics(statistics: dict[str, Any], reference: dict[str, Any]) -> list[Finding]:
    """Check statistics of input images against those of the training images, as :func:`check_input_shift`.

    Args:
        statistics, reference: :func:`helpers.checks.input_statistics` of the input and of the training images.
    """
    findings = []
    scaling = "that images are scaled in one place only, inside the model"
    if statistics["dtype"] != reference["dtype"]:
        observed = f"images are {statistics['dtype']}, training images {reference['dtype']}"
        findings.append(Finding("input shift", observed, scaling))
    low, high, train_low, train_high = statistics["low"], statistics["high"], reference["low"], reference["high"]
    if not 0.5 < (high - low) / max(train_high - train_low, 1e-9) < 2:
        observed = (
            f"pixels range from {low:.3g} to {high:.3g}, training pixels from {train_low:.3g} to {train_high:.3g}"
        )
        findings.append(Finding("input shift", observed, scaling))
    else:
        findings += _colour_shift(np.array(statistics["mean"]), np.array(reference["mean"]), train_high - train_low)
    return findings


def _colour_shift(mean: np.ndarray, train_mean: np.ndarray, pixel_range: float) -> list[Finding]:
    colour, train_colour = (", ".join(f"{c:.3g}" for c in x) for x in (mean, train_mean))
    observed = f"the mean colour is ({colour}), that of training images ({train_colour})"
    distance = np.linalg.norm(mean - train_mean)
    if np.abs(mean - train_mean).max() > 0.25 * pixel_range:
        return [Finding("input shift", observed, "the order of the channels (red, green, blue), and the stain")]
    if distance > 0.05 * pixel_range and np.linalg.norm(mean[::-1] - train_mean) < distance / 2:
        observed += ", and twice as near with red and blue exchanged"
        return [Finding("input shift", observed, "the order of the channels: OpenCV reads blue, green, red")]
    return []


def run_checks(
    table: pd.DataFrame,
    positive: str,
    threshold: float,
    frame: pd.DataFrame,
    split: pd.Series,
    images: np.ndarray,
    reference: dict[str, Any],
    seed: int,
    pairs: pd.DataFrame | None = None,
) -> list[Finding]:
    """Run all checks on an evaluation.

    Args:
        table: table of test predictions.
        positive, threshold: as in :func:`helpers.metrics.binary_metrics`.
        frame, split, pairs: as in :func:`check_leakage`.
        images, reference: as in :func:`check_input_shift`.
        seed: random seed of the resamples.

    Returns:
        Findings of the checks that fail; empty if all pass.
    """
    return [
        *check_better_than_chance(table, positive, threshold, seed),
        *check_single_class(table),
        *check_probabilities(table),
        *check_leakage(frame, split, pairs),
        *check_groups_known(frame),
        *check_group_count(table),
        *check_input_shift(images, reference),
    ]
