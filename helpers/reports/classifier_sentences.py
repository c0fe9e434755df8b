"""Sentences on a classifier, computed from its ranking, its intervals and its probabilities."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics import INTERVAL, Estimate
from helpers.reports.statements import difference_words

WIDER = 1.2  # ratio of two widths from which one interval counts as wider
NARROW = 0.05  # spread of probabilities below which a model gives one answer for all
NEAR_ONE = (0.9, 1.1)  # temperatures that leave probabilities about as they are


def describe_ranking(auc: Estimate) -> str:
    """Say whether an AUC is better than chance, at chance, or below it.

    Args:
        auc: area under the ROC curve with its interval.
    """
    if auc.interval != INTERVAL:
        return f"{auc.value:.3f}, of {auc.groups} groups, too few to tell it from chance"
    numbers = f"{auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]"
    if auc.low > 0.5:
        return f"{numbers}, better than chance"
    if auc.high < 0.5:
        return f"{numbers}, below chance: the ranking is inverted"
    return f"{numbers}, not shown to be better than chance, as the interval holds 0.5"


def describe_spread(probabilities: pd.Series) -> str:
    """Say how far probabilities spread, and whether a model gives every image nearly the same one.

    Args:
        probabilities: predicted probabilities of one class.
    """
    low, high = probabilities.quantile([0.05, 0.95])
    words = f"the middle 90 % of its probabilities lie between {low:.2f} and {high:.2f}"
    return f"{words}: nearly one answer for all" if high - low < NARROW else words


def compare_intervals(by_patient: Estimate, by_cell: Estimate) -> str:
    """Compare the widths of an interval from resampled patients and one from resampled cells.

    Args:
        by_patient: estimate with resampled patients.
        by_cell: the same value with resampled cells.
    """
    if INTERVAL not in (by_patient.interval, by_cell.interval) or by_patient.interval != by_cell.interval:
        return f"{by_patient.groups} groups are too few for an interval over patients; resampling cells would hide that"
    ratio = (by_patient.high - by_patient.low) / (by_cell.high - by_cell.low)
    if ratio > WIDER:
        return (
            f"the interval over patients is {ratio:.1f} times as wide: cells of one patient share their errors, and "
            "resampling cells makes the result look more certain than it is"
        )
    if ratio < 1 / WIDER:
        return f"the interval over patients is narrower ({ratio:.1f} times as wide): patients are alike here"
    return (
        f"the two are about as wide ({ratio:.1f} times): no gathering of errors in patients is seen here, which nobody "
        "knows before both are computed"
    )


def describe_calibration(name: str, difference: Estimate, temperatures: list[float]) -> str:
    """Say what temperature scaling changed, and why where it did not help.

    Args:
        name: name of the model.
        difference: Brier score after scaling − before, on the same images.
        temperatures: temperatures that were fitted, one per test fold.
    """
    shown = ", ".join(f"{t:.2f}" for t in temperatures)
    mean = float(np.mean(temperatures))
    if min(temperatures) < NEAR_ONE[0] and max(temperatures) > NEAR_ONE[1]:
        kind = "on both sides of 1: the folds do not agree whether it was too certain"
    elif mean > NEAR_ONE[1]:
        kind = "above 1: it was too certain"
    elif mean < NEAR_ONE[0]:
        kind = "below 1: it was not certain enough"
    else:
        kind = "near 1: there was little to correct"
    change = f"{name}: temperature {shown}, {kind}. Brier score, scaled − unscaled: {difference_words(difference)}"
    if difference.interval == INTERVAL and difference.high < 0:
        return f"{change}. Scaling helped"
    if NEAR_ONE[0] <= mean <= NEAR_ONE[1]:
        return f"{change}. It could not help much, as the probabilities were about right before"
    if difference.interval == INTERVAL and difference.low > 0:
        return (
            f"{change}. It made them worse: the cells on which it was fitted may differ from the tested ones, be too "
            "few, or need more than one number"
        )
    return f"{change}. No gain is shown: the temperature rests on few validation patients, and so does the comparison"


def describe_target(target: float, expected: float, reached: float) -> str:
    """Compare the sensitivity that was asked for with the one that was expected and the one that the test reached.

    Args:
        target: sensitivity asked for on the validation images.
        expected: expected sensitivity on new images.
        reached: sensitivity on the test images.
    """
    verdict = "no fewer than were asked for" if round(reached, 3) >= target else "fewer than were asked for"
    return f"asked for {target:.3f}, expected {expected:.3f}, reached {reached:.3f}: {verdict}"
