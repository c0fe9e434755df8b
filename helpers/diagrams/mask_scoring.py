"""Diagrams of how a mask is scored, and of the layer that makes maps larger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from helpers.diagrams.canvas import BLUE, GREEN, GREY, ORANGE, PINK, SKY, Canvas
from helpers.markup import join_words
from helpers.plots.style import AccessibleFigure

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


def transposed_convolution(
    values: np.ndarray, kernel: np.ndarray, outputs: Mapping[int, np.ndarray]
) -> AccessibleFigure:
    """Draw a transposed convolution: every value, times the kernel, is written into a block of the output.

    Args:
        values: input, up to four values ``float (height, width)``.
        kernel: kernel ``float (k, k)``.
        outputs: two outputs of the layer, by stride: ``float (stride (height - 1) + k, stride (width - 1) + k)``.
    """
    canvas, pixel = Canvas(WIDTH, 4.9), 9
    tones = np.array(BLOCK_COLOURS[: values.size]).reshape(values.shape)
    for left, title, grid, colours in (
        (1, "input", values, tones),
        (28, "kernel", kernel, np.full(kernel.shape, SKY)),
    ):
        canvas.label(left + pixel * grid.shape[1] / 2, 75, title, bold=True)
        _draw_grid(canvas, left, pixel, _written(grid), colours, top=70)
    canvas.label(23.5, 59, "×", size=14)
    for (stride, output), top in zip(outputs.items(), (93, 39), strict=True):
        canvas.label(80, top + 4, f"output, stride {stride}", bold=True)
        left = 80 - pixel * output.shape[1] / 2
        _draw_grid(canvas, left, pixel, _written(output), _block_colours(tones, kernel, stride), top=top)
        canvas.arrow((48, 59), (60, top - 18))
    sizes = join_words(
        [f"{output.shape[0]} × {output.shape[1]} values with stride {k}" for k, output in outputs.items()]
    )
    return canvas.finish(
        f"Each of the {values.size} values {_numbers(values)}, times the kernel {_numbers(kernel)}, is written into a "
        f"block of the output, which has {sizes}. Grey: sums of several blocks.",
        "A transposed convolution writes where a convolution reads: one value becomes a block, in the colour of the "
        "value that it comes from. Blocks that overlap are added (grey).",
    )


def _block_colours(tones: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """Return the colour of the value that each value of the output comes from; grey where it is a sum of several."""
    height, width = (stride * (side - 1) + k for side, k in zip(tones.shape, kernel.shape, strict=True))
    colours = np.full((height, width), "", dtype=tones.dtype)
    for (row, column), tone in np.ndenumerate(tones):
        top, left = row * stride, column * stride
        block = colours[top : top + kernel.shape[0], left : left + kernel.shape[1]]  # a view, so it is written to
        block[:] = np.where(block == "", tone, GREY)
    return colours


def _draw_grid(
    canvas: Canvas, left: float, pixel: float, texts: np.ndarray, colours: np.ndarray, *, top: float = 86
) -> None:
    """Draw squares with text, from the upper left corner ``(left, top)``; ``pixel`` is their width."""
    width, height = canvas.figure.get_size_inches()
    tall = pixel * width / height
    for (row, column), text in np.ndenumerate(texts):
        x, y = left + (column + 0.5) * pixel, top - (row + 0.5) * tall
        canvas.rectangle(x, y, 0.92 * pixel, 0.92 * tall, colour=str(colours[row, column]), filled=True)
        canvas.label(x, y, str(text))


def _written(values: np.ndarray) -> np.ndarray:
    return np.vectorize("{:g}".format)(values)


def _numbers(values: np.ndarray) -> str:
    return join_words([f"{value:g}" for value in values.ravel()])
