"""Diagrams of chapter *Count*: from a field to a report, and what the network of cell centres learns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, Box, Canvas
from helpers.markup import join_words
from helpers.plots.style import AccessibleFigure

STEPS = {  # what can go wrong, by step
    "field": "scale,\nfocus, stain",
    "detect": "missed and\ninvented cells",
    "crop": "cells at\nthe border",
    "classify": "another class,\nanother stain",
    "refer": "doubtful cells\nthat pass",
    "differential": "too few cells,\nall of one field",
    "report": "no interval,\nno flag",
}
N_UPPER = 4  # steps in the upper row, which runs to the right; the others run back below it
STEP_HEIGHT, TROUBLE_HEIGHT = 10, 12
PALE = 0.65  # share of white in the enlarged cell, so that arrows stand out
SIDES = ("left", "top", "right", "bottom")


def counting_pipeline() -> AccessibleFigure:
    """Draw the path from a field to a report, what can go wrong at each step, and where an expert enters."""
    canvas = Canvas(5.4, 4.8)
    steps, troubles = {}, {}
    for number, (step, trouble) in enumerate(STEPS.items()):
        x = 12 + 25.3 * number if number < N_UPPER else 87.9 - 37.95 * (number - N_UPPER)
        y = 94 if number < N_UPPER else 57
        steps[step] = canvas.box(x, y, 21, STEP_HEIGHT, step)
        below = y - (STEP_HEIGHT + TROUBLE_HEIGHT) / 2 - 0.5
        troubles[step] = canvas.box(x, below, 23, TROUBLE_HEIGHT, trouble, colour=ORANGE, dashed=True, size=8)
    for first, second in pairwise(steps):
        start = troubles[first] if first == "classify" else steps[first]
        canvas.arrow(start, steps[second], colour=GREY)
    expert = canvas.box(49.95, 9, 24, 12, "expert", colour=GREEN)
    for step, words in (("refer", "referred cells"), ("report", "flagged patients")):
        canvas.arrow(troubles[step], expert, words)
    canvas.arrow(expert, troubles["differential"], "corrections")
    listed = "; ".join(f"{step}: {' '.join(trouble.split())}" for step, trouble in STEPS.items())
    return canvas.finish(
        f"The path of a count in {len(STEPS)} steps, each with what can go wrong: {listed}. An expert gets the "
        "referred cells and the flagged patients, and gives corrections, from which the differential is counted anew.",
        "From a field to a report; dashed, what can go wrong at each step. An error is carried on to all later steps.",
    )


def centre_targets(patch: np.ndarray, boxes: np.ndarray, target: np.ndarray) -> AccessibleFigure:
    """Draw a patch of a field with its boxes, the heat map that the network learns, and the distances of one point.

    Args:
        patch: ``uint8 (size, size, 3)`` RGB, square, such as 32 µm of a field.
        boxes: boxes of the white blood cells in pixels of the patch, ``float (n, 4)``: left, top, right and bottom;
            what reaches beyond the patch is cut off.
        target: ``float32 (rows, columns, channels)`` from :func:`helpers.counting.network.encode_boxes`: heat, the
            distances to the left, top, right and bottom side in points of the grid (1 µm), and their weight.

    Raises:
        ValueError: no point of the target has a weight, as no cell lies in the patch.
    """
    if not target[..., 5].any():
        raise ValueError("no point of the target has distances; give a patch with at least one white blood cell")
    stride = patch.shape[0] // target.shape[0]
    row, column = _shown_point(target)
    canvas = Canvas(5.2, 5.5)
    seen = canvas.image(25, 73.5, 45, patch)
    heat = canvas.image(76, 73.5, 45, target[..., 0])
    canvas.label(25, 97, "patch with boxes", bold=True)
    canvas.label(76, 97, "target: heat on the 1 µm grid", bold=True)
    height, width = patch.shape[:2]
    for left, top, right, bottom in np.clip(boxes, 0, [width, height, width, height]):
        if right > left and bottom > top:
            corner, opposite = _place(seen, left / width, top / height), _place(seen, right / width, bottom / height)
            _draw_box(canvas, corner, opposite)
    x, y = _place(heat, (column + 0.5) / target.shape[1], (row + 0.5) / target.shape[0])
    canvas.axes.plot(x, y, "x", color=ORANGE, markersize=7, markeredgewidth=2)
    sides = target[row, column, 1:5]
    _draw_sides(canvas, patch, (row, column), sides, stride)
    _write_point(canvas, target[row, column])
    n_cells = int((target[..., 0] > 0.999).sum())
    distances = join_words([f"{distance:.1f} µm to the {side}" for side, distance in zip(SIDES, sides, strict=True)])
    cells = "1 white blood cell" if n_cells == 1 else f"{n_cells} white blood cells"
    return canvas.finish(
        f"Three pictures: a patch of {width} × {height} pixels with {cells} in boxes; the target on a grid of "
        f"{target.shape[1]} × {target.shape[0]} points, where heat falls from 1 at the middle of each cell to 0; and "
        f"one cell enlarged, with arrows from one point of the grid, of heat {target[row, column, 0]:.2f}, to the "
        f"sides of its box: {distances}.",
        "What the network learns at each point of the grid: how near the middle of a cell is and, near it, how far "
        "away the four sides of its box are.",
    )


def _shown_point(target: np.ndarray) -> tuple[int, int]:
    """Return row and column of the point that has distances and is farthest off the middle of its cell."""
    weight = np.where(target[..., 5] > 0, target[..., 5], np.inf)
    row, column = np.unravel_index(int(weight.argmin()), weight.shape)
    return int(row), int(column)


def _place(shown: Box, across: float, down: float) -> tuple[float, float]:
    """Return the place on the canvas of a point of an image, given in shares of its width and height from the top."""
    return shown.x + (across - 0.5) * shown.width, shown.y + (0.5 - down) * shown.height


def _draw_box(canvas: Canvas, corner: tuple[float, float], opposite: tuple[float, float]) -> None:
    (left, top), (right, bottom) = corner, opposite
    canvas.rectangle((left + right) / 2, (top + bottom) / 2, right - left, top - bottom, colour=BLUE)


def _draw_sides(canvas: Canvas, patch: np.ndarray, point: tuple[int, int], sides: np.ndarray, stride: int) -> None:
    """Draw the cell of a point enlarged and pale, with its box and an arrow to each side."""
    x, y = (point[1] + 0.5) * stride, (point[0] + 0.5) * stride
    left, top, right, bottom = np.array([x, y, x, y]) + stride * sides * (-1, -1, 1, 1)
    half = int(np.ceil(0.6 * max(right - left, bottom - top)))
    middle = round((left + right) / 2), round((top + bottom) / 2)
    padded = np.pad(patch, ((half, half), (half, half), (0, 0)), constant_values=255)
    crop = padded[middle[1] : middle[1] + 2 * half, middle[0] : middle[0] + 2 * half]
    pale = (PALE * 255 + (1 - PALE) * crop).astype(np.uint8)
    shown = canvas.image(25, 22.5, 45, pale)

    def on_canvas(across: float, down: float) -> tuple[float, float]:
        return _place(shown, (across - middle[0] + half) / (2 * half), (down - middle[1] + half) / (2 * half))

    _draw_box(canvas, on_canvas(left, top), on_canvas(right, bottom))
    start = on_canvas(x, y)
    for side, end in zip(SIDES, ((left, y), (x, top), (right, y), (x, bottom)), strict=True):
        canvas.arrow(start, on_canvas(*end), side)
    canvas.axes.plot(*start, "x", color=ORANGE, markersize=8, markeredgewidth=2)
    canvas.label(25, 46.5, "distances of one point", bold=True)


def _write_point(canvas: Canvas, values: np.ndarray) -> None:
    """Write the heat and the distances that the network learns at a point."""
    canvas.label(55, 40, "target at the point ×", bold=True, align="left")
    lines = [("heat", f"{values[0]:.2f}")]
    lines += [(f"to the {side} side", f"{value:.1f} µm") for side, value in zip(SIDES, values[1:5], strict=True)]
    for number, (name, value) in enumerate(lines):
        canvas.label(55, 33 - 6 * number, name, align="left")
        canvas.label(98, 33 - 6 * number, value, align="right")
