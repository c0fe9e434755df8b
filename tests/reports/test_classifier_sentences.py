"""Sentences on a classifier follow the data: two seeds with a signal, and labels without one."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics, reports


def predictions(seed, signal=1.5, patient_spread=1.0, sharpness=1.0, n_patients=40):
    """Predictions of 8 cells of each patient; labels are independent of them without a signal."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), 8)
    positive = patient % 2 == 0
    logit = signal * (positive - 0.5) + patient_spread * random.normal(size=n_patients)[patient]
    score = 1 / (1 + np.exp(-sharpness * (logit + random.normal(size=len(patient)))))
    return pd.DataFrame(
        {
            "group": [f"P{k:02}" for k in patient],
            "label": np.where(positive, "blast", "other"),
            "fold": patient // 2 % 2,
            "p_blast": score,
            "p_other": 1 - score,
        },
        pd.Index([f"cell-{k}" for k in range(len(patient))], name="image_id"),
    )


def ranking(table):
    return reports.describe_ranking(metrics.roc_auc(table, "blast", 20))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_ranking_is_better_than_chance_at_chance_or_inverted(seed):
    assert ranking(predictions(seed)).endswith("better than chance")
    assert "not shown to be better than chance, as the interval holds 0.5" in ranking(predictions(seed, signal=0))
    assert ranking(predictions(seed, signal=-1.5)).endswith("below chance: the ranking is inverted")
    few = predictions(seed, n_patients=4)
    assert ranking(few).endswith("of 4 groups, too few to tell it from chance")


@pytest.mark.parametrize("seed", [1, 2])
def test_the_interval_over_patients_is_wider_where_patients_differ_and_not_where_they_do_not(seed):
    words = {}
    for spread in (0.0, 2.0):
        table = predictions(seed, patient_spread=spread)
        by_cell = metrics.roc_auc(table.assign(group=table.index), "blast", 20)
        words[spread] = reports.compare_intervals(metrics.roc_auc(table, "blast", 20), by_cell)
    assert "times as wide: cells of one patient share their errors" in words[2.0]
    assert "the two are about as wide" in words[0.0]


def test_without_enough_groups_widths_are_not_compared():
    table = predictions(1, n_patients=4)
    by_cell = metrics.roc_auc(table.assign(group=table.index), "blast", 20)
    assert reports.compare_intervals(metrics.roc_auc(table, "blast", 20), by_cell).startswith("4 groups are too few")


def calibration(table):
    t = metrics.fit_temperature(table)
    scaled = metrics.apply_temperature(table, t)
    errors = [(one["p_blast"] - (one["label"] == "blast")) ** 2 for one in (scaled, table)]
    return reports.describe_calibration("it", metrics.cluster_mean(errors[0] - errors[1], table["group"], 20), [t])


@pytest.mark.parametrize("seed", [1, 2])
def test_scaling_helps_a_model_that_is_too_certain_and_one_without_signal(seed):
    too_certain = calibration(predictions(seed, sharpness=4.0))
    assert "above 1: it was too certain" in too_certain
    assert too_certain.endswith("Scaling helped")
    assert "above 1" in calibration(predictions(seed, signal=0, sharpness=4.0))
    assert "below 1: it was not certain enough" in calibration(predictions(seed, patient_spread=0.0, sharpness=0.3))


@pytest.mark.parametrize(
    ("temperature", "ends", "reason"),
    [
        (1.02, (-0.01, 0.01), "the probabilities were about right before"),
        (1.6, (0.01, 0.03), "the cells on which it was fitted may differ from the tested ones, be too few"),
        (1.6, (-0.01, 0.03), "No gain is shown: the temperature rests on few validation patients"),
    ],
)
def test_where_scaling_does_not_help_the_reason_is_given(temperature, ends, reason):
    difference = metrics.Estimate(np.mean(ends), *ends, n=80, groups=12)
    assert reason in reports.describe_calibration("it", difference, [temperature])


def test_a_collapsed_model_is_named():
    assert reports.describe_spread(pd.Series(np.linspace(0.49, 0.5, 50))).endswith("nearly one answer for all")
    assert "one answer" not in reports.describe_spread(pd.Series(np.linspace(0, 1, 50)))


def test_a_target_is_reached_or_not():
    assert reports.describe_target(0.95, 0.935, 0.95).endswith("reached 0.950: no fewer than were asked for")
    assert reports.describe_target(0.95, 0.935, 0.94).endswith("reached 0.940: fewer than were asked for")
