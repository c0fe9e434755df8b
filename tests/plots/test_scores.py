"""Figures of scores show what their tables hold, and say it in words."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from helpers import metrics, plots
from helpers.plots.style import COLOURS

HEX = [colour.lower() for colour in COLOURS]


@pytest.fixture(scope="module")
def said():
    random = np.random.default_rng(0)
    group = np.repeat([f"P{k:02d}" for k in range(12)], 10)
    label = np.where(np.repeat(np.arange(12), 10) % 2 == 0, "ill", "well")
    ill = np.clip(random.normal(0.35 + 0.3 * (label == "ill"), 0.15), 0, 1)
    frame = pd.DataFrame({"group": group, "label": label}, index=[f"c{k}" for k in range(120)])
    return metrics.prediction_table(frame, np.stack([ill, 1 - ill], axis=1), ("ill", "well"), fold=0)


def in_legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def looks(artists):
    return {(to_hex(a.get_color()), a.get_marker(), str(a._dash_pattern), a.get_linestyle()) for a in artists}


def outline(band):
    """The lower and the upper edge of a band, by place."""
    corners = pd.DataFrame(band.get_paths()[0].vertices, columns=["x", "y"]).groupby("x")["y"]
    return corners.min().tolist(), corners.max().tolist()


def test_a_row_has_its_series_in_order_around_it_however_many_there_are():
    for count, step in ((1, 0.2), (3, 0.2), (5, 0.16), (20, 0.04)):
        table = pd.DataFrame(
            {"by": ["b", "a"] * count, "s": np.repeat([f"s{k:02d}" for k in range(count)], 2), "v": 0.5,
             "low": 0.4, "high": 0.6}
        )  # fmt: skip
        picture = plots.forest_plot(table, "v", "by", "s", "")
        ax = picture.figure.axes[0]
        places = np.array([series.lines[0].get_ydata() for series in ax.containers])
        assert np.allclose(np.diff(places, axis=0), step)
        assert places.mean(0) == pytest.approx([0, 1])
        assert places[:, 0].max() < 0.5
        assert picture.figure.get_size_inches()[1] == pytest.approx(0.9 + 0.84 * 0.2 / step)
        assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
        assert ax.get_yticks().tolist() == [0, 1]
        assert ax.yaxis_inverted()
        assert in_legend(ax) == sorted(set(table["s"]))
        assert len(looks(series.lines[0] for series in ax.containers)) == count


def test_a_series_that_lacks_a_row_is_drawn_at_the_rows_it_has():
    table = pd.DataFrame({"by": ["a", "b", "b"], "s": ["x", "x", "y"], "v": 0.5, "low": 0.4, "high": 0.6})
    ax = plots.forest_plot(table, "v", "by", "s", "").figure.axes[0]
    assert np.allclose(ax.containers[1].lines[0].get_ydata(), [1.1])


def test_loss_is_drawn_from_epoch_one_with_a_line_at_the_least_of_validation():
    history = pd.DataFrame({"epoch": [0, 1, 2], "loss": [0.9, 0.5, 0.2], "val_loss": [1.0, 0.6, 0.7]})
    picture = plots.loss_curves(history, "")
    ax = picture.figure.axes[0]
    training, validation, best = ax.get_lines()
    assert training.get_xydata().tolist() == [[1, 0.9], [2, 0.5], [3, 0.2]]
    assert validation.get_xydata().tolist() == [[1, 1.0], [2, 0.6], [3, 0.7]]
    assert list(best.get_xdata()) == [2, 2]
    assert (best.get_linestyle(), to_hex(best.get_color())) == (":", HEX[-1])
    assert [to_hex(line.get_color()) for line in (training, validation)] == HEX[:2]
    assert in_legend(ax) == ["training", "validation"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert picture.alt == (
        "Loss over 3 epochs; training falls from 0.90 to 0.20; validation is least, 0.60, after epoch 2."
    )


@pytest.mark.parametrize("last", [0.9, 1.4])
def test_a_loss_that_does_not_fall_is_not_said_to(last):
    history = pd.DataFrame({"epoch": [0, 1], "loss": [0.9, last], "val_loss": [1.0, 2.0]})
    assert f"training goes from 0.90 to {last:.2f};" in plots.loss_curves(history, "").alt


def test_limits_of_agreement_are_196_standard_deviations_about_the_mean_difference():
    predicted, true, groups = pd.Series([1.0, 2.0, 6.0]), pd.Series([1.0, 1.0, 4.0]), pd.Series(list("abc"))
    picture = plots.bland_altman_plot(predicted, true, "area", "", groups=groups)
    ax = picture.figure.axes[0]
    assert ax.collections[0].get_offsets().tolist() == [[1, 0], [1.5, 1], [5, 2]]
    assert to_hex(ax.collections[0].get_facecolor()[0]) == HEX[0]
    *levels, regression = ax.get_lines()
    assert [line.get_ydata()[0] for line in levels] == pytest.approx([1, 1 - 1.96, 1 + 1.96])
    assert [line.get_linestyle() for line in levels] == ["-", "--", "--"]
    assert {to_hex(line.get_color()) for line in levels} == {HEX[-1]}
    slope, intercept = np.polyfit([1, 1.5, 5], [0, 1, 2], 1)
    assert list(regression.get_ydata()) == pytest.approx([intercept + slope, intercept + 5 * slope])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mean area", "predicted − true")
    assert picture.alt == (
        "3 differences of predicted and true area against their mean: mean difference 1.000, limits of agreement "
        "-0.960 to 2.960, slope 0.421."
    )


def test_roc_curves_run_from_corner_to_corner_and_say_what_they_reach(said):
    curve = metrics.roc_curve(said, "ill", 0)
    picture = plots.roc_plot({"a": curve, "b": curve}, "A caption.")
    lines = picture.figure.axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [101, 101, 2]
    assert lines[0].get_ydata()[-1] == 1
    at = float(curve.loc[np.isclose(curve["false_positive_rate"], 0.2), "sensitivity"].iloc[0])
    assert f"a {at:.2f}; b {at:.2f}" in picture.alt
    assert picture.caption == "A caption."


def test_a_roc_curve_has_its_band_and_the_diagonal_of_chance():
    curve = pd.DataFrame(
        {
            "false_positive_rate": [0, 0.1, 0.3, 1],
            "sensitivity": [0, 0.5, 0.7, 1],
            "low": [0, 0.3, 0.6, 1],
            "high": [0.1, 0.8, 0.9, 1],
        }
    )
    picture = plots.roc_plot({"a": curve}, "")
    ax = picture.figure.axes[0]
    line, chance = ax.get_lines()
    assert line.get_xydata().tolist() == curve[["false_positive_rate", "sensitivity"]].to_numpy().tolist()
    assert chance.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert (to_hex(line.get_color()), line.get_linestyle(), chance.get_linestyle()) == (HEX[0], "-", ":")
    assert to_hex(chance.get_color()) == HEX[-1]
    assert outline(ax.collections[0]) == (curve["low"].tolist(), curve["high"].tolist())
    assert to_hex(ax.collections[0].get_facecolor()[0]) == HEX[0]
    assert in_legend(ax) == ["a", "chance"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("false positive rate, 1 − specificity", "sensitivity")
    assert picture.alt == "ROC curves with bands; sensitivity at a false positive rate of 0.2: a 0.60."


def test_bands_of_a_roc_curve_are_spoken_of_where_there_are_some_and_named_by_their_kind():
    curve = pd.DataFrame({"false_positive_rate": [0, 0.2], "sensitivity": [0, 0.5], "low": [0, 0.1], "high": [1, 0.9]})
    bare = curve.assign(low=np.nan, high=np.nan)
    assert plots.roc_plot({"a": bare}, "").alt == "ROC curves; sensitivity at a false positive rate of 0.2: a 0.50."
    picture = plots.roc_plot({"a": curve.assign(interval="range of groups"), "b": bare.assign(interval="95 %")}, "")
    assert picture.alt == (
        "ROC curves with bands; sensitivity at a false positive rate of 0.2: a (range of groups) 0.50; b 0.50."
    )
    assert in_legend(picture.figure.axes[0]) == ["a (range of groups)", "b", "chance"]


def test_precision_is_drawn_by_sensitivity_with_a_line_at_the_prevalence():
    curve = pd.DataFrame({"sensitivity": [0.5, 1], "precision": [0.9, 0.4], "low": [0.8, 0.3], "high": [1, 0.5]})
    empty = curve.assign(precision=np.nan, low=np.nan, high=np.nan)
    picture = plots.precision_recall_plot({"a": curve, "b": empty}, 0.25, "")
    ax = picture.figure.axes[0]
    line, chance = ax.get_lines()
    assert line.get_xydata().tolist() == [[0.5, 0.9], [1, 0.4]]
    assert set(chance.get_ydata()) == {0.25}
    assert (chance.get_linestyle(), to_hex(chance.get_color())) == (":", HEX[-1])
    assert outline(ax.collections[0]) == ([0.8, 0.3], [1.0, 0.5])
    assert in_legend(ax) == ["a", "chance: prevalence"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("sensitivity (recall)", "precision")
    assert picture.alt == (
        "Precision-recall curves with bands; precision at a sensitivity of 0.9: a 0.50; no curve of b. A dotted line "
        "at the prevalence, 0.25."
    )


def test_detectors_have_no_precision_of_chance():
    curve = pd.DataFrame({"sensitivity": [0, 1], "precision": [1, 0.8], "low": np.nan, "high": np.nan})
    picture = plots.precision_recall_plot({"a": curve}, None, "")
    assert in_legend(picture.figure.axes[0]) == ["a"]
    assert picture.alt == "Precision-recall curves; precision at a sensitivity of 0.9: a 0.82."


@pytest.mark.parametrize("count", [9, 15, 32])
def test_curves_of_many_classes_are_all_drawn_and_told_apart(count):
    names = [f"c{k:02d}" for k in range(count)]
    curve = pd.DataFrame({"false_positive_rate": [0, 1], "sensitivity": [0, 1], "low": [0, 1], "high": [0, 1]})
    ax = plots.roc_plot(dict.fromkeys(names, curve), "").figure.axes[0]
    assert in_legend(ax) == [*names, "chance"]
    assert len(looks(ax.get_lines())) == count + 1
    assert len(ax.collections) == count

    bins = pd.DataFrame({"probability": [0.5], "frequency": [0.5], "low": [0.4], "high": [0.6], "n": [9]})
    ax = plots.calibration_plot(dict.fromkeys(names, bins), "").figure.axes[0]
    assert in_legend(ax) == names
    assert len(looks(series.lines[0] for series in ax.containers)) == count

    table = pd.DataFrame(
        {"learner": names * 2, "images": [10] * count + [20] * count, "AUC": 0.5, "low": 0.4, "high": 0.6}
    )
    ax = plots.learning_curve_plot(table, "AUC", "").figure.axes[0]
    assert in_legend(ax) == names
    assert len(looks(ax.get_lines())) == count

    table = pd.DataFrame({"way": ["a", "b"] * count, "seed": np.repeat(names, 2), "F1": 0.5})
    ax = plots.seed_comparison(table, "F1", "way", "seed", "").figure.axes[0]
    assert in_legend(ax) == names
    assert len(looks(ax.get_lines())) == count

    ax = plots.line_plot(table, "F1", "way", "seed", "").figure.axes[0]
    assert in_legend(ax) == names
    assert len(looks(ax.get_lines())) == count


def test_reliability_names_every_bin(said):
    table = metrics.calibration_curve(said, "ill", 0)
    picture = plots.calibration_plot({"model": table}, "A caption.")
    for row in table.itertuples():
        shown = f"{row.probability:.2f} predicted, {row.frequency:.2f} observed (n={row.n})" in picture.alt
        assert shown == (row.n >= 5)
    n_small = int((table["n"] < 5).sum())
    assert n_small > 0
    assert picture.alt.endswith(f" Left out: {n_small} bins of fewer than 5 images.")
    ax, below = picture.figure.axes
    assert sum(len(series.lines[0].get_xdata()) for series in ax.containers[:2]) == len(table) - n_small
    assert ax.get_lines()[-1].get_xydata().tolist() == [[0, 0], [1, 1]]
    assert (ax.get_lines()[-1].get_linestyle(), to_hex(ax.get_lines()[-1].get_color())) == (":", HEX[-1])
    assert (below.get_xlabel(), ax.get_ylabel(), below.get_ylabel()) == (
        "mean predicted probability of the bin",
        "observed frequency",
        "images",
    )
    full, hollow = below.get_lines()
    drawn = sorted([*full.get_xydata().tolist(), *hollow.get_xydata().tolist()])
    assert drawn == table[["probability", "n"]].to_numpy().tolist()
    assert (len(hollow.get_xdata()), hollow.get_markerfacecolor()) == (n_small, "white")


def test_patients_are_shown_by_their_mean_and_wrong_sides_are_counted(said):
    patients = metrics.aggregate_by_group(said)
    threshold = pd.Series(float(patients["p_ill"].median()), patients.index)
    wrong = int(((patients["p_ill"] >= threshold) != (patients["label"] == "ill")).sum())
    picture = plots.patient_scores(said, "ill", threshold, "A caption.")
    assert f"of 12 patients, patients by their mean; {wrong} means are on the wrong side" in picture.alt
    few = plots.patient_scores(said, "ill", threshold, "A caption.", most=5)
    assert "of 5 patients" in few.alt


def test_a_patient_is_a_row_of_cells_with_a_mean_and_a_threshold():
    table = pd.DataFrame(
        {"group": list("aabbbc"), "label": ["ill"] * 2 + ["well"] * 4, "p_ill": [0.4, 1.0, 0.1, 0.2, 0.3, 0.5]}
    )
    threshold = pd.Series({"c": 0.5, "b": 0.6, "a": 0.75})
    picture = plots.patient_scores(table, "ill", threshold, "")
    ax = picture.figure.axes[0]
    drawn = [line.get_xydata().tolist() for line in ax.get_lines()]
    assert drawn[0] == [[0.1, 0], [0.2, 0], [0.3, 0]]
    assert drawn[1:3] == [[[pytest.approx(0.2), 0]], [[0.6, 0]]]
    assert drawn[3:6] == [[[0.5, 1]], [[0.5, 1]], [[0.5, 1]]]
    assert drawn[6:9] == [[[0.4, 2], [1.0, 2]], [[0.7, 2]], [[0.75, 2]]]
    assert drawn[9:] == [[], []]
    assert [line.get_marker() for line in ax.get_lines()] == [*(".", "o", "|") * 2, ".", "s", "|", "o", "s"]
    colours = [HEX[0], HEX[0], HEX[6]] * 2 + [HEX[1], HEX[1], HEX[6], HEX[0], HEX[1]]
    assert [to_hex(line.get_color()) for line in ax.get_lines()] == colours
    assert in_legend(ax) == ["other: mean of a patient", "ill: mean of a patient"]
    assert (ax.get_xlabel(), ax.get_ylabel(), list(ax.get_yticks())) == ("probability of ill", "patients", [])
    # c is well and at its threshold, a is ill and below: two are wrong.
    assert picture.alt == (
        "Probabilities of the cells of 3 patients, patients by their mean; 2 means are on the wrong side of their "
        "threshold."
    )
    assert picture.figure.get_size_inches()[1] == pytest.approx(0.8 + 3 * 0.14)


def test_only_the_patients_of_most_cells_are_shown():
    names = [f"p{k:02d}" for k in range(61)]
    table = pd.DataFrame({"group": [*names, *names[1:]], "label": "ill", "p_ill": 0.5})
    picture = plots.patient_scores(table, "ill", pd.Series(0.4, names), "")
    assert picture.alt.startswith("Probabilities of the cells of 60 patients, patients by their mean; 0 means")


def test_a_learning_curve_has_a_line_and_a_band_for_every_learner():
    table = pd.DataFrame(
        {
            "learner": ["b", "b", "a"],
            "images": [10, 20, 10],
            "AUC": [0.6, 0.8, 0.55],
            "low": [0.5, 0.7, 0.5],
            "high": 0.9,
        }
    )
    picture = plots.learning_curve_plot(table, "AUC", "A caption.")
    assert picture.alt == "AUC by number of training images: b, 10 images 0.60, 20 images 0.80; a, 10 images 0.55."
    by_patient = plots.learning_curve_plot(table, "AUC", "A caption.", "training patients")
    assert "b, 10 patients 0.60, 20 patients 0.80" in by_patient.alt
    ax = picture.figure.axes[0]
    assert [line.get_xydata().tolist() for line in ax.get_lines()] == [[[10, 0.6], [20, 0.8]], [[10, 0.55]]]
    assert outline(ax.collections[0]) == ([0.5, 0.7], [0.9, 0.9])
    assert [to_hex(band.get_facecolor()[0]) for band in ax.collections] == HEX[:2]
    assert in_legend(ax) == ["b", "a"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training images", "AUC")
    kinds = ["95 %", "range of groups", "range of groups"]
    picture = plots.learning_curve_plot(table.assign(interval=kinds), "AUC", "", "images per class")
    assert picture.figure.axes[0].get_xlabel() == "images per class"
    assert in_legend(picture.figure.axes[0]) == ["b (95 % interval or\nrange of groups)", "a (range of groups)"]
    assert picture.alt == (
        "AUC by number of images per class: b (95 % interval or range of groups), 10 images 0.60, 20 images 0.80; "
        "a (range of groups), 10 images 0.55."
    )


@pytest.mark.parametrize(
    ("numbers", "scale", "ticks"),
    [
        ([5, 10, 50, 80], "log", ["5", "10", "50", "80"]),
        ([60, 70, 600, 1440], "log", ["60", "600", "1,440"]),
        ([100, 200, 400], "linear", None),
    ],
)
def test_wide_range_of_training_images_is_spread(numbers, scale, ticks):
    table = pd.DataFrame({"learner": "a", "images": numbers, "AUC": 0.9, "low": 0.8, "high": 1.0})
    ax = plots.learning_curve_plot(table, "AUC", "").figure.axes[0]
    assert ax.get_xscale() == scale
    if ticks:
        assert [label.get_text() for label in ax.get_xticklabels()] == ticks


def test_a_confusion_matrix_shows_counts_and_shares_of_its_rows():
    counts = pd.DataFrame([[3, 1, 0], [0, 0, 0], [2, 0, 3]], list("xyz"), list("xyz"))
    picture = plots.confusion_plot(counts, "")
    ax = picture.figure.axes[0]
    image = ax.images[0]
    assert np.array_equal(image.get_array(), [[0.75, 0.25, 0], [0, 0, 0], [0.4, 0, 0.6]])
    assert (image.get_clim(), image.cmap.name) == ((0, 1), "Blues")
    words = {text.get_position(): text for text in ax.texts}
    assert [words[column, 0].get_text() for column in range(3)] == ["3\n75%", "1\n25%", "0"]
    assert [words[column, 2].get_text() for column in range(3)] == ["2\n40%", "0", "3\n60%"]
    assert [words[column, 0].get_color() for column in range(3)] == ["white", "black", "black"]
    assert words[2, 2].get_color() == "black"
    assert {(text.get_ha(), text.get_va()) for text in ax.texts} == {("center", "center")}
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == list("xyz")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")
    assert picture.alt == "Confusion matrix; recall: x 0.75 of 4, y 0.00 of 0, z 0.60 of 5."
    assert list(picture.figure.get_size_inches()) == pytest.approx([1.8 + 3 * 0.55, 1.3 + 3 * 0.45])


def test_runs_are_drawn_as_lines_across_ways():
    table = pd.DataFrame({"way": list("bbaa"), "seed": [1, 2, 1, 2], "F1": [0.5, 0.7, 0.9, 0.8]})
    picture = plots.seed_comparison(table, "F1", "way", "seed", "A caption.")
    assert picture.alt == "F1 of 2 runs by way, mean and range: b 0.60 (0.50 to 0.70); a 0.85 (0.80 to 0.90)."
    ax = picture.figure.axes[0]
    assert [line.get_xydata().tolist() for line in ax.get_lines()] == [[[0, 0.5], [1, 0.9]], [[0, 0.7], [1, 0.8]]]
    means = ax.collections[0]
    assert np.allclose(means.get_segments(), [[[-0.25, 0.6], [0.25, 0.6]], [[0.75, 0.85], [1.25, 0.85]]])
    assert to_hex(means.get_color()[0]) == HEX[6]
    assert ax.get_xticks().tolist() == [0, 1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b", "a"]
    assert ax.get_ylabel() == "F1"
    assert (ax.get_legend().get_title().get_text(), in_legend(ax)) == ("seed", ["1", "2"])
    assert picture.figure.get_size_inches()[0] == pytest.approx(3.2 + 0.57)  # and the legend


def test_lines_go_from_step_to_step_in_the_order_given():
    table = pd.DataFrame(
        {
            "layer": ["b", "a", "c", "c", "b"],
            "method": ["x", "x", "x", "y", "y"],
            "agreement": [0.9, 0.4, 0.1, 0.7, 1.0],
        }
    )
    picture = plots.line_plot(table, "agreement", "layer", "method", "A caption.")
    assert picture.alt == "agreement over 3 steps of layer: x from 0.90 to 0.10; y from 1.00 to 0.70."
    ax = picture.figure.axes[0]
    first, second = ax.get_lines()
    assert first.get_xydata().tolist() == [[0, 0.9], [1, 0.4], [2, 0.1]]
    assert np.array_equal(second.get_ydata(), [1.0, np.nan, 0.7], equal_nan=True)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b", "a", "c"]
    assert ax.get_xticks().tolist() == [0, 1, 2]
    assert (ax.get_xlabel(), ax.get_ylabel(), in_legend(ax)) == ("layer", "agreement", ["x", "y"])
    assert picture.figure.get_size_inches()[0] == pytest.approx(1.6 + 3 * 0.42 + 0.57)  # and the legend


def test_a_cost_stands_beside_its_score_in_the_row_of_its_method():
    table = pd.DataFrame(
        {"method": ["a", "b"], "F1": [0.9, 0.5], "low": [0.8, 0.4], "high": [0.95, 0.6], "s": [3.0, 70]}
    )
    picture = plots.cost_plot(table, "F1", "s", "method", "A caption.")
    scores, costs = picture.figure.axes
    assert [label.get_text() for label in scores.get_yticklabels()] == ["a", "b"]
    assert scores.containers[0].lines[0].get_xdata().tolist() == [0.9, 0.5]
    assert [(bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in costs.patches] == [(3, 0), (70, 1)]
    assert [text.get_text() for text in costs.texts] == ["3", "70"]
    assert picture.alt == "F1 and s: a 0.90, 3 s; b 0.50, 70 s."
