"""What conformal prediction promises, held against simulated patients."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics


def simulate(random, sizes):
    """Nonconformity scores of groups, whose mean varies 1.5 times as much as their images."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return random.normal(0, 1.5, len(sizes))[groups] + random.normal(0, 1, len(groups)), groups


def coverage_of_new_groups(by_group, sizes, repeats=800):
    """Mean coverage of a new group and its standard error."""
    random, covered = np.random.default_rng(3), []
    for _ in range(repeats):
        scores, groups = simulate(random, sizes)
        threshold = metrics.conformal_threshold(scores, groups if by_group else np.arange(len(scores)), 0.9)
        covered.append((simulate(random, [15])[0] <= threshold).mean())
    return np.mean(covered), np.std(covered) / np.sqrt(repeats)


@pytest.mark.parametrize("sizes", [[15] * 20, [300] + [5] * 19, [1] * 20])
def test_the_promise_holds_for_an_image_of_a_new_group(sizes):
    reached, error = coverage_of_new_groups(True, sizes)
    assert reached >= 0.9 - 2 * error
    assert reached <= 0.9 + 1 / 21 + 2 * error  # at most one group too much


def test_without_groups_the_promise_is_broken_where_one_patient_has_most_cells():
    reached, error = coverage_of_new_groups(False, [300] + [5] * 19)
    assert reached < 0.9 - 4 * error


def test_images_of_their_own_are_split_conformal_prediction():
    scores = np.random.default_rng(0).random(99)
    assert metrics.conformal_threshold(scores, np.arange(99), 0.9) == np.sort(scores)[89]  # the 90th of 99 + 1


def test_a_large_group_weighs_as_much_as_a_small_one():
    scores = np.array([*np.zeros(100), *np.arange(1, 20)])
    groups = np.array([0] * 100 + list(range(1, 20)))
    assert metrics.conformal_threshold(scores, groups, 0.5) == 10  # 1/21 of the large group and ten of the others


@pytest.mark.parametrize("n_groups", [1, 8])
def test_too_few_groups_promise_nothing(n_groups):
    assert metrics.conformal_threshold(np.zeros(n_groups), np.arange(n_groups), 0.9) == np.inf
    assert metrics.conformal_threshold(np.zeros(9), np.arange(9), 0.9) == 0


@pytest.mark.parametrize(
    ("scores", "coverage", "message"),
    [([], 0.9, "at least one score"), ([np.nan], 0.9, "all finite"), ([0.1], 90, "for 90 % give 0.9")],
)
def test_what_cannot_give_a_threshold_is_refused(scores, coverage, message):
    with pytest.raises(ValueError, match=message):
        metrics.conformal_threshold(np.array(scores), np.arange(len(scores)), coverage)


def predictions(n_each=40, seed=0):
    """Three classes; the model is sure of a and b, and half of the cells of c look like b."""
    random = np.random.default_rng(seed)
    labels = np.repeat(["a", "b", "c"], n_each)
    means = {"a": (4, 0, 0), "b": (0, 4, 0), "c": (0, 2, 2)}
    logits = random.normal(0, 1, (len(labels), 3)) + np.array([means[label] for label in labels])
    table = pd.DataFrame({"label": labels, "group": [f"g{k}" for k in range(len(labels))]})
    table[["p_a", "p_b", "p_c"]] = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return table


def test_thresholds_by_class_cover_the_hard_class_too():
    calibration, test = predictions(seed=0), predictions(400, seed=1)
    covered = {}
    for by_class in (False, True):
        sets = metrics.prediction_sets(test, metrics.conformal_thresholds(calibration, 0.9, by_class=by_class))
        covered[by_class] = metrics.set_coverage(test, sets)["covered"].groupby(test["label"]).mean()
    assert covered[False].mean() == pytest.approx(0.9, abs=0.05)
    assert covered[False]["c"] < 0.8 < 0.85 < covered[True]["c"]
    assert covered[True]["a"] == pytest.approx(0.9, abs=0.08)


def test_a_class_without_calibration_images_is_in_every_set():
    calibration = predictions()
    thresholds = metrics.conformal_thresholds(calibration[calibration["label"] != "c"], 0.9, by_class=True)
    assert thresholds["c"] == np.inf
    assert metrics.prediction_sets(predictions(), thresholds)["c"].all()


def test_a_set_may_be_empty_and_its_size_says_so():
    table = pd.DataFrame({"label": ["a", "b"], "group": ["1", "2"], "p_a": [0.5, 0.05], "p_b": [0.5, 0.95]})
    sets = metrics.prediction_sets(table, pd.Series({"a": 0.2, "b": 0.2}))
    found = metrics.set_coverage(table, sets)
    assert found["size"].tolist() == [0, 1]
    assert found["covered"].tolist() == [0, 1]


def test_thresholds_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="thresholds"):
        metrics.prediction_sets(predictions(), pd.Series({"a": 0.2, "x": 0.2}))
