"""Differences between estimates on different groups, such as those of two laboratories."""

from __future__ import annotations

import math

from helpers.metrics.bootstrap import INTERVAL, NONE, RANGE, Estimate


def independent_difference(first: Estimate, second: Estimate) -> Estimate:
    """Estimate a difference, ``first`` − ``second``, from two estimates that have no group in common.

    Two 95 % intervals give one of the difference: the distances from value to end add up in squares, as standard errors
    do (MOVER, Zou and Donner 2008), each on its side, so that skewed intervals stay skewed. Where one of the two has
    only a range of groups, the distances add up, and the result is a range of groups.

    Args:
        first, second: estimates of the same metric.

    Returns:
        The difference, with the images and groups of both; without an interval where one of the two has none.

    Example:
        >>> from helpers import metrics
        >>> here = metrics.Estimate(0.9, 0.86, 0.93, n=200, groups=40)
        >>> there = metrics.Estimate(0.7, 0.6, 0.78, n=90, groups=15)
        >>> print(metrics.independent_difference(there, here))
        -0.200 [-0.304, -0.111] (n=290, groups=55)
    """
    value, n, groups = round(first.value - second.value, 12), first.n + second.n, first.groups + second.groups
    kinds = {first.interval, second.interval}
    if NONE in kinds:
        return Estimate(value, math.nan, math.nan, n, groups, NONE)
    below = first.value - first.low, second.high - second.value
    above = first.high - first.value, second.value - second.low
    if kinds == {INTERVAL}:
        return Estimate(value, value - math.hypot(*below), value + math.hypot(*above), n, groups)
    return Estimate(value, value - sum(below), value + sum(above), n, groups, RANGE)
