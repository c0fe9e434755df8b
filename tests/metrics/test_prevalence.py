"""Predictive values and errors per 1,000: those of a table with that many cases."""

import math

import pandas as pd
import pytest

from helpers import metrics


def population(found, missed, false_alarms, cleared):
    """A table of predictions with that many outcomes; the probability is 0.9 or 0.1."""
    labels = ["blast"] * (found + missed) + ["other"] * (false_alarms + cleared)
    scores = [0.9] * found + [0.1] * missed + [0.9] * false_alarms + [0.1] * cleared
    table = pd.DataFrame({"label": labels, "fold": 0, "p_blast": scores})
    table["group"] = table.index.astype(str)
    return table.assign(p_other=1 - table["p_blast"])


@pytest.mark.parametrize("counts", [(9, 1, 99, 891), (480, 20, 50, 450), (1, 0, 0, 999)])
def test_predictive_values_are_those_of_a_population_with_this_prevalence(counts):
    found, missed, false_alarms, cleared = counts
    rates = metrics.binary_metrics(population(*counts), "blast", 0.5, seed=1).set_index("measure")["value"]
    expected = metrics.expected_outcomes(
        found / (found + missed), cleared / (cleared + false_alarms), (found + missed) / sum(counts)
    )
    assert expected.positive_predictive_value == pytest.approx(rates["precision"])
    assert expected.negative_predictive_value == pytest.approx(rates["negative predictive value"])
    assert (expected.positives, expected.missed, expected.false_alarms) == pytest.approx(
        (found + missed, missed, false_alarms), abs=1e-9
    )


def test_without_a_predicted_positive_there_is_no_positive_predictive_value():
    expected = metrics.expected_outcomes(0.0, 1.0, 0.01)
    assert math.isnan(expected.positive_predictive_value)
    assert expected.negative_predictive_value == pytest.approx(0.99)


@pytest.mark.parametrize("shares", [(95, 0.9, 0.1), (0.95, -0.1, 0.1), (0.95, 0.9, 1.01)])
def test_a_percentage_in_place_of_a_share_is_refused(shares):
    with pytest.raises(ValueError, match=r"must be between 0 and 1, got .*; divide a percentage by 100"):
        metrics.expected_outcomes(*shares)


def test_the_predictive_value_of_a_table_is_that_of_its_rates_with_an_interval():
    table = population(90, 10, 5, 95)
    for prevalence in (0.5, 0.01):
        estimate = metrics.predictive_value(table, "blast", 0.5, prevalence=prevalence, seed=1)
        expected = metrics.expected_outcomes(0.9, 0.95, prevalence).positive_predictive_value
        assert estimate.value == pytest.approx(expected)
        assert 0 < estimate.low < estimate.value < estimate.high <= 1
    with pytest.raises(ValueError, match="prevalence must be between 0 and 1"):
        metrics.predictive_value(table, "blast", 0.5, prevalence=1.5, seed=1)


def test_the_upper_end_is_1_where_it_rests_on_one_false_alarm():
    estimate = metrics.predictive_value(population(90, 10, 1, 99), "blast", 0.5, prevalence=0.01, seed=1)
    assert estimate.low < estimate.value < estimate.high == 1
