"""Boxes, arrows and images of diagrams."""

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch

from helpers.diagrams.canvas import BLUE, Box, Canvas, tint
from helpers.plots.style import COLOURS


def luminance(colour):
    """The relative luminance of WCAG."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot([0.2126, 0.7152, 0.0722], channels))


def arrow_ends(canvas):
    (arrow,) = [patch for patch in canvas.axes.patches if isinstance(patch, FancyArrowPatch)]
    return arrow._posA_posB


def test_an_arrow_runs_from_edge_to_edge():
    canvas = Canvas(4, 2)
    left, right = canvas.box(20, 50, 10, 20), canvas.box(80, 50, 20, 20)
    canvas.arrow(left, right)
    assert arrow_ends(canvas) == [(25, 50), (70, 50)]


def test_an_arrow_may_point_at_a_point():
    canvas = Canvas(4, 2)
    canvas.arrow((5, 5), canvas.box(50, 50, 10, 10))
    assert arrow_ends(canvas) == [(5, 5), (45, 45)]


@pytest.mark.parametrize(
    ("target", "edge"), [((50, 90), (50, 60)), ((90, 50), (60, 50)), ((60, 60), (60, 60)), ((50, 50), (50, 50))]
)
def test_a_line_leaves_a_box_where_it_crosses_its_edge(target, edge):
    assert Box(50, 50, 20, 20).edge_towards(*target) == edge


def test_an_image_has_square_pixels():
    canvas = Canvas(6, 3)
    box = canvas.image(50, 50, 10, np.zeros((20, 40, 3), np.uint8))
    width, height = box.width / 100 * 6, box.height / 100 * 3
    assert width == pytest.approx(2 * height)
    assert canvas.axes.get_xlim() == (0, 100)


def test_text_on_a_box_has_enough_contrast():
    ink = luminance([0x22 / 255] * 3)
    contrast = [(luminance(tint(colour)) + 0.05) / (ink + 0.05) for colour in COLOURS]
    assert min(contrast) >= 7


def test_a_diagram_is_a_figure_with_alt_text_and_caption():
    canvas = Canvas(3, 1)
    canvas.box(50, 50, 80, 60, "a long text that wraps", wrap=10)
    figure = canvas.finish("One box.", "Look at the box.")
    assert (repr(figure), figure.caption) == ("Figure: One box.", "Look at the box.")
    assert [text.get_text() for text in canvas.axes.texts] == ["a long\ntext that\nwraps"]


def test_a_bent_arrow_has_its_label_on_the_bend():
    canvas = Canvas(6, 3)
    canvas.arrow((30, 50), (70, 50), "up", bend=-0.5, colour=BLUE)
    (label,) = canvas.axes.texts
    assert label.get_position() == (50, 70)  # a quarter of 2.4 inches is a fifth of the height
