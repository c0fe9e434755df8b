"""Figures of doubt say in words what they show."""

import numpy as np
import pandas as pd

from helpers import metrics, plots


def test_risk_coverage_curves_say_the_error_of_all_and_of_the_surest_half():
    curve = metrics.risk_coverage_curve([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 1])
    figure = plots.risk_coverage_plot({"here": curve}, "A caption.")
    assert figure.alt == "Share of wrong predictions: here 0.50 of all, 0.00 of the surest 50%."
    assert "no image was tested" in repr(plots.risk_coverage_plot({}, "A caption."))


def test_the_threshold_of_a_set_stands_in_the_figure_or_its_absence_is_explained():
    scores, groups = np.linspace(0, 1, 20), np.arange(20) // 2
    figure = plots.conformal_plot(scores, groups, 0.95, coverage=0.9, caption="A caption.")
    assert figure.alt == (
        "Weights of 20 calibration images of 10 groups, summed in the order of their scores: they reach 90% at the "
        "threshold of 0.95, and end at 0.91."
    )
    none = plots.conformal_plot(scores, groups, np.inf, coverage=0.9, caption="A caption.")
    assert "too few groups" in repr(none)


def test_suspicions_are_shown_with_both_names():
    images = np.zeros((2, 16, 16, 3), np.uint8)
    table = pd.DataFrame({"label": ["a", "a"], "suggested": ["b", "b"]})
    figure = plots.suspicion_grid(images, table, "A caption.")
    assert figure.alt == "2 images: 1. a, or b?; 2. a, or b?."
    assert "no label is suspicious" in repr(plots.suspicion_grid(images[:0], table[:0], "A caption."))
