"""Figures of brightness: channels of an image, histograms with thresholds, and Otsu's criterion."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.datasets import NUCLEUS
from helpers.markup import join_words
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import (
    COLOURS,
    FONT_SIZE,
    AccessibleFigure,
    draw_contours,
    draw_legend_above,
    draw_panels,
    make_axes,
)

REGIONS = {0: "background", 1: "cytoplasm", 2: "nucleus"}
REGION_COLOURS = {0: "#B8B8B8", 1: COLOURS[5], 2: COLOURS[3]}
WIDTH = 5.0  # inches; wider figures have text too small for a telephone
BINS = list(range(0, 257, 4))


def channel_grid(channels: dict[str, np.ndarray], caption: str, n_columns: int = 3) -> AccessibleFigure:
    """Draw the channels of one image in grey, each with its name.

    Args:
        channels: ``uint8 (height, width)`` by name.
        caption: caption of the figure.
        n_columns: channels in a row.
    """
    n_rows = -(-len(channels) // n_columns)
    figure, axes = make_axes(1.6 * n_columns, 1.85 * n_rows, n_columns, n_rows, squeeze=False)
    draw_panels(axes, channels)
    return AccessibleFigure(
        figure, f"One cell in {len(channels)} channels, in grey: {join_words(list(channels))}.", caption
    )


def threshold_plot(
    image: np.ndarray, thresholds: dict[str, int], caption: str, mask: np.ndarray | None = None
) -> AccessibleFigure:
    """Draw an image, what each threshold on its green channel marks, and the histogram with the thresholds as lines.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        thresholds: thresholds by name; pixels up to the threshold are marked.
        caption: caption of the figure.
        mask: ground truth ``uint8 (height, width)``, 0 background, 1 cytoplasm, 2 nucleus, which colours the bars.
    """
    green = image[..., 1]
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    grid = figure.add_gridspec(2, len(thresholds) + 1, height_ratios=(1, 1.5))
    panels = {"image": image} | {
        f"{name}: {value}": draw_contours(image, (green <= value).astype(np.uint8) * NUCLEUS)
        for name, value in thresholds.items()
    }
    for column, (title, panel) in enumerate(panels.items()):
        ax = figure.add_subplot(grid[0, column])
        ax.imshow(panel)
        ax.set_axis_off()
        ax.set_title(short_label(title, 13, 3), fontsize=FONT_SIZE)
    ax = figure.add_subplot(grid[1, :])
    _draw_histogram(ax, green, mask)
    _draw_thresholds(ax, thresholds)
    draw_legend_above(ax, 3)
    lines = join_words([f"{name} {value}" for name, value in thresholds.items()])
    bars = "" if mask is None else ", bars divided into background, cytoplasm and nucleus"
    alt = (
        f"An image, its outlines at each threshold, and the histogram of its green channel from {green.min()} to "
        f"{green.max()}{bars}, with vertical lines at the thresholds: {lines}."
    )
    return AccessibleFigure(figure, alt, caption)


def histogram_panels(
    panels: dict[str, np.ndarray], thresholds: dict[str, int], caption: str
) -> AccessibleFigure | NoFigure:
    """Draw images side by side, each above the histogram of its green channel with one threshold.

    Args:
        panels: images ``uint8 (height, width, 3)`` RGB by title.
        thresholds: threshold of each image by the same title.
        caption: caption of the figure.
    """
    figure, axes = make_axes(WIDTH + 0.5, 3.6, len(panels), 2, squeeze=False)
    for (title, image), above, below in zip(panels.items(), *axes, strict=True):
        above.imshow(image)
        above.set_axis_off()
        above.set_title(short_label(title, 18), fontsize=FONT_SIZE)
        _draw_histogram(below, image[..., 1], None)
        _draw_thresholds(below, {"Otsu": thresholds[title]})
        below.set_ylabel("")
    axes[1, 0].set_ylabel("share of pixels", fontsize=FONT_SIZE)
    words = "; ".join(f"{title}, Otsu's threshold {value}" for title, value in thresholds.items())
    return AccessibleFigure(figure, f"Images above the histograms of their green channels: {words}.", caption)


def criterion_plot(channel: np.ndarray, criterion: np.ndarray, chosen: int, caption: str) -> AccessibleFigure:
    """Draw the histogram of a channel above Otsu's criterion at every threshold.

    Args:
        channel: ``uint8 (height, width)``.
        criterion: ``float (256,)``, between-class variance by threshold; NaN where one class is empty.
        chosen: threshold that was chosen.
        caption: caption of the figure.
    """
    figure, (above, below) = make_axes(WIDTH, 4.2, 1, 2, sharex=True)
    _draw_histogram(above, channel, None)
    above.set_xlabel("")
    below.plot(np.arange(256), criterion, color=COLOURS[0])
    for ax in (above, below):
        ax.axvline(chosen, color=COLOURS[1], linestyle="--", linewidth=1.5)
    below.annotate(
        f"Otsu: {chosen}",
        (chosen, 0.2 * np.nanmax(criterion)),
        xytext=(5, 0),
        textcoords="offset points",
        fontsize=FONT_SIZE,
        va="top",
    )
    below.set_xlabel("threshold on green", fontsize=FONT_SIZE)
    below.set_ylabel("between-class variance", fontsize=FONT_SIZE)
    peak = int(np.nanargmax(criterion))
    alt = (
        "Above, the histogram of the green channel; below, the between-class variance by threshold, highest at "
        f"{peak}. A line marks Otsu's threshold, {chosen}, in both."
    )
    return AccessibleFigure(figure, alt, caption)


def triangle_plot(channel: np.ndarray, chosen: int, caption: str) -> AccessibleFigure:
    """Draw the histogram of a channel with the line of the triangle method, and the threshold below it.

    The line runs from the top of the histogram to its farther end (Zack et al., 1977).

    Args:
        channel: ``uint8 (height, width)``.
        chosen: threshold that the method takes.
        caption: caption of the figure.
    """
    shares = np.bincount(channel.ravel(), minlength=256) / channel.size
    values = np.flatnonzero(shares)
    peak = int(shares.argmax())
    end = int(values[np.abs(values - peak).argmax()])
    figure, ax = make_axes(WIDTH, 3.2)
    ax.bar(np.arange(256), shares, width=1, color=COLOURS[0])
    ax.plot([end, peak], [shares[end], shares[peak]], color="black", linewidth=1.2, label="line to the farther end")
    _draw_thresholds(ax, {f"triangle: {chosen}": chosen})
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.set_xlim(0, 255)
    ax.set_xlabel("green value", fontsize=FONT_SIZE)
    ax.set_ylabel("share of pixels", fontsize=FONT_SIZE)
    ax.legend(fontsize=8, frameon=False, loc="upper left")
    alt = (
        f"A histogram with its top at {peak} and its farther end at {end}, joined by a straight line. A vertical line "
        f"marks the threshold of the triangle method, {chosen}, between them."
    )
    return AccessibleFigure(figure, alt, caption)


def _draw_histogram(ax: Axes, channel: np.ndarray, mask: np.ndarray | None) -> None:
    """Draw shares of pixels by brightness, in steps of four; stacked by region if there is a mask."""
    if mask is None:
        parts, colours, labels = [channel.ravel()], [COLOURS[0]], [""]
    else:
        regions = [region for region in REGIONS if (mask == region).any()]
        parts = [channel[mask == region] for region in regions]
        colours = [REGION_COLOURS[region] for region in regions]
        labels = [REGIONS[region] for region in regions]
    weights = [np.full(part.size, 1 / channel.size) for part in parts]
    ax.hist(parts, bins=BINS, weights=weights, stacked=True, color=colours, label=labels)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.set_xlim(0, 255)
    ax.set_xlabel("green value", fontsize=FONT_SIZE)
    ax.set_ylabel("share of pixels", fontsize=FONT_SIZE)


def _draw_thresholds(ax: Axes, thresholds: dict[str, int]) -> None:
    dashes = ("--", "-.", (0, (5, 1, 1, 1, 1, 1)), "-")
    for (name, value), colour, dash in zip(
        thresholds.items(), (COLOURS[1], COLOURS[2], COLOURS[6]), dashes, strict=False
    ):
        ax.axvline(value, color=colour, linestyle=dash, linewidth=1.5, label=name)
