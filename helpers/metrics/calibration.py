"""Calibration of predicted probabilities: Brier score, calibration error and curve, and temperature scaling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import (
    LEVEL,
    Bootstrap,
    Estimate,
    cluster_mean,
    interval_estimate,
    of_one_class,
    weighted_sums,
)
from helpers.metrics.classification import PREFIX, class_probabilities, prediction_classes
from helpers.metrics.resampling import MIN_GROUPS

BINS = 10


def brier_score(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the Brier score, the mean squared difference of probability and true class (0 or 1); 0 is best.

    Args:
        table: table of predictions, see :mod:`helpers.metrics.classification`.
        positive: positive class.
        seed: random seed of the resamples.

    Source: Brier 1950.
    """
    error = (table[PREFIX + positive] - (table["label"] == positive)) ** 2
    return cluster_mean(error, table["group"], seed, proportion=True)


def expected_calibration_error(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the expected calibration error: the mean gap of probability and observed frequency over ten bins.

    Bins are weighted by their numbers of images (Guo et al. 2017). Sampling noise alone lifts the raw error above 0,
    the more the fewer the images, and resampling adds noise again. So the mean increase over the resamples is
    subtracted from the raw error once and from the percentiles twice (bias-corrected bootstrap), with a floor of 0. The
    interval starts at 0 where the raw error is within the lower 95 % of the resamples of a calibrated model, whose
    mean error in every bin is removed. Groups of all classes are resampled together, since the prevalence is part of
    the measurement. Arguments as for :func:`brier_score`.
    """
    inside = np.eye(BINS)[_bin(table, positive)]
    gap = inside * ((table["label"] == positive) - table[PREFIX + positive]).to_numpy()[:, None]
    mean_gap = gap.sum(0) / np.maximum(inside.sum(0), 1)
    together = of_one_class(table["group"])
    sums = weighted_sums(np.concatenate([gap, inside], axis=1), together)

    def errors(weights: np.ndarray) -> np.ndarray:
        """Compute the raw error, and that of a calibrated model with the same predictions."""
        gap, images = np.split(sums(weights), 2, axis=1)
        plain, calibrated = np.abs(gap).sum(1), np.abs(gap - mean_gap * images).sum(1)
        return np.stack([plain, calibrated], axis=1) / images.sum(1, keepdims=True)

    bootstrap = Bootstrap(errors, together, seed)
    plain, calibrated = bootstrap.resampled.T
    bias = plain.mean() - bootstrap.value[0]
    value, n, groups = max(0.0, bootstrap.value[0] - bias), len(table), table["group"].nunique()
    if groups < MIN_GROUPS:
        return interval_estimate(value, bootstrap.of_single_groups()[:, 0], n=n, groups=groups)
    estimate = interval_estimate(value, np.maximum(0.0, plain - 2 * bias), n=n, groups=groups, proportion=False)
    is_chance = bootstrap.value[0] <= np.quantile(calibrated, LEVEL)
    return replace(estimate, low=0.0) if is_chance else estimate


def calibration_curve(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """Tabulate predicted probability and observed frequency for every non-empty bin of predicted probability.

    Arguments as for :func:`brier_score`.

    Returns:
        Columns ``probability`` (mean), ``frequency`` (share of ``positive``), ``low, high, interval, n, groups``.
    """
    rows, bins = [], _bin(table, positive)
    for number in np.unique(bins):
        in_bin = table[bins == number]
        true = (in_bin["label"] == positive).astype(float)
        frequency = cluster_mean(true, in_bin["group"], seed, proportion=True)
        rows.append({"probability": float(in_bin[PREFIX + positive].mean()), **frequency.row("frequency")})
    return pd.DataFrame(rows)


def fit_temperature(table: pd.DataFrame) -> float:
    """Fit the temperature that minimises the cross-entropy of the probabilities (Guo et al. 2017), from 0.05 to 20.

    The logarithms of the probabilities are divided by it; above 1 the model was overconfident. Fit it on the validation
    set.
    """
    from scipy.optimize import minimize_scalar  # here, because predictions need none of it and it takes long

    classes = prediction_classes(table)
    true = table["label"].map(classes.index).to_numpy()

    def cross_entropy(log_t: float) -> float:
        scaled = _with_temperature(table, float(np.exp(log_t)))
        return float(-np.log(np.maximum(scaled[np.arange(len(scaled)), true], 1e-12)).mean())

    return float(np.exp(minimize_scalar(cross_entropy, bounds=(np.log(0.05), np.log(20)), method="bounded").x))


def apply_temperature(table: pd.DataFrame, t: float) -> pd.DataFrame:
    """Rescale predicted probabilities by a temperature; the ROC curve of two classes does not change.

    Args:
        table: table of predictions.
        t: temperature from :func:`fit_temperature`.
    """
    columns = [PREFIX + name for name in prediction_classes(table)]
    return table.assign(**dict(zip(columns, _with_temperature(table, t).T, strict=True)))


def _with_temperature(table: pd.DataFrame, t: float) -> np.ndarray:
    logits = np.log(np.clip(class_probabilities(table), 1e-7, 1)) / t
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _bin(table: pd.DataFrame, positive: str) -> np.ndarray:
    return np.minimum((table[PREFIX + positive].to_numpy() * BINS).astype(int), BINS - 1)
