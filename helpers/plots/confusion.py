"""Figures of a confusion matrix: all of it, its errors alone, and the cells behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from helpers.datasets import Dataset
from helpers.metrics import surest_ids
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import FONT_SIZE, AccessibleFigure, image_grid, make_axes

LIGHTEST = 0.6  # share of the darkest colour from which text on it is white
EXAMPLES = 2  # cells of each kind beside each other
BLANK = 255  # grey value in place of a cell that does not exist


def confusion_plot(counts: pd.DataFrame, caption: str) -> AccessibleFigure | NoFigure:
    """Draw a confusion matrix, shaded by the share of each row so that rare and common classes compare.

    Args:
        counts: images by true (rows) and predicted class (columns), from :func:`helpers.metrics.confusion_matrix`.
        caption: caption of the figure.
    """
    if reason := _why_no_matrix(counts):
        return NoFigure(reason)
    total = counts.sum(axis=1)
    share = counts.div(total.clip(lower=1), axis=0).to_numpy()
    figure, ax = _matrix_axes(counts)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), number in np.ndenumerate(counts.to_numpy()):
        _write_cell(ax, row, column, number=number, share=float(share[row, column]), darkest=1.0)
    recalls = zip(counts.index, np.diagonal(share), total, strict=True)
    words = ", ".join(f"{name} {recall:.2f} of {n}" for name, recall, n in recalls)
    return AccessibleFigure(figure, f"Confusion matrix; recall: {words}.", caption)


def error_plot(counts: pd.DataFrame, caption: str) -> AccessibleFigure | NoFigure:
    """Draw the errors of a confusion matrix alone: the diagonal is blank, so that colour tells errors apart.

    Shares are of all images of the true class; the darkest cell is the largest share of an error.

    Args:
        counts: images by true (rows) and predicted class (columns), from :func:`helpers.metrics.confusion_matrix`.
        caption: caption of the figure.
    """
    if reason := _why_no_matrix(counts):
        return NoFigure(reason)
    errors = counts.to_numpy() * (1 - np.eye(len(counts), dtype=int))
    if not errors.any():
        return NoFigure(f"none of {int(counts.to_numpy().sum())} images is given another class than its own")
    n_true = counts.to_numpy().sum(axis=1)
    share = errors / n_true.clip(1)[:, None]
    figure, ax = _matrix_axes(counts)
    shown = np.ma.masked_array(share, np.eye(len(counts), dtype=bool))
    ax.set_facecolor("0.85")
    ax.imshow(shown, cmap=LinearSegmentedColormap.from_list("errors", ["#FFFFFF", "#8C3A00"]), vmin=0, aspect="auto")
    for row, column in zip(*np.nonzero(~np.eye(len(counts), dtype=bool)), strict=True):
        _write_cell(ax, row, column, number=errors[row, column], share=float(share[row, column]), darkest=share.max())
    order = np.argsort(-share, axis=None, kind="stable")[: np.count_nonzero(errors)]
    pairs = [np.unravel_index(k, share.shape) for k in order]
    words = "; ".join(
        f"{counts.index[i]} predicted {counts.columns[j]} {errors[i, j]} of {n_true[i]}" for i, j in pairs
    )
    return AccessibleFigure(figure, f"Errors of a confusion matrix, largest share first: {words}.", caption)


def _why_no_matrix(counts: pd.DataFrame) -> str:
    """Return the reason why a confusion matrix would show nothing; empty where it shows something."""
    if counts.to_numpy().sum() == 0:
        return "no image was tested"
    if len(counts) == 1:
        return f"there is one class only, {counts.index[0]}, and nothing to confuse it with"
    return ""


def _matrix_axes(counts: pd.DataFrame) -> tuple[Figure, Axes]:
    """Create axes of a size that holds the names of the classes."""
    names = [short_label(name) for name in counts.index]
    extra = max(0, max(len(line) for name in names for line in name.split("\n")) - 8)  # characters outside the matrix
    figure, ax = make_axes(1.8 + 0.55 * len(counts) + 0.07 * extra, 1.3 + 0.45 * len(counts) + 0.05 * extra)
    ax.set_xticks(range(len(counts)), names, rotation=40, ha="right", fontsize=FONT_SIZE)
    ax.set_yticks(range(len(counts)), names, fontsize=FONT_SIZE)
    ax.set_xlabel("predicted", fontsize=FONT_SIZE)
    ax.set_ylabel("true", fontsize=FONT_SIZE)
    return figure, ax


def _write_cell(ax: Axes, row: int, column: int, *, number: int, share: float, darkest: float) -> None:
    """Write a count and its share into a cell, in white where the cell is dark."""
    text, colour = f"{number}\n{share:.0%}" if number else "0", "white" if share > LIGHTEST * darkest else "black"
    ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)


def confused_grid(
    dataset: Dataset, predictions: pd.DataFrame, pairs: pd.DataFrame, caption: str, size: int = 96
) -> AccessibleFigure | NoFigure:
    """Draw confused cells, and beside them cells of the true and of the predicted class that got their own name.

    Each kind is shown by the two images with the highest probability of the class that they were given.

    Args:
        dataset: images of the predictions.
        predictions: table of predictions, see :mod:`helpers.metrics.classification`.
        pairs: columns ``true`` and ``predicted``, a row of the figure each, as of
            :func:`helpers.metrics.confusion_pairs`.
        caption: caption of the figure.
        size: side of the images in pixels.
    """
    rows = {}
    for true, predicted in zip(pairs["true"], pairs["predicted"], strict=True):
        kinds = [(true, predicted), (true, true), (predicted, predicted)]
        ids = [surest_ids(predictions, *kind, n=EXAMPLES) for kind in kinds]
        rows[f"{true}, predicted\n{predicted}"] = np.concatenate([_padded(dataset, of_kind, size) for of_kind in ids])
    titles = [title for kind in ("confused", "true class", "predicted") for title in (kind, kind)]
    return image_grid(rows, caption, titles if rows else ())


def _padded(dataset: Dataset, ids: pd.Index, size: int) -> np.ndarray:
    """Load the images of up to two ids; white images take the place of missing ones."""
    blank = np.full((EXAMPLES - len(ids), size, size, 3), BLANK, np.uint8)
    if not len(ids):
        return blank
    return np.concatenate([dataset.select(ids).load_images(size), blank])
