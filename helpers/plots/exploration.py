"""Figures that explore images and measurements: display ranges, outlines in order, and rules with two thresholds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import (
    COLOURS,
    FONT_SIZE,
    AccessibleFigure,
    draw_contours,
    draw_legend_above,
    make_axes,
    series_styles,
    titled_grid,
)


def display_range_plot(channel: np.ndarray, ranges: Mapping[str, tuple[int, int]], caption: str) -> AccessibleFigure:
    """Draw the same pixels once for each display range, above the histogram with the ends of the range as lines.

    Args:
        channel: ``uint8 (height, width)``.
        ranges: by title, the value that is shown black and the larger one that is shown white.
        caption: caption of the figure.
    """
    figure, axes = make_axes(5.0, 4.2, len(ranges), 2, squeeze=False, height_ratios=(1.4, 1))
    for (title, (low, high)), above, below in zip(ranges.items(), *axes, strict=True):
        above.imshow(channel, cmap="gray", vmin=low, vmax=high)
        above.set_axis_off()
        above.set_title(short_label(title), fontsize=FONT_SIZE)
        below.hist(channel.ravel(), bins=range(0, 257, 4), color=COLOURS[0])
        for end in (low, high):
            below.axvline(end, color=COLOURS[1], linestyle="--", linewidth=1.5)
        below.set_xlim(-4, 259)
        below.set_yticks([])
        below.set_xlabel("pixel value", fontsize=FONT_SIZE)
    axes[1, 0].set_ylabel("pixels", fontsize=FONT_SIZE)
    panels = "; ".join(
        f"{title}, in which {np.mean((channel < low) | (channel > high)):.0%} of the pixels lie outside the lines"
        for title, (low, high) in ranges.items()
    )
    alt = f"The same pixels in {len(ranges)} display ranges, each above the same histogram: {panels}."
    return AccessibleFigure(figure, alt, caption)


def ordered_contours(data: Dataset, ratios: pd.Series, caption: str, n_images: int = 6) -> AccessibleFigure | NoFigure:
    """Draw cells in ascending order of their N:C ratio, with the outlines of nucleus and cell.

    Args:
        data: dataset with masks.
        ratios: N:C ratio by ``image_id``; cells are taken at equal steps of its order.
        caption: caption of the figure.
        n_images: number of cells, at most.
    """
    if ratios.empty:
        return NoFigure("no image has a mask with a cell")
    in_order = ratios.sort_values(kind="stable")
    steps = np.linspace(0, len(in_order) - 1, min(n_images, len(in_order))).round().astype(int)
    panels = {}
    for number, (name, ratio) in enumerate(in_order.iloc[steps].items(), start=1):
        image_id = str(name)
        panels[f"{number}. N:C {ratio:.2f}"] = draw_contours(data.load_image(image_id), data.load_mask(image_id))
    return titled_grid(panels, caption, n_columns=3)


def rule_scatter(cells: pd.DataFrame, thresholds: pd.Series, caption: str) -> AccessibleFigure | NoFigure:
    """Draw two measurements of each cell, and the threshold of each as a dashed line.

    Args:
        cells: ``label`` and the two measured columns, one row per image.
        thresholds: threshold by column: first that of the x axis, then that of the y axis.
        caption: caption of the figure.
    """
    across, up = thresholds.index
    measured = cells.dropna(subset=["label", across, up])
    if measured["label"].nunique() < 2:
        return NoFigure(f"{across} and {up} are not known of two classes")
    figure, ax = make_axes(4.8, 3.4)
    classes = sorted(measured["label"].unique())
    for name, style in zip(classes, series_styles(len(classes)), strict=True):
        rows = measured[measured["label"] == name]
        look = {"s": 16, "color": style.colour, "marker": style.marker, "alpha": 0.7, "lw": 0}
        ax.scatter(rows[across], rows[up], label=short_label(name), **look)
    ax.axvline(thresholds[across], color="black", linestyle="--", linewidth=1.2)
    ax.axhline(thresholds[up], color="black", linestyle="--", linewidth=1.2)
    ax.set_xlabel(across.replace("_", " "), fontsize=FONT_SIZE)
    ax.set_ylabel(up.replace("_", " "), fontsize=FONT_SIZE)
    draw_legend_above(ax, 2)
    beyond = (measured[across] >= thresholds[across]) & (measured[up] >= thresholds[up])
    shares = ", ".join(f"{beyond[measured['label'] == name].mean():.0%} of {name}" for name in classes)
    alt = (
        f"Scatter plot of {across} and {up} with dashed lines at {thresholds[across]:.2f} and {thresholds[up]:.2f}; "
        f"above and to the right of both lie {shares}."
    )
    return AccessibleFigure(figure, alt, caption)
