"""Diagrams of a U-Net, drawn from a model and what it computes for one image."""

from __future__ import annotations

import numpy as np

from helpers.backend import keras
from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, Box, Canvas
from helpers.diagrams.learning import draw_receptive_fields
from helpers.markup import join_words
from helpers.models import Stage, encoder_receptive_fields, unet_stages
from helpers.plots.style import AccessibleFigure

ENCODER_X, DECODER_X, MIDDLE_X = 25.0, 75.0, 50.0
TOP, BOTTOM = 83.0, 10.5
TILE = 13.0  # width of a feature map
SHOWN = 3  # feature maps of a level that are drawn, one behind the other


def unet_levels(model: keras.Model, image: np.ndarray) -> AccessibleFigure:
    """Draw a U-Net with the feature maps of one image at every level, its skip connections and receptive fields.

    Args:
        model: model of :func:`helpers.models.unet`, with skip connections.
        image: ``uint8 (size, size, 3)`` RGB.
    """
    canvas, stages = Canvas(5.4, 6.6), unet_stages(model, image)
    depth = len(stages) // 2
    rows = np.linspace(TOP, BOTTOM, depth + 1)
    positions = [(ENCODER_X, y) for y in rows[:-1]] + [(MIDDLE_X, BOTTOM)] + [(DECODER_X, y) for y in rows[-2::-1]]
    boxes = [_draw_stage(canvas, stage, *position) for stage, position in zip(stages, positions, strict=True)]
    _draw_ends(canvas, boxes, image, model)
    _draw_arrows(canvas, boxes, depth)
    canvas.label(ENCODER_X, 97, "encoder", bold=True, colour=BLUE)
    canvas.label(DECODER_X, 97, "decoder", bold=True, colour=ORANGE)
    canvas.label(MIDDLE_X, BOTTOM + 9.5, "bottleneck", bold=True)
    return canvas.finish(
        _describe(stages, depth),
        "Down the encoder maps become smaller and more, up the decoder larger and fewer; skip connections carry the "
        "fine maps across. Three maps of each level are drawn, those that vary most.",
    )


def receptive_fields(model: keras.Model, image: np.ndarray) -> AccessibleFigure:
    """Draw on an image the squares that one value of each encoder level depends on.

    Args:
        model: model of :func:`helpers.models.unet`.
        image: ``uint8 (size, size, 3)`` RGB.
    """
    canvas, fields, side = Canvas(5.0, 3.2), encoder_receptive_fields(model), image.shape[0]
    names = [f"level {number}" for number in range(1, len(fields))] + ["bottleneck"]
    reaches = [f"{field} × {field} px" if field < side else f"{field} px: whole image" for field in fields]
    labels = [f"{name}\n{reach}" for name, reach in zip(names, reaches, strict=True)]
    draw_receptive_fields(canvas, image, dict(zip(labels, fields, strict=True)))
    words = join_words([f"{name} {field}" for name, field in zip(names, fields, strict=True)])
    return canvas.finish(
        f"Receptive fields on an image of {side} pixels, side of the square in pixels: {words}.",
        "One value of a deeper level depends on a larger square of the image: it sees more, and less exactly where.",
    )


def _draw_stage(canvas: Canvas, stage: Stage, x: float, y: float) -> Box:
    """Draw the most variable maps of a level as a stack, with its size below, and return the box of the stack."""
    varying = np.argsort(stage.activations.std(axis=(0, 1)))[-SHOWN:]
    for behind, channel in enumerate(varying):
        shift = SHOWN - 1 - behind
        front = canvas.image(x + 1.1 * shift, y + 0.9 * shift, TILE, stage.activations[..., channel])
        canvas.rectangle(front.x, front.y, front.width, front.height, colour=GREY)
    height, width, channels = stage.activations.shape
    canvas.label(x - 1, y - front.height / 2 - 1.8, f"{height} × {width} × {channels}", size=8)
    if stage.receptive_field:
        canvas.label(x - TILE / 2 - 1, y, f"sees\n{stage.receptive_field} px", align="right", size=8, colour=BLUE)
    return Box(x + 1.1, y + 0.9, front.width + 2.2, front.height + 1.8)


def _draw_ends(canvas: Canvas, boxes: list[Box], image: np.ndarray, model: keras.Model) -> None:
    """Draw the image above the encoder and the predicted mask above the decoder, beside their titles."""
    mask = np.asarray(model(image[None], training=False))[0].argmax(-1).astype(np.uint8)
    first, last = boxes[0], boxes[-1]
    source = canvas.image(7, first.y + 5.5, 11, image)
    target = canvas.image(94, last.y + 5.5, 11, mask)
    canvas.label(source.x, source.y + source.height / 2 + 1.8, "image", size=8)
    canvas.label(target.x, target.y + target.height / 2 + 1.8, "mask", size=8)
    canvas.arrow(source, (first.x - first.width / 2, first.y + 4))
    canvas.arrow((last.x + last.width / 2, last.y + 4), target)


def _draw_arrows(canvas: Canvas, boxes: list[Box], depth: int) -> None:
    for level in range(depth):
        left, right = boxes[level], boxes[-1 - level]
        canvas.arrow(left, right, "skip connection" if level == 0 else "skip", colour=GREEN)
    for number in range(depth - 1):
        _down(canvas, boxes[number], boxes[number + 1], colour=BLUE)
        _up(canvas, boxes[-2 - number], boxes[-1 - number], colour=ORANGE)
    canvas.arrow(boxes[depth - 1], boxes[depth], colour=BLUE)
    canvas.arrow(boxes[depth], boxes[depth + 1], colour=ORANGE)
    canvas.label(18, BOTTOM + 1, "blue: pooling\nhalves the side", size=8, colour=BLUE)
    canvas.label(84, BOTTOM + 1, "orange: transposed\nconvolution\ndoubles it", size=8, colour=ORANGE)


def _down(canvas: Canvas, start: Box, end: Box, *, colour: str) -> None:
    x = start.x + start.width / 2 - 0.6
    canvas.arrow((x, start.y - start.height / 2 - 1), (x, end.y + end.height / 2), colour=colour)


def _up(canvas: Canvas, start: Box, end: Box, *, colour: str) -> None:
    x = start.x + start.width / 2 - 0.6
    canvas.arrow((x, start.y + start.height / 2), (x, end.y - end.height / 2 - 1), colour=colour)


def _describe(stages: list[Stage], depth: int) -> str:
    sizes = ["{} × {} × {}".format(*stage.activations.shape) for stage in stages]
    fields = join_words([stage.receptive_field for stage in stages[: depth + 1]])
    return (
        f"U-Net, height × width × channels of its maps: encoder {join_words(sizes[:depth])}; bottleneck "
        f"{sizes[depth]}; decoder {join_words(sizes[depth + 1 :])}. {depth} arrows lead across from encoder to "
        f"decoder, the skip connections. Receptive fields from the first level to the bottleneck: {fields} pixels."
    )
