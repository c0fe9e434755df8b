"""Diagrams for many classes: softmax, and where copies may be made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from helpers.diagrams.atlas_notes import ABSENT, NOTES
from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, Canvas
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, make_axes
from helpers.reports import ResultTable, Statement, show_table, show_text


def softmax_bars(logits: Mapping[str, float]) -> AccessibleFigure:
    """Draw the logits of one image and the probabilities that softmax makes of them.

    Args:
        logits: output of the last layer before softmax, by class.
    """
    names, values = list(logits), np.array(list(logits.values()))
    probabilities = softmax(values)
    figure, axes = make_axes(6, 1.1 + 0.35 * len(names), 2, sharey=True)
    panels = ((axes[0], values, "logit", COLOURS[7]), (axes[1], probabilities, "probability", COLOURS[0]))
    for ax, numbers, title, colour in panels:
        bars = ax.barh(names, numbers, color=colour)
        ax.bar_label(bars, fmt="%.2f", fontsize=FONT_SIZE, padding=2)
        ax.set_title(title, fontsize=FONT_SIZE)
        ax.margins(x=0.25)
        ax.axvline(0, color=COLOURS[6], linewidth=0.8)
    axes[0].invert_yaxis()
    words = "; ".join(
        f"{name} {logit:.2f} becomes {probability:.2f}"
        for name, logit, probability in zip(names, values, probabilities, strict=True)
    )
    return AccessibleFigure(
        figure,
        f"Bars of the logits of one image and of its probabilities: {words}.",
        "Softmax turns any numbers into probabilities: all above 0, together 1, in the same order.",
    )


def copies_and_splits() -> AccessibleFigure:
    """Draw oversampling before a split and after it: only before it do copies of one image reach both sides."""
    canvas = Canvas(6.3, 3.8)
    _copy_row(canvas, 74, "copies, then split", before=True)
    _copy_row(canvas, 24, "split, then copies", before=False)
    return canvas.finish(
        "Two rows. Above: image A is copied to A1 and A2, then the split puts A and A1 into training and A2 into the "
        "test: the network is tested on a copy of a training image. Below: the split puts image A into training and "
        "image B into the test, then only A is copied, so that the test holds no copy of a training image.",
        "The same two steps in two orders. Only the lower one keeps copies of training images out of the test.",
    )


def _copy_row(canvas: Canvas, y: float, title: str, *, before: bool) -> None:
    canvas.label(2, y + 21, title, align="left", bold=True)
    start = canvas.box(11, y, 15, 16, "images\nA, B", colour=GREY)
    middle = canvas.box(42, y, 22, 16, "A, A1, A2,\nB, B1, B2" if before else "split:\nA | B", colour=GREY)
    train = canvas.box(83, y + 12, 30, 16, "training: A, A1, B2" if before else "training: A, A1, A2", colour=BLUE)
    test = canvas.box(
        83, y - 12, 30, 16, "test: A2, B, B1" if before else "test: B", colour=ORANGE if before else GREEN
    )
    canvas.arrow(start, middle, "copy" if before else "split")
    canvas.arrow(middle, train, "split" if before else "copy")
    canvas.arrow(middle, test)


def show_notes(classes: Sequence[str]) -> ResultTable | Statement:
    """Show what a haematologist looks at to tell kinds of cell apart.

    Args:
        classes: names of classes.

    Returns:
        A table with a row per feature and a column per class, of :data:`helpers.diagrams.atlas_notes.NOTES`; a sentence
        where fewer than two of the classes have notes.
    """
    known = [name for name in classes if name in NOTES]
    if len(known) < 2:
        return show_text("The atlas has no notes on these classes; ask whoever labelled them what they looked at.")
    features = {
        name: {feature: words or ABSENT.get(feature, "") for feature, words in NOTES[name]._asdict().items()}
        for name in known
    }
    return show_table(pd.DataFrame(features).rename_axis("look at").reset_index())
