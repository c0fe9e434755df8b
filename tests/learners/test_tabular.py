"""Scores of tabular classifiers become probabilities, also where the inner folds are below chance level."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import datasets
from helpers.learners import tabular
from helpers.learners.cross_validation import encode_labels


def test_inner_folds_below_chance_level_give_no_certainty():
    """Two patients in whom the class shifts a feature in opposite directions: each predicts the other in reverse."""
    data = datasets.load("synthetic", n_images=40, n_patients=20, task="leukaemia", size=32)
    labels, patient = np.arange(40) % 2, np.arange(40) // 20
    data = replace(data, frame=data.frame.assign(group=[f"P{k}" for k in patient]))
    noise = np.random.default_rng(0).normal(scale=0.1, size=40)
    values = (np.where(labels == patient, 1.0, -1.0) + noise)[:, None]
    fitted = tabular.fit_calibrated(data, labels, values, classifier="discriminant analysis", seed=0)
    assert (fitted.held_out.argmax(1) != labels).all()
    assert 0.05 < fitted.held_out.min() < fitted.held_out.max() < 0.95


def test_inner_folds_with_one_image_of_each_class_are_refused():
    """Four images of two patients, each with both classes: half of them are no data to learn a spread from."""
    data = datasets.load("synthetic", n_images=4, n_patients=2, task="leukaemia", size=32)
    data = replace(data, frame=data.frame.assign(group=["P1", "P1", "P2", "P2"]))
    values = np.random.default_rng(0).normal(size=(4, 2))
    with pytest.raises(datasets.DatasetError, match="an inner fold trains on one image of each class; add images"):
        tabular.fit_calibrated(data, np.arange(4) % 2, values, classifier="discriminant analysis", seed=0)


def test_calibration_of_many_classes_keeps_the_ranking_and_is_as_certain_as_the_inner_folds_are_right():
    """As many features as backbones have: scores of discriminant analysis are of the order of 100."""
    data = datasets.load("synthetic", n_images=120, n_patients=24, size=32, balanced=True)
    labels = encode_labels(data)
    random = np.random.default_rng(0)
    centres = 0.12 * random.normal(size=(len(data.classes), 800))
    values = random.normal(size=(120, 800)) + centres[labels]
    fitted = tabular.fit_calibrated(data, labels, values, classifier="discriminant analysis", seed=0)
    new = random.normal(size=(600, 800)) + centres[np.arange(600) % len(data.classes)]
    probabilities, scores = fitted.predict_proba(new), fitted.model.decision_function(new)
    assert (probabilities.argmax(1) == scores.argmax(1)).all()
    assert np.abs(scores).max() > 10
    right = (probabilities.argmax(1) == np.arange(600) % len(data.classes)).mean()
    assert 0.5 < right < 0.99
    assert abs(probabilities.max(1).mean() - right) < 0.2  # inner folds train on fewer images, and are less certain
