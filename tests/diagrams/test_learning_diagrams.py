"""Diagrams of how a network learns hold the values that they are given."""

import numpy as np
import pytest

from helpers.diagrams import learning

VALUES = {"x": 2, "y": 1, "w": 0.5, "v": 1.5, "u": 1, "h": 1, "z": 1.5, "p": 0.8176, "L": 0.2014}
SLOPES = {"p": -1.223, "z": -0.182, "h": -0.274, "u": -0.274, "w": -0.547, "v": -0.182}


def texts(diagram):
    return [text.get_text() for text in diagram.figure.axes[0].texts]


def test_the_loop_has_a_box_for_each_part_of_a_step():
    shown = texts(learning.training_loop())
    assert {"batch\nof images", "network\nwith weights", "loss", "true\nlabel", "forward", "back"} <= set(shown)


def test_the_graph_shows_every_value_and_every_slope():
    diagram = learning.computation_graph(VALUES, SLOPES)
    shown = texts(diagram)
    assert [f"{VALUES[name]:.3f}" in shown for name in "uhzpL"] == [True] * 5
    assert {"∂L/∂w = -0.547", "∂L/∂v = -0.182", "-1.223", "weight w = 0.5", "input x = 2"} <= set(shown)
    assert "u 1.000, h 1.000, z 1.500, p 0.818, L 0.201" in diagram.alt


@pytest.mark.parametrize("size", [16, 48])
def test_squares_have_the_size_of_the_receptive_field_on_the_image(size):
    diagram = learning.receptive_field(np.zeros((size, size, 3), np.uint8), {"first": 3, "second": 8})
    axes = diagram.figure.axes[0]
    shown = axes.images[0].get_extent()
    squares = [patch for patch in axes.patches if patch.get_facecolor()[3] == 0]
    shares = [patch.get_width() / (shown[1] - shown[0]) for patch in squares]
    assert shares == pytest.approx([3 / size, 8 / size])
    assert [patch.get_height() / (shown[3] - shown[2]) for patch in squares] == pytest.approx(shares)
    assert "second: 8 × 8" in texts(diagram)


def test_the_flow_has_a_box_a_size_and_an_arrow_for_each_layer():
    shapes = [("image", (48, 48, 3)), ("Conv2D", (46, 46, 16)), ("Flatten", (3200,)), ("Dense", (1,))]
    diagram = learning.network_flow(shapes)
    shown = texts(diagram)
    assert {"Conv2D", "46 × 46 × 16 = 33,856 numbers", "3,200", "1"} <= set(shown)
    widths = [patch.get_width() for patch in diagram.figure.axes[0].patches if hasattr(patch, "get_boxstyle")]
    assert len(diagram.figure.axes[0].patches) == 4 + 3
    assert "Dense 1" in diagram.alt
    assert widths[1] > widths[0] > widths[3]
