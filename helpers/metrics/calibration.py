"""Whether a probability of 0.8 comes true in 80 of 100 cases, and how to mend it where it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from helpers.metrics.bootstrap import (
    LEVEL,
    Bootstrap,
    Estimate,
    cluster_mean,
    interval_estimate,
    of_one_class,
    weighted_sums,
)
from helpers.metrics.classification import PREFIX, prediction_classes
from helpers.metrics.resampling import FEWEST

BINS = 10


def brier_score(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the mean squared difference of probability and truth (0 or 1), 0 is best (Brier 1950)."""
    error = (table[PREFIX + positive] - (table["label"] == positive)) ** 2
    return cluster_mean(error, table["group"], seed, proportion=True)


def expected_calibration_error(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the expected calibration error: the mean distance of probability and frequency over ten bins.

    Bins are weighted by their images (Guo et al. 2017). Chance alone puts the plain number above 0, the more the fewer
    the images, and a resample adds chance again. So the mean gain of the resamples is taken off the number once and off
    their percentiles twice (bias-corrected bootstrap), and nothing goes below 0. The interval begins at 0 where the
    plain number is within the 95 % that resamples of a calibrated model reach: those of every bin's own mean error.
    Groups of all classes are resampled together, since how many are ill is part of what is measured.
    """
    inside = np.eye(BINS)[_bin(table, positive)]
    gap = inside * ((table["label"] == positive) - table[PREFIX + positive]).to_numpy()[:, None]
    mean_gap = gap.sum(0) / np.maximum(inside.sum(0), 1)
    together = of_one_class(table["group"])
    sums = weighted_sums(np.concatenate([gap, inside], axis=1), together)

    def errors(weights: np.ndarray) -> np.ndarray:
        """The plain number, and that of a model with the same predictions, but calibrated."""
        gap, images = np.split(sums(weights), 2, axis=1)
        plain, calibrated = np.abs(gap).sum(1), np.abs(gap - mean_gap * images).sum(1)
        return np.stack([plain, calibrated], axis=1) / images.sum(1, keepdims=True)

    bootstrap = Bootstrap(errors, together, seed)
    plain, calibrated = bootstrap.resampled.T
    bias = plain.mean() - bootstrap.value[0]
    value, n, groups = max(0.0, bootstrap.value[0] - bias), len(table), table["group"].nunique()
    if groups < FEWEST:
        return interval_estimate(value, bootstrap.of_single_groups()[:, 0], n=n, groups=groups)
    found = interval_estimate(value, np.maximum(0.0, plain - 2 * bias), n=n, groups=groups, proportion=False)
    chance = bootstrap.value[0] <= np.quantile(calibrated, LEVEL)
    return replace(found, low=0.0) if chance else found


def calibration_curve(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """For every bin of probability that has images: mean ``probability``, ``frequency`` of the class, interval, n."""
    rows, bins = [], _bin(table, positive)
    for number in np.unique(bins):
        part = table[bins == number]
        true = (part["label"] == positive).astype(float)
        frequency = cluster_mean(true, part["group"], seed, proportion=True)
        rows.append({"probability": float(part[PREFIX + positive].mean())} | frequency.row("frequency"))
    return pd.DataFrame(rows)


def fit_temperature(table: pd.DataFrame) -> float:
    """The number by which the logarithms of all probabilities are divided to suit the truth best (Guo et al. 2017).

    Above 1 the model was too sure of itself. Fit it on validation images.
    """
    classes = prediction_classes(table)
    true = table["label"].map(classes.index).to_numpy()

    def surprise(log_t: float) -> float:
        warm = _warmed(table, float(np.exp(log_t)))
        return float(-np.log(np.maximum(warm[np.arange(len(warm)), true], 1e-12)).mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def apply_temperature(table: pd.DataFrame, t: float) -> pd.DataFrame:
    """The same predictions at a temperature; their order, and so the ROC curve of two classes, does not change."""
    columns = [PREFIX + name for name in prediction_classes(table)]
    return table.assign(**dict(zip(columns, _warmed(table, t).T, strict=True)))


def _warmed(table: pd.DataFrame, t: float) -> np.ndarray:
    logits = np.log(np.clip(table[[PREFIX + name for name in prediction_classes(table)]].to_numpy(), 1e-7, 1)) / t
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _bin(table: pd.DataFrame, positive: str) -> np.ndarray:
    return np.minimum((table[PREFIX + positive].to_numpy() * BINS).astype(int), BINS - 1)
