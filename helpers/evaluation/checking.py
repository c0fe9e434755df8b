"""Checks of the test predictions of an evaluation."""

from __future__ import annotations

import pandas as pd

from helpers import checks
from helpers.checks import Finding
from helpers.evaluation.design import Design


def check_predictions(
    design: Design, test: pd.DataFrame, positive: str, thresholds: pd.Series, *, seed: int
) -> list[Finding]:
    """Check test predictions, their splits and their groups.

    Args:
        design: images, folds and tested folds.
        test: table of test predictions.
        positive: positive class; empty if there is none.
        thresholds: threshold of every test image, by ``image_id``; empty without a positive class.
        seed: random seed of the resamples.

    Returns:
        Failed checks, those that concern chance level first.
    """
    frame = design.dataset.frame
    findings = [
        *checks.check_single_class(test),
        *checks.check_probabilities(test),
        *checks.check_leakage(frame, design.splits()[0].split_of(frame.index)),
        *checks.check_groups_known(frame),
        *checks.check_group_count(test),
    ]
    if positive:
        findings = [*checks.check_better_than_chance(test, positive, thresholds, seed), *findings]
    return findings
