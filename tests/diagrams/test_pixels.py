"""The numbers in the diagram are those of the image."""

import numpy as np
import pytest
from layout import misplaced, text_boxes

from helpers.diagrams.pixels import find_edge, pixels


@pytest.fixture
def image():
    """Light on the left and dark on the right of column 20, with other values in each channel."""
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, :20] = 250, 240, 230
    picture[:, 20:] = 80, 30, 110
    return picture


def test_the_piece_lies_on_the_edge(image):
    row, column = find_edge(image)
    assert (column < 20 < column + 4, 9 <= row <= 27) == (True, True)


def test_each_grid_shows_the_values_of_its_channel(image):
    drawn = [text for text, _ in text_boxes(pixels(image).figure)]
    names = [drawn.index(name) for name in ("red", "green", "blue")]
    row, column = find_edge(image)
    piece = image[row : row + 4, column : column + 4]
    for position, start in enumerate(names):
        assert drawn[start + 1 : start + 17] == [str(value) for value in piece[..., position].ravel()]


@pytest.mark.parametrize("shape", [(40, 40), (40, 64), (90, 40)])
def test_no_text_leaves_the_figure_whatever_the_shape_of_the_image(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    figure = pixels(picture)
    assert misplaced(figure.figure) == []
    assert figure.alt.startswith(f"A cell of {shape[0]} × {shape[1]} pixels, 4 × 4 of these enlarged")
