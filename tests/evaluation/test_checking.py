"""Checks of test predictions know the design: a published split that shares patients is a finding."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics
from helpers.evaluation.checking import check_predictions
from helpers.evaluation.design import cross_validation_design, split_design

SEED = 20


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=120, n_patients=12, size=32, task="leukaemia")


def predictions(design, right=0.9):
    """Predictions of the tested images, with this probability of the true class."""
    tables = []
    for number, fold in zip(design.tested, design.splits(), strict=True):
        frame = design.dataset.frame.loc[fold.test]
        truth = np.eye(2)[frame["label"].map(design.dataset.classes.index)]
        probabilities = truth * right + (1 - truth) * (1 - right) + 0.01 * np.arange(len(frame))[:, None] % 0.05
        probabilities /= probabilities.sum(1, keepdims=True)
        tables.append(metrics.prediction_table(frame, probabilities, design.dataset.classes, fold=number))
    return pd.concat(tables)


def findings_of(design, **options):
    test = predictions(design, **options)
    limits = pd.Series(0.5, test.index)
    return {one.name: one for one in check_predictions(design, test, "lymphoblast", limits, seed=SEED)}


def test_folds_by_patient_and_good_predictions_pass(data):
    assert findings_of(cross_validation_design(data, SEED)) == {}


def test_a_split_by_image_shares_patients_and_is_a_finding(data, tmp_path):
    shuffled = np.random.default_rng(SEED).permutation(["train", "val", "test"] * 40)
    names = pd.Series(shuffled, data.frame.index, name="split")
    table = tmp_path / "published.csv"
    names.to_frame().rename_axis("image").to_csv(table)
    leakage = findings_of(split_design(data, str(table), SEED))["data leakage"]
    assert "group" in leakage.observed


def test_predictions_at_chance_level_are_a_finding(data):
    assert "AUC at chance level" in findings_of(cross_validation_design(data, SEED), right=0.5)
