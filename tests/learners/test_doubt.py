"""What a classifier should say nothing about: at home, elsewhere, and on what is no cell."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics
from helpers.learners import doubt, laboratories


@pytest.fixture(scope="module")
def labs():
    data = datasets.load("synthetic", n_images=324, n_patients=162, n_stain_batches=3, balanced=True, size=32)
    return laboratories.choose_laboratories(data.drop_classes(["lymphoblast"]), names=["stain 2", "stain 0"])


@pytest.fixture(scope="module")
def features(labs):
    """Two noisy features that tell the classes; a shift of those of the target turns cells into other classes."""
    number = labs.data.frame["label"].map(labs.data.classes.index).to_numpy()
    angle = 2 * np.pi * number / 5
    shift = np.where(labs.data.frame["laboratory"] == labs.target, 2.0, 0.0)
    random = np.random.default_rng(3)
    columns = np.stack([3 * np.cos(angle) + shift, 3 * np.sin(angle) + shift], axis=1)
    return pd.DataFrame(columns + random.normal(0, 0.8, columns.shape), labs.data.frame.index)


@pytest.fixture(scope="module")
def measured(labs, features):
    fold = laboratories.laboratory_folds(labs.rows(labs.source), 5, 20, by="group")
    strange = {"far away": pd.DataFrame(np.full((12, 2), 40.0)), "in the middle": pd.DataFrame(np.zeros((12, 2)))}
    return doubt.measure_doubt(labs, features, fold, strange=strange)


def test_every_image_is_tested_once_and_strange_ones_have_no_right_class(labs, measured):
    counts = measured["where"].value_counts()
    assert counts[labs.source] == len(labs.rows(labs.source))
    assert counts[labs.target] == len(labs.rows(labs.target))
    assert counts["far away"] == counts["in the middle"] == 12
    assert measured.index.is_unique
    strange = measured[measured["label"] == ""]
    assert (strange["wrong"] == 1).all()
    assert (strange["covered"] == 0).all()


def test_sets_keep_their_promise_at_home_and_break_it_elsewhere(labs, measured):
    table = doubt.coverage_table(measured, 20)
    common = table[(table["threshold"] == "common") & (table["measure"] == "coverage")].set_index("where")["value"]
    assert common[labs.source] > 0.85
    assert common[labs.target] < 0.75
    assert set(common.index) == {labs.source, labs.target}
    sizes = table[table["measure"] == "classes in a set"]
    assert set(sizes["where"]) == {labs.source, labs.target, "far away", "in the middle"}


def test_what_a_threshold_of_its_own_covers_is_not_less_than_promised(labs, measured):
    own = measured[measured["where"] == labs.source]
    assert own.groupby("label")["covered_by_class"].mean().min() > 0.8


def test_the_distance_notices_what_confidence_does_not(labs, measured):
    table = doubt.noticing_table(measured, labs.source, 20).set_index(["images", "score"])
    far = table.loc["far away"]
    assert far.loc["Mahalanobis distance", "AUC"] == 1
    assert far.loc["Mahalanobis distance", "share beyond 90 %"] == 1
    assert far.loc["1 − largest probability", "AUC"] < 0.5
    assert np.isnan(far.loc["1 − largest probability", "share beyond 90 %"])
    assert table.loc[("in the middle", "1 − largest probability"), "AUC"] > 0.8


def test_referring_the_least_confident_tenth_refers_about_a_tenth_at_home_and_saves_errors(labs, measured):
    table = doubt.referral_table(measured, [labs.source, labs.target], 20)
    value = table.set_index(["where", "rule", "measure"])["value"]
    assert value[(labs.source, "least confident tenth", "referred")] == pytest.approx(0.1, abs=0.06)
    for where in (labs.source, labs.target):
        own = measured[measured["where"] == where]
        assert value[(where, "no rule", "wrong among the kept")] == pytest.approx(own["wrong"].mean())
        kept = own[(own["referred"] < 0.5)]
        assert value[(where, "least confident tenth", "wrong among the kept")] == pytest.approx(kept["wrong"].mean())
    assert (labs.source, "no rule", "referred") not in value.index


def test_runs_are_averaged_image_by_image(measured):
    other = measured.assign(wrong=1 - measured["wrong"]).sample(frac=1, random_state=0)
    average = doubt.average_runs([measured, other])
    assert list(average.index) == list(measured.index)
    assert (average["wrong"] == 0.5).all()
    assert average["uncertainty"].to_numpy() == pytest.approx(measured["uncertainty"].to_numpy())
    assert (average["label"] == measured["label"]).all()


def test_with_three_folds_one_calibrates(labs, features):
    fold = laboratories.laboratory_folds(labs.rows(labs.source), 3, 20, by="group")
    table = doubt.measure_doubt(labs, features, fold)
    assert metrics.prediction_classes(table) == list(labs.data.classes)
    assert table["where"].value_counts()[labs.source] == len(labs.rows(labs.source))
