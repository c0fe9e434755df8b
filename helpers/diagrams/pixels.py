"""An image as numbers: from a cell to a few of its pixels, and from a pixel to red, green and blue."""

from __future__ import annotations

import numpy as np

from helpers.diagrams.canvas import BLUE, GREEN, INK, ORANGE, Box, Canvas
from helpers.plots.style import FONT_SIZE, AccessibleFigure

PATCH = 4  # pixels along each side of the enlarged piece
WIDTH, HEIGHT = 4.8, 4.3  # inches
CHANNELS = (("red", ORANGE), ("green", GREEN), ("blue", BLUE))


def pixels(image: np.ndarray) -> AccessibleFigure:
    """Draw an image, a piece of 4 × 4 of its pixels, and the numbers of this piece in each colour channel.

    Args:
        image: ``uint8 (height, width, 3)`` RGB with sides of at least 12 pixels; of an oblong image the central square
            is drawn. The piece is the one in the middle of the image whose values of green differ most, such as an edge
            of the nucleus.
    """
    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    image = image[top : top + side, left : left + side]
    row, column = find_edge(image)
    piece = image[row : row + PATCH, column : column + PATCH]
    canvas = Canvas(WIDTH, HEIGHT)
    shown = canvas.image(24, 69, 46, image)
    enlarged = canvas.image(77, 69, 34, piece)
    _mark(canvas, shown, row, column, side)
    canvas.arrow(shown, enlarged, colour=INK)
    canvas.label(24, 97, f"image: {height} × {width} pixels")
    canvas.label(77, 91, f"{PATCH} × {PATCH} of its pixels")
    for position, (name, colour) in enumerate(CHANNELS):
        _numbers(canvas, 18 + 32 * position, name, colour, piece[..., position])
    means = ", ".join(f"{name} {piece[..., k].mean():.0f}" for k, (name, _) in enumerate(CHANNELS))
    return canvas.finish(
        f"A cell of {height} × {width} pixels, {PATCH} × {PATCH} of these enlarged, and the numbers "
        f"of this piece in three grids, one for each colour channel; their means are {means}.",
        "An image is a grid of pixels, and a pixel is three numbers: how much red, green and blue light it sends.",
    )


def find_edge(image: np.ndarray) -> tuple[int, int]:
    """Find first row and column of the piece in the middle of an image whose values of green differ most."""
    green = image[..., 1].astype(int)
    windows = np.lib.stride_tricks.sliding_window_view(green, (PATCH, PATCH))
    differences = windows.max(axis=(2, 3)) - windows.min(axis=(2, 3))
    top, left = (side // 4 for side in differences.shape)
    middle = differences[top:-top, left:-left]
    row, column = np.unravel_index(np.argmax(middle), middle.shape)
    return top + int(row), left + int(column)


def _mark(canvas: Canvas, shown: Box, row: int, column: int, side: int) -> None:
    """Draw a square around the enlarged piece of an image with ``side`` pixels along each side."""
    x = shown.x + ((column + PATCH / 2) / side - 0.5) * shown.width
    y = shown.y - ((row + PATCH / 2) / side - 0.5) * shown.height
    canvas.rectangle(x, y, PATCH / side * shown.width, PATCH / side * shown.height, colour=INK)


def _numbers(canvas: Canvas, x: float, name: str, colour: str, values: np.ndarray) -> None:
    """Draw one colour channel as a grid of numbers, centred on ``x``."""
    step, top = 7.2, 28.5
    canvas.label(x, top + 7, name, colour=colour, bold=True)
    for (row, column), value in np.ndenumerate(values):
        left, level = x + (column - (PATCH - 1) / 2) * step, top - row * step
        canvas.rectangle(left, level, step, step, colour=colour)
        canvas.label(left, level, str(value), size=FONT_SIZE - 1)
