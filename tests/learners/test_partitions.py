"""Partitions, the choice inside them, and the groups that are set aside."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helpers import datasets, metrics
from helpers.learners import partitions
from helpers.learners.partitions import Candidate


def linear_svm():
    return make_pipeline(StandardScaler(), SVC(kernel="linear"))


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=80, n_patients=20, task="leukaemia", size=32)


@pytest.fixture(scope="module")
def candidates(data):
    """One that sees noise, one that sees the label and noise."""
    random = np.random.default_rng(3)
    index = data.frame.index
    noise = pd.DataFrame(random.normal(size=(80, 3)), index)
    told = noise.assign(label=(data.frame["label"] == "lymphoblast") + random.normal(0, 0.4, 80))
    told.columns = told.columns.astype(str)
    return {"noise": Candidate(((noise, linear_svm),)), "told": Candidate(((told, linear_svm),))}


def test_the_groups_that_are_set_aside_follow_from_their_names(data):
    aside = partitions.set_aside(data.frame, {"lymphoblast": 2, "lymphocyte": 1})
    label = data.frame.groupby("group")["label"].first()
    assert label[aside].tolist() == ["lymphoblast", "lymphoblast", "lymphocyte"]
    digests = {group: hashlib.sha256(group.encode()).hexdigest() for group in label.index[label == "lymphoblast"]}
    assert sorted(digests, key=digests.get)[:2] == aside[:2]
    assert partitions.set_aside(data.frame.sample(frac=1, random_state=1), {"lymphoblast": 2}) == aside[:2]


def test_the_better_candidate_is_chosen_in_every_training_set(data, candidates):
    tables, choices = partitions.cross_validate_partitions(data, candidates, "lymphoblast", n_splits=4, seeds=[1, 2])
    assert set(tables) == {"noise", "told", "chosen inside"}
    assert len(choices) == 8
    assert (choices["candidate"] == "told").all()
    for chosen, told in zip(tables["chosen inside"], tables["told"], strict=True):
        pd.testing.assert_frame_equal(chosen, told)
    assert not tables["told"][0].equals(tables["told"][1])
    auc = metrics.mean_roc_auc(tables["told"], "lymphoblast", 20)
    by_partition = [metrics.roc_auc(table, "lymphoblast", 20).value for table in tables["told"]]
    assert auc.value == pytest.approx(np.mean(by_partition))
    assert auc.value > 0.85 > metrics.mean_roc_auc(tables["noise"], "lymphoblast", 20).value


def test_groups_set_aside_are_predicted_by_a_model_of_the_others(data, candidates):
    aside = partitions.set_aside(data.frame, {"lymphoblast": 2, "lymphocyte": 2})
    table = partitions.predict_aside(data, aside, candidates["told"], "lymphoblast")
    assert set(table["group"]) == set(aside)
    is_aside = data.frame["group"].isin(aside)
    labels = (data.frame["label"] == "lymphoblast")[~is_aside]
    decisions = candidates["told"].decision_values(labels, table.index)
    assert table["p_lymphoblast"].to_numpy() == pytest.approx(1 / (1 + np.exp(-decisions)))


def test_decisions_of_several_classifiers_are_averaged(data, candidates):
    both = Candidate(candidates["told"].parts + candidates["noise"].parts)
    labels = data.frame["label"] == "lymphoblast"
    train, tested = data.frame.index[:60], data.frame.index[60:]
    one, two = (candidates[name].decision_values(labels[train], tested) for name in ("told", "noise"))
    assert both.decision_values(labels[train], tested) == pytest.approx((one + two) / 2)
