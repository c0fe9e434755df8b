"""Scores of tabular classifiers become probabilities, also where the inner folds are below chance level."""

from dataclasses import replace

import numpy as np

from helpers import datasets
from helpers.learners import tabular


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
