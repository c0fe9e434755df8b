"""Means and intervals: the bootstrap resamples groups, never images.

How an interval is found, everywhere in this package:

- 95 % percentile bootstrap over groups, where there are ten groups or more, and five of every class that a statistic
  rests on. Groups that have one class each (patients with a diagnosis) are resampled within their class, so that every
  resample has as many of each as the data. Groups of mixed classes are resampled together, and resamples in which a
  statistic is not defined, because a class is absent, do not count.
- A proportion of which no resample differs (all right, or none): the exact interval over groups (Clopper and Pearson
  1934), about the rule of three. A bootstrap cannot see errors that did not happen.
- Fewer groups: the range of the groups, which is no 95 % interval and is not called one: the least and the greatest
  value when a group stands alone for the classes that it has.
- One group: none.

How often a 95 % interval of the area under the ROC curve holds the truth, where patients differ by as much as their
cells do (simulated, 300 times each, areas of 0.73 and 0.90): 0.85 and 0.86 with 5 patients of one class and 25 of the
other, 0.93 and 0.88 with 10 of each, 0.95 and 0.95 with 30 of each; with 2 and 20 it would be 0.70 and 0.74.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

RESAMPLES = 2000
LEVEL = 0.95
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)  # quantiles of an interval
FEWEST, FEWEST_OF_CLASS = 10, 5  # groups from which on there is an interval
INTERVAL, RANGE, NONE = "95 %", "range of groups", "none"
_AT_ONCE = 2**19  # numbers of one block of resamples, which then stay in the processor's cache

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, and of how many images and independent groups it is.

    Attributes:
        value: the number.
        low, high: ends of the interval, NaN where there is none; ``low <= value <= high``.
        n: images that the number counts; of a sensitivity the positive ones.
        groups: that these images are of.
        interval: what ``low`` and ``high`` are: :data:`INTERVAL`, :data:`RANGE` or :data:`NONE`.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    interval: str = INTERVAL

    def __post_init__(self):
        if self.low > self.value or self.value > self.high:
            raise ValueError(f"an interval holds its value; {self.value} is not within [{self.low}, {self.high}]")

    def __str__(self) -> str:
        between = {
            INTERVAL: f" [{self.low:.3f}, {self.high:.3f}]",
            RANGE: f", groups from {self.low:.3f} to {self.high:.3f}",
            NONE: ", no interval",
        }
        return f"{self.value:.3f}{between[self.interval]} (n={self.n}, groups={self.groups})"

    def row(self, name: str) -> dict[str, float | int | str]:
        """Give the columns of a table; ``name`` is that of the value. Rounding is left to who shows it."""
        ends = {name: self.value, "low": self.low, "high": self.high, "interval": self.interval}
        return ends | {"n": self.n, "groups": self.groups}


class GroupSums:
    """Sums over images, and those sums in every resample of groups: statistics of sums are estimated from it."""

    def __init__(self, values: np.ndarray, groups: pd.Series, seed: int, labels: pd.Series | None = None):
        """Resample once, for any number of statistics.

        Args:
            values: ``(n, k)``, what each image adds.
            groups: of the images, in their order.
            seed: of the resamples. The same seed draws the same groups, so that two models can be compared pair by
                pair.
            labels: classes of the images, in their order; groups of one class are resampled within it. All together
                where not given.
        """
        label = "" if labels is None else labels.to_numpy()
        self.pairs = GroupsByClass(pd.DataFrame({"group": groups.to_numpy(), "label": label}))
        self.by_pair = pd.DataFrame(np.asarray(values, float)).groupby(self.pairs.code).sum().to_numpy()
        self.by_group = pd.DataFrame(self.by_pair).groupby(self.pairs.group).sum().to_numpy()
        self.sums = np.concatenate([weights @ self.by_group for weights in draws(self.pairs.strata, seed)])

    def spread(self, statistic: Statistic) -> np.ndarray:
        """Compute a statistic of every resample, ``(2000,)``; NaN where it is not defined."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return statistic(self.sums)

    def estimate(
        self,
        statistic: Statistic,
        n: int,
        *,
        counted: np.ndarray | None = None,
        rests_on: int | None = None,
        proportion: bool = True,
    ) -> Estimate:
        """Estimate a statistic of sums.

        Args:
            statistic: from sums ``(resamples, k)`` to values ``(resamples,)``; NaN where it is not defined, for
                instance a precision where nothing is called positive. Such resamples do not count.
            n: number of images that it counts.
            counted: ``bool (groups,)``, the groups that these are of; all where not given.
            rests_on: groups of the rarest class, for a statistic in which every class counts alike; see
                :func:`fewest_groups`.
            proportion: whether it goes from 0 to 1; a difference does not.
        """
        counted = np.ones(len(self.by_group), bool) if counted is None else counted
        few = _few(counted, rests_on)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = statistic(self.by_group.sum(0, keepdims=True))[0]
            spread = statistic(self.pairs.alone(counted) @ self.by_pair if few else self.sums)
        return summarise(value, spread, n, counted, rests_on=rests_on, proportion=proportion)


def estimate_weighted(
    statistic: Statistic, table: pd.DataFrame, seed: int, *, rests_on: int | None = None, proportion: bool = True
) -> Estimate:
    """Estimate a statistic that is not one of sums, such as the area under a curve.

    Args:
        statistic: from how much each pair of :class:`GroupsByClass` counts, ``(resamples, pairs)``, to values
            ``(resamples,)``.
        table: of the images, with ``group`` and ``label``.
        seed, rests_on, proportion: as in :class:`GroupSums`.
    """
    pairs = GroupsByClass(table)
    everything = np.ones(len(pairs.strata), bool)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = statistic(np.ones((1, len(pairs.group))))[0]
        blocks = [pairs.alone(everything)] if _few(everything, rests_on) else pairs.draws(seed, len(table))
        spread = np.concatenate([statistic(weights) for weights in blocks])
    return summarise(value, spread, len(table), everything, rests_on=rests_on, proportion=proportion)


def summarise(
    value: float,
    spread: np.ndarray,
    n: int,
    counted: np.ndarray,
    *,
    rests_on: int | None = None,
    proportion: bool = True,
) -> Estimate:
    """Make an estimate of a value and its values in all resamples, or of single groups where groups are few.

    Arguments as in :meth:`GroupSums.estimate`. Where the percentiles do not hold the value, which can happen to a
    skewed statistic, the interval is widened to it.
    """
    # Beyond twelve decimals there is only the order in which numbers were added up.
    value, spread = round(float(value), 12), np.round(spread[~np.isnan(spread)], 12)
    groups = int(counted.sum())
    if groups < 2 or np.isnan(value) or not len(spread):  # nothing is known of how groups differ
        return Estimate(value, float("nan"), float("nan"), n, groups, NONE)
    if _few(counted, rests_on):
        return Estimate(value, float(min(value, spread.min())), float(max(value, spread.max())), n, groups, RANGE)
    low, high = (float(end) for end in np.quantile(spread, ENDS))
    if proportion and value in (0, 1) and low == high == value:
        bound = ENDS[0] ** (1 / (rests_on or groups))  # what share of groups may be right for all of so many to be
        low, high = (bound, 1.0) if value else (0.0, 1 - bound)
    return Estimate(value, min(low, value), max(high, value), n, groups)


def draws(strata: np.ndarray, seed: int, width: int = 0) -> Iterator[np.ndarray]:
    """Draw 2,000 resamples: how much each group counts in each, ``float (some, groups)``, in blocks that fit in memory.

    Of the m groups of a stratum m - 1 are drawn, and count m / (m - 1) (Rao and Wu 1988): m would show too little of
    how groups differ, of two patients with a disease half.

    Args:
        strata: ``int (groups,)``; the weights of each add up to its number of groups.
        seed: of the draws.
        width: numbers that the caller makes of every resample, where these are more than there are groups.
    """
    groups, random = len(strata), np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    block = max(1, _AT_ONCE // max(groups, width))
    for start in range(0, RESAMPLES, block):
        weights = np.ones((min(block, RESAMPLES - start), groups))
        for own in members:
            m = len(own)
            if m > 1:
                drawn = random.integers(0, m, (len(weights), m - 1))
                for row, places in zip(weights, drawn, strict=True):
                    row[own] = np.bincount(places, minlength=m) * (m / (m - 1))
        yield weights


class GroupsByClass:
    """Pairs of a group and a class that have images; the images of a pair are weighed together.

    Attributes:
        code: ``int (n,)``, the pair of every image.
        group: ``int (pairs,)``, the number of its group, sorted by name.
        label: ``int (pairs,)``, the number of its class.
        strata: ``int (groups,)``, the class of every group; all 0 where a group has several classes.
    """

    def __init__(self, table: pd.DataFrame):
        """Number the pairs of a table with ``group`` and ``label``."""
        group, label = (pd.factorize(table[name], sort=True)[0] for name in ("group", "label"))
        classes = label.max() + 1
        numbers, self.code = np.unique(group * classes + label, return_inverse=True)
        self.group, self.label = numbers // classes, numbers % classes
        groups = int(group.max()) + 1
        self.strata = self.label if len(numbers) == groups else np.zeros(groups, np.int64)

    def draws(self, seed: int, width: int) -> Iterator[np.ndarray]:
        """:func:`draws` of groups, as weights of pairs ``(some, pairs)``."""
        for weights in draws(self.strata, seed, width):
            yield weights if len(self.group) == len(self.strata) else np.take(weights, self.group, axis=1)

    def alone(self, counted: np.ndarray) -> np.ndarray:
        """Give weights ``int (some, pairs)`` with which groups in turn stand alone for the classes that they have.

        These are the counted groups; of ten or more only those with a class that fewer than ten groups have, which
        keeps an interval from being known.

        Args:
            counted: ``bool (groups,)``.
        """
        chosen, rows = np.flatnonzero(counted), []
        if len(chosen) >= FEWEST:
            rare = np.bincount(self.label)[self.label] < FEWEST
            chosen = np.intersect1d(chosen, self.group[rare])
        for group in chosen:
            own = self.group == group
            rows.append(own | ~np.isin(self.label, self.label[own]))
        return np.array(rows, np.int64).reshape(len(chosen), len(self.group))


def fewest_groups(table: pd.DataFrame) -> int:
    """Count the groups of the class that has fewest."""
    return int(table.groupby("label")["group"].nunique().min())


def mean_over_groups(values: pd.Series, groups: pd.Series, seed: int, *, proportion: bool = False) -> Estimate:
    """Estimate a mean over images with an interval that resamples whole groups.

    Images of one group are not independent, so the interval must not shrink when a group gives more of them.

    Args:
        values: one number per image, indexed by ``image_id``.
        groups: the group of every image, with the same index at least.
        seed: of the 2,000 resamples.
        proportion: whether values go from 0 to 1, so that an exact interval is known where all are 0 or all are 1.

    Raises:
        ValueError: no values, values that are not finite, or images without a group.
    """
    if values.empty or not np.isfinite(values.to_numpy(float)).all():
        raise ValueError(f"a mean needs finite values; there are {len(values)}, {int(values.isna().sum())} missing")
    group = groups.reindex(values.index)
    if group.isna().any():
        raise ValueError(f"{int(group.isna().sum())} of {len(group)} images have no group")
    sums = GroupSums(np.stack([values, np.ones(len(values))], axis=1), group, seed)
    return sums.estimate(lambda s: s[:, 0] / s[:, 1], len(values), proportion=proportion)


def table_of_means(
    table: pd.DataFrame, value: str, by: list[str], groups: pd.Series, seed: int, *, proportion: bool = False
) -> pd.DataFrame:
    """Tabulate the mean of ``value``, its interval, n and number of groups for every combination of ``by``.

    Args:
        table: long table with a column ``image_id``.
        value: the column to average.
        by: the columns to split by, in the order wanted.
        groups: the group of every image.
        seed: of the resamples.
        proportion: as in :func:`mean_over_groups`.
    """
    rows = []
    for key, part in table.groupby(by, sort=False, observed=True):
        mean = mean_over_groups(part.set_index("image_id")[value], groups, seed, proportion=proportion)
        rows.append(dict(zip(by, key, strict=True)) | mean.row(value))
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "interval", "n", "groups"])


def _few(counted: np.ndarray, rests_on: int | None) -> bool:
    return np.count_nonzero(counted) < FEWEST or (rests_on or FEWEST) < FEWEST_OF_CLASS
