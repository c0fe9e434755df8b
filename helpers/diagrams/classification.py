"""Diagrams of chapter *Classify*: cell, film and patient; what errors cost; what broken models look like."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, PINK, Canvas
from helpers.plots.notice import short_label
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, make_axes

LEVELS = (
    ("CELL", "Is it a lymphoblast?", "asked in this chapter", "the label of\nthe picture", BLUE),
    ("FILM", "Does somebody have\nto look at it?", "many cells, of several kinds", "the film review", GREEN),
    ("PATIENT", "Is it leukaemia?", "no picture decides that", "marrow, immuno-\nphenotype, genetics", PINK),
)
N_SIMULATED = 200  # cells of each class in a simulated model


def cell_film_patient() -> AccessibleFigure:
    """Draw the three levels at which one can ask, and what answers the question at each."""
    canvas = Canvas(4.8, 4.6)
    canvas.label(12, 96, "level", bold=True)
    canvas.label(47, 96, "question", bold=True)
    canvas.label(84, 96, "judged by", bold=True)
    boxes = []
    for (level, question, remark, judge, colour), y in zip(LEVELS, (79, 48, 17), strict=True):
        boxes.append(canvas.box(12, y, 22, 20, level, colour=colour))
        canvas.label(47, y + 3, question)
        canvas.label(47, y - 7, remark, size=8, colour="#555555")
        canvas.label(84, y, judge)
    canvas.arrow(boxes[0], boxes[1])
    canvas.arrow(boxes[1], boxes[2])
    rows = [f"{level.lower()}: {question}, judged by {judge}" for level, question, _, judge, _ in LEVELS]
    words = "; ".join(rows).replace("-\n", "").replace("\n", " ")
    return canvas.finish(
        f"Three levels, one above the other, joined by arrows. {words}.",
        "A cell is not a film, and a film is not a diagnosis.",
    )


def error_costs(positive: str, other: str) -> AccessibleFigure:
    """Draw the four outcomes of a decision between two classes, and what each leads to.

    Args:
        positive: name of the class that must not be missed.
        other: name of the other class.
    """
    canvas = Canvas(4.8, 4.2)
    names = [short_label(name, width=12, lines=2) for name in (positive, other)]
    outcomes = (
        (40, 62, "true positive", "found: somebody\nlooks in time", GREEN),
        (79, 62, "false negative", "missed: found late,\nor not at all", ORANGE),
        (40, 22, "false positive", "false alarm: somebody\nlooks for nothing", ORANGE),
        (79, 22, "true negative", "nobody is\nbothered", GREEN),
    )
    canvas.label(40, 91, "predicted positive", bold=True)
    canvas.label(79, 91, "predicted negative", bold=True)
    for y, name in zip((62, 22), names, strict=True):
        canvas.label(10, y, f"really\n{name}", bold=True)
    for x, y, name, consequence, colour in outcomes:
        canvas.box(x, y, 36, 34, "", colour=colour)
        canvas.label(x, y + 9, name, bold=True)
        canvas.label(x, y - 5, consequence)
    words = "; ".join(f"{name}, {text}" for _, _, name, text, _ in outcomes).replace("\n", " ")
    return canvas.finish(
        f"A table of four boxes. Rows: really {positive}, really {other}; columns: predicted positive, predicted "
        f"negative. {words}.",
        "Four outcomes; two of them are errors, and they do not cost the same.",
    )


def broken_models(seed: int) -> AccessibleFigure:
    """Draw scores and ROC curves of four simulated models: one that works, one at chance, an inverted and a collapsed.

    Args:
        seed: random seed of the simulated scores.
    """
    figure, axes = make_axes(4.8, 7.6, 2, 4, gridspec_kw={"width_ratios": (1.5, 1)})
    words = []
    for (name, scores), (histogram, curve) in zip(_simulated_scores(seed).items(), axes, strict=True):
        true = np.repeat([1, 0], N_SIMULATED)
        auc = roc_auc_score(true, scores)
        for code, label in ((1, "positive"), (0, "other")):
            colour = COLOURS[1] if code else COLOURS[0]
            histogram.hist(scores[true == code], np.linspace(0, 1, 21), color=colour, alpha=0.6, label=label)
        histogram.set_title(name, fontsize=FONT_SIZE, loc="left")
        rates = roc_curve(true, scores)
        curve.plot(rates[0], rates[1], color="black")
        curve.plot([0, 1], [0, 1], color=GREY, linestyle=":")
        curve.set_title(f"AUC {auc:.2f}", fontsize=FONT_SIZE)
        curve.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=(0, 1), yticks=(0, 1))
        words.append(f"{name}: AUC {auc:.2f}, probabilities from {scores.min():.2f} to {scores.max():.2f}")
    axes[0][0].legend(fontsize=8, frameon=False)
    axes[-1][0].set_xlabel("predicted probability", fontsize=FONT_SIZE)
    axes[-1][1].set_xlabel("1 − specificity", fontsize=FONT_SIZE)
    return AccessibleFigure(
        figure,
        f"Histograms of probabilities by class, and ROC curves, of four simulated models. {'; '.join(words)}.",
        "Simulated: a model that works, and three that do not.",
    )


def _simulated_scores(seed: int) -> dict[str, np.ndarray]:
    """Return predicted probabilities by name of the model, ``float (2 n,)``: positive cells first."""
    random, sign = np.random.default_rng(seed), np.repeat([1, -1], N_SIMULATED)
    noise = random.normal(size=2 * N_SIMULATED)

    def probability(shift: float, spread: float) -> np.ndarray:
        return 1 / (1 + np.exp(-(shift * sign + spread * noise)))

    return {
        "works": probability(1.2, 1.2),
        "at chance": probability(0.0, 1.2),
        "inverted": probability(-0.8, 1.2),
        "collapsed": probability(0.0, 0.02),
    }
