"""Figures of stored results hold the rows of one measure and their origin, or a sentence where there is no book."""

import pandas as pd

from helpers import plots, reports


def stored(**columns):
    table = pd.DataFrame(columns).assign(low=0.4, high=0.9)
    return reports.PublishedTable("a-table", table, "stored result of a longer run", {"dataset": "cnmc"})


def test_a_forest_plot_has_one_measure_and_no_difference():
    table = stored(model=["a", "b", "a"], measure=["AUC", "AUC", "precision"], value=[0.8, 0.7, 0.5])
    picture = plots.stored_forest_plot(table, "AUC", "model", "On blood")
    assert picture.alt == "AUC by model for cnmc: a, cnmc 0.80 [0.40, 0.90]; b, cnmc 0.70 [0.40, 0.90]."
    assert picture.caption == "On blood: stored result of a longer run."
    splits = stored(split=["by patient", "by image", "difference"], AUC=[0.6, 0.8, 0.5])
    assert "difference" not in plots.stored_forest_plot(splits, "AUC", "split", "On blood").alt


def test_detectors_are_drawn_on_real_blood_by_sensitivity_and_precision():
    table = stored(
        **{"trained on": "synthetic", "tested on": ["synthetic (new)", "Raabin", "BCCD", "BCCD", "BCCD"]},
        measure=["sensitivity", "sensitivity", "sensitivity", "precision", "AP at IoU 0.5"],
        value=[0.5, 0.8, 0.7, 0.6, 0.5],
    )
    picture = plots.stored_detector_plot(table, "On blood")
    assert picture.alt == (
        "share by detector for sensitivity and precision: BCCD: synthetic, sensitivity 0.70 [0.40, 0.90]; BCCD: "
        "synthetic, precision 0.60 [0.40, 0.90]; Raabin: synthetic, sensitivity 0.80 [0.40, 0.90]."
    )
    assert picture.caption == "On blood: stored result of a longer run."


def test_a_learning_curve_has_its_origin():
    picture = plots.stored_learning_curve(stored(learner="a", images=[10, 20], AUC=[0.6, 0.7]), "AUC", "On blood")
    assert "a, 10 images 0.60, 20 images 0.70" in picture.alt
    assert picture.caption == "On blood: stored result of a longer run."


def test_without_the_book_a_sentence_says_where_the_results_are():
    for shown in (
        plots.stored_forest_plot(None, "AUC", "model", "c"),
        plots.stored_learning_curve(None, "AUC", "c"),
        plots.stored_detector_plot(None, "c"),
    ):
        assert repr(shown) == "No figure: Results on real blood are on the results page of the book."
