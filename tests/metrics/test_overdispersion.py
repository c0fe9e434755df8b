"""Overdispersion of counts: Pearson's statistic worked out by hand, and fields that are drawn to be alike."""

import numpy as np
import pytest

from helpers import metrics
from helpers.metrics import overdispersion


def draw_fields(random, *, correlation, n_fields=30, per_field=6, shares=(0.6, 0.3, 0.1)):
    """Counts of fields whose shares vary so that two cells of a field have this correlation."""
    if correlation == 0:
        return random.multinomial(per_field, shares, n_fields)
    own = random.dirichlet(np.array(shares) * (1 / correlation - 1), n_fields)
    return random.multinomial(per_field, own)


def test_fields_of_equal_size_have_the_statistic_of_pearson_over_its_degrees_of_freedom():
    counts = np.array([[4, 0], [0, 4], [2, 2], [2, 2], [2, 2]])
    pearson = 4 * (4 - 2) ** 2 / 2  # expected are 2 of each class in each field
    assert metrics.field_dispersion(counts) == pytest.approx(pearson * 19 / 20 / (5 - 1))


def test_fields_of_different_size_are_worked_out_by_hand():
    counts = np.array([[4, 0], [0, 2], [1, 1], [1, 1], [1, 1]])  # 7 and 5 of 12 cells
    expected = np.outer([4, 2, 2, 2, 2], [7, 5]) / 12
    pearson = ((counts - expected) ** 2 / expected).sum() * 11 / 12
    squares = 16 + 4 * 4
    correlation = (pearson - 4) / (12 - squares / 12 - 4)
    assert metrics.field_dispersion(counts) == pytest.approx(1 + (squares / 12 - 1) * correlation)


def test_fields_that_are_more_alike_than_chance_count_as_independent():
    assert metrics.field_dispersion(np.full((5, 3), 2)) == 1


@pytest.mark.parametrize(
    "counts", [np.full((4, 2), 3), np.eye(6, 2, dtype=int), np.array([[3, 0]] * 8), np.zeros((9, 3), int)]
)
def test_few_fields_single_cells_and_a_single_class_leave_no_estimate(counts):
    assert np.isnan(metrics.field_dispersion(counts))


def test_empty_fields_and_classes_change_nothing():
    counts = np.array([[4, 0], [0, 4], [2, 2], [2, 2], [2, 2]])
    wider = np.zeros((8, 4), int)
    wider[1:6, 1:3] = counts
    assert metrics.field_dispersion(wider) == pytest.approx(metrics.field_dispersion(counts))


@pytest.mark.parametrize("correlation", [0.0, 0.1, 0.3])
def test_the_correlation_that_fields_were_drawn_with_is_found(correlation):
    random = np.random.default_rng(0)
    found = overdispersion.intraclass_correlation([draw_fields(random, correlation=correlation) for _ in range(100)])
    assert found == pytest.approx(correlation, abs=0.02)


def test_draws_spread_around_the_estimate_as_estimates_do():
    random = np.random.default_rng(1)
    tables = [draw_fields(random, correlation=0.3) for _ in range(60)]
    estimates = [overdispersion.intraclass_correlation([counts]) for counts in tables]
    drawn = overdispersion.draw_correlations(tables[:1], 2000, random)
    assert drawn.mean() == pytest.approx(estimates[0], abs=0.02)
    assert drawn.std() == pytest.approx(np.std(estimates), rel=0.5)
    assert (overdispersion.draw_correlations([np.eye(3)], 4, random) == 0).all()


@pytest.mark.parametrize("counts", [np.array([3, 4]), np.array([[1, -1]])])
def test_what_is_no_table_of_counts_is_refused(counts):
    with pytest.raises(ValueError, match="counts must be 0 or more, of shape"):
        metrics.field_dispersion(counts)
