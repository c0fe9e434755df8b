"""Figures of brightness say in their alt text what they show, and draw a line at every threshold."""

import numpy as np
import pytest

from helpers import datasets, plots, preprocessing


@pytest.fixture(scope="module")
def cell():
    data = datasets.load("synthetic", n_images=1, n_patients=1, size=64)
    return data.load_images(64)[0], data.load_masks(64)[0]


def lines(ax):
    """Positions of the vertical lines of an axes."""
    return [line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1]


def test_every_channel_has_a_panel_with_its_name(cell):
    figure = plots.channel_grid(preprocessing.channels_of(cell[0]), "Nine channels.")
    assert [ax.get_title() for ax in figure.figure.axes][:4] == ["red", "green", "blue", "hue"]
    assert figure.alt.startswith("One cell in 9 channels, in grey: red, green, blue, hue")


@pytest.mark.parametrize("with_mask", [True, False])
def test_thresholds_are_lines_in_the_histogram_and_outlines_above_it(cell, with_mask):
    image, mask = cell
    figure = plots.threshold_plot(image, {"low": 60, "high": 200}, "Two cuts.", mask if with_mask else None)
    histogram = figure.figure.axes[-1]
    assert lines(histogram) == [60, 200]
    assert sum(patch.get_height() for patch in histogram.patches[-64:]) <= 1 + 1e-9
    labels = [text.get_text() for text in histogram.get_legend().get_texts()]
    assert labels == (["background", "cytoplasm", "nucleus"] if with_mask else []) + ["low", "high"]
    assert ("divided into background, cytoplasm and nucleus" in figure.alt) == with_mask
    assert figure.alt.endswith("at the thresholds: low 60 and high 200.")


def test_each_image_stands_above_its_histogram_with_its_threshold(cell):
    image, _ = cell
    figure = plots.histogram_panels({"whole": image, "part": image[:16]}, {"whole": 100, "part": 180}, "Two.")
    assert [lines(ax) for ax in figure.figure.axes[2:]] == [[100], [180]]
    assert figure.alt.endswith("whole, Otsu's threshold 100; part, Otsu's threshold 180.")


def test_the_criterion_is_drawn_with_its_maximum_in_words():
    criterion = np.full(256, np.nan)
    criterion[50:200] = 10 - np.abs(np.arange(50, 200) - 90) / 20
    channel = np.repeat(np.array([50, 200], np.uint8), 32).reshape(8, 8)
    figure = plots.criterion_plot(channel, criterion, 90, "The top.")
    assert lines(figure.figure.axes[1]) == [90]
    assert "highest at 90. A line marks Otsu's threshold, 90, in both." in figure.alt


def test_the_triangle_stands_on_the_top_of_the_histogram_and_its_farther_end():
    channel = np.repeat(np.array([40, 150, 200, 210], np.uint8), [1, 3, 10, 2]).reshape(4, 4)
    figure = plots.triangle_plot(channel, 150, "The line.")
    side, cut = figure.figure.axes[0].lines
    assert side.get_xydata().tolist() == [[40, 1 / 16], [200, 10 / 16]]
    assert list(cut.get_xdata()) == [150, 150]
    assert "its top at 200 and its farther end at 40" in figure.alt
    assert "the triangle method, 150, between them" in figure.alt
