"""The prevalence of a target domain is estimated from predictions alone, and only where each class looks the same."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import metrics

CLASSES = ("blast", "normal", "other")


def predictions(confusion, counts, *, groups=60, seed=0, classes=CLASSES):
    """A table of ``counts`` images of each class; rows of ``confusion`` are the shares of predicted classes."""
    random = np.random.default_rng(seed)
    true = np.repeat(np.arange(len(classes)), counts)
    called = np.array([random.choice(len(classes), p=confusion[k]) for k in true])
    table = pd.DataFrame(0.1 + 0.7 * np.eye(len(classes))[called], columns=[f"p_{name}" for name in classes])
    label = np.array(classes)[true]
    return table.assign(label=label, group=[f"P{k % groups}" for k in range(len(true))], fold=0)


CONFUSION = np.array([[0.8, 0.1, 0.1], [0.15, 0.8, 0.05], [0.1, 0.2, 0.7]])
TWO = np.array([[0.9, 0.1], [0.2, 0.8]])


@pytest.mark.parametrize("counts", [(100, 700, 200), (700, 100, 200), (20, 20, 960)])
def test_the_shares_of_a_target_are_found_whatever_the_source_has(counts):
    source = predictions(CONFUSION, (1500, 1500, 1500))
    target = predictions(CONFUSION, counts, seed=1)
    for name, count in zip(CLASSES, counts, strict=True):
        estimate = metrics.estimate_prevalence(source, target, name, seed=20)
        assert estimate.low <= count / 1000 <= estimate.high
        assert estimate.value == pytest.approx(count / 1000, abs=0.05)
        assert (estimate.n, estimate.groups) == (1000, 60)


def test_it_is_the_formula_of_two_classes():
    source = predictions(TWO, (400, 400), classes=CLASSES[:2])
    target = predictions(TWO, (60, 540), seed=1, classes=CLASSES[:2])
    rates = metrics.binary_metrics(source, "blast", 0.5, seed=1).set_index("measure")["value"]
    called = (metrics.predicted_classes(target) == "blast").mean()
    false = rates["false positive rate"]
    expected = (called - false) / (rates["sensitivity"] - false)
    assert metrics.estimate_prevalence(source, target, "blast", seed=20).value == pytest.approx(expected)


def test_labels_of_the_target_are_not_used_and_a_covariate_shift_misleads():
    source = predictions(TWO, (400, 400), classes=CLASSES[:2])
    target = predictions(TWO[::-1], (60, 540), seed=1, classes=CLASSES[:2])  # there the model errs otherwise
    estimate = metrics.estimate_prevalence(source, target, "blast", seed=20)
    assert estimate.low > 0.1
    assert metrics.estimate_prevalence(source, target.assign(label="?"), "blast", seed=20) == estimate


def test_shares_stay_within_0_and_1():
    source = predictions(TWO, (400, 400), classes=CLASSES[:2])
    nothing, everything = (
        predictions(np.array([row, row]), (30, 30), classes=CLASSES[:2]) for row in ([0, 1.0], [1.0, 0])
    )
    assert metrics.estimate_prevalence(source, nothing, "blast", seed=20).value == 0
    assert metrics.estimate_prevalence(source, everything, "blast", seed=20).value == 1


def test_where_predictions_do_not_depend_on_the_class_there_is_no_estimate():
    row = [1.0, 0.0]
    source = predictions(np.array([row, row]), (30, 30), classes=CLASSES[:2])
    estimate = metrics.estimate_prevalence(source, source, "blast", seed=20)
    assert math.isnan(estimate.value)
    assert estimate.interval == metrics.NONE


def test_below_ten_patients_there_is_no_interval():
    source = predictions(TWO, (400, 400), classes=CLASSES[:2])
    few = predictions(TWO, (60, 540), groups=9, classes=CLASSES[:2])
    for tables in ((source, few), (few, source)):
        assert metrics.estimate_prevalence(*tables, "blast", seed=20).interval == metrics.NONE


def test_other_classes_are_refused():
    source, target = predictions(CONFUSION, (5, 5, 5)), predictions(TWO, (5, 5), classes=CLASSES[:2])
    for tables, name in (((source, target), "blast"), ((source, source), "monocyte")):
        with pytest.raises(ValueError, match="source and target must have the classes"):
            metrics.estimate_prevalence(*tables, name, seed=20)


@pytest.mark.parametrize(
    ("events", "n", "ends"),
    [(1, 120, (0.0015, 0.0457)), (0, 20, (0, 0.1611)), (20, 20, (0.8389, 1)), (5, 10, (0.2366, 0.7634))],
)  # fmt: skip
def test_the_interval_of_wilson_is_that_of_the_tables(events, n, ends):
    assert metrics.wilson_interval(events, n) == pytest.approx(ends, abs=1e-4)


@pytest.mark.parametrize(("events", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_an_impossible_proportion_is_refused(events, n):
    with pytest.raises(ValueError, match="n must be at least 1"):
        metrics.wilson_interval(events, n)
