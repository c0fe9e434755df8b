"""Sentences on predictive values and label shift of chapter *Trust*, computed from the tables that they describe."""

from __future__ import annotations

import pandas as pd

from helpers.metrics import (
    INTERVAL,
    PREFIX,
    Estimate,
    expected_outcomes,
    predicted_classes,
    score_difference,
    wilson_interval,
)
from helpers.reports.statements import difference_words

FEW = 5  # false alarms below which an interval of the specificity needs a word of caution


def describe_predictive_values(table: pd.DataFrame, positive: str, values: dict[float, Estimate]) -> str:
    """Say how the positive predictive value at a threshold of one half falls with the prevalence, and what it rests on.

    Args:
        table: table of test predictions of two classes.
        positive: positive class.
        values: positive predictive values by prevalence, the highest prevalence first.
    """
    is_positive, alarm = table["label"] == positive, predicted_classes(table) == positive
    others, false_alarms = table[~is_positive], table[~is_positive & alarm]
    sensitivity, n = float(alarm[is_positive].mean()), len(others)
    specificity = 1 - len(false_alarms) / n
    rates = ", ".join(f"{_range(value)} at a prevalence of {share:g}" for share, value in values.items())
    facts = (
        f"With the same model (sensitivity {sensitivity:.2f}, specificity {specificity:.3f}), the share of right "
        f"alarms is {rates}. Ask for the prevalence behind every PPV, and for its interval: the specificity rests on "
        f"{_count(len(false_alarms), 'false alarm')} in {n} cells of {others['group'].nunique()} patients."
    )
    if len(false_alarms) >= FEW:
        return facts
    rarest = min(values)
    low, high = (
        expected_outcomes(sensitivity, 1 - rate, rarest).positive_predictive_value
        for rate in reversed(wilson_interval(len(false_alarms), n))
    )
    return (
        f"{facts} Resamples without any put the PPV at 100%, whatever the prevalence, so that the upper end says "
        f"little. Wilson's interval of the specificity, which takes cells as independent, gives {low:.0%} to "
        f"{high:.0%} at {rarest:g}. More cells of healthy people would tell; more blasts would not."
    )


def describe_prevalence(share: float, called: float, solution: float, estimate: Estimate) -> str:
    """Compare an estimated prevalence with the true share of positive cells.

    Args:
        share: true share in the target domain.
        called: share that is predicted positive.
        solution: solution of q = C p before it is clipped.
        estimate: estimate with its interval, from :func:`helpers.metrics.estimate_prevalence`.
    """
    facts = f"{share:.0%} are blasts, {called:.0%} are called blasts, and the estimate is {_range(estimate)}"
    verdict = (
        "whose interval holds the true share"
        if estimate.low <= share <= estimate.high
        else "whose interval misses the true share"
        if estimate.interval == INTERVAL
        else "from too few patients for an interval"
    )
    nearer = abs(estimate.value - share) < abs(called - share)
    beside = f"{'nearer' if nearer else 'no nearer'} to it than the count of alarms"
    impossible = (
        ""
        if 0 <= solution <= 1
        else f" Before it was clipped, the solution was {solution:.0%}: no mixture of the two classes gives so "
        f"{'many' if solution > 1 else 'few'} alarms, which is a warning that needs no label."
    )
    return f"{facts}, {verdict}, {beside}.{impossible}"


def describe_adjustment(before: pd.DataFrame, after: pd.DataFrame, positive: str, *, seed: int) -> str:
    """Say what corrected probabilities change at a threshold of one half: wrong cells, and positive cells found.

    Args:
        before, after: tables of predictions of the same images of two classes, uncorrected and corrected.
        positive: positive class.
        seed: random seed of the resamples.
    """
    wrong, found = (
        [int(count(table)) for table in (before, after)]
        for count in (
            lambda table: (predicted_classes(table) != table["label"]).sum(),
            lambda table: (predicted_classes(table)[table["label"] == positive] == positive).sum(),
        )
    )
    means = [float(table[PREFIX + positive].mean()) for table in (before, after)]
    share, n = float((before["label"] == positive).mean()), int((before["label"] == positive).sum())
    difference = score_difference([after], [before], "accuracy", seed=seed)
    price = (
        f"The price: {found[1]} of {n} blasts are found and not {found[0]}. Prevalence alone does not set a threshold; "
        "what a miss costs does, too."
        if found[1] < found[0]
        else f"Of {n} blasts {found[1]} are found, {found[0]} before."
    )
    return (
        f"The mean probability of a blast was {means[0]:.2f} and is {means[1]:.2f}, where {share:.2f} are blasts. At a "
        f"threshold of one half {wrong[1]} of {len(after)} cells are wrong, {wrong[0]} before; accuracy: "
        f"{difference_words(difference)}. {price}"
    )


def describe_detector(aucs: dict[str, float], n_source: int, n_target: int) -> str:
    """Say how well a classifier tells targets from the source.

    Args:
        aucs: area under the ROC curve by name of the target.
        n_source, n_target: numbers of cells.
    """
    values = ", ".join(f"{auc:.2f} for {name}" for name, auc in aucs.items())
    return f"AUC {values} ({n_source} cells of the source, {n_target} of the target, no interval); 0.5 is chance."


def _range(estimate: Estimate) -> str:
    if estimate.interval != INTERVAL:
        return f"{estimate.value:.0%}"
    return f"{estimate.value:.0%} [{estimate.low:.0%}, {estimate.high:.0%}]"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
