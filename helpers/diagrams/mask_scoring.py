"""Diagrams of how a mask is scored, and of the layer that makes maps larger."""

from __future__ import annotations

from collections import Counter

import numpy as np

from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, PINK, SKY, Canvas
from helpers.plots.style import AccessibleFigure, join_words

# What a pixel counts as, by (true, predicted): letters, colour and meaning.
OUTCOMES = {
    (True, True): ("TP", GREEN, "true positive: in both"),
    (False, True): ("FP", ORANGE, "false positive: too much"),
    (True, False): ("FN", PINK, "false negative: missed"),
    (False, False): ("TN", GREY, "true negative: in neither"),
}
BLOCK_COLOURS = (BLUE, ORANGE, GREEN, PINK)
WIDTH = 5.6  # inches


def mask_outcomes(truth: np.ndarray, predicted: np.ndarray) -> AccessibleFigure:
    """Draw a true and a predicted mask pixel by pixel, and beside them what each pixel counts as.

    Args:
        truth: small true mask, ``bool (height, width)``.
        predicted: predicted mask of the same shape.
    """
    canvas, pixel = Canvas(WIDTH, 3.1), 28 / truth.shape[1]
    for left, title, mask in ((2, "true mask", truth), (36, "predicted mask", predicted)):
        canvas.label(left + 14, 94, title, bold=True)
        _draw_grid(canvas, left, pixel, mask.astype(int).astype(str), np.where(mask, BLUE, GREY))
    canvas.label(84, 94, "compared", bold=True)
    outcomes = [OUTCOMES[pair] for pair in zip(truth.ravel().tolist(), predicted.ravel().tolist(), strict=True)]
    letters, colours = (np.array([outcome[k] for outcome in outcomes]).reshape(truth.shape) for k in (0, 1))
    _draw_grid(canvas, 70, pixel, letters, colours)
    counts = Counter(letters.ravel().tolist())
    for number, (name, colour, meaning) in enumerate(OUTCOMES.values()):
        x, y = (3, 52)[number % 2], (24, 9)[number // 2]
        canvas.box(x + 3, y, 7, 10, name, colour=colour, size=8)
        canvas.label(x + 8, y, f"{meaning} ({counts[name]})", size=8, align="left")
    words = join_words([f"{meaning} {counts[name]}" for name, _, meaning in OUTCOMES.values()])
    return canvas.finish(
        f"A true and a predicted mask of {truth.shape[0]} × {truth.shape[1]} pixels, and what each pixel counts as: "
        f"{words}.",
        "Dice and IoU count three kinds of pixels and leave out the true negatives, the empty background.",
    )


def transposed_convolution(values: np.ndarray, kernel: np.ndarray, output: np.ndarray) -> AccessibleFigure:
    """Draw a transposed convolution: every value, times the kernel, fills a block of the output.

    Args:
        values: input, up to four values ``float (height, width)``.
        kernel: kernel ``float (k, k)``, with a stride of k.
        output: output of the layer, ``float (k height, k width)``.
    """
    canvas, pixel = Canvas(WIDTH, 2.5), 8.5
    tones = np.array(BLOCK_COLOURS[: values.size]).reshape(values.shape)
    blocks = np.repeat(np.repeat(tones, kernel.shape[0], axis=0), kernel.shape[1], axis=1)
    for left, title, grid, colours in (
        (3, "input", values, tones),
        (32, "kernel", kernel, np.full(kernel.shape, SKY)),
        (62, "output", output, blocks),
    ):
        canvas.label(left + pixel * grid.shape[1] / 2, 94, title, bold=True)
        _draw_grid(canvas, left, pixel, np.vectorize("{:g}".format)(grid), colours)
    canvas.label(26, 66, "×", size=14)
    canvas.arrow((51, 66), (60, 66))
    return canvas.finish(
        f"Each of the {values.size} values {_numbers(values)}, times the kernel {_numbers(kernel)}, fills one block of "
        f"the output of {output.shape[0]} × {output.shape[1]} values.",
        "A transposed convolution writes where a convolution reads: one value becomes a block, in the colour of the "
        "value that it comes from.",
    )


def _draw_grid(canvas: Canvas, left: float, pixel: float, texts: np.ndarray, colours: np.ndarray) -> None:
    """Draw squares with text, from the upper left corner ``(left, 86)``; ``pixel`` is their width."""
    width, height = canvas.figure.get_size_inches()
    tall = pixel * width / height
    for (row, column), text in np.ndenumerate(texts):
        x, y = left + (column + 0.5) * pixel, 86 - (row + 0.5) * tall
        canvas.rectangle(x, y, 0.92 * pixel, 0.92 * tall, colour=str(colours[row, column]), filled=True)
        canvas.label(x, y, str(text))


def _numbers(values: np.ndarray) -> str:
    return join_words([f"{value:g}" for value in values.ravel()])
