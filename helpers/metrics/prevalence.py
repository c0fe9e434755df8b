"""What sensitivity and specificity mean in a population: predictive values, and errors per 1,000."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import Bootstrap, Estimate, min_groups_per_class, weighted_sums
from helpers.metrics.classification import PREFIX, true_labels


@dataclass(frozen=True)
class ExpectedOutcomes:
    """Hold the expected outcomes of a classifier in a population.

    Attributes:
        positives: number that are positive.
        missed: number of these that are predicted negative (false negatives).
        false_alarms: number of others that are predicted positive (false positives).
        positive_predictive_value: share of predicted positives that are positive; NaN if nothing is predicted positive.
        negative_predictive_value: share of predicted negatives that are negative; NaN if nothing is predicted negative.
    """

    positives: float
    missed: float
    false_alarms: float
    positive_predictive_value: float
    negative_predictive_value: float


def expected_outcomes(sensitivity: float, specificity: float, prevalence: float, n: int = 1000) -> ExpectedOutcomes:
    """Compute what a classifier is expected to do among ``n`` cases, by the rule of Bayes (Altman and Bland 1994).

    Sensitivity and specificity are taken as they are: they too may differ in another population.

    Args:
        sensitivity: share of positives that is found, 0 to 1.
        specificity: share of others that is predicted negative, 0 to 1.
        prevalence: share of positives in the population, 0 to 1.
        n: number of cases.

    Raises:
        ValueError: a share is not between 0 and 1.

    Example:
        >>> from helpers import metrics
        >>> of_1000 = metrics.expected_outcomes(0.95, 0.90, prevalence=0.01)
        >>> round(of_1000.missed, 1), round(of_1000.false_alarms, 1)
        (0.5, 99.0)
        >>> round(of_1000.positive_predictive_value, 3)
        0.088
    """
    _require_shares(sensitivity=sensitivity, specificity=specificity, prevalence=prevalence)
    positives, others = n * prevalence, n * (1 - prevalence)
    missed, false_alarms = positives * (1 - sensitivity), others * (1 - specificity)
    found, cleared = positives - missed, others - false_alarms
    return ExpectedOutcomes(
        positives, missed, false_alarms, _share(found, found + false_alarms), _share(cleared, cleared + missed)
    )


def predictive_value(table: pd.DataFrame, positive: str, threshold: float, *, prevalence: float, seed: int) -> Estimate:
    """Estimate the positive predictive value where the prevalence is another one than in the table.

    The interval comes from a bootstrap over groups, in which sensitivity and specificity vary together. Where the
    specificity rests on a single false alarm, many resamples have none, and the upper end is 1.

    Args:
        table: table of predictions.
        positive: positive class.
        threshold: 0 to 1; images with at least this probability are predicted positive.
        prevalence: share of positives in the population, 0 to 1.
        seed: random seed of the resamples.

    Raises:
        ValueError: the prevalence is not between 0 and 1, or the class is unknown.
    """
    _require_shares(prevalence=prevalence)
    true, above = true_labels(table, positive), table[PREFIX + positive].to_numpy() >= threshold
    sums = weighted_sums(np.stack([true & above, true, ~true & above, ~true], axis=1), table)

    def value(weights: np.ndarray) -> np.ndarray:
        found, positives, false_alarms, others = sums(weights).T
        hits = found / positives * prevalence
        return hits / (hits + false_alarms / others * (1 - prevalence))

    return Bootstrap(value, table, seed).estimate(rests_on=min_groups_per_class(table))


def _require_shares(**shares: float) -> None:
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be between 0 and 1, got {share}; divide a percentage by 100")


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
