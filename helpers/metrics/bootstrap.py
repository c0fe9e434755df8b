"""Means and intervals: the bootstrap resamples groups, never images."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

RESAMPLES = 2000
LEVEL = 0.95
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)  # quantiles of an interval


@dataclass(frozen=True)
class Estimate:
    """A number with its bootstrap interval (NaN for one group), and of how many images and independent groups."""

    value: float
    low: float
    high: float
    n: int
    groups: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}] (n={self.n}, groups={self.groups})"

    def row(self, name: str) -> dict[str, float | int]:
        """What a table shows of it, rounded to three decimals; ``name`` is the column of the value."""
        numbers = {name: self.value, "low": self.low, "high": self.high}
        return {key: round(number, 3) for key, number in numbers.items()} | {"n": self.n, "groups": self.groups}


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
    return estimate(by_group.to_numpy(), lambda sums: sums[:, 0] / sums[:, 1], len(values), seed)


def estimate(by_group: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], n: int, seed: int) -> Estimate:
    """A statistic of sums over groups with its 95 % percentile bootstrap interval.

    Args:
        by_group: ``(groups, k)``, what each group adds to the sums; a unit matrix gives the statistic how often each
            group was drawn.
        statistic: from sums ``(resamples, k)`` to values ``(resamples,)``; NaN where it is not defined, for instance a
            sensitivity without a single patient who is ill. Such resamples do not count.
        n: number of images.
        seed: of the resamples. The same seed draws the same groups, so that two models can be compared pair by pair.
    """
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mean of empty slice")
        value = float(statistic(by_group.sum(0, keepdims=True))[0])
        spread = statistic(draws(len(by_group), seed) @ by_group)
    if len(by_group) < 2 or np.isnan(spread).all():  # nothing is known of how groups differ
        return Estimate(value, float("nan"), float("nan"), n, len(by_group))
    low, high = np.nanquantile(spread, ENDS)
    return Estimate(value, float(low), float(high), n, len(by_group))


def draws(groups: int, seed: int) -> np.ndarray:
    """How often each group is in each resample, ``int (2000, groups)``."""
    return np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), RESAMPLES)


def sums_by_group(values: np.ndarray, groups: pd.Series) -> np.ndarray:
    """``(groups, k)``: the sums over each group's images of values ``(n, k)``, for :func:`estimate`."""
    return pd.DataFrame(values).groupby(groups.to_numpy()).sum().to_numpy()


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
        rows.append(dict(zip(by, key, strict=True)) | estimate.row(value))
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "n", "groups"])
