"""Figures of scores show what their tables hold, and say it in words."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics, plots


@pytest.fixture(scope="module")
def said():
    random = np.random.default_rng(0)
    group = np.repeat([f"P{k:02d}" for k in range(12)], 10)
    label = np.where(np.repeat(np.arange(12), 10) % 2 == 0, "ill", "well")
    ill = np.clip(random.normal(0.35 + 0.3 * (label == "ill"), 0.15), 0, 1)
    frame = pd.DataFrame({"group": group, "label": label}, index=[f"c{k}" for k in range(120)])
    return metrics.predictions(frame, np.stack([ill, 1 - ill], axis=1), ("ill", "well"), 0)


def test_roc_curves_run_from_corner_to_corner_and_say_what_they_reach(said):
    curve = metrics.roc_curve(said, "ill", 0)
    picture = plots.roc({"a": curve, "b": curve}, "A caption.")
    lines = picture.figure.axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [101, 101, 2]
    assert lines[0].get_ydata()[-1] == 1
    at = float(curve.loc[np.isclose(curve["fall_out"], 0.2), "sensitivity"].iloc[0])
    assert f"a {at:.2f}; b {at:.2f}" in picture.alt
    assert picture.caption == "A caption."


def test_reliability_names_every_bin(said):
    table = metrics.reliability(said, "ill", 0)
    picture = plots.reliability({"model": table}, "A caption.")
    for row in table.itertuples():
        assert f"{row.probability:.2f} came true in {row.frequency:.2f}" in picture.alt


def test_patients_are_shown_by_their_mean_and_wrong_sides_are_counted(said):
    patients = metrics.by_group(said)
    threshold = pd.Series(float(patients["p_ill"].median()), patients.index)
    wrong = int(((patients["p_ill"] >= threshold) != (patients["label"] == "ill")).sum())
    picture = plots.by_patient(said, "ill", threshold, "A caption.")
    assert f"of 12 patients, patients by their mean; {wrong} means are on the wrong side" in picture.alt
    few = plots.by_patient(said, "ill", threshold, "A caption.", most=5)
    assert "of 5 patients" in few.alt


def test_a_learning_curve_has_a_line_for_every_learner():
    table = pd.DataFrame(
        {"learner": ["a", "a", "b"], "images": [10, 20, 10], "AUC": [0.6, 0.8, 0.55], "low": 0.5, "high": 0.9}
    )
    picture = plots.learning_curve(table, "AUC", "A caption.")
    assert picture.alt == "AUC by number of training images: a, 10 images 0.60, 20 images 0.80; b, 10 images 0.55."
    assert len(picture.figure.axes[0].get_lines()) == 2


def test_a_confusion_matrix_shows_counts_and_says_what_is_right(said):
    picture = plots.confusion(metrics.confusion(said), "A caption.")
    counts = metrics.confusion(said)
    shown = [text.get_text().split("\n")[0] for text in picture.figure.axes[0].texts]
    assert shown == [str(n) for n in counts.to_numpy().ravel()]
    assert f"ill {counts.at['ill', 'ill'] / 60:.2f} of 60" in picture.alt


def test_runs_are_drawn_as_lines_across_ways():
    table = pd.DataFrame({"way": list("aabb"), "seed": [1, 2, 1, 2], "F1": [0.5, 0.7, 0.9, 0.8]})
    picture = plots.paired(table, "F1", "way", "seed", "A caption.")
    assert picture.alt == "F1 of 2 runs by way, mean and range: a 0.60 (0.50 to 0.70); b 0.85 (0.80 to 0.90)."
    assert [list(line.get_ydata()) for line in picture.figure.axes[0].get_lines()] == [[0.5, 0.9], [0.7, 0.8]]


def test_lines_go_from_step_to_step_in_the_order_given():
    table = pd.DataFrame({"layer": ["b", "a"] * 2, "method": ["x", "x", "y", "y"], "agreement": [0.9, 0.1, 1.0, 1.0]})
    picture = plots.lines(table, "agreement", "layer", "method", "A caption.")
    assert picture.alt == "agreement over 2 steps of layer: x from 0.90 to 0.10; y from 1.00 to 1.00."
    assert [label.get_text() for label in picture.figure.axes[0].get_xticklabels()] == ["b", "a"]


def test_points_have_a_panel_per_column_and_grey_for_what_is_rare():
    table = pd.DataFrame({"across": range(9), "down": range(9), "label": list("aaabbbccc"), "group": list("abcdefghi")})
    picture = plots.points(table, ["label", "group"], "A caption.")
    assert picture.alt == "9 images as points of a plane, coloured by label and by group (3 points in grey)."
    assert len(picture.figure.axes) == 2
