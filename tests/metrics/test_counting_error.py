"""What chance does to a count: against Rümke's table, closed forms and complete enumeration."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from helpers import metrics

# Limits in per cent of the percentage that was counted, rounded outwards as in the table of Rümke (1985).
RUMKE = {
    100: {0: (0, 4), 1: (0, 6), 2: (0, 8), 5: (1, 12), 10: (4, 18), 20: (12, 30), 50: (39, 61)},
    200: {0: (0, 2), 1: (0, 4), 2: (0, 6), 5: (2, 10), 10: (6, 16), 20: (14, 27), 50: (42, 58)},
    500: {0: (0, 1), 1: (0, 3), 2: (0, 4), 5: (3, 8), 10: (7, 13), 20: (16, 24), 50: (45, 55)},
    1000: {0: (0, 1), 1: (0, 2), 2: (1, 4), 5: (3, 7), 10: (8, 13), 20: (17, 23), 50: (46, 54)},
}


@pytest.mark.parametrize(("n", "percent"), [(n, percent) for n, rows in RUMKE.items() for percent in rows])
def test_the_limits_are_those_of_the_table_of_rumke(n, percent):
    low, high = metrics.rumke_limits(percent / 100, n)
    assert (math.floor(100 * low), math.ceil(100 * high)) == RUMKE[n][percent]


def test_the_limits_are_where_the_count_becomes_unlikely():
    low, high = metrics.rumke_limits(0.10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0490, 0.1762)
    assert binom.sf(9, 100, low) == pytest.approx(0.025)  # 10 cells or more
    assert binom.cdf(10, 100, high) == pytest.approx(0.025)  # 10 cells or fewer


def test_none_or_all_of_the_cells_leave_the_closed_form():
    bound = 1 - 0.025 ** (1 / 100)  # (1 − p)^100 = 2.5 %
    assert metrics.rumke_limits(0, 100) == pytest.approx((0, bound))
    assert metrics.rumke_limits(1, 100) == pytest.approx((1 - bound, 1))


def test_one_count_in_a_hundred_of_a_rare_type_misses_it():
    assert metrics.chance_of_none(0.01, 100) == pytest.approx(0.99**100) == pytest.approx(0.3660, abs=1e-4)
    assert metrics.chance_of_none(0, 5) == 1
    assert metrics.chance_of_none(1, 5) == 0


@pytest.mark.parametrize(
    ("share", "half_width", "n"),
    [(0.5, 0.05, 385), (0.05, 0.01, 1825), (0.2, 0.05, 246), (0, 0.1, 1)],  # 384.1, 1824.7, 245.9
)
def test_the_cells_needed_are_those_of_the_formula(share, half_width, n):
    assert metrics.cells_needed(share, half_width) == n


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("n", [100, 200])
def test_at_most_a_fortieth_of_counts_is_on_either_side_of_the_limits(share, n):
    low, high = metrics.count_limits(share, n)
    assert binom.cdf(low - 1, n, share) <= 0.025 < binom.cdf(low, n, share)
    assert binom.sf(high, n, share) <= 0.025 < binom.sf(high - 1, n, share)


def test_the_limit_of_a_difference_of_two_cells_is_worked_out_by_hand():
    # two cells each, of a half: |difference| is 0 with chance 6/16, 1/2 with 8/16, 1 with 2/16
    assert metrics.difference_limit(0.5, 2, 2) == 1
    # five cells each: more than 3 of 5 apart with chance 2 (10 + 1) / 1024 = 2.1 %, more than 2 with 10.9 %
    assert metrics.difference_limit(0.5, 5, 5) == pytest.approx(0.6)


@pytest.mark.parametrize(("share", "n_a", "n_b"), [(0.03, 100, 100), (0.3, 100, 200), (0.6, 200, 200)])
def test_the_limit_of_a_difference_is_exact(share, n_a, n_b):
    limit = metrics.difference_limit(share, n_a, n_b)
    a, b = np.arange(n_a + 1), np.arange(n_b + 1)
    chance = binom.pmf(a, n_a, share)[:, None] * binom.pmf(b, n_b, share)
    apart = np.abs(a[:, None] / n_a - b / n_b)
    assert chance[apart <= limit + 1e-9].sum() >= 0.95 > chance[apart < limit - 1e-9].sum()
    # two independent counts: √2 of the error of one, where both are the same
    assert limit == pytest.approx(1.96 * math.sqrt(share * (1 - share) * (1 / n_a + 1 / n_b)), abs=0.012)


def test_the_test_of_two_counts_is_worked_out_by_hand():
    # 3 of 3 against 0 of 3: of the 20 ways to choose 3 of 6 cells, 2 are as far apart
    assert metrics.difference_p_value(3, 3, 0, 3) == pytest.approx(2 / 20)
    assert metrics.difference_p_value(7, 100, 7, 100) == pytest.approx(1)
    assert metrics.difference_p_value(2, 100, 9, 100) == metrics.difference_p_value(9, 100, 2, 100)


@pytest.mark.parametrize(("share", "least"), [(0.05, 0.003), (0.5, 0.015)])
def test_the_test_calls_at_most_a_twentieth_of_chance_differences(share, least):
    n, chance = 40, binom.pmf(np.arange(41), 40, share)
    called = sum(
        chance[a] * chance[b]
        for a in range(n + 1)
        for b in range(n + 1)
        if chance[a] * chance[b] > 1e-9 and metrics.difference_p_value(a, n, b, n) < 0.05
    )
    assert least < called <= 0.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.chance_of_none(1.2, 100),
            "share must be between 0 and 1, got 1.2; divide a percentage by 100",
        ),
        (lambda: metrics.rumke_limits(0.1, 0), "n must be at least 1, got 0; count at least one cell"),
        (lambda: metrics.rumke_limits(0.105, 100), "share must be of a whole number of cells, got 0.105 of 100"),
        (lambda: metrics.count_limits(-0.1, 100), "share must be between 0 and 1, got -0.1"),
        (lambda: metrics.difference_limit(0.1, 100, 0), "n must be at least 1, got 0"),
        (lambda: metrics.cells_needed(0.1, 0), "half_width must be above 0, got 0; ± 5 % is 0.05"),
        (lambda: metrics.difference_p_value(5, 4, 1, 4), "n must be at least 1 and n_events from 0 to n, got 5 of 4"),
    ],
)
def test_impossible_numbers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
