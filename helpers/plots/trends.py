"""Line plots: loss and learning curves, comparisons across seeds, values along steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.plots.intervals import draw_whiskers
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.scores import with_kind
from helpers.plots.style import COLOURS, FONT_SIZE, MARKERS, AccessibleFigure, draw_legend, make_axes, series_styles

WIDE_RANGE = 8  # largest over smallest number of images from which the axis is logarithmic
BETWEEN_TICKS = 1.5  # least ratio of two numbers that both stand below such an axis


def loss_curves(history: pd.DataFrame, caption: str) -> AccessibleFigure | NoFigure:
    """Draw training and validation loss by epoch, with a line at the epoch of minimum validation loss.

    Args:
        history: columns ``epoch`` (from 0), ``loss`` and ``val_loss``; epochs with a non-finite loss are left out.
        caption: caption of the figure.
    """
    finite = history[np.isfinite(history[["loss", "val_loss"]].to_numpy(float)).all(axis=1)]
    if len(finite) < 2:
        return NoFigure(_why_no_curve(history, finite))
    figure, ax = make_axes(5.5, 3)
    for k, (column, name) in enumerate((("loss", "training"), ("val_loss", "validation"))):
        ax.plot(finite["epoch"] + 1, finite[column], color=COLOURS[k], marker=MARKERS[k], markersize=3, label=name)
    best = finite.iloc[finite["val_loss"].argmin()]
    ax.axvline(best["epoch"] + 1, color=COLOURS[-1], linewidth=0.8, linestyle=":")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("epoch", fontsize=FONT_SIZE)
    ax.set_ylabel("loss", fontsize=FONT_SIZE)
    ax.legend(fontsize=8, frameon=False)  # where it covers least of the curves
    first, last = finite["loss"].iloc[0], finite["loss"].iloc[-1]
    alt = (
        f"Loss over {len(history)} epochs; training {'falls' if last < first else 'goes'} from {first:.2f} to "
        f"{last:.2f}; validation is least, {best['val_loss']:.2f}, after epoch "
        f"{best['epoch'] + 1:.0f}."
    )
    return AccessibleFigure(figure, alt, caption)


def _why_no_curve(history: pd.DataFrame, finite: pd.DataFrame) -> str:
    if history.empty:
        return "no epoch was trained"
    if len(history) == 1 and len(finite) == 1:
        loss, val_loss = finite[["loss", "val_loss"]].iloc[0]
        return (
            f"one epoch was trained, to a loss of {loss:.2f} and a validation loss of {val_loss:.2f}; a curve needs two"
        )
    return f"the losses are finite numbers in {len(finite)} of {len(history)} epochs; a curve needs two"


def learning_curve_plot(
    table: pd.DataFrame, value: str, caption: str, images: str = "training images"
) -> AccessibleFigure | NoFigure:
    """Draw learning curves: a score against the number of training images, one line with a band per ``learner``.

    Args:
        table: columns ``learner``, ``images``, ``value``, ``low`` and ``high``; an optional column ``interval`` holds
            the kind of the band, which the legend then states.
        value: column with the score.
        caption: caption of the figure.
        images: label for the number of images or of other units, such as ``training patients``.
    """
    table = table.dropna(subset=[value])
    learners = list(table.groupby("learner", sort=False))
    counted = images.removeprefix("training ").split()[0]
    words = [
        f"{with_kind(name, rows)}, "
        + ", ".join(f"{int(n)} {counted} {v:.2f}" for n, v in rows[["images", value]].to_numpy())
        for name, rows in learners
    ]
    if table["images"].nunique() < 2:
        scores = f" at two numbers of {images}; there is {'; '.join(words) or 'none'}"
        return NoFigure(f"a learning curve needs {value}{scores}")
    figure, ax = make_axes(5.5, 3)
    for (name, rows), style in zip(learners, series_styles(len(learners)), strict=True):
        look = {"color": style.colour, "marker": style.marker, "linestyle": style.dash, "ms": 4}
        ax.fill_between(rows["images"], rows["low"], rows["high"], color=style.colour, alpha=0.15, linewidth=0)
        ax.plot(rows["images"], rows[value], label=short_label(with_kind(name, rows), lines=3), **look)
    _spread_numbers(ax, sorted(table["images"].unique()))
    ax.set_xlabel(images, fontsize=FONT_SIZE)
    ax.set_ylabel(value, fontsize=FONT_SIZE)
    draw_legend(ax)
    return AccessibleFigure(figure, f"{value} by number of {images}: {'; '.join(words)}.", caption)


def _spread_numbers(ax: Axes, numbers: Sequence[float]) -> None:
    """Use a logarithmic axis where the numbers differ so much that the small ones would lie on each other."""
    if numbers[0] <= 0 or numbers[-1] / numbers[0] < WIDE_RANGE:
        return
    ax.set_xscale("log")
    ticks = [numbers[0]]
    for number in numbers:
        if number / ticks[-1] >= BETWEEN_TICKS:
            ticks.append(number)
    ax.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    ax.minorticks_off()


def cost_plot(table: pd.DataFrame, value: str, cost: str, by: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw the scores of methods with their intervals, and beside each score a bar of the time that it costs.

    Args:
        table: columns ``value``, ``cost``, ``low``, ``high`` and ``by``, one row per method, in display order.
        value: column with the score.
        cost: column with the time, whose name is the unit.
        by: column with the method.
        caption: caption of the figure.
    """
    table = table.dropna(subset=[value, cost])
    if len(table) < 2:
        return NoFigure(f"a comparison of {value} with its cost needs two methods; there is {len(table)}")
    names, positions = [short_label(name, 40, 4) for name in table[by]], np.arange(len(table))
    figure, (score_ax, cost_ax) = make_axes(6.5, 0.7 + 0.38 * len(table), 2, sharey=True, width_ratios=(3, 2))
    (style,) = series_styles(1)
    draw_whiskers(score_ax, positions, table, value, axis="x", style=style, label=value)
    bars = cost_ax.barh(positions, table[cost], color=COLOURS[-1])
    cost_ax.bar_label(bars, fmt="%.0f", padding=2, fontsize=FONT_SIZE)
    cost_ax.margins(x=0.2)
    score_ax.set_yticks(positions, names, fontsize=FONT_SIZE)
    score_ax.invert_yaxis()
    score_ax.grid(axis="x", alpha=0.3)
    score_ax.set_xlabel(value, fontsize=FONT_SIZE)
    cost_ax.set_xlabel(cost, fontsize=FONT_SIZE)
    words = "; ".join(f"{row[by]} {row[value]:.2f}, {row[cost]:.0f} {cost}" for _, row in table.iterrows())
    return AccessibleFigure(figure, f"{value} and {cost}: {words}.", caption)


def seed_comparison(table: pd.DataFrame, value: str, by: str, run: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw paired scores, one position per method and one line per run; crossing lines indicate chance differences.

    Args:
        table: columns ``value``, ``by`` and ``run``.
        value: column with the score.
        by: column with the method.
        run: column with the run, such as the seed that the methods share.
        caption: caption of the figure.
    """
    wide = table.pivot(index=by, columns=run, values=value).loc[lambda t: list(dict.fromkeys(table[by]))]
    wide = wide.dropna(how="all")
    means = "; ".join(f"{name} {row.mean():.2f} ({row.min():.2f} to {row.max():.2f})" for name, row in wide.iterrows())
    if len(wide) < 2:
        return NoFigure(f"a comparison of {value} needs two values of {by}; there is {means or 'none'}")
    figure, ax = make_axes(1.2 + 1.0 * len(wide), 3)
    for name, style in zip(wide.columns, series_styles(wide.shape[1]), strict=True):
        look = {"color": style.colour, "marker": style.marker, "linestyle": style.dash, "ms": 4, "lw": 0.8}
        ax.plot(range(len(wide)), wide[name], label=short_label(name), **look)
    ax.hlines(wide.mean(axis=1), np.arange(len(wide)) - 0.25, np.arange(len(wide)) + 0.25, color=COLOURS[6], lw=2)
    ax.set_xticks(
        range(len(wide)), [short_label(name) for name in wide.index], rotation=25, ha="right", fontsize=FONT_SIZE
    )
    ax.set_ylabel(value, fontsize=FONT_SIZE)
    draw_legend(ax, title=run, title_fontsize=8)
    return AccessibleFigure(figure, f"{value} of {wide.shape[1]} runs by {by}, mean and range: {means}.", caption)


def line_plot(table: pd.DataFrame, value: str, by: str, series: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw a value along ordered steps, one line per series.

    Args:
        table: columns ``value``, ``by`` and ``series``.
        value: column on the y axis.
        by: column with the steps, in display order.
        series: column with the series.
        caption: caption of the figure.
    """
    table = table.dropna(subset=[value])
    steps = list(dict.fromkeys(table[by]))
    if len(steps) < 2:
        return NoFigure(f"{value} needs two values of {by} to make a line; there is {steps[0] if steps else 'none'}")
    figure, ax = make_axes(1.6 + 0.42 * len(steps), 3.2)
    groups = list(table.groupby(series, sort=False))
    words = []
    for (name, rows), style in zip(groups, series_styles(len(groups)), strict=True):
        values = rows.set_index(by)[value].reindex(steps)
        look = {"color": style.colour, "marker": style.marker, "linestyle": style.dash, "ms": 4, "lw": 1}
        ax.plot(range(len(steps)), values, label=short_label(name), **look)
        words.append(f"{name} from {values.dropna().iloc[0]:.2f} to {values.dropna().iloc[-1]:.2f}")
    ax.set_xticks(range(len(steps)), [short_label(step) for step in steps], rotation=40, ha="right", fontsize=FONT_SIZE)
    ax.set_xlabel(by, fontsize=FONT_SIZE)
    ax.set_ylabel(value, fontsize=FONT_SIZE)
    ax.grid(axis="y", alpha=0.3)
    draw_legend(ax)
    return AccessibleFigure(figure, f"{value} over {len(steps)} steps of {by}: {'; '.join(words)}.", caption)
