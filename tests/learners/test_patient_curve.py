"""Learning curve over patients: patients stay whole, and more of them help where they differ."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from helpers import splits
from helpers.learners.patient_curve import patient_curve

SIZES = [4, 8, 20]


@pytest.fixture(scope="module")
def cells():
    """Cells of 40 patients, 6 each; a feature of the class and one of the patient."""
    random = np.random.default_rng(1)
    patient = np.repeat(np.arange(40), 6)
    index = pd.Index([f"cell-{k}" for k in range(240)], name="image_id")
    labels = np.where(patient % 2 == 0, "blast", "other")
    frame = pd.DataFrame({"group": [f"P{k:02}" for k in patient], "label": labels}, index)
    signal = 0.7 * (patient % 2 == 0) + random.normal(size=240)
    features = pd.DataFrame({"signal": signal, "patient": random.normal(size=40)[patient] * 3}, index)
    return features, frame, splits.group_folds(frame, 5, 20)


def curve(cells, estimator, **options):
    features, frame, fold = cells
    settings = {"positive": "blast", "n_patients": SIZES, "seed": 20, "draws": 3}
    return patient_curve(estimator, features, frame, fold, **settings | options)


class Recorder(LogisticRegression):
    """Note how many cells each training has."""

    sizes: ClassVar[list[int]] = []

    def fit(self, x, y, sample_weight=None):
        Recorder.sizes.append(len(x))
        return super().fit(x, y, sample_weight)


def test_patients_come_with_all_cells_or_with_as_many_as_the_fewest_have(cells):
    Recorder.sizes = []
    table = curve(cells, Recorder(), draws=1)
    by_step = np.array(Recorder.sizes).reshape(len(SIZES), 2, 5)
    assert (by_step[:, 0] == 6 * np.array(SIZES)[:, None]).all()
    assert (by_step[:, 1] == 6 * SIZES[0]).all()
    assert table["learner"].unique().tolist() == ["all cells of the patients", "the same number of cells"]


def test_more_patients_help_where_patients_differ(cells):
    table = curve(cells, LogisticRegression()).set_index(["learner", "images"])["AUC"].unstack()
    assert (table[20] - table[4] > 0.03).all()


def test_the_band_runs_from_the_lowest_to_the_highest_draw(cells):
    table = curve(cells, LogisticRegression())
    assert (table["low"] <= table["AUC"]).all()
    assert (table["AUC"] <= table["high"]).all()
    assert (table["low"] < table["high"]).any()


def test_no_cell_of_a_tested_patient_is_in_training(cells):
    features, frame, fold = cells
    codes = pd.factorize(frame["group"])[0].astype(float)

    class Remember(BaseEstimator):
        def fit(self, x, y):
            self.seen_ = set(x[:, 0])
            return self

        def predict_proba(self, x):
            assert not self.seen_ & set(x[:, 0])
            return np.tile([0.5, 0.5], (len(x), 1))

    table = curve((features.assign(signal=codes), frame, fold), Remember())
    assert (table["AUC"] == 0.5).all()


def test_numbers_above_the_training_patients_are_left_out(cells):
    assert curve(cells, LogisticRegression(), n_patients=[4, 33])["images"].unique().tolist() == [4]
    assert curve(cells, LogisticRegression(), n_patients=[50]).empty
