"""Thresholds on the predicted probability of the positive class, chosen on validation images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.metrics.classification import PREFIX, true_labels


@dataclass(frozen=True)
class Threshold:
    """Hold a threshold chosen on validation images, and its expected sensitivity on new images.

    Attributes:
        value: 0 to 1; images with at least this probability are predicted positive.
        positives: number of positive validation images.
        found: number of these that reach the threshold (true positives).
        expected: mean sensitivity on new images, ``found / (positives + 1)``.
        assurance: probability that the sensitivity on new images is at least the target.
    """

    value: float
    positives: int
    found: int
    expected: float
    assurance: float


def threshold_at_sensitivity(
    table: pd.DataFrame, positive: str, sensitivity: float, *, assurance: float | None = None
) -> Threshold:
    """Choose the highest threshold that reaches a target sensitivity on the validation images.

    Choose it on the validation set, never on the test set: a threshold is fitted like a weight. The share of new
    positive images that exceed the k-th highest of n scores has the distribution Beta(k, n + 1 − k) (Wilks 1941). So
    the threshold with a sensitivity of 95 % on validation images has a lower one on new images, on average k / (n + 1),
    and misses the target in about half of all cases. With ``assurance`` the threshold is lowered until the target is
    reached with that probability (a tolerance bound). Both assume independent images from the same distribution; where
    cells of one patient resemble each other, the effective n is smaller, and ``assurance`` is too optimistic.

    Args:
        table: table of predictions of the validation images.
        positive: positive class.
        sensitivity: target sensitivity, above 0 up to 1.
        assurance: target probability, between 0 and 1, that new images reach the sensitivity. If even the lowest
            positive score falls short (95 % for a sensitivity of 0.95 needs 59 positive images), it is the threshold.

    Raises:
        ValueError: no positive image, or a sensitivity or assurance out of range.
    """
    from scipy.stats import beta  # here, because predictions need none of it and it takes half a second

    scores = np.sort(table.loc[true_labels(table, positive), PREFIX + positive].to_numpy())[::-1]
    n = len(scores)
    if not n or not 0 < sensitivity <= 1:
        raise ValueError(
            f"sensitivity must be above 0 up to 1, got {sensitivity}, and positive images at least 1, got {n}"
        )
    if assurance is not None and not 0 < assurance < 1:
        raise ValueError(f"assurance must be above 0 and below 1, got {assurance}")
    true_positives = np.arange(1, n + 1)
    assurances = beta.sf(sensitivity, true_positives, n + 1 - true_positives)
    sufficient = true_positives >= sensitivity * n - 1e-9
    if assurance is not None:
        sufficient &= assurances >= assurance
    k = int(true_positives[sufficient][0]) if sufficient.any() else n
    return Threshold(float(scores[k - 1]), n, k, k / (n + 1), float(assurances[k - 1]))


def sensitivity_of_least_cost(
    table: pd.DataFrame, positive: str, cost_ratio: float, *, prevalence: float | None = None
) -> float:
    """Compute the sensitivity at the threshold with the least expected cost of errors on the validation images.

    Pass it to :func:`threshold_at_sensitivity`. The expected cost of an image, in false positives, is
    ``cost_ratio · prevalence · (1 − sensitivity) + (1 − prevalence) · (1 − specificity)``. Of thresholds with the same
    cost the highest is taken. A threshold that no positive image reaches is not considered.

    Args:
        table: table of predictions of the validation images, of both classes.
        positive: positive class.
        cost_ratio: cost of a false negative, relative to that of a false positive; above 0.
        prevalence: share of positive images among those that the classifier is for, between 0 and 1; by default that of
            the table.

    Raises:
        ValueError: there is no positive or no other image, or a value is out of range.

    Example:
        >>> table = pd.DataFrame({"label": ["blast", "blast", "other", "other"]})
        >>> table["p_blast"] = [0.9, 0.3, 0.4, 0.1]
        >>> table["p_other"] = 1 - table["p_blast"]
        >>> ratios = 0.5, 5
        >>> [sensitivity_of_least_cost(table, "blast", ratio) for ratio in ratios]
        [0.5, 1.0]
    """
    if cost_ratio <= 0 or (prevalence is not None and not 0 < prevalence < 1):
        raise ValueError(
            f"the cost ratio must be above 0, got {cost_ratio}, and a prevalence between 0 and 1, got {prevalence}"
        )
    true, scores = true_labels(table, positive), table[PREFIX + positive].to_numpy()
    if true.all() or not true.any():
        raise ValueError(f"a threshold by cost needs positive and other images, got {true.sum()} of {len(true)}")
    share = float(true.mean()) if prevalence is None else prevalence
    thresholds = np.sort(scores[true])[::-1]
    sensitivity = np.arange(1, len(thresholds) + 1) / len(thresholds)
    others = np.sort(scores[~true])
    false_positive_rate = 1 - np.searchsorted(others, thresholds, side="left") / len(others)
    costs = cost_ratio * share * (1 - sensitivity) + (1 - share) * false_positive_rate
    return float(sensitivity[costs.argmin()])
