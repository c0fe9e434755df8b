"""A diagram of where attribution methods take their numbers in a classifier, drawn from the model and an image."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from helpers.backend import keras, layers
from helpers.diagrams.canvas import BLUE, GREEN, ORANGE, Box, Canvas
from helpers.explain import last_conv_layer, layer_activations
from helpers.plots.style import AccessibleFigure

ROW = 60.0  # height of the pictures on the canvas
OCCLUSION = "Occlusion changes the image and reads the score."
GRAD_CAM = "Grad-CAM goes back from the score to the last map."
GRADIENTS = "Integrated gradients go back to the pixels."


def where_methods_read(model: keras.Model, image: np.ndarray) -> AccessibleFigure:
    """Draw a classifier from the image to the score, and how far back each of three methods goes.

    Args:
        model: from :func:`helpers.explain.logits_model`.
        image: ``uint8 (size, size, 3)`` RGB.
    """
    fine_map = layer_activations(model, image[None], _first_activation(model))[0]
    final_map = layer_activations(model, image[None], last_conv_layer(model))[0]
    shown = {"image": image, "a fine map": fine_map, "last map": final_map}
    canvas = Canvas(5.2, 4.2)
    boxes = [_draw_maps(canvas, 12 + 26.5 * k, title, maps) for k, (title, maps) in enumerate(shown.items())]
    boxes.append(canvas.box(91, ROW, 15, 14, "score\n(logit)"))
    for start, end in pairwise(boxes):
        canvas.arrow(start, end)
    n_levels = _levels_in_head(model)
    if n_levels > 1:
        _draw_bypass(canvas, boxes[1], boxes[-1])
    _draw_methods(canvas, boxes)
    sizes = "; ".join(f"{title} {_size(maps)}" for title, maps in shown.items())
    head = (
        f"The head reads {n_levels} maps, finer ones past the last one"
        if n_levels > 1
        else "The head reads the last map alone"
    )
    return canvas.finish(
        f"A classifier from left to right: {sizes}; score. {head}. {OCCLUSION} {GRAD_CAM} {GRADIENTS}",
        "Where each method takes its numbers. What reaches the score past the last map is not in Grad-CAM.",
    )


def _draw_maps(canvas: Canvas, x: float, title: str, maps: np.ndarray) -> Box:
    """Draw an image, or the channel of a feature map that varies most, below its title and size."""
    picture = maps if maps.dtype == np.uint8 else maps[..., maps.std(axis=(0, 1)).argmax()]
    box = canvas.image(x, ROW, 18, picture)
    canvas.label(x, ROW + box.height / 2 + 7.5, title, bold=True)
    canvas.label(x, ROW + box.height / 2 + 3, _size(maps), size=8)
    return box


def _draw_bypass(canvas: Canvas, fine: Box, score: Box) -> None:
    """Draw the way of the finer maps past the last one, above the pictures."""
    corner, top = fine.x + 13, 91.0
    canvas.arrow((corner, ROW + 2), (corner, top), dashed=True)
    canvas.arrow((corner, top), (score.x, top), "finer maps reach this head too", dashed=True)
    canvas.arrow((score.x, top), (score.x, ROW + score.height / 2), dashed=True)


def _draw_methods(canvas: Canvas, boxes: list[Box]) -> None:
    """Draw below the pictures where each method begins and how far it goes."""
    image, _, last, score = boxes
    ways = [(OCCLUSION, image, score, GREEN), (GRAD_CAM, score, last, ORANGE), (GRADIENTS, score, image, BLUE)]
    for number, (text, start, end, colour) in enumerate(ways):
        y = 36 - 13 * number
        canvas.arrow((start.x, y), (end.x, y), colour=colour)
        canvas.label(50, y - 4.5, text, size=8.5, colour=colour)


def _first_activation(model: keras.Model) -> str:
    return next(layer.name for layer in model.layers if isinstance(layer, layers.ReLU | layers.Activation))


def _levels_in_head(model: keras.Model) -> int:
    """Count the feature maps that the classifier averages."""
    return sum(isinstance(layer, layers.GlobalAveragePooling2D) for layer in model.layers)


def _size(maps: np.ndarray) -> str:
    return " × ".join(map(str, maps.shape))
