"""Agreement of two measurements of the same images, where the images of a group are not independent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import Bootstrap, Estimate, of_one_class, weighted_sums

LIMIT = 1.96  # standard deviations on either side of the mean that hold 95 % of a normal distribution
# Least variance of the means, relative to their mean square, for which a slope on them is defined.
_LEAST_VARIANCE = 1e-12


@dataclass(frozen=True)
class Agreement:
    """Hold the results of a Bland-Altman analysis, each with its interval over groups.

    Attributes:
        bias: mean difference, predicted − true.
        lower: lower limit of agreement.
        upper: upper limit of agreement; about 95 % of the differences lie between the two.
        slope: proportional bias: change of the difference per unit of the mean of both measurements.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate
    slope: Estimate


def limits_of_agreement(predicted: pd.Series, true: pd.Series, groups: pd.Series, *, seed: int) -> Agreement:
    """Estimate bias, limits of agreement and proportional bias of measurements that are clustered in groups.

    The limits are the mean difference ± 1.96 standard deviations. The variance is the sum of the variance within groups
    and that between groups, from a one-way analysis of variance, so that a group with many images does not pass for
    many groups (Bland and Altman 2007, for a true value that varies). With one image per group it is the usual
    variance (Bland and Altman 1986); with a single group it is that within the group.

    Args:
        predicted: predicted values, one per image.
        true: true values, in the same order; pairs with a missing value are left out.
        groups: group of every image, in the same order.
        seed: random seed of the resamples of groups.

    Raises:
        ValueError: no pair is complete.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> predicted, true = pd.Series([0.5, 0.7, 0.6]), pd.Series([0.4, 0.6, 0.4])
        >>> agreement = metrics.limits_of_agreement(
        ...     predicted, true, pd.Series(["P1", "P2", "P3"]), seed=20
        ... )
        >>> print(agreement.bias)
        0.133, groups from 0.100 to 0.200 (n=3, groups=3)
    """
    pairs = pd.DataFrame({"predicted": predicted.to_numpy(float), "true": true.to_numpy(float)}).assign(
        group=groups.to_numpy()
    )
    pairs = pairs.dropna(subset=["predicted", "true"])
    if pairs.empty:
        raise ValueError("agreement needs images with a predicted and a true value; there are none")
    table = of_one_class(pairs["group"])
    centre = float(pairs[["predicted", "true"]].to_numpy().mean())
    sums = weighted_sums(_summands(pairs, centre), table)
    bootstrap = Bootstrap(lambda weights: _analyse(sums(weights)), table, seed)
    return Agreement(*(bootstrap.estimate(number, proportion=False) for number in range(4)))


def _summands(pairs: pd.DataFrame, centre: float) -> np.ndarray:
    """Return the summands of each image, ``float (n, 9)``, in the order that :func:`_analyse` unpacks."""
    difference = pairs["predicted"] - pairs["true"]
    mean = (pairs["predicted"] + pairs["true"]) / 2 - centre  # centred, so that squares do not cancel
    by_group = difference.groupby(pairs["group"])
    size, group_mean = by_group.transform("size"), by_group.transform("mean")
    columns = (
        1 / size,  # adds up to the number of groups
        np.ones(len(pairs)),
        size,  # adds up to the sum of the squared numbers of images
        difference,
        group_mean**2,
        (difference - group_mean) ** 2,
        mean,
        mean**2,
        mean * difference,
    )
    return np.stack(columns, axis=1)


def _analyse(sums: np.ndarray) -> np.ndarray:
    """Return bias, lower and upper limit, and slope of resamples, ``float (resamples, 4)``."""
    n_groups, n, squared_sizes, differences, between_sum, within_sum, means, squares, products = sums.T
    bias = differences / n
    within = np.where(n > n_groups, within_sum / np.maximum(n - n_groups, 1e-9), 0)
    images_per_group = (n - squared_sizes / n) / (n_groups - 1)
    between = ((between_sum - n * bias**2) / (n_groups - 1) - within) / images_per_group
    variance = within + np.where(n_groups > 1, np.maximum(between, 0), 0)
    variance[n < 2] = np.nan
    spread = LIMIT * np.sqrt(variance)
    variation = n * squares - means**2
    slope = np.where(
        variation > _LEAST_VARIANCE * n * squares, (n * products - means * differences) / variation, np.nan
    )
    return np.stack([bias, bias - spread, bias + spread, slope], axis=1)
