"""What sensitivity and specificity mean in a population: predictive values, and errors per 1,000."""

from __future__ import annotations

from dataclasses import dataclass


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
    shares = {"sensitivity": sensitivity, "specificity": specificity, "prevalence": prevalence}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"{name} must be between 0 and 1, got {share}; divide a percentage by 100")
    positives, others = n * prevalence, n * (1 - prevalence)
    missed, false_alarms = positives * (1 - sensitivity), others * (1 - specificity)
    found, cleared = positives - missed, others - false_alarms
    return ExpectedOutcomes(
        positives, missed, false_alarms, _share(found, found + false_alarms), _share(cleared, cleared + missed)
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
