"""Make the figure, the sentence and the synthetic smear of the start page."""

from __future__ import annotations

import numpy as np

from helpers import datasets, plots
from helpers.book.results import read_result
from helpers.book.story import as_figure, figure_directive, select, short
from helpers.diagrams.canvas import BLUE, GREY, INK, ORANGE, Canvas
from helpers.metrics import Estimate
from helpers.plots import AccessibleFigure
from helpers.reports import difference_words

TABLE = "full-cnmc-classify-split"
SPLITS = {"image": BLUE, "patient": ORANGE}
AXIS = (0.5, 1.0)  # from chance to perfect
LEFT, RIGHT = 28, 88  # ends of the axis on the canvas


def generated_files() -> dict[str, bytes]:
    """Generate what the start page includes, by file name."""
    files = {"landing-sentence.md": (sentence() + "\n").encode()}
    for name, figure in {"landing-headline": headline(), "landing-smear": smear()}.items():
        files[f"{name}.png"] = figure.to_png()
        files[f"{name}.md"] = "\n".join([*figure_directive(f"{name}.png", figure), ""]).encode()
    return files


def _estimates() -> dict[str, Estimate]:
    table = read_result(TABLE)[0]
    return {split: select(table, "AUC", split=f"by {split}") for split in SPLITS}


def sentence() -> str:
    """Return the first sentence of the start page, computed from the published table."""
    by_image, by_patient = _estimates().values()
    difference = select(read_result(TABLE)[0], "AUC", split="difference")
    return (
        f"One classifier of leukaemia, the same {by_image.n:,} cells of {by_image.groups} people: tested on cells that "
        f"were set aside at random, its AUC is **{by_image.value:.2f}**; tested on patients that it has never seen, "
        f"**{by_patient.value:.2f}**. Only the split differs; by image the AUC is "
        f"{difference_words(difference, digits=2)}."
    )


def headline() -> AccessibleFigure:
    """Draw the two numbers, each with its interval, on an axis from chance to perfect."""
    canvas = Canvas(4.6, 2.2)
    for value, words in ((0.5, "0.5\nchance"), (0.75, "0.75"), (1.0, "1.0\nperfect")):
        canvas.axes.plot([_place(value)] * 2, [24, 96], color=GREY, linewidth=0.6, linestyle=":")
        canvas.label(_place(value), 13, words, size=9)
    estimates = _estimates()
    for y, (split, estimate) in zip((76, 42), estimates.items(), strict=True):
        colour = SPLITS[split]
        low, middle, high = (_place(value) for value in (estimate.low, estimate.value, estimate.high))
        canvas.axes.plot([low, high], [y, y], color=colour, linewidth=5, solid_capstyle="round", alpha=0.45)
        canvas.axes.plot(middle, y, "o", color=colour, markersize=11)
        canvas.label(middle, y + 13, f"{estimate.value:.2f}", size=20, colour=INK, bold=True)
        canvas.label(LEFT - 3, y, f"split by\n{split}", size=12, align="right")
    numbers = "; ".join(f"split by {split} {short(estimate)}" for split, estimate in estimates.items())
    caption = (
        "AUC of one classifier on C-NMC, a dataset of real blood, with 95 % intervals over its people. [All "
        "results](results.md)"
    )
    return canvas.finish(f"AUC of one classifier on an axis from 0.5, chance, to 1: {numbers}.", caption)


def _place(value: float) -> float:
    """Return the position of a value on the canvas."""
    return LEFT + (RIGHT - LEFT) * (value - AXIS[0]) / (AXIS[1] - AXIS[0])


def smear() -> AccessibleFigure:
    """Draw three synthetic fields side by side."""
    fields = datasets.load("synthetic", n_images=3, n_patients=3, task="fields", seed=5)
    row = {"": np.stack([fields.load_image(name) for name in fields.frame.index])}
    caption = "Synthetic smears, drawn by the package. Every chapter runs on such cells, without a download."
    figure = as_figure(plots.image_grid(row, caption, side=2.1))
    alt = "Three synthetic fields of a blood smear: violet-stained white blood cells among many round red cells."
    return AccessibleFigure(figure.figure, alt, caption)
