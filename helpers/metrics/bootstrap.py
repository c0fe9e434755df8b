"""Confidence intervals of means and metrics by a cluster bootstrap, which resamples groups and never images.

The package uses one rule for all intervals:

- At least ten groups, and at least five of every class that a statistic rests on: 95 % percentile bootstrap over
  groups. Groups of one class each (patients with a diagnosis) are resampled within their class (stratified), so that
  every resample has the class counts of the data. Groups of mixed classes are resampled together; resamples without a
  class that the statistic needs are left out.
- A proportion of 0 or 1 that is the same in all resamples: the exact interval over groups (Clopper and Pearson 1934),
  about the rule of three. A bootstrap cannot reproduce errors that did not occur.
- Fewer groups: the range of the groups, which is not a 95 % interval and is not labelled as one. It runs from the
  lowest to the highest value that results when one group alone represents the classes that it has; a metric that needs
  other classes, such as an area under the ROC curve, takes those from all their groups. A mean over images, such as an
  accuracy, needs none, and the value is that of the group's own images.
- One group: no interval.

Coverage of the 95 % interval of the area under the ROC curve, where the variance between patients equals that between
their cells (simulated, 300 times each, areas of 0.73 and 0.90): 0.85 and 0.86 with 5 patients of one class and 25 of
the other, 0.93 and 0.88 with 10 of each, 0.95 and 0.95 with 30 of each; with 2 and 20 it would be 0.70 and 0.74.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.metrics.resampling import MIN_GROUPS, GroupsByClass

LEVEL = 0.95
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)  # quantiles of an interval
MIN_GROUPS_PER_CLASS = 5  # minimum number of groups of the rarest class for an interval
INTERVAL, RANGE, NONE = "95 %", "range of groups", "none"

# Maps the weights of all pairs of a group and a class, ``float (resamples, pairs)``, to values ``(resamples, …)``.
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """Hold a point estimate, its interval, and the numbers of images and independent groups behind it.

    Attributes:
        value: point estimate.
        low: lower end of the interval, at most ``value``; NaN where there is none.
        high: upper end of the interval, at least ``value``; NaN where there is none.
        n: number of images in the denominator; for a sensitivity, the positive images.
        groups: number of groups of these images.
        interval: kind of interval: :data:`helpers.metrics.INTERVAL`, :data:`helpers.metrics.RANGE` or
            :data:`helpers.metrics.NONE`.
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
        """Return a table row of unrounded values; ``name`` is the column name of the value."""
        counts = {"n": self.n, "groups": self.groups}
        return {name: self.value, "low": self.low, "high": self.high, "interval": self.interval, **counts}

    @classmethod
    def from_row(cls, row: Mapping[Any, Any] | pd.Series, name: str) -> Estimate:
        """Read a table row, as :meth:`row` returns it; a row without ``interval`` has a 95 % interval."""
        ends, counts = (float(row["low"]), float(row["high"])), (int(row["n"]), int(row["groups"]))
        return cls(float(row[name]), *ends, *counts, str(row.get("interval", INTERVAL)))


class Bootstrap:
    """Compute a statistic of images, and its values in bootstrap resamples of their groups.

    All intervals of this package come from here: the statistic is a function of the group weights, and its values in
    all resamples give the interval.

    Attributes:
        value: ``float (values,)``, the statistic of the original data.
    """

    def __init__(self, statistic: Statistic, table: pd.DataFrame, seed: int, *, width: int = 0):
        """Compute the statistic of the original data, with a weight of 1 for every group.

        Args:
            statistic: function of the weights of all pairs of :class:`GroupsByClass`, ``float (resamples, pairs)``,
                that returns ``(resamples,)``, or ``(resamples, values)`` for several values at once. NaN where it is
                undefined, such as a precision without positive predictions; such resamples are left out.
            table: a row per image, with ``group`` and ``label``. Groups of one class each are resampled within their
                class; all groups together if the table has a single label (see :func:`of_one_class`).
            seed: random seed of the resamples. The same seed draws the same groups, so that two models can be
                compared in pairs.
            width: number of intermediate values per resample, where it exceeds the number of groups; limits memory.
        """
        self._statistic, self._seed, self._width = statistic, seed, width
        self._pairs = GroupsByClass(table)
        self.value = self._values(np.ones((1, len(self._pairs.group))))[0]

    @functools.cached_property
    def resampled(self) -> np.ndarray:
        """Compute the values in all resamples, ``float (2000, values)``."""
        return np.concatenate(
            [self._values(weights) for weights in self._pairs.bootstrap_weights(self._seed, self._width)]
        )

    def of_single_groups(self, counted: np.ndarray | None = None, *, other_classes: bool = True) -> np.ndarray:
        """Compute the values with one group at a time alone in its classes, see ``GroupsByClass.alone``.

        Args:
            counted: ``bool (groups,)``, the groups to use; all by default.
            other_classes: whether the values take the classes that the group lacks from all their groups.

        Returns:
            ``float (chosen groups, values)``.
        """
        counted = np.ones(len(self._pairs.strata), bool) if counted is None else counted
        return self._values(self._pairs.alone(counted, other_classes=other_classes))

    def estimate(
        self,
        number: int = 0,
        *,
        counted: np.ndarray | None = None,
        rests_on: int | None = None,
        proportion: bool = True,
        mean_over_images: bool = False,
    ) -> Estimate:
        """Estimate one value of the statistic with its interval.

        Args:
            number: index of the value among those that the statistic returns.
            counted: ``bool (n,)``, the images in the denominator, in the order of the table; all by default.
            rests_on: number of groups of the rarest class, for a statistic that weights all classes equally; see
                :func:`min_groups_per_class`.
            proportion: whether the value is a proportion, from 0 to 1; a difference is not.
            mean_over_images: whether the value is a mean over images, which a group has without other classes.
        """
        group = self._pairs.group[self._pairs.code]
        counted = np.ones(len(group), bool) if counted is None else counted
        groups = np.bincount(group, counted) > 0
        n_groups = int(np.count_nonzero(groups))
        values = (
            self.of_single_groups(groups, other_classes=not mean_over_images)
            if _few(n_groups, rests_on)
            else self.resampled
        )
        return interval_estimate(
            self.value[number],
            values[:, number],
            n=int(np.count_nonzero(counted)),
            groups=n_groups,
            rests_on=rests_on,
            proportion=proportion,
        )

    def _values(self, weights: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = self._statistic(weights)
        return values[:, None] if values.ndim == 1 else values


def weighted_sums(values: np.ndarray, table: pd.DataFrame) -> Statistic:
    """Return weighted sums over images as a function of weights: ``(resamples, pairs)`` to ``(resamples, k)``.

    Args:
        values: ``(n, k)``, the summands of each image.
        table: the images in the same order, in the format of :class:`Bootstrap`.
    """
    by_pair = pd.DataFrame(np.asarray(values, float)).groupby(GroupsByClass(table).code).sum().to_numpy()
    return lambda weights: weights @ by_pair


def of_one_class(groups: pd.Series) -> pd.DataFrame:
    """Return a table with a single label, so that groups of all classes are resampled together."""
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
    """Combine a value and its resampled values, or those of single groups where groups are few, into an estimate.

    If the percentiles exclude the value, which can happen for a skewed statistic, the interval is widened to it.

    Args:
        value: point estimate.
        resampled: ``float (resamples,)``; NaN values are left out.
        n: number of images in the denominator.
        groups: number of groups of these images.
        rests_on, proportion: as in :meth:`Bootstrap.estimate`.
    """
    # Differences beyond the twelfth decimal are due to the order of summation alone.
    value, resampled = round(float(value), 12), np.round(resampled[~np.isnan(resampled)], 12)
    if groups < 2 or np.isnan(value) or not len(resampled):  # no estimate of the variance between groups
        return Estimate(value, float("nan"), float("nan"), n, groups, NONE)
    if _few(groups, rests_on):
        low, high = float(resampled.min()), float(resampled.max())
        return Estimate(value, min(value, low), max(value, high), n, groups, RANGE)
    low, high = (float(end) for end in np.quantile(resampled, ENDS))
    if proportion and value in (0, 1) and low == high == value:
        bound = ENDS[0] ** (1 / (rests_on or groups))  # Clopper-Pearson bound where all groups agree
        low, high = (bound, 1.0) if value else (0.0, 1 - bound)
    return Estimate(value, min(low, value), max(high, value), n, groups)


def min_groups_per_class(table: pd.DataFrame) -> int:
    """Count the groups of the class with the fewest groups."""
    return int(table.groupby("label")["group"].nunique().min())


def cluster_mean(values: pd.Series, groups: pd.Series, seed: int, *, proportion: bool = False) -> Estimate:
    """Estimate a mean over images with an interval from a bootstrap over groups.

    Images of one group are not independent, so the interval must not shrink when a group contributes more images.

    Args:
        values: one finite value per image, indexed by ``image_id``.
        groups: group of every image; its index contains that of ``values``.
        seed: random seed of the 2,000 resamples.
        proportion: whether values range from 0 to 1, which allows an exact interval where all are 0 or all are 1.

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
        value: name of the column to average.
        by: names of the columns to group by, in output order.
        groups: group of every image, by ``image_id``.
        seed: random seed of the resamples.
        proportion: as in :func:`cluster_mean`.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> dice = {"image_id": ["a", "b", "c"] * 2,
        ...         "method": ["Otsu"] * 3 + ["U-Net"] * 3,
        ...         "dice": [0.8, 0.9, 0.7, 0.9, 1.0, 0.8]}
        >>> groups = pd.Series({"a": "P1", "b": "P1", "c": "P2"})
        >>> metrics.summarise(
        ...     pd.DataFrame(dice), "dice", ["method"], groups=groups, seed=20
        ... ).round(3)
          method  dice  low  high         interval  n  groups
        0   Otsu   0.8  0.7  0.85  range of groups  3       2
        1  U-Net   0.9  0.8  0.95  range of groups  3       2
    """
    rows = []
    for key, subset in table.groupby(by, sort=False, observed=True):
        mean = cluster_mean(subset.set_index("image_id")[value], groups, seed, proportion=proportion)
        rows.append(dict(zip(by, key, strict=True)) | mean.row(value))
    return pd.DataFrame(rows, columns=[*by, value, "low", "high", "interval", "n", "groups"])


def _few(groups: int, rests_on: int | None) -> bool:
    return groups < MIN_GROUPS or (rests_on or MIN_GROUPS) < MIN_GROUPS_PER_CLASS
