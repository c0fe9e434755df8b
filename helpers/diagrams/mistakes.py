"""Diagram of chapter *Trust*: where each mistake enters the path from patients to a number."""

from __future__ import annotations

import itertools

from helpers.diagrams.canvas import BLUE, GREEN, ORANGE, PINK, Canvas
from helpers.plots.style import AccessibleFigure

# Stages from the patients to the reader, and what can go wrong at each, by its number in the chapter.
STAGES = {
    "patients": ("12 another stain",),
    "images\nand labels": ("1 labels by position", "4 the same cell twice", "11 a shortcut"),
    "split": ("2 copies before the split", "3 patients on both sides"),
    "training\nand choice": ("5 epoch chosen on the test", "6 model chosen on the test"),
    "test images": ("7 blue, green, red", "8 another scaling"),
    "measure": ("9 ROC from hard predictions", "14 a rare class"),
    "interval\nand report": ("10 times that leave work out", "13 copies counted"),
}
_COLOURS = (BLUE, BLUE, GREEN, GREEN, ORANGE, PINK, PINK)


def where_mistakes_enter() -> AccessibleFigure:
    """Draw the path from patients to a number, with the mistakes that enter at each stage."""
    canvas = Canvas(5.5, 6.6)
    step = 100 / len(STAGES)
    boxes = []
    for k, ((stage, mistakes), colour) in enumerate(zip(STAGES.items(), _COLOURS, strict=True)):
        y = 100 - step * (k + 0.5)
        boxes.append(canvas.box(17, y, 30, 8.6, stage, colour=colour))
        canvas.arrow((46, y), (33, y), colour=colour)
        for row, mistake in enumerate(mistakes):
            canvas.label(48, y + 3.4 * ((len(mistakes) - 1) / 2 - row), mistake, align="left")
    for upper, lower in itertools.pairwise(boxes):
        canvas.arrow(upper, lower)
    listed = "; ".join(f"{' '.join(stage.split())}: {', '.join(names)}" for stage, names in STAGES.items())
    return canvas.finish(
        f"Seven boxes from top to bottom, joined by arrows, and beside each the mistakes that enter there. {listed}.",
        "A number is the end of a long path, and a mistake can enter at each stage of it.",
    )
