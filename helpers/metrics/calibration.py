"""Whether a probability of 0.8 comes true in 80 of 100 cases, and how to mend it where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from helpers.metrics.bootstrap import (
    FEWEST,
    LEVEL,
    Estimate,
    GroupSums,
    mean_over_groups,
    summarise,
)
from helpers.metrics.classification import PREFIX, classes_of

BINS = 10


def brier(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the mean squared difference of probability and truth (0 or 1), 0 is best (Brier 1950)."""
    error = ((table[PREFIX + positive] - (table["label"] == positive)) ** 2).to_numpy()
    sums = GroupSums(np.stack([error, np.ones(len(error))], axis=1), table["group"], seed)
    return sums.estimate(lambda s: s[:, 0] / s[:, 1], len(table))


def ece(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the expected calibration error: the mean distance of probability and frequency over ten bins.

    Bins are weighted by their images (Guo et al. 2017). Chance alone puts the plain number above 0, the more the fewer
    the images, and a resample adds chance again. So the mean gain of the resamples is taken off the number once and off
    their percentiles twice (bias-corrected bootstrap), and nothing goes below 0. The interval begins at 0 where the
    plain number is within the 95 % that resamples of a calibrated model reach: those of every bin's own mean error.
    Groups of all classes are resampled together, since how many are ill is part of what is measured.
    """
    inside = np.eye(BINS)[_bin(table, positive)]
    gap = ((table["label"] == positive) - table[PREFIX + positive]).to_numpy()
    sums = GroupSums(np.concatenate([inside * gap[:, None], inside], axis=1), table["group"], seed)
    groups, whole = np.ones(len(sums.by_group), bool), sums.by_group.sum(0)
    error = whole[:BINS] / np.maximum(whole[BINS:], 1)

    def plain(s: np.ndarray, expected: np.ndarray | float = 0.0) -> np.ndarray:
        return np.abs(s[:, :BINS] - expected * s[:, BINS:]).sum(1) / s[:, BINS:].sum(1)

    number, spread = float(plain(whole[None])[0]), sums.spread(plain)
    bias = spread.mean() - number
    value = max(0.0, number - bias)
    if len(groups) < FEWEST:
        return summarise(value, plain(sums.by_group), len(table), groups)
    found = summarise(value, np.maximum(0.0, spread - 2 * bias), len(table), groups, proportion=False)
    calibrated = number <= np.quantile(plain(sums.sums, error), LEVEL)
    return replace(found, low=0.0) if calibrated else found


def reliability(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """For every bin of probability that has images: mean ``probability``, ``frequency`` of the class, interval, n."""
    rows, bins = [], _bin(table, positive)
    for number in np.unique(bins):
        part = table[bins == number]
        true = (part["label"] == positive).astype(float)
        frequency = mean_over_groups(true, part["group"], seed, proportion=True)
        rows.append({"probability": float(part[PREFIX + positive].mean())} | frequency.row("frequency"))
    return pd.DataFrame(rows)


def temperature(table: pd.DataFrame) -> float:
    """The number by which the logarithms of all probabilities are divided to suit the truth best (Guo et al. 2017).

    Above 1 the model was too sure of itself. Fit it on validation images.
    """
    classes = classes_of(table)
    true = table["label"].map(classes.index).to_numpy()

    def surprise(log_t: float) -> float:
        warm = _warmed(table, float(np.exp(log_t)))
        return float(-np.log(np.maximum(warm[np.arange(len(warm)), true], 1e-12)).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def with_temperature(table: pd.DataFrame, t: float) -> pd.DataFrame:
    """The same predictions at a temperature; their order, and so the ROC curve of two classes, does not change."""
    columns = [PREFIX + name for name in classes_of(table)]
    return table.assign(**dict(zip(columns, _warmed(table, t).T, strict=True)))


def _warmed(table: pd.DataFrame, t: float) -> np.ndarray:
    logits = np.log(np.clip(table[[PREFIX + name for name in classes_of(table)]].to_numpy(), 1e-7, 1)) / t
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _bin(table: pd.DataFrame, positive: str) -> np.ndarray:
    return np.minimum((table[PREFIX + positive].to_numpy() * BINS).astype(int), BINS - 1)
