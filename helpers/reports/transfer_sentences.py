"""Sentences on transfer learning, computed from the scores, times and shares that they describe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.metrics import INTERVAL, Estimate
from helpers.reports.result_table import format_estimate
from helpers.reports.statements import difference_words


def describe_methods(scores: pd.DataFrame, value: str) -> str:
    """List methods with their score and the time that all their work takes.

    Args:
        scores: columns ``method``, ``value`` and ``seconds``.
        value: column with the score.
    """
    parts = [f"{row['method']} {row[value]:.2f} in {row['seconds']:.0f} s" for _, row in scores.iterrows()]
    return "; ".join(parts)


def judge_pretraining(differences: Mapping[str, Estimate]) -> str:
    """Say of every method that starts from pretrained weights whether it beats training from scratch.

    Args:
        differences: by method, its score less that of training from scratch, on the same images.
    """
    parts = [f"{name}: {difference_words(estimate, 'better', 'worse')}" for name, estimate in differences.items()]
    verdicts = {_direction(estimate) for estimate in differences.values()}
    conclusion = {
        frozenset({1}): "Pretrained weights pay here, whichever way they are used.",
        frozenset({-1}): "Pretrained weights do not pay here: training from scratch is better.",
        frozenset({0}): "Whether pretrained weights pay here, these images do not settle.",
    }.get(frozenset(verdicts), "Whether pretrained weights pay depends here on the way they are used.")
    return f"Compared with training from scratch: {'; '.join(parts)}. {conclusion}"


def _direction(estimate: Estimate) -> int:
    """Return 1 or -1 where the 95 % interval excludes 0, and 0 where it does not or is none."""
    if estimate.interval != INTERVAL or estimate.low <= 0 <= estimate.high:
        return 0
    return 1 if estimate.value > 0 else -1


def describe_shifted_statistics(passes: pd.DataFrame, *, n_changed: int, n_kernels_changed: int) -> str:
    """Say what passing images through batch normalisation in training mode has done to a classifier.

    Args:
        passes: columns ``loss`` and ``accuracy`` on the validation images, by number of passes.
        n_changed: number of weight arrays that the passes have changed.
        n_kernels_changed: number of kernels among them.
    """
    first, last = passes.iloc[0], passes.iloc[-1]
    facts = (
        f"No gradient was computed and no step taken; {n_kernels_changed} kernels have changed. But {n_changed} arrays "
        f"of running averages have. Over {passes.index[-1]} passes the validation loss went from {first['loss']:.2f} "
        f"to {last['loss']:.2f}, the accuracy from {first['accuracy']:.0%} to {last['accuracy']:.0%}."
    )
    if last["loss"] > first["loss"]:
        return f"{facts} The head was trained on features that these layers no longer compute."
    return f"{facts} Here the shift does no harm. Nobody chose it, and no loss would have warned of it."


def compare_with_chance(share: Estimate, chance: float) -> str:
    """Compare a share of images with its chance level.

    Args:
        share: share with its interval.
        chance: chance level, 0 to 1.
    """
    text = f"{format_estimate(share.value, share.low, share.high, share.interval, 2)} against {chance:.2f} by chance"
    if share.interval != INTERVAL:
        return f"{text}; too few groups to tell more"
    if share.low > chance:
        return f"{text}, so more often than by chance"
    if share.high < chance:
        return f"{text}, so less often than by chance"
    return f"{text}, which the interval includes"


def describe_growth(curve: pd.DataFrame, value: str) -> str:
    """Say by how much a score changes from the smallest to the largest number of training images.

    Args:
        curve: columns ``images`` (per class) and ``value``; one learner.
        value: column with the score.
    """
    ordered = curve.sort_values("images")
    first, last = ordered.iloc[0], ordered.iloc[-1]
    if first["images"] == last["images"]:
        return f"{value} is {first[value]:.2f} with {first['images']:.0f} images per class, the only number tried"
    change = round(float(last[value]), 2) - round(float(first[value]), 2)
    verb = {1: "rises", -1: "falls", 0: "stays"}[int(np.sign(round(change, 2)))]
    span = f"at {first[value]:.2f}" if verb == "stays" else f"from {first[value]:.2f} to {last[value]:.2f}"
    return f"{value} {verb} {span} between {first['images']:.0f} and {last['images']:.0f} images per class"
