"""Figures of how a network learns: pixels as numbers, maps with signs, a loss surface, and curves of trainings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from helpers.markup import join_words
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, draw_legend, make_axes, series_styles

CHANCE_LOSS = float(np.log(2))  # cross-entropy of the probability one half
LOSS_CEILING = 1.5  # of the panels; above it, curves would flatten all others
WEIGHT_LIMIT = 6.0  # the loss surface reaches from minus to plus this weight
GRID = 81  # points of the loss surface along each weight


def number_grid(channel: np.ndarray, top: int, left: int, side: int, caption: str) -> AccessibleFigure:
    """Draw one channel of an image, and beside it a square patch of it with the value of every pixel.

    Args:
        channel: ``uint8 (height, width)``.
        top: first row of the patch.
        left: first column of the patch.
        side: side of the patch in pixels.
        caption: caption of the figure.

    Raises:
        ValueError: the patch does not lie within the image.
    """
    patch = channel[top : top + side, left : left + side]
    if min(top, left) < 0 or patch.shape != (side, side):
        raise ValueError(f"a patch of side {side} from ({top}, {left}) does not lie within an image of {channel.shape}")
    figure, (whole, enlarged) = make_axes(6.3, 3.2, 2)
    whole.imshow(channel, cmap="gray", vmin=0, vmax=255)
    whole.add_patch(Rectangle((left - 0.5, top - 0.5), side, side, fill=False, edgecolor=COLOURS[1], linewidth=2))
    enlarged.imshow(patch, cmap="gray", vmin=0, vmax=255)
    for (row, column), value in np.ndenumerate(patch):
        ink = "white" if value < 128 else "black"
        enlarged.text(column, row, str(value), ha="center", va="center", color=ink, fontsize=FONT_SIZE)
    for ax in (whole, enlarged):
        ax.set_axis_off()
    alt = (
        f"Left: one channel of a cell, {channel.shape[0]} by {channel.shape[1]} pixels, with a square on it. Right: "
        f"the {side} by {side} pixels of the square with their values, from {patch.min()} to {patch.max()}."
    )
    return AccessibleFigure(figure, alt, caption)


def map_row(maps: Mapping[str, np.ndarray], caption: str, n_columns: int = 3) -> AccessibleFigure:
    """Draw images and feature maps beside each other, each with its title.

    A map of floats has one scale for negative (orange), zero (white) and positive values (blue); an image ``uint8`` is
    drawn as it is.

    Args:
        maps: by title, ``uint8 (height, width)`` or ``(height, width, 3)``, or ``float (height, width)``.
        caption: caption of the figure.
        n_columns: panels in a row.
    """
    n_rows = -(-len(maps) // n_columns)
    figure, axes = make_axes(6.3, 0.3 + 2.2 * n_rows, n_columns, n_rows, squeeze=False)
    words = []
    for ax in axes.ravel():
        ax.set_axis_off()
    for ax, (title, values) in zip(axes.ravel(), maps.items(), strict=False):
        ax.set_title(short_label(title), fontsize=FONT_SIZE)
        if values.dtype == np.uint8:
            ax.imshow(values, cmap="gray", vmin=0, vmax=255)
            words.append(title)
            continue
        limit = float(np.abs(values).max()) or 1.0
        ax.imshow(values, cmap="PuOr", vmin=-limit, vmax=limit, interpolation="nearest")
        words.append(f"{title}, {values.shape[0]} by {values.shape[1]}, from {values.min():.1f} to {values.max():.1f}")
    alt = f"{len(maps)} panels: {'; '.join(words)}.".replace("\n", " ")
    return AccessibleFigure(figure, alt, caption)


def loss_surface(
    features: np.ndarray, labels: np.ndarray, paths: Mapping[str, np.ndarray], names: tuple[str, str], caption: str
) -> AccessibleFigure:
    """Draw the mean cross-entropy of a logistic model over its two weights, and paths of gradient descent on it.

    Weights beyond 6 are cut off.

    Args:
        features: ``float (n, 2)``; the model has no bias, so they should be standardised.
        labels: ``(n,)``, 0 or 1.
        paths: weights ``float (steps + 1, 2)`` of every path, by its label.
        names: names of the two features.
        caption: caption of the figure.
    """
    axis = np.linspace(-WEIGHT_LIMIT, WEIGHT_LIMIT, GRID)
    weights = np.stack(np.meshgrid(axis, axis), axis=-1)
    losses = _mean_cross_entropy(weights @ features.T, labels)
    figure, ax = make_axes(5.4, 4.4)
    filled = ax.contourf(axis, axis, losses, levels=20, cmap="Greys")
    figure.colorbar(filled, ax=ax, label="loss", fraction=0.046)
    for (label, path), style in zip(paths.items(), series_styles(len(paths)), strict=True):
        ax.plot(*path.T, color=style.colour, marker=style.marker, markersize=4, linewidth=1.4, label=short_label(label))
    ax.set(xlim=(-WEIGHT_LIMIT, WEIGHT_LIMIT), ylim=(-WEIGHT_LIMIT, WEIGHT_LIMIT))
    ax.set_xlabel(f"weight of {names[0]}", fontsize=FONT_SIZE)
    ax.set_ylabel(f"weight of {names[1]}", fontsize=FONT_SIZE)
    ax.legend(fontsize=8, loc="lower right")
    ends = {label: _mean_cross_entropy(features @ path[-1], labels) for label, path in paths.items()}
    words = "; ".join(f"{label} ends at a loss of {loss:.2f}" for label, loss in ends.items())
    alt = f"Loss over the weights of {join_words(names)}, dark where it is high, with {len(paths)} paths: {words}."
    return AccessibleFigure(figure, alt, caption)


def _mean_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of the cross-entropy, from logits so that no logarithm overflows."""
    return np.mean(np.logaddexp(0, logits) - labels * logits, axis=-1)


def training_panels(histories: Mapping[str, pd.DataFrame], caption: str) -> AccessibleFigure | NoFigure:
    """Draw training and validation loss of several trainings side by side, on one scale.

    Losses above 1.5 are cut off. A dotted line is the loss of chance, the probability one half for every image.

    Args:
        histories: by title, columns ``loss`` and ``val_loss``, one row per epoch, at least two.
        caption: caption of the figure.
    """
    drawn = {title: history for title, history in histories.items() if len(history) > 1}
    if not drawn:
        return NoFigure("a curve needs two epochs")
    figure, axes = make_axes(2.15 * len(drawn), 2.9, len(drawn), 1, sharey=True, squeeze=False)
    words = []
    for ax, (title, history) in zip(axes[0], drawn.items(), strict=True):
        for column, name, colour, dash in (
            ("loss", "training", COLOURS[0], "-"),
            ("val_loss", "validation", COLOURS[1], "--"),
        ):
            ax.plot(np.arange(1, len(history) + 1), history[column], dash, color=colour, label=name)
        _draw_chance(ax, CHANCE_LOSS)
        ax.set_title(short_label(title), fontsize=FONT_SIZE)
        ax.set_xlabel("epoch", fontsize=FONT_SIZE)
        ax.xaxis.get_major_locator().set_params(integer=True)
        last = history.iloc[-1]
        words.append(f"{title} ends at {last['loss']:.2f} in training and {last['val_loss']:.2f} in validation")
    top = max(CHANCE_LOSS, *(float(h[["loss", "val_loss"]].to_numpy().max()) for h in drawn.values()))
    axes[0][0].set_ylim(0, min(LOSS_CEILING, 1.1 * top))
    axes[0][0].set_ylabel("loss", fontsize=FONT_SIZE)
    axes[0][0].legend(fontsize=8, frameon=False)
    return AccessibleFigure(figure, f"Loss by epoch of {len(drawn)} trainings: {'; '.join(words)}.", caption)


def series_plot(table: pd.DataFrame, value: str, caption: str, chance: float | None = None) -> AccessibleFigure:
    """Draw one line per column of a table over its numeric index.

    Args:
        table: numbers; the name of the index labels the x axis, the columns the lines. Missing values
            are passed over.
        value: label of the y axis.
        caption: caption of the figure.
        chance: level of a dotted line, such as the loss of chance.
    """
    figure, ax = make_axes(5.2, 3)
    for column, style in zip(table.columns, series_styles(table.shape[1]), strict=True):
        line = table[column].dropna()
        ax.plot(line.index, line, color=style.colour, linestyle=style.dash, label=short_label(column))
    if chance is not None:
        _draw_chance(ax, chance)
    if pd.api.types.is_integer_dtype(table.index):
        ax.xaxis.get_major_locator().set_params(integer=True)  # no step or epoch 2.5
    ax.set_xlabel(str(table.index.name), fontsize=FONT_SIZE)
    ax.set_ylabel(value, fontsize=FONT_SIZE)
    draw_legend(ax)
    ends = {column: table[column].dropna() for column in table.columns}
    words = "; ".join(f"{name} from {line.iloc[0]:.2f} to {line.iloc[-1]:.2f}" for name, line in ends.items())
    return AccessibleFigure(figure, f"{value} by {table.index.name}: {words}.".replace("\n", " "), caption)


def _draw_chance(ax: Axes, loss: float) -> None:
    """Draw the dotted line of the loss of chance, dark enough to be seen on a phone."""
    ax.axhline(loss, color="0.3", linewidth=1.3, linestyle=":")


def kernel_images(kernels: np.ndarray) -> np.ndarray:
    """Return the kernels of a first layer as images: grey is 0, a colour is what the kernel adds where it is bright.

    Args:
        kernels: ``float (height, width, 3, n)``, as Keras stores them.

    Returns:
        ``uint8 (n, height, width, 3)``, all on one scale.
    """
    scaled = kernels / (float(np.abs(kernels).max()) or 1.0)
    return np.moveaxis(np.round(127.5 + 127.5 * scaled), -1, 0).astype(np.uint8)
