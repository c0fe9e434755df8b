"""Figures of counts and of detected cells show the numbers of the tables that they are drawn from."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from helpers import metrics, plots
from helpers.plots.counts import half_width

CLASSES = ["neutrophil", "lymphocyte", "lymphoblast"]
SIDES = ["left", "top", "right", "bottom"]


def differential(n_patients):
    names = np.repeat(CLASSES, [60, 35, 5])
    cells = pd.concat(pd.DataFrame({"group": f"P{k}", "predicted_class": names}) for k in range(n_patients))
    return metrics.differential_count(cells, CLASSES)


def drawn_texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_the_width_of_an_interval_is_that_of_wilson_and_falls_with_the_cells():
    low, high = metrics.wilson_interval(5, 100)
    assert half_width(0.05, 100) == pytest.approx(100 * (high - low) / 2)
    figure = plots.interval_width_plot("A caption.", shares=(0.05, 0.6))
    assert figure.alt == (
        "Half the width of the 95 % interval of a share, in percentage points, falls with the number of cells from 20 "
        "to 1,000. With 100 and 200 cells: 5 % ± 4.5 and ± 3.1; 60 % ± 9.4 and ± 6.7."
    )
    (ax,) = figure.figure.axes
    lines = [line for line in ax.get_lines() if line.get_linestyle() == "-" and len(line.get_xdata()) > 2]
    assert len(lines) == 2
    for line in lines:
        assert (np.diff(line.get_ydata()) < 0).all()
    assert {" 100 cells", " 200 cells", " 5 %", " 60 %", "share"} == set(drawn_texts(figure.figure))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["20", "50", "100", "200", "500", "1,000"]


def test_a_differential_is_drawn_per_patient_with_interval_and_true_share():
    table = differential(3)
    truth = pd.DataFrame({"group": "P1", "class": CLASSES, "share": [0.5, 0.4, 0.1]})
    figure = plots.differential_plot(table, truth, "A caption.")
    low, high = (100 * np.array(metrics.wilson_interval(5, 100))).round()
    patient = f"100 cells: neutrophil 60 [50, 69], lymphocyte 35 [26, 45], lymphoblast 5 [{low:.0f}, {high:.0f}]"
    known = patient.replace("69]", "69], true 50").replace("45]", "45], true 40") + ", true 10"
    assert figure.alt == (
        "Share of each class in per cent with its 95 % interval and the true share, by patient. "
        f"P0, {patient}; P1, {known}; P2, {patient}."
    )
    shown = [ax for ax in figure.figure.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["P0, 100 cells", "P1, 100 cells", "P2, 100 cells"]
    strokes = [line for line in shown[1].get_lines() if line.get_marker() == "|" and line.get_label() == "true share"]
    assert strokes[0].get_xdata() == pytest.approx([50, 40, 10])
    legend = [text.get_text() for text in figure.figure.legends[0].get_texts()]
    assert sorted(legend) == ["counted share, 95 % interval", "true share"]


def test_without_true_shares_none_is_drawn():
    figure = plots.differential_plot(differential(1), None, "A caption.")
    assert "true" not in figure.alt
    assert [text.get_text() for text in figure.figure.legends[0].get_texts()] == ["counted share, 95 % interval"]


def test_what_is_no_white_blood_cell_has_no_share_and_is_left_out():
    table = pd.concat([differential(1), pd.DataFrame([{"group": "P0", "class": "smudge", "n": 7}])], ignore_index=True)
    assert "smudge" not in plots.differential_plot(table, None, "A caption.").alt


def test_too_many_patients_and_no_patient_have_a_sentence():
    with pytest.raises(ValueError, match="at most 8 patients fit into a figure, got 9; select some of them"):
        plots.differential_plot(differential(9), None, "A caption.")
    nothing = plots.differential_plot(differential(1)[:0], None, "A caption.")
    assert repr(nothing) == "No figure: no cell was counted, so there is no differential."


@pytest.fixture
def matches():
    """In field a one cell is found, one missed and one box invented; in b the only cell is found at a low score."""
    true = pd.DataFrame([(10, 20, 30, 40), (60, 60, 80, 80), (5, 5, 25, 25)], columns=SIDES)
    detected = pd.DataFrame([(11, 20, 30, 41), (2, 0, 12, 9), (5, 6, 25, 25)], columns=SIDES)
    return metrics.match_detections(
        detected.assign(image_id=["a", "a", "b"], score=[0.9, 0.8, 0.3]), true.assign(image_id=["a", "a", "b"])
    )


FIELDS = {name: np.full((100, 100, 3), 200, np.uint8) for name in "ab"}


def test_found_missed_and_invented_cells_are_counted_and_labelled(matches):
    figure = plots.field_grid(FIELDS, matches, "A caption.")
    assert figure.alt == (
        "2 fields with the boxes of white blood cells. a: 1 found, 1 missed, 1 invented; b: 1 found, 0 missed, "
        "0 invented."
    )
    assert drawn_texts(figure.figure) == ["missed", "invented"]
    first = figure.figure.axes[0]
    boxes = [patch for patch in first.patches if isinstance(patch, Rectangle)][1::2]  # each has a white line below it
    assert [box.get_xy() for box in boxes] == [(10.5, 19.5), (59.5, 59.5), (1.5, -0.5)]
    assert len({(box.get_edgecolor(), box.get_linestyle()) for box in boxes}) == 3
    assert [text.get_text() for text in figure.figure.legends[0].get_texts()] == ["found", "missed", "invented"]


def test_a_threshold_turns_a_found_cell_into_a_missed_one(matches):
    figure = plots.field_grid({"b": FIELDS["b"]}, matches, "A caption.", threshold=0.5)
    assert figure.alt == "1 field with the boxes of white blood cells. b: 0 found, 1 missed, 0 invented."


def test_no_field_has_a_sentence(matches):
    assert repr(plots.field_grid({}, matches, "A caption.")) == "No figure: there are no fields."
