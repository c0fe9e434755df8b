"""Explorer of occlusion: a square covers a part of a cell, and the prediction changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.explorers.explorer import Explorer, image_values, render
from helpers.explorers.inputs import check_image

MAX_PLACES = 1_600  # of the square in an image: 40 x 40
DECIMALS = 4


def occlusion(
    predict: Callable[[np.ndarray], np.ndarray],
    images: Mapping[str, np.ndarray],
    class_name: str,
    *,
    side: int,
    step: int = 2,
) -> Explorer:
    """Show images with a square that covers a part of them, and the probability that is predicted with it.

    The square has the mean colour of the image. The reader moves it by sliders, by the arrow keys, or by pointing at
    the image, jumps to the place that changes the probability most, and shows the changes of all places as colours.
    All probabilities are computed here; the page needs no model.

    Args:
        predict: function from images ``uint8 (n, height, width, 3)`` to the probability of one class ``(n,)``.
        images: one or more images ``uint8 (height, width, 3)`` RGB by name, of one size, sides of 8 to 128 pixels.
        class_name: class of the probability.
        side: side of the square, pixels.
        step: pixels between neighbouring places.

    Raises:
        ValueError: there is no image, their sizes differ, or the square has no place in them or more than 1,600.

    Example:
        >>> from helpers import datasets, explorers
        >>> cell = datasets.load("synthetic", n_images=1, n_patients=1)
        >>> brightness = lambda batch: batch.mean((1, 2, 3)) / 255
        >>> images = {"a cell": cell.load_images(48)[0]}
        >>> print(repr(explorers.occlusion(brightness, images, "blast", side=10))[:44])
        Explorer: the probability of blast with a sq
    """
    if not images:
        raise ValueError("there is no image; give at least one by its name")
    for image in images.values():
        check_image(image)
    shapes = {image.shape[:2] for image in images.values()}
    if len(shapes) > 1:
        raise ValueError(f"images must have one size, got {sorted(shapes)}; use images.resize_pad")
    height, width = shapes.pop()
    rows, columns = (len(range(0, extent - side + 1, step)) for extent in (height, width))
    if not 0 < rows * columns <= MAX_PLACES:
        raise ValueError(
            f"a square of {side} pixels has {rows * columns} places in steps of {step}, not 1 to {MAX_PLACES}; "
            "give another side or step"
        )
    cells = [_cell_values(predict, name, image, side=side, step=step) for name, image in images.items()]
    return render(
        "occlusion",
        "Cover a part of the cell",
        f"the probability of {class_name} with a square of {side} pixels at {rows} x {columns} places of a cell.",
        {
            "width": width, "height": height, "side": side, "step": step, "rows": rows, "columns": columns,
            "name": class_name, "cells": cells,
        },
    )  # fmt: skip


def _cell_values(
    predict: Callable[[np.ndarray], np.ndarray], name: str, image: np.ndarray, *, side: int, step: int
) -> dict[str, Any]:
    """Return an image, its mean colour, and its probabilities without the square and with it, row after row."""
    colour = image.mean((0, 1)).round().astype(np.uint8)
    covered = [image]
    for top in range(0, image.shape[0] - side + 1, step):
        for left in range(0, image.shape[1] - side + 1, step):
            copy = image.copy()
            copy[top : top + side, left : left + side] = colour
            covered.append(copy)
    whole, *places = np.round(np.asarray(predict(np.stack(covered)), float), DECIMALS).tolist()
    pixels = image_values(image, None)
    return {"name": name, "rgb": pixels["rgb"], "colour": colour.tolist(), "whole": whole, "places": places}
