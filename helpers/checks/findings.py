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
from helpers.metrics.classification import PREFIX, binary_metrics, predicted_classes, prediction_classes
from helpers.metrics.ranking import roc_auc
from helpers.metrics.resampling import FEWEST


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
        return textwrap.fill(f"Alarm, {self.name}: {self.observed}. Check {self.advice}.", 60, subsequent_indent="    ")


def check_better_than_chance(table: pd.DataFrame, positive: str, threshold: float, seed: int) -> list[Finding]:
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
    share = float((table["label"] == positive).mean())
    skewed = f"; accuracy {values['accuracy']:.3f} is no comfort with {share:.0%} {positive}"
    why = "that every image has its own label: files in one order and labels in another look like this"
    found = []
    auc = roc_auc(table, positive, seed)
    if abs(auc.value - 0.5) < 0.05 or (auc.interval == INTERVAL and auc.low <= 0.5 <= auc.high):
        found.append(Finding("the model ranks like chance", f"area under the ROC curve {auc}{skewed}", why))
    elif auc.value < 0.5:
        turned = "which column of probabilities belongs to which class, and whether the labels are exchanged"
        found.append(Finding("the model ranks the wrong way round", f"area under the ROC curve {auc}", turned))
    sensitivity, false_positive_rate = values["sensitivity"], values["false positive rate"]
    if abs(sensitivity - false_positive_rate) < 0.05 and 0 < sensitivity + false_positive_rate < 2:
        saw = f"sensitivity {sensitivity:.3f} and false positive rate {false_positive_rate:.3f} are alike{skewed}"
        found.append(Finding("the label does not matter", saw, why))
    return found


def check_single_class(table: pd.DataFrame) -> list[Finding]:
    """Check that a classifier predicts more than one class, if the table of predictions has several true classes."""
    called = predicted_classes(table)
    if called.nunique() > 1 or table["label"].nunique() == 1:
        return []
    saw = f"all {len(table)} images are called {called.iloc[0]}, {(table['label'] == called.iloc[0]).mean():.0%} are"
    return [
        Finding("one class only", saw, "the learning rate, the scaling of the input and the weights of the classes")
    ]


def check_probabilities(table: pd.DataFrame) -> list[Finding]:
    """Check that not all predicted probabilities are 0 or 1, which rule out ROC curves and calibration."""
    said = np.unique(table[[PREFIX + name for name in prediction_classes(table)]].to_numpy())
    if not np.isin(said, (0, 1)).all():
        return []
    saw = f"all probabilities of {len(table)} images are 0 or 1"
    return [
        Finding("answers, not probabilities", saw, "that curves are drawn from what the model says before a threshold")
    ]


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
        saw = f"{len(twice)} images are in the split twice, such as {twice[0]}"
        return [Finding("the test is not new", saw, "that copies are made after the split, of training images only")]
    if "test" not in set(split) or "validation" not in set(split):
        saw = f"the parts are {', '.join(sorted(set(map(str, split))))}"
        check = "that an epoch or a threshold was not chosen on the images that are reported"
        return [Finding("the test also chose the model", saw, check)]
    leaks = splits.find_leakage(frame, split, pairs)
    if not leaks:
        return []
    saw = f"{len(leaks)} things are in two parts of the split, such as: {leaks[0]}"
    return [Finding("the test is not new", saw, "that the split is by patient, and that copies share a group")]


def check_groups_known(frame: pd.DataFrame) -> list[Finding]:
    """Check that some images of a dataset share a group; otherwise a split by group is a split by image."""
    if frame["group"].duplicated().any():
        return []
    saw = f"all {len(frame)} images are groups of their own"
    check = "whether patients can be known; if not, scores are too good and intervals too narrow"
    return [Finding("patients are not known", saw, check)]


def check_group_count(table: pd.DataFrame) -> list[Finding]:
    """Check that at least ten groups were tested; with fewer there is a range of the groups, not a 95 % interval."""
    groups = table["group"].nunique()
    if groups >= FEWEST:
        return []
    saw = f"{len(table)} images of {groups} groups were tested, too few for an interval"
    return [Finding("few groups", saw, "whether every fold can be tested in turn")]


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
    found = []
    if statistics["dtype"] != reference["dtype"]:
        saw = f"images are {statistics['dtype']}, the model learnt from {reference['dtype']}"
        found.append(Finding("another input", saw, "that images are scaled in one place only, inside the model"))
    low, high, least, most = statistics["low"], statistics["high"], reference["low"], reference["high"]
    if not 0.5 < (high - low) / max(most - least, 1e-9) < 2:
        saw = f"pixels are from {low:.3g} to {high:.3g}, the model learnt from {least:.3g} to {most:.3g}"
        found.append(Finding("another input", saw, "that images are scaled in one place only, inside the model"))
    else:
        found += _another_colour(np.array(statistics["mean"]), np.array(reference["mean"]), most - least)
    return found


def _another_colour(mean: np.ndarray, before: np.ndarray, reach: float) -> list[Finding]:
    colour, wanted = (", ".join(f"{c:.3g}" for c in x) for x in (mean, before))
    saw, far = f"the mean colour is ({colour}), the model learnt from ({wanted})", np.linalg.norm(mean - before)
    if np.abs(mean - before).max() > 0.25 * reach:
        return [Finding("another input", saw, "the order of the channels (red, green, blue), and the stain")]
    if far > 0.05 * reach and np.linalg.norm(mean[::-1] - before) < far / 2:
        saw += ", and would fit twice as well with red and blue exchanged"
        return [Finding("another input", saw, "the order of the channels: OpenCV reads blue, green, red")]
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
