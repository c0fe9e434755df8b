"""Diagrams of how a network learns: its loop, a graph of five nodes, receptive fields, and a small network."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, PINK, SKY, YELLOW, Canvas
from helpers.plots.style import FONT_SIZE, AccessibleFigure

FIELD_COLOURS = (ORANGE, GREEN, PINK, BLUE, YELLOW, SKY)


def training_loop() -> AccessibleFigure:
    """Draw one step of training: from a batch forward to the loss, and back to new weights."""
    canvas = Canvas(6.3, 3.4)
    batch = canvas.box(12, 75, 20, 20, "batch\nof images", colour=GREY)
    network = canvas.box(41, 75, 22, 20, "network\nwith weights", colour=BLUE)
    prediction = canvas.box(72, 75, 22, 20, "predicted\nprobability", colour=BLUE)
    label = canvas.box(92, 38, 14, 18, "true\nlabel", colour=GREY)
    loss = canvas.box(72, 38, 18, 18, "loss", colour=ORANGE)
    gradient = canvas.box(41, 38, 22, 18, "gradient: slope\nfor each weight", colour=ORANGE)
    canvas.arrow(batch, network)
    canvas.arrow(network, prediction, "forward")
    canvas.arrow(prediction, loss, "compare")
    canvas.arrow(label, loss)
    canvas.arrow(loss, gradient, "back")
    canvas.arrow(gradient, network, "optimiser:\na small step downhill")
    canvas.label(41, 8, "one turn = one step;  all training images seen once = one epoch", size=9)
    return canvas.finish(
        "A loop. A batch of images enters the network with its weights, which predicts a probability; the loss "
        "compares it with the true label; backpropagation turns the loss into a gradient, a slope for each weight; the "
        "optimiser takes a small step downhill and changes the weights. One turn is a step, all images once an epoch.",
        "One step of training. The rest of this chapter builds each box, then lets the loop run.",
    )


def computation_graph(values: Mapping[str, float], gradients: Mapping[str, float]) -> AccessibleFigure:
    """Draw the graph of five nodes that turns an input into a loss, with values above and gradients below.

    Args:
        values: of the inputs ``x``, ``w``, ``v`` and ``y`` and of the nodes ``u``, ``h``, ``z``, ``p`` and ``L``.
        gradients: derivative of the loss by each of ``u``, ``h``, ``z``, ``p``, ``w`` and ``v``.
    """
    canvas = Canvas(6.5, 3.9)
    centres = (10, 30, 50, 70, 90)
    texts = ("u = w · x", "h = ReLU(u)", "z = v · h", "p = σ(z)", "L = −ln p")
    nodes = [
        canvas.box(x, 55, 14, 15, text, colour=ORANGE if name == "L" else BLUE, size=8)
        for x, text, name in zip(centres, texts, "uhzpL", strict=True)
    ]
    for node, name in zip(nodes, "uhzpL", strict=True):
        canvas.label(node.x, 68, f"{values[name]:.3f}", size=9, bold=True)
        if name in gradients:
            canvas.label(node.x, 41, f"{gradients[name]:+.3f}", size=9, colour=ORANGE, bold=True)
    for before, after in itertools.pairwise(nodes):
        canvas.arrow((before.x + 7, 58), (after.x - 7, 58))
        canvas.arrow((after.x - 7, 51), (before.x + 7, 51), colour=ORANGE, dashed=True)
    for node, name in ((nodes[0], "w"), (nodes[2], "v")):
        weight = canvas.box(node.x, 90, 18, 11, f"weight {name} = {values[name]:g}", colour=GREEN, size=8)
        canvas.arrow(weight, (node.x, 72))
        canvas.label(node.x, 27, f"∂L/∂{name} = {gradients[name]:+.3f}", size=9, colour=ORANGE, bold=True)
        canvas.arrow((node.x, 37), (node.x, 30), colour=ORANGE, dashed=True)
    canvas.label(30, 90, f"input x = {values['x']:g}", size=8)
    canvas.label(88, 90, f"true label y = {values['y']:g}", size=8)
    canvas.label(50, 12, "black, left to right: values      orange, right to left: ∂L/∂ each node", size=8)
    steps = ", ".join(f"{name} {values[name]:.3f}" for name in "uhzpL")
    slopes = ", ".join(f"{name} {gradients[name]:+.3f}" for name in "pzhuvw")
    return canvas.finish(
        f"Five nodes in a row. Forward, from x = {values['x']:g} with w = {values['w']:g} and v = {values['v']:g}: "
        f"{steps}. Backward, the derivatives of the loss: {slopes}.",
        "Values run forward, gradients backward: each node multiplies what arrives from the right by its own slope.",
    )


def receptive_field(image: np.ndarray, sides: Mapping[str, int]) -> AccessibleFigure:
    """Draw on an image the square that one value of each layer sees.

    Args:
        image: ``uint8 (side, side, 3)``.
        sides: side of the receptive field in pixels by name of the layer, ascending.
    """
    canvas = Canvas(6.3, 4.2)
    draw_receptive_fields(canvas, image, {f"{name}: {side} × {side}": side for name, side in sides.items()})
    words = ", ".join(f"{name} {side} by {side}" for name, side in sides.items())
    return canvas.finish(
        f"A cell of {image.shape[1]} by {image.shape[0]} pixels with nested squares, what one value of a layer sees: "
        f"{words} pixels.",
        "The receptive field grows from layer to layer, though no kernel is larger than 3 × 3.",
    )


def draw_receptive_fields(canvas: Canvas, image: np.ndarray, sides: Mapping[str, int]) -> None:
    """Draw an image with nested squares, and beside it a key; a square as large as the image is not drawn.

    Args:
        canvas: empty canvas, about three units wide to two units high.
        image: ``uint8 (side, side, 3)``.
        sides: side of the square in pixels by its label in the key, at most six.
    """
    shown = canvas.image(32, 50, 59, image)
    for number, ((label, side), colour) in enumerate(zip(sides.items(), FIELD_COLOURS, strict=False)):
        share, y = side / image.shape[0], 84 - 17 * number
        if share < 1:
            canvas.rectangle(shown.x, shown.y, share * shown.width, share * shown.height, colour=colour)
        canvas.rectangle(67, y, 3.5, 5.5, colour=colour, filled=True)
        canvas.label(71, y, label, align="left", size=FONT_SIZE)


def network_flow(shapes: Sequence[tuple[str, tuple[int, ...]]]) -> AccessibleFigure:
    """Draw the layers of a small network from top to bottom, with the size of what each passes on.

    Args:
        shapes: name of the layer and shape of its output for one image, from the input on.
    """
    canvas = Canvas(6.3, 0.55 * len(shapes) + 0.3)
    step = 100 / (len(shapes) + 0.4)
    boxes = []
    for number, (name, shape) in enumerate(shapes):
        y = 100 - step * (number + 0.7)
        width = 18 + 2.6 * np.log2(prod(shape))  # 1 to 33,856 numbers make 18 to 57
        colour = BLUE if len(shape) == 3 else ORANGE
        boxes.append(canvas.box(32, y, width, 0.62 * step, name, colour=colour, size=9))
        size = " × ".join(f"{extent:,}" for extent in shape)
        count = f" = {prod(shape):,} numbers" if len(shape) > 1 else ""
        canvas.label(64, y, f"{size}{count}", align="left", size=8)
    for before, after in itertools.pairwise(boxes):
        canvas.arrow(before, after)
    words = "; ".join(f"{name} {' by '.join(map(str, shape))}" for name, shape in shapes)
    return canvas.finish(
        f"The layers from input to output with the size of what they pass on: {words}.",
        "Blue: maps, height × width × channels. Orange: plain lists of numbers, without a place in the image.",
    )
