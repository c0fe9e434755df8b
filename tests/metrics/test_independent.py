"""The difference of two estimates on different groups, from their intervals."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import metrics
from helpers.metrics import INTERVAL, NONE, RANGE, Estimate, independent_difference


def test_the_distances_to_the_ends_add_up_in_squares_each_on_its_side():
    difference = independent_difference(Estimate(0.7, 0.6, 0.78, 90, 15), Estimate(0.9, 0.86, 0.93, 200, 40))
    assert difference.value == pytest.approx(-0.2)
    assert difference.low == pytest.approx(-0.2 - math.sqrt(0.1**2 + 0.03**2))
    assert difference.high == pytest.approx(-0.2 + math.sqrt(0.08**2 + 0.04**2))
    assert (difference.n, difference.groups, difference.interval) == (290, 55, INTERVAL)


def test_a_range_of_groups_makes_the_difference_a_range():
    difference = independent_difference(Estimate(0.5, 0.3, 0.8, 20, 4, RANGE), Estimate(0.9, 0.85, 0.95, 200, 40))
    assert (difference.low, difference.high) == pytest.approx((0.3 - 0.95, 0.8 - 0.85))
    assert difference.interval == RANGE


@pytest.mark.parametrize("value", [0.5, math.nan])
def test_without_an_interval_of_one_the_difference_has_none(value):
    difference = independent_difference(
        Estimate(value, math.nan, math.nan, 20, 1, NONE), Estimate(0.9, 0.8, 0.95, 200, 40)
    )
    assert difference.value == pytest.approx(value - 0.9, nan_ok=True)
    assert math.isnan(difference.low) and math.isnan(difference.high)
    assert difference.interval == NONE


def test_the_interval_holds_the_true_difference_about_as_often_as_it_promises():
    """Means of two laboratories of 15 and 25 groups with 4 images each; 300 times, so that ±4 % are three errors."""
    random, held = np.random.default_rng(1), 0
    for _ in range(300):
        means = []
        for shift, groups in ((0.4, 15), (0.0, 25)):
            names = pd.Series(np.repeat(np.arange(groups), 4)).astype(str)
            values = shift + np.repeat(random.normal(size=groups), 4) + random.normal(size=4 * groups)
            means.append(metrics.cluster_mean(pd.Series(values), names, 20))
        difference = independent_difference(*means)
        held += difference.low <= 0.4 <= difference.high
    assert 0.90 <= held / 300 <= 0.99
