"""Rule by which an evaluation chooses the threshold of the positive class, on validation predictions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers import metrics
from helpers.errors import LeukobookError
from helpers.metrics import Threshold


class ThresholdRuleError(LeukobookError):
    """Report a rule that chooses no threshold; the message has the remedy."""


@dataclass(frozen=True)
class ThresholdRule:
    """Choose a threshold for a target sensitivity, or by the cost of errors.

    Attributes:
        sensitivity: target sensitivity, above 0 up to 1; unused with a cost ratio.
        cost_ratio: cost of a false negative, relative to that of a false positive, above 0; ``None`` for the target
            sensitivity.
        prevalence: share of positive images among those that the model is for, between 0 and 1; ``None`` for that of
            the dataset.
        assurance: target probability, between 0 and 1, of reaching the sensitivity on new images, see
            :func:`helpers.metrics.threshold_at_sensitivity`; ``None`` for about a half.

    Raises:
        ThresholdRuleError: a value is out of range.
    """

    sensitivity: float = 0.95
    cost_ratio: float | None = None
    prevalence: float | None = None
    assurance: float | None = None

    def __post_init__(self):
        if not 0 < self.sensitivity <= 1:
            raise ThresholdRuleError(f"sensitivity must be above 0 up to 1, got {self.sensitivity}")
        if self.cost_ratio is not None and not 0 < self.cost_ratio < float("inf"):
            raise ThresholdRuleError(
                f"the cost ratio must be above 0, got {self.cost_ratio}; 10 says that a missed positive image is as "
                "bad as 10 false positives"
            )
        if self.assurance is not None and not 0 < self.assurance < 1:
            raise ThresholdRuleError(f"assurance must be between 0 and 1, got {self.assurance}")
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise ThresholdRuleError(
                f"the prevalence must be above 0 and below 1, got {self.prevalence}; 0.02 says that 2 of 100 images "
                "are positive"
            )

    def target(self, validation: pd.DataFrame, positive: str) -> float:
        """Return the target sensitivity; with a cost ratio, that of the least cost on the validation predictions."""
        if self.cost_ratio is None:
            return self.sensitivity
        return metrics.sensitivity_of_least_cost(validation, positive, self.cost_ratio, prevalence=self.prevalence)

    def choose(self, validation: pd.DataFrame, positive: str) -> Threshold:
        """Choose the threshold on validation predictions."""
        target = self.target(validation, positive)
        return metrics.threshold_at_sensitivity(validation, positive, target, assurance=self.assurance)

    def describe(self, positive: str) -> str:
        """Return what the threshold was chosen for, as in "a threshold chosen for ..."."""
        if self.cost_ratio is None:
            assurance = "" if self.assurance is None else f" with an assurance of {self.assurance:g}"
            return f"a sensitivity of {self.sensitivity:g}{assurance}"
        share = "in the dataset" if self.prevalence is None else f"of {self.prevalence:g}"
        return (
            f"the least cost, where a missed {positive} costs {self.cost_ratio:g} times as much as a false positive, "
            f"at the prevalence {share}"
        )

    def choose_per_fold(self, test: pd.DataFrame, validation: pd.DataFrame, positive: str) -> pd.Series:
        """Choose a threshold for every test fold on the validation predictions of this fold.

        Args:
            test: table of test predictions.
            validation: table of validation predictions; ``fold`` is the test fold in both.
            positive: positive class.

        Returns:
            Threshold of every test image, by ``image_id``.
        """
        value = {number: self.choose(rows, positive).value for number, rows in validation.groupby("fold")}
        return test["fold"].map(value)
