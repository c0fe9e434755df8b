"""Numbers with intervals: overlap of masks, bootstrap over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its bootstrap interval (NaN for one group), the numbers of images and of independent groups."""

    value: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n}, groups={self.groups})"


def overlap(truth: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Dice coefficient and intersection over union of two boolean masks of one shape.

    Both are 1 where both masks are empty (nothing to find, nothing claimed) and 0 where only one is.

    Raises:
        ValueError: the shapes differ, or a mask is not boolean.
    """
    if truth.shape != predicted.shape or truth.dtype != bool or predicted.dtype != bool:
        raise ValueError(
            f"two boolean masks of one shape are compared, not {truth.dtype} {truth.shape} and "
            f"{predicted.dtype} {predicted.shape}"
        )
    both, total = int(np.count_nonzero(truth & predicted)), int(np.count_nonzero(truth) + np.count_nonzero(predicted))
    if total == 0:
        return 1.0, 1.0
    return 2 * both / total, both / (total - both)


def mean_over_groups(values: pd.Series, groups: pd.Series, seed: int) -> Estimate:
    """Mean over images with a 95 % percentile bootstrap interval that resamples whole groups.

    Images of one group are not independent, so the interval must not shrink when a group gives more of them.

    Args:
        values: one number per image, indexed by ``image_id``.
        groups: the group of every image, with the same index at least.
        seed: of the 2,000 resamples.

    Raises:
        ValueError: no values, values that are not finite, or images without a group.
    """
    if values.empty or not np.isfinite(values.to_numpy(float)).all():
        raise ValueError(f"a mean needs finite values; there are {len(values)}, {int(values.isna().sum())} missing")
    group = groups.reindex(values.index)
    if group.isna().any():
        raise ValueError(f"{int(group.isna().sum())} of {len(group)} images have no group")
    by_group = values.groupby(group).agg(["sum", "count"])
    if len(by_group) < 2:  # nothing is known of how groups differ, so there is no interval
        return Estimate(float(values.mean()), float("nan"), float("nan"), len(values), len(by_group))
    draws = np.random.default_rng(seed).multinomial(len(by_group), np.full(len(by_group), 1 / len(by_group)), RESAMPLES)
    means = draws @ by_group["sum"].to_numpy() / (draws @ by_group["count"].to_numpy())
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(values.mean()), float(low), float(high), len(values), len(by_group))


def table_of_means(table: pd.DataFrame, value: str, by: list[str], groups: pd.Series, seed: int) -> pd.DataFrame:
    """One row per combination of ``by`` with the mean of ``value``, its interval, n and number of groups.

    Args:
        table: long table with a column ``image_id``.
        value: the column to average.
        by: the columns to split by, in the order wanted.
        groups: the group of every image.
        seed: of the resamples.
    """
    rows = []
    for key, part in table.groupby(by, sort=False, observed=True):
        estimate = mean_over_groups(part.set_index("image_id")[value], groups, seed)
        rows.append(
            (*key, *map(float, np.round((estimate.value, estimate.low, estimate.high), 3)), estimate.n, estimate.groups)
        )
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "n", "groups"])
