"""Figures that describe a dataset: image counts, colours, feature distributions and embeddings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.markup import join_words
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import (
    COLOURS,
    FONT_SIZE,
    MARKERS,
    AccessibleFigure,
    draw_legend,
    make_axes,
    series_styles,
)


def count_plot(frame: pd.DataFrame, by: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw horizontal bars of the number of images for each value of the column ``by``."""
    number = frame[by].value_counts()
    if len(number) < 2:
        return NoFigure(_nothing_to_compare(number, by))
    figure, ax = make_axes(5.5, 0.8 + 0.28 * len(number))
    bars = ax.barh(range(len(number)), number, color=COLOURS[0])
    ax.bar_label(bars, padding=2, fontsize=FONT_SIZE)
    ax.set_yticks(range(len(number)), [short_label(name, 40) for name in number.index], fontsize=FONT_SIZE)
    ax.invert_yaxis()
    ax.set_xlabel("images", fontsize=FONT_SIZE)
    alt = f"Bar chart of images by {by}: " + ", ".join(f"{name} {n}" for name, n in number.items()) + "."
    return AccessibleFigure(figure, alt, caption)


def _nothing_to_compare(number: pd.Series, by: str) -> str:
    """Return the reason why images with no value, or only one value, of a column cannot be compared."""
    if number.empty:
        return f"no image has a value of {by}"
    return f"{by} is {number.index[0]} in all {number.iloc[0]} images, so there is nothing to compare"


def group_count_plot(frame: pd.DataFrame, caption: str, most: int = 30) -> AccessibleFigure | NoFigure:
    """Draw stacked bars of images by class for the ``most`` largest groups, largest first."""
    number = frame.dropna(subset=["label"])["group"].value_counts()
    if len(number) < 2:
        return NoFigure(_nothing_to_compare(number, "group"))
    if number.max() == 1:
        return NoFigure(f"each of {len(number)} groups has one image, so all bars would be of one height")
    table = pd.crosstab(frame["group"], frame["label"])
    table = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index].head(most)
    figure, ax = make_axes(6.5, 2.8)
    below = np.zeros(len(table))
    for label, style in zip(table, series_styles(table.shape[1]), strict=True):
        look = {"color": style.colour, "hatch": style.hatch, "edgecolor": "white", "lw": 0.4}
        ax.bar(range(len(table)), table[label], bottom=below, label=short_label(label), **look)
        below += table[label].to_numpy()
    ax.set_xticks(range(len(table)), [short_label(name) for name in table.index], rotation=90)
    ax.set_xlabel("group", fontsize=FONT_SIZE)
    ax.set_ylabel("images", fontsize=FONT_SIZE)
    draw_legend(ax)
    total = frame["group"].nunique()
    alt = (
        f"Stacked bar chart of images by group, for {len(table)} of {total} groups: the largest has "
        f"{int(below[0])} images, the smallest shown {int(below[-1])}; bars are split into {join_words(list(table))}."
    )
    return AccessibleFigure(figure, alt, caption)


def colour_plot(table: pd.DataFrame, caption: str, by: str = "label") -> AccessibleFigure | NoFigure:
    """Draw strip plots of the mean red, green and blue of each image, by class or another column.

    Args:
        table: columns ``red``, ``green`` and ``blue``, from 0 to 255, and ``by``; one row per image.
        caption: caption of the figure.
        by: column that groups the images.
    """
    channels = ["red", "green", "blue"]
    measured = table.dropna(subset=[by, *channels])
    if measured.empty:
        return NoFigure(f"no image has a colour and a value of {by}")
    if len(measured[channels].drop_duplicates()) == 1:
        red, green, blue = measured[channels].iloc[0].round().astype(int)
        return NoFigure(f"red, green and blue are {red}, {green}, {blue} in all {len(measured)} images")
    # one panel below the other, which a telephone can show
    figure, axes = make_axes(max(5.0, 0.4 * measured[by].nunique()), 5.6, 1, 3, sharex=True, sharey=True)
    for ax, channel in zip(axes, channels, strict=True):
        _strips(ax, measured, channel, by)
        ax.set_title(channel, fontsize=FONT_SIZE)
    axes[1].set_ylabel("mean over the image, 0 to 255", fontsize=FONT_SIZE)
    medians = measured.groupby(by)[channels].median().round().astype(int)
    alt = f"Mean red, green and blue of each image by {by}; medians: " + "; ".join(
        f"{name} {r}, {g}, {b}" for name, r, g, b in medians.itertuples()
    )
    return AccessibleFigure(figure, alt + _without_values(table, measured, by) + ".", caption)


def _without_values(table: pd.DataFrame, measured: pd.DataFrame, by: str) -> str:
    """Return the end of an alt text, which lists groups without a strip because their images have no value."""
    absent = sorted(set(table[by].dropna()) - set(measured[by]))
    return f"; no values of {join_words(absent)}" if absent else ""


def embedding_plot(table: pd.DataFrame, by: list[str], caption: str, most: int = 6) -> AccessibleFigure | NoFigure:
    """Draw a two-dimensional embedding of images, one panel for each column that colours the points.

    Args:
        table: columns ``across`` and ``down``, from :func:`helpers.explain.tsne_embedding`, and those in ``by``.
        by: columns to colour by, one panel each.
        caption: caption of the figure.
        most: number of most frequent values with a colour of their own; points with other values are grey.
    """
    table = table.dropna(subset=["across", "down"])
    if len(table[["across", "down"]].drop_duplicates()) < 2:
        return NoFigure(f"the {len(table)} images do not lie at two or more points")
    figure, axes = make_axes(3.8 * len(by), 3.4, len(by))
    panels = []
    for ax, column in zip(np.ravel(axes), by, strict=True):
        common = list(table[column].value_counts().index[:most])
        rest = table[~table[column].isin(common)]
        if len(rest):
            ax.scatter(rest["across"], rest["down"], s=8, color=COLOURS[7], alpha=0.3, lw=0, label="others")
        for name, style in zip(common, series_styles(len(common)), strict=True):
            rows = table[table[column] == name]
            look = {"s": 14, "color": style.colour, "marker": style.marker, "lw": 0}
            ax.scatter(rows["across"], rows["down"], label=short_label(name), **look)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_title(short_label(column), fontsize=FONT_SIZE)
        draw_legend(ax, below=True)
        panels.append(f"by {column} ({len(rest)} points in grey)" if len(rest) else f"by {column}")
    return AccessibleFigure(
        figure, f"{len(table)} images as points of a plane, coloured {join_words(panels)}.", caption
    )


def strip_plot(
    table: pd.DataFrame, value: str, caption: str, unit: str = "", by: str = "label"
) -> AccessibleFigure | NoFigure:
    """Draw a strip plot: one dot per image, one strip per class, a bar at the median.

    Args:
        table: columns ``value`` and ``by``, one row per image; a class without values has no strip.
        value: column on the y axis.
        caption: caption of the figure.
        unit: unit of ``value``, for the axis label.
        by: column that groups the images.
    """
    measured = table.dropna(subset=[by, value])
    if measured.empty:
        return NoFigure(f"no image has a value of {value}")
    if measured[value].nunique() == 1:
        return NoFigure(f"{value} is {measured[value].iloc[0]:.4g} in all {len(measured)} images that have one")
    figure, ax = make_axes(max(6, 0.4 * measured[by].nunique()), 3)
    _strips(ax, measured, value, by)
    ax.set_ylabel(f"{short_label(value)} {unit}".strip(), fontsize=FONT_SIZE)
    quarter = measured.groupby(by)[value].quantile(np.array([0.25, 0.5, 0.75])).unstack().round(2)
    alt = f"{value} by {by}, median and middle half: " + "; ".join(
        f"{name} {middle} ({low} to {high})" for name, low, middle, high in quarter.itertuples()
    )
    return AccessibleFigure(figure, alt + _without_values(table, measured, by) + ".", caption)


def _strips(ax: Axes, table: pd.DataFrame, value: str, by: str) -> None:
    jitter = np.random.default_rng(0)
    names = sorted(table[by].unique())
    for k, name in enumerate(names):
        points = table.loc[table[by] == name, value]
        positions = k + jitter.uniform(-0.25, 0.25, len(points))
        ax.scatter(positions, points, s=7, alpha=0.5, color=COLOURS[k % 8], marker=MARKERS[k % 8], lw=0)
        ax.hlines(points.median(), k - 0.35, k + 0.35, color="black", lw=1.5)
    rotation, side = (40, "right") if len(names) > 3 else (0, "center")
    labels = [short_label(name) for name in names]
    ax.set_xticks(range(len(names)), labels, rotation=rotation, ha=side, fontsize=FONT_SIZE)
