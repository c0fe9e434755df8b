"""Whether a probability of 0.8 comes true in 80 of 100 cases, and how to mend it where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from helpers.metrics.bootstrap import Estimate, estimate, mean_over_groups, sums_by_group
from helpers.metrics.classification import PREFIX, classes_of

BINS = 10


def brier(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Mean squared difference of probability and truth (0 or 1), 0 is best (Brier 1950)."""
    error = (table[PREFIX + positive] - (table["label"] == positive)) ** 2
    return mean_over_groups(error, table["group"], seed)


def ece(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Expected calibration error: mean distance of probability and frequency over ten bins, weighted by their images.

    It cannot be negative, so that chance alone puts it above 0, the more the fewer the images (Guo et al. 2017).
    """
    inside = np.eye(BINS)[_bin(table, positive)]
    gap = ((table["label"] == positive) - table[PREFIX + positive]).to_numpy()
    parts = np.concatenate([inside * gap[:, None], inside], axis=1)
    sums = sums_by_group(parts, table["group"])
    return estimate(sums, lambda s: np.abs(s[:, :BINS]).sum(1) / s[:, BINS:].sum(1), len(table), seed)


def reliability(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """For every bin of probability that has images: mean ``probability``, ``frequency`` of the class, interval, n."""
    rows, bins = [], _bin(table, positive)
    for number in np.unique(bins):
        part = table[bins == number]
        came_true = mean_over_groups((part["label"] == positive).astype(float), part["group"], seed)
        rows.append({"probability": round(float(part[PREFIX + positive].mean()), 3)} | came_true.row("frequency"))
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
