"""Diagram of the stages of a network that a training leaves frozen and that it changes, drawn from the models."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from helpers.backbones import BackboneStage, backbone_stages
from helpers.backend import keras
from helpers.diagrams.canvas import BLUE, GREY, ORANGE, Box, Canvas
from helpers.plots.style import AccessibleFigure

LABELS = 27.0  # width of the column with the sizes of the stages
ROW = 0.62  # height of a row in inches


def frozen_and_trained(models: Mapping[str, keras.Model], pretrained: keras.Model) -> AccessibleFigure:
    """Draw the stages of one network in several trainings: frozen or trained, from which weights.

    Args:
        models: by the name of the training, models of :func:`helpers.backbones.fine_tuning_model` of one backbone that
            are not trained yet.
        pretrained: one of these models, or another, whose backbone has the pretrained weights.
    """
    columns = {name: backbone_stages(model) for name, model in models.items()}
    reference = backbone_stages(pretrained)
    height = ROW * (len(reference) + 2.6)
    canvas, step = Canvas(6.3, height), 100 / (len(reference) + 2.6)
    rows = [100 - step * (k + 1.4) for k in range(len(reference))]
    _label_rows(canvas, reference, rows)
    width = (100 - LABELS) / len(columns)
    for number, (name, stages) in enumerate(columns.items()):
        x = LABELS + width * (number + 0.5)
        canvas.label(x, 100 - 0.45 * step, name, bold=True)
        sizes = {"width": width - 3, "height": 0.66 * step}
        pairs = zip(stages, reference, rows, strict=True)
        boxes = [_draw_stage(canvas, stage, source, x, y, **sizes) for stage, source, y in pairs]
        for before, after in itertools.pairwise(boxes):
            canvas.arrow(before, after)
        canvas.label(x, 1.55 * step, f"{trained_parameters(models[name]):,}", size=8)
    canvas.label(LABELS - 2, 1.55 * step, "parameters trained", size=8, align="right")
    _draw_key(canvas, 0.6 * step)
    return canvas.finish(
        _describe(columns, reference),
        "One network, several trainings. A frozen stage computes, but training does not change it.",
    )


def trained_parameters(model: keras.Model) -> int:
    """Count the parameters that training changes."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def _label_rows(canvas: Canvas, stages: list[BackboneStage], rows: list[float]) -> None:
    """Write the size of every stage's output and its number of parameters at the left."""
    for stage, y in zip(stages, rows, strict=True):
        text = f"{_size(stage)}\n{stage.parameters:,} parameters"
        canvas.label(LABELS - 2, y, text, size=8, align="right")


def _draw_stage(
    canvas: Canvas, stage: BackboneStage, source: BackboneStage, x: float, y: float, *, width: float, height: float
) -> Box:
    """Draw one stage; its edge is dashed where it starts from random weights."""
    text, colour = ("trained", ORANGE) if stage.is_trained else ("frozen", BLUE)
    return canvas.box(x, y, width, height, text, colour=colour, dashed=not _has_weights_of(stage, source))


def _has_weights_of(stage: BackboneStage, source: BackboneStage) -> bool:
    """Return whether a stage has the pretrained weights; those of a classification head are random."""
    if len(source.shape) == 1:
        return False
    ours, theirs = stage.layers[0].get_weights()[0], source.layers[0].get_weights()[0]
    return np.array_equal(ours, theirs)


def _draw_key(canvas: Canvas, y: float) -> None:
    for x, dashed, text in ((8, False, "starts with pretrained weights"), (58, True, "starts with random weights")):
        canvas.box(x, y, 6, 3.4, colour=GREY, dashed=dashed)
        canvas.label(x + 5, y, text, size=8, align="left")


def _size(stage: BackboneStage) -> str:
    name = "head: " if len(stage.shape) == 1 else ""
    return name + " × ".join(str(extent) for extent in stage.shape)


def _describe(columns: Mapping[str, list[BackboneStage]], reference: list[BackboneStage]) -> str:
    sizes = "; ".join(_size(stage) for stage in reference)
    words = []
    for name, stages in columns.items():
        states = ["trained" if stage.is_trained else "frozen" for stage in stages]
        starts = ["pretrained" if _has_weights_of(*pair) else "random" for pair in zip(stages, reference, strict=True)]
        words.append(f"{name}: " + ", ".join(f"{a} from {b}" for a, b in zip(states, starts, strict=True)))
    return f"Stages of a network from image to classes, {sizes}. {'. '.join(words)}."
