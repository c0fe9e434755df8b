"""Limits of agreement of clustered measurements, against the formulas worked out group by group."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics


def analyse(predicted, true, groups):
    return metrics.limits_of_agreement(pd.Series(predicted), pd.Series(true), pd.Series(groups), seed=20)


def clustered(random, *, n_groups, per_group, between=1.0, within=1.0, slope=0.0):
    """True and predicted values whose differences have a known variance between and within groups."""
    groups = np.repeat(np.arange(n_groups), per_group)
    true = random.uniform(0, 10, len(groups))
    shift = random.normal(0, between, n_groups)[groups]
    return true + slope * (true - 5) + shift + random.normal(0, within, len(groups)), true, groups


def test_one_image_per_group_gives_the_limits_of_1986():
    predicted, true = np.array([0.2, 0.2, 0.6, 0.9]), np.array([0.1, 0.2, 0.3, 0.7])
    agreement = analyse(predicted, true, list("abcd"))
    difference = predicted - true
    assert agreement.bias.value == pytest.approx(difference.mean())
    for limit, sign in ((agreement.lower, -1), (agreement.upper, 1)):
        assert limit.value == pytest.approx(difference.mean() + sign * 1.96 * difference.std(ddof=1))
    assert agreement.slope.value == pytest.approx(np.polyfit((predicted + true) / 2, difference, 1)[0])


def test_the_variance_is_that_of_a_one_way_analysis_with_unequal_groups():
    difference = pd.Series([0.0, 1.0, 2.0, 6.0, 8.0, 3.0])
    groups = pd.Series(list("aaabbc"))
    agreement = analyse(difference, np.zeros(6), groups)
    within = (2 + 2) / (6 - 3)  # squares around the means 1, 7 and 3, over 6 images − 3 groups
    mean = 20 / 6
    between_square = (3 * (1 - mean) ** 2 + 2 * (7 - mean) ** 2 + (3 - mean) ** 2) / (3 - 1)
    images_per_group = (6 - (9 + 4 + 1) / 6) / (3 - 1)
    variance = within + (between_square - within) / images_per_group
    assert agreement.upper.value - agreement.bias.value == pytest.approx(1.96 * np.sqrt(variance))


def test_clustered_limits_hold_the_share_of_new_images_that_they_claim():
    predicted, true, groups = clustered(np.random.default_rng(0), n_groups=60, per_group=20)
    agreement = analyse(predicted, true, groups)
    assert agreement.upper.value == pytest.approx(1.96 * np.sqrt(2), abs=0.5)
    new_predicted, new_true, _ = clustered(np.random.default_rng(1), n_groups=400, per_group=5)
    inside = (new_predicted - new_true >= agreement.lower.value) & (new_predicted - new_true <= agreement.upper.value)
    assert inside.mean() == pytest.approx(0.95, abs=0.02)


def test_a_group_with_many_images_does_not_pass_for_many_groups():
    few, true, groups = clustered(np.random.default_rng(2), n_groups=12, per_group=2, within=0.1)
    many = [np.repeat(values, 20) for values in (few, true, groups)]
    narrow, wide = analyse(*many).bias, analyse(few, true, groups).bias
    assert narrow.groups == wide.groups == 12
    assert (narrow.low, narrow.high) == pytest.approx((wide.low, wide.high))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("slope", "sign"), [(0.5, 1), (-0.3, -1)])
def test_proportional_bias_is_found_in_its_direction(seed, slope, sign):
    data = clustered(np.random.default_rng(seed), n_groups=20, per_group=5, between=0.2, within=0.2, slope=slope)
    estimate = analyse(*data).slope
    assert sign * estimate.low > 0 and sign * estimate.high > 0
    # the slope on the mean of both is that on the truth over the mean of 1 and 1 + slope
    assert estimate.value == pytest.approx(slope / (1 + slope / 2), abs=0.05)


def test_the_interval_of_the_slope_holds_zero_as_often_as_it_claims_without_proportional_bias():
    random, covered = np.random.default_rng(3), []
    for _ in range(100):
        predicted, true, groups = clustered(random, n_groups=30, per_group=4, between=0.2, within=0.2)
        # errors of one measurement alone would correlate the difference with the mean
        shift = random.normal(0, 0.2, 30)[groups] + random.normal(0, 0.2, len(groups))
        slope = analyse(predicted, true + shift, groups).slope
        covered.append(slope.low <= 0 <= slope.high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_few_groups_have_a_range_and_one_group_its_own_limits():
    two = analyse([1.0, 2.0, 2.0, 5.0], [1.0, 1.0, 2.0, 2.0], list("aabb"))
    assert {estimate.interval for estimate in (two.bias, two.lower, two.slope)} == {metrics.RANGE}
    one = analyse([1.0, 2.0, 6.0], [1.0, 1.0, 4.0], list("aaa"))
    assert (one.bias.interval, one.slope.interval) == (metrics.NONE, metrics.NONE)
    assert one.upper.value == pytest.approx(1 + 1.96)


def test_pairs_with_a_missing_value_are_left_out_and_a_constant_mean_has_no_slope():
    agreement = analyse([1.0, np.nan, 2.0], [2.0, 3.0, 1.0], list("abc"))
    assert agreement.bias.n == 2
    assert np.isnan(agreement.slope.value)
    with pytest.raises(ValueError, match="agreement needs images with a predicted and a true value; there are none"):
        analyse([np.nan], [1.0], ["a"])
