"""All candidates are tested in the same folds, and the best is selected on validation predictions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics
from helpers.datasets import DatasetError
from helpers.evaluation import candidates, learning, protocol, results
from helpers.evaluation.candidates import Candidate
from helpers.evaluation.design import cross_validation_design
from helpers.evaluation.protocol import Predictions

SEED = 20


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=120, n_patients=12, size=64, task="leukaemia")


def table_of(truth, probability, groups=10):
    """Predictions of two classes, every group with images of one class."""
    frame = pd.DataFrame({"label": np.where(truth, "blast", "other"), "group": np.arange(len(truth)) % groups})
    frame.index = pd.Index([f"i{k}" for k in range(len(truth))], name="image_id")
    return metrics.prediction_table(frame, np.stack([probability, 1 - probability], 1), ("blast", "other"), fold=0)


def oracle(right):
    """A learner that predicts the true class with the probability ``right``."""

    def learn(dataset, fold, ids):
        encoded = np.eye(len(dataset.classes))[dataset.frame.loc[ids, "label"].map(dataset.classes.index)]
        return encoded * right + (1 - encoded) * (1 - right)

    return learn


def test_the_majority_class_has_an_area_of_one_half(data):
    design = cross_validation_design(data, SEED)
    majority = Candidate(candidates.MAJORITY, lambda: candidates.majority_learner)
    test, _ = protocol.cross_validation.cross_validate(data, design.fold, majority.learner())
    assert metrics.roc_auc(test, "lymphoblast", SEED).value == 0.5


def test_an_interrupted_evaluation_reads_back_what_was_predicted(data, tmp_path):
    design, lines, trained = cross_validation_design(data, SEED), [], []

    def learner():
        trained.append(1)
        return oracle(0.9)

    options = {"cache_dir": tmp_path, "key": protocol.cache_key(design, SEED), "log": lines.append}
    first, second = (protocol.cross_validate(design, Candidate("a", learner), **options) for _ in range(2))
    pd.testing.assert_frame_equal(first.test, second.test)
    pd.testing.assert_frame_equal(first.validation, second.validation)
    assert (len(trained), lines[1]) == (1, "a: read back")
    protocol.cross_validate(design, Candidate("a", learner), **options | {"key": "other"})
    assert len(trained) == 2


def test_the_key_of_predictions_knows_images_folds_and_seed(data):
    design = cross_validation_design(data, SEED)
    keys = [protocol.cache_key(design, SEED) for _ in range(2)]
    keys += [protocol.cache_key(cross_validation_design(data, 21), SEED), protocol.cache_key(design, 21)]
    keys.append(protocol.cache_key(replace(design, dataset=data.select(data.frame.index[:-1])), SEED))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_the_best_model_is_chosen_on_validation_images():
    truth = np.arange(60) % 2 == 0
    good, bad = table_of(truth, np.where(truth, 0.9, 0.1)), table_of(truth, np.where(truth, 0.1, 0.9))
    made = {"a": Predictions(test=good, validation=bad, seconds=1), "b": Predictions(bad, good, 1)}
    assert protocol.choose_best(made, "blast") == "b"
    assert protocol.choose_best(made, "") == "b"
    assert protocol.choose_best({"a": made["b"], "c": made["b"]}, "blast") == "a"  # the simpler of two alike


def test_each_fold_selects_its_model_and_predictions_are_those_of_the_selected():
    """In fold 0 a is right on validation images and b is not; in fold 1 the other way round."""
    truth = np.arange(60) % 2 == 0
    right, wrong = np.where(truth, 0.9, 0.1), np.where(truth, 0.1, 0.9)
    first = np.arange(60) < 30

    def tables(validation, test):
        return Predictions(*(table_of(truth, p).assign(fold=np.where(first, 0, 1)) for p in (test, validation)), 1)

    made = {
        "a": tables(validation=np.where(first, right, wrong), test=np.full(60, 0.3)),
        "b": tables(validation=np.where(first, wrong, right), test=np.full(60, 0.6)),
    }
    selection = protocol.select(made, "blast")
    assert selection.per_fold == {0: "a", 1: "b"}
    assert selection.predictions.test["p_blast"].tolist() == [0.3] * 30 + [0.6] * 30
    assert metrics.roc_auc(selection.predictions.validation, "blast", SEED).value == 1


def test_a_class_of_three_groups_is_refused_before_anything_is_trained(data):
    rare = data.frame["label"] == "lymphoblast"
    groups = data.frame.loc[rare, "group"].unique()[:3]
    few = data.select(data.frame.index[~rare | data.frame["group"].isin(groups)])
    with pytest.raises(DatasetError, match=r"at least 4 groups \(patient.*\); too few: lymphoblast 3\. Add groups"):
        cross_validation_design(few, SEED)


def test_differences_are_paired_and_relative_to_the_first_model():
    truth = np.arange(60) % 2 == 0
    exact, guess = table_of(truth, np.where(truth, 0.9, 0.1)), table_of(truth, np.full(60, 0.4))
    table = results.difference_table({"simple": guess, "rich": exact}, "blast", SEED)
    assert table[["model", "measure", "value"]].to_numpy().tolist() == [
        ["rich", "AUC", 0.5],
        ["rich", "balanced accuracy", 0.5],
    ]
    measured = results.metric_table({"simple": guess, "rich": exact}, "blast", SEED).set_index(["model", "measure"])
    assert measured.index[0] == ("simple", "AUC")
    assert measured.loc[("rich", "Brier score"), "value"] == pytest.approx(0.01)


def test_mixed_groups_get_proportions_and_groups_of_one_class_get_metrics():
    truth = np.arange(60) % 2 == 0
    pure = table_of(truth, np.where(truth, 0.8, 0.2))
    assert results.proportions(pure, "blast").empty
    per_group = results.group_metrics(pure, "blast", SEED).set_index("measure")
    assert (per_group.loc["AUC", "value"], per_group.loc["AUC", "n"]) == (1, 10)
    mixed = pure.assign(group=np.arange(60) // 6)
    assert results.group_metrics(mixed, "blast", SEED).empty
    shares = results.proportions(mixed, "blast")
    assert (len(shares), shares["true"].unique().tolist(), shares["predicted"].round(3).unique().tolist()) == (
        10,
        [0.5],
        [0.5],
    )
    of_all = results.proportions(mixed, "")
    assert of_all.groupby("class")["group"].nunique().to_dict() == {"blast": 10, "other": 10}


def test_the_agreement_of_proportions_is_that_of_bland_and_altman():
    shares = pd.DataFrame(
        {"class": "blast", "group": list("abc"), "true": [0.1, 0.2, 0.3], "predicted": [0.2, 0.2, 0.6]}
    )
    (row,) = results.agreement(shares, SEED).to_dict("records")
    deviation = np.std([0.1, 0.0, 0.3], ddof=1)
    assert (row["class"], row["groups"], row["mean difference"]) == ("blast", 3, pytest.approx(0.4 / 3))
    assert row["upper limit"] - row["mean difference"] == pytest.approx(1.96 * deviation)
    assert row["lower limit"] + row["upper limit"] == pytest.approx(2 * row["mean difference"])


def test_learning_curves_grow_in_groups_and_in_images_of_all_groups(data):
    design = cross_validation_design(data, SEED)
    trained = []

    def test(candidate):
        trained.append(candidate.name)
        made = protocol.cross_validation.cross_validate(data, design.fold, candidate.learner())
        return Predictions(*made, seconds=0)

    candidate = Candidate("oracle", lambda: oracle(0.9))
    curve = learning.learning_curve(design, candidate, test, positive="lymphoblast", seed=SEED)
    assert trained[:2] == ["oracle", "oracle, 25% of the training groups"]
    assert len(set(trained)) == len(trained) == 7
    groups, images = (curve[curve["counted"] == counted]["size"].tolist() for counted in ("groups", "images"))
    assert groups == sorted(groups) and images == sorted(images)
    assert (groups[-1], images[-1]) == (9.6, 96)
    assert (curve["value"] == 1).all()


def test_a_subset_of_images_keeps_every_group_and_one_of_groups_every_class(data):
    known = data.frame.index
    images = learning._some_images(data.frame, known, share=0.25, seed=SEED)
    groups = learning._some_groups(data.frame, known, share=0.25, seed=SEED)
    assert data.frame.loc[images, "group"].nunique() == 12
    assert set(data.frame.loc[groups, "label"]) == set(data.classes)
    assert set(groups) < set(learning._some_groups(data.frame, known, share=0.5, seed=SEED))
    assert set(images) < set(learning._some_images(data.frame, known, share=0.5, seed=SEED))


def test_the_projection_asks_for_four_times_the_groups():
    estimate = metrics.Estimate(0.8, 0.7, 0.9, 100, 20)
    assert results.projection(estimate, "patient") == (
        "The interval is 0.200 wide with 20 patients; 60 more, four times as many in all, would about halve it, "
        "if they resemble these."
    )
    few = metrics.Estimate(0.8, 0.7, 0.9, 100, 6, metrics.RANGE)
    assert "at least 10 are needed" in results.projection(few, "patient")
