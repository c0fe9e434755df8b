"""A feature model is numbers in a JSON file: it predicts what was trained, and what is malformed is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, features
from helpers.learners import tabular
from helpers.learners.cross_validation import encode_labels
from helpers.models import feature_model, loading


@pytest.fixture(scope="module", params=[2, 3], ids=["two classes", "three classes"])
def data(request):
    if request.param == 2:
        return datasets.load("synthetic", n_images=48, n_patients=12, task="leukaemia", size=48)
    whole = datasets.load("synthetic", n_images=120, n_patients=20, size=48)
    return whole.select_classes(list(whole.classes[:3]))


@pytest.fixture(scope="module")
def table(data):
    return features.extract_feature_table(data.load_images(48), data.frame.index)


def fitted_on(data, table, classifier):
    return tabular.fit_calibrated(data, encode_labels(data), table.to_numpy(), classifier=classifier, seed=0)


@pytest.mark.parametrize("classifier", ["logistic regression", "support vector machine"])
def test_a_read_model_predicts_from_images_what_was_trained(data, table, classifier, tmp_path):
    table = table[sorted(table.columns)[::3]]  # not all features, and in another order
    fitted = fitted_on(data, table, classifier)
    path = tmp_path / "m.features"
    feature_model.write_feature_model(fitted.feature_model(list(table.columns)), path)
    model = feature_model.read_feature_model(path)
    expected = fitted.predict_proba(table.to_numpy())
    assert expected.std(0).max() > 0.05  # the images are told apart
    assert np.allclose(model.predict_proba(data.load_images(48)), expected, atol=1e-9)


def test_scaler_classifier_and_calibration_fold_into_one_linear_map(data, table):
    for classifier in ("logistic regression", "discriminant analysis"):
        fitted = fitted_on(data, table, classifier)
        kernel, bias = fitted.logits()
        logits = table.to_numpy() @ kernel + bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        assert np.allclose(odds / odds.sum(1, keepdims=True), fitted.predict_proba(table.to_numpy()), atol=1e-9)


@pytest.fixture
def content(tmp_path):
    """A small good file as a dictionary, and a function that writes changes to it and reads them."""
    good = {
        "format": "leukobook features",
        "version": 1,
        "features": ["area", "od_red"],
        "mean": [1.0, 0.5],
        "scale": [2.0, 1],
        "kernel": None,
        "weights": [[1.0, -1.0]],
        "intercept": [0.0],
        "slope": [[0.0], [1.0]],
        "offset": [0.0, 0.0],
    }

    def read(**changes):
        path = tmp_path / "m.features"
        path.write_text(json.dumps({**good, **changes}))
        return feature_model.read_feature_model(path)

    return read


def test_a_linear_model_is_computed_by_hand(content):
    values = pd.DataFrame({"area": [1.0, 3.0], "od_red": [0.5, 0.0]}).to_numpy()
    assert np.allclose(content().predict_from_features(values)[:, 1], [0.5, 1 / (1 + np.exp(-1.5))])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "version: Input should be 1"),
        ({"format": "pickle"}, "format: Input should be 'leukobook features'"),
        ({"features": ["area", "__class__"]}, "unknown feature '__class__'"),
        ({"features": ["area"]}, "mean must have 1 values in every row"),
        ({"scale": [2.0, 0.0]}, r"scale\.1: Input should be greater than 0"),
        ({"weights": [[1.0, float("nan")]]}, r"weights\.0\.1: Input should be a finite number"),
        ({"weights": [[1.0]]}, "weights must have 2 values in every row"),
        ({"slope": [[1.0]]}, "slope: List should have at least 2 items"),
        ({"offset": [0.0]}, "offset must have 2 values in every row"),
        ({"kernel": {"gamma": -1.0, "vectors": [[0.0, 0.0]]}}, r"kernel\.gamma: Input should be greater than 0"),
        ({"kernel": {"gamma": 1.0, "vectors": [[0.0]]}}, r"kernel\.vectors must have 2 values"),
        (
            {"slope": [[1.0]] * 3, "offset": [0.0] * 3, "kernel": {"gamma": 1.0, "vectors": [[0.0, 0.0]]}},
            "3 classes have 3 pairs, got 1 scores",
        ),
        ({"code": "import os"}, "code: Extra inputs are not permitted"),
    ],
)
def test_what_is_no_feature_model_is_refused_by_name(content, changes, message):
    with pytest.raises(loading.ModelError, match=rf"m\.features: not a feature model of this version \({message}"):
        content(**changes)


def test_files_that_are_no_json_too_large_or_of_another_kind_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "m.features"
    path.write_bytes(b"\x80\x04pickle")
    with pytest.raises(loading.ModelError, match="not a feature model"):
        feature_model.read_feature_model(path)
    monkeypatch.setattr(feature_model, "MAX_BYTES", 4)
    with pytest.raises(loading.ModelError, match="the maximum is 0 MiB"):
        feature_model.read_feature_model(path)
    with pytest.raises(loading.ModelError, match=r"a model ends in \.features"):
        feature_model.read_feature_model(path.rename(tmp_path / "m.json"))
