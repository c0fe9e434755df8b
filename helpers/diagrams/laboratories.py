"""Diagram of chapter *Another laboratory*: a model that moves, and what may help it or warn of it."""

from __future__ import annotations

from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, PINK, Canvas
from helpers.plots.style import AccessibleFigure

REMEDIES = {
    "images": "crop,\nstain normalisation,\nred cells as reference",
    "training": "stain augmentation,\na few labels\nof the target",
    "features": "align moments\nor correlations",
    "answer": "prediction set,\ndistance,\nrefer to an expert",
}


def moving_a_model() -> AccessibleFigure:
    """Draw the path from two laboratories through one model to an answer, with what can be done at each stage."""
    canvas = Canvas(5.8, 4.6)
    source = canvas.box(17, 88, 30, 16, "source:\nimages with labels", colour=BLUE)
    target = canvas.box(17, 62, 30, 16, "target:\nimages", colour=ORANGE)
    features = canvas.box(50, 75, 20, 14, "features")
    model = canvas.box(73, 75, 16, 14, "model")
    answer = canvas.box(93, 75, 13, 14, "answer", colour=GREEN)
    for first, second in ((source, features), (target, features), (features, model), (model, answer)):
        canvas.arrow(first, second, colour=GREY)
    canvas.label(50, 40, "What can be done at each stage:")
    for number, (stage, words) in enumerate(REMEDIES.items()):
        x = 12.5 + 25 * number
        canvas.box(x, 17, 23.5, 30, f"{stage}\n\n{words}", colour=PINK if stage == "answer" else BLUE, size=7.5)
    listed = "; ".join(f"{stage}: {' '.join(words.split())}" for stage, words in REMEDIES.items())
    return canvas.finish(
        "Images with labels of a source laboratory and images of a target laboratory become features; a model, trained "
        f"on the source, gives an answer for both. Below, what can be done at each stage: {listed}.",
        "A model is trained in one laboratory and used in another. Help can enter at four stages.",
    )
