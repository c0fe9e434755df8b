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

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.metrics.resampling import FEWEST, GroupsByClass

LEVEL = 0.95
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)  # quantiles of an interval
FEWEST_OF_CLASS = 5  # groups of the rarest class from which on there is an interval
INTERVAL, RANGE, NONE = "95 %", "range of groups", "none"

# From how much each pair of a group and a class counts, ``float (resamples, pairs)``, to values ``(resamples, …)``.
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, and of how many images and independent groups it is.

    Attributes:
        value: the number.
        low, high: ends of the interval, NaN where there is none; ``low <= value <= high``.
        n: images that the number counts; of a sensitivity the positive ones.
        groups: that these images are of.
        interval: what ``low`` and ``high`` are: :data:`INTERVAL`, :data:`RANGE` or :data:`NO_AUGMENTATION`.
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


class Bootstrap:
    """A statistic of some images, and its values in resamples of their groups.

    Every number of this package with an interval comes from here: the statistic is a function of how much each group
    counts, and its values in all resamples are the interval.

    Attributes:
        value: ``float (numbers,)``, the statistic of the images themselves.
    """

    def __init__(self, statistic: Statistic, table: pd.DataFrame, seed: int, *, width: int = 0):
        """Compute the statistic once, every group counting as it is.

        Args:
            statistic: from weights ``float (resamples, pairs)``, of every pair of :class:`GroupsByClass`, to values
                ``(resamples,)``, or ``(resamples, numbers)`` for several numbers at once. NaN where it is not defined,
                for instance a precision where nothing is predicted positive; such resamples do not count.
            table: a row per image, with ``group`` and ``label``. Groups of one class each are resampled within their
                class; all together where the label is one and the same (see :func:`of_one_class`).
            seed: of the resamples. The same seed draws the same groups, so that two models can be compared pair by
                pair.
            width: numbers that the statistic makes of every resample, where these are more than there are groups.
        """
        self._statistic, self._seed, self._width = statistic, seed, width
        self._pairs = GroupsByClass(table)
        self.value = self._values(np.ones((1, len(self._pairs.group))))[0]

    @functools.cached_property
    def resampled(self) -> np.ndarray:
        """The values in all resamples, ``float (2000, numbers)``."""
        return np.concatenate([self._values(weights) for weights in self._pairs.draws(self._seed, self._width)])

    def of_single_groups(self, counted: np.ndarray | None = None) -> np.ndarray:
        """Compute the values when groups in turn stand alone, see :meth:`GroupsByClass.alone`.

        Args:
            counted: ``bool (groups,)``; all where not given.

        Returns:
            ``float (some, numbers)``.
        """
        everything = np.ones(len(self._pairs.strata), bool)
        return self._values(self._pairs.alone(everything if counted is None else counted))

    def estimate(
        self,
        number: int = 0,
        *,
        counted: np.ndarray | None = None,
        rests_on: int | None = None,
        proportion: bool = True,
    ) -> Estimate:
        """Estimate one of the numbers.

        Args:
            number: its place among those that the statistic gives.
            counted: ``bool (n,)``, the images that it counts, in the order of the table; all where not given.
            rests_on: groups of the rarest class, for a statistic in which every class counts alike; see
                :func:`min_groups_per_class`.
            proportion: whether it goes from 0 to 1; a difference does not.
        """
        group = self._pairs.group[self._pairs.code]
        counted = np.ones(len(group), bool) if counted is None else counted
        groups = np.bincount(group, counted) > 0
        few = _few(np.count_nonzero(groups), rests_on)
        values = self.of_single_groups(groups) if few else self.resampled
        return interval_estimate(
            self.value[number],
            values[:, number],
            n=np.count_nonzero(counted),
            groups=np.count_nonzero(groups),
            rests_on=rests_on,
            proportion=proportion,
        )

    def _values(self, weights: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = self._statistic(weights)
        return values[:, None] if values.ndim == 1 else values


def weighted_sums(values: np.ndarray, table: pd.DataFrame) -> Statistic:
    """Give sums over images as a function of weights: ``(resamples, pairs)`` to ``(resamples, k)``.

    Args:
        values: ``(n, k)``, what each image adds.
        table: of the images in the same order, as :class:`Bootstrap` takes it.
    """
    by_pair = pd.DataFrame(np.asarray(values, float)).groupby(GroupsByClass(table).code).sum().to_numpy()
    return lambda weights: weights @ by_pair


def of_one_class(groups: pd.Series) -> pd.DataFrame:
    """Make a table whose groups are resampled all together, whatever their classes."""
    return pd.DataFrame({"group": groups.to_numpy(), "label": ""})


def interval_estimate(
    value: float,
    resampled: np.ndarray,
    *,
    n: int,
    groups: int,
    rests_on: int | None = None,
    proportion: bool = True,
) -> Estimate:
    """Make an estimate of a value and its values in all resamples, or of single groups where groups are few.

    Where the percentiles do not hold the value, which can happen to a skewed statistic, the interval is widened to it.

    Args:
        value: the number.
        resampled: ``float (resamples,)``; NaN does not count.
        n: images that the number counts.
        groups: that these are of.
        rests_on, proportion: as in :meth:`Bootstrap.estimate`.
    """
    # Beyond twelve decimals there is only the order in which numbers were added up.
    value, resampled = round(float(value), 12), np.round(resampled[~np.isnan(resampled)], 12)
    if groups < 2 or np.isnan(value) or not len(resampled):  # nothing is known of how groups differ
        return Estimate(value, float("nan"), float("nan"), n, groups, NONE)
    if _few(groups, rests_on):
        low, high = float(resampled.min()), float(resampled.max())
        return Estimate(value, min(value, low), max(value, high), n, groups, RANGE)
    low, high = (float(end) for end in np.quantile(resampled, ENDS))
    if proportion and value in (0, 1) and low == high == value:
        bound = ENDS[0] ** (1 / (rests_on or groups))  # what share of groups may be right for all of so many to be
        low, high = (bound, 1.0) if value else (0.0, 1 - bound)
    return Estimate(value, min(low, value), max(high, value), n, groups)


def min_groups_per_class(table: pd.DataFrame) -> int:
    """Count the groups of the class that has fewest."""
    return int(table.groupby("label")["group"].nunique().min())


def cluster_mean(values: pd.Series, groups: pd.Series, seed: int, *, proportion: bool = False) -> Estimate:
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
    table = of_one_class(group)
    sums = weighted_sums(np.stack([values, np.ones(len(values))], axis=1), table)

    def mean(weights: np.ndarray) -> np.ndarray:
        total, count = sums(weights).T
        return total / count

    return Bootstrap(mean, table, seed).estimate(proportion=proportion)


def summarise(
    table: pd.DataFrame, value: str, by: list[str], *, groups: pd.Series, seed: int, proportion: bool = False
) -> pd.DataFrame:
    """Tabulate the mean of ``value``, its interval, n and number of groups for every combination of ``by``.

    Args:
        table: long table with a column ``image_id``.
        value: the column to average.
        by: the columns to split by, in the order wanted.
        groups: the group of every image.
        seed: of the resamples.
        proportion: as in :func:`cluster_mean`.
    """
    rows = []
    for key, part in table.groupby(by, sort=False, observed=True):
        mean = cluster_mean(part.set_index("image_id")[value], groups, seed, proportion=proportion)
        rows.append(dict(zip(by, key, strict=True)) | mean.row(value))
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "interval", "n", "groups"])


def _few(groups: int, rests_on: int | None) -> bool:
    return groups < FEWEST or (rests_on or FEWEST) < FEWEST_OF_CLASS
