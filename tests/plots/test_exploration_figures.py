"""Figures that explore a dataset draw what their sentences speak of."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, plots


def vertical_lines(ax):
    return [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]


def test_each_display_range_clips_the_picture_and_is_marked_in_the_histogram():
    channel = np.repeat(np.arange(0, 200, 2, dtype=np.uint8), 10).reshape(20, 50)
    figure = plots.display_range_plot(channel, {"whole": (0, 255), "dark": (50, 149)}, "Two ranges.")
    axes = figure.figure.axes
    assert [ax.images[0].get_clim() for ax in axes[:2]] == [(0, 255), (50, 149)]
    assert [vertical_lines(ax) for ax in axes[2:]] == [[0, 255], [50, 149]]
    assert "whole, in which 0% of the pixels lie outside the lines; dark, in which 50%" in figure.alt


def test_cells_are_outlined_in_the_order_of_their_ratio():
    data = datasets.load("synthetic", n_images=5, n_patients=1, size=64)
    ratios = pd.Series([0.5, 0.2, 0.9, 0.2, 0.7], data.frame.index)
    figure = plots.ordered_contours(data, ratios, "In order.", n_images=3)
    assert [ax.get_title() for ax in figure.figure.axes] == ["1. N:C 0.20", "2. N:C 0.50", "3. N:C 0.90"]
    assert len(plots.ordered_contours(data, ratios, "All five.").figure.axes) == 6  # two rows of three
    assert repr(plots.ordered_contours(data, ratios[:0], "None.")) == "No figure: no image has a mask with a cell."


@pytest.mark.parametrize("larger", ["blast", "normal"])
def test_a_rule_has_two_dashed_lines_and_its_alt_text_counts_the_corner(larger):
    label = np.array(["blast", "normal"] * 4)
    high = label == larger
    cells = pd.DataFrame({"label": label, "cell_area": 0.1 + 0.2 * high, "nucleus_to_cell_area": 0.5 + 0.3 * high})
    figure = plots.rule_scatter(cells, pd.Series({"cell_area": 0.2, "nucleus_to_cell_area": 0.6}), "Two lines.")
    (ax,) = figure.figure.axes
    assert vertical_lines(ax) == [0.2]
    assert [line.get_ydata()[0] for line in ax.lines] == [0, 0.6]
    assert f"{int(larger == 'blast'):.0%} of blast, {int(larger == 'normal'):.0%} of normal" in figure.alt


def test_one_class_needs_no_rule():
    cells = pd.DataFrame({"label": "a", "cell_area": [0.1, 0.2], "nucleus_to_cell_area": [0.5, 0.6]})
    thresholds = pd.Series({"cell_area": 0.2, "nucleus_to_cell_area": 0.6})
    assert "are not known of two classes" in repr(plots.rule_scatter(cells, thresholds, "One class."))
