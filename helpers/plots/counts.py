"""Figures of counts: how narrow the interval of a share is, and the differential of each patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.markup import join_words
from helpers.metrics import wilson_interval
from helpers.plots.intervals import draw_whiskers
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, make_axes, series_styles

SHARES = (0.01, 0.05, 0.2, 0.6)
USUAL = (100, 200)  # cells that laboratories count most
SIZES = (20, 50, 100, 200, 500, 1000)  # ticks, cells
HALF_WIDTHS = (0.5, 1, 2, 5, 10, 20)  # ticks, percentage points
MAX_PATIENTS = 8


def interval_width_plot(caption: str, shares: Sequence[float] = SHARES) -> AccessibleFigure:
    """Draw half the width of the 95 % interval of a share against the number of cells counted, on log axes.

    The interval is that of :func:`helpers.metrics.wilson_interval` for the count that is expected.

    Args:
        caption: caption of the figure.
        shares: shares of the types, between 0 and 1; a line each.
    """
    n = np.unique(np.geomspace(SIZES[0], SIZES[-1], 60).round().astype(int))
    figure, ax = make_axes(5, 3.4)
    ax.set_xscale("log")
    ax.set_yscale("log")
    words = []
    for share, style in zip(shares, series_styles(len(shares)), strict=True):
        ax.plot(n, [half_width(share, int(each)) for each in n], color=style.colour)
        ends = [half_width(share, size) for size in USUAL]
        ax.plot(USUAL, ends, style.marker, color=style.colour, markersize=5)
        label = f" {100 * share:g} %"
        ax.text(n[-1], half_width(share, int(n[-1])), label, fontsize=FONT_SIZE, va="center")
        words.append(f"{100 * share:g} % ± {ends[0]:.1f} and ± {ends[1]:.1f}")
    for size in USUAL:
        ax.axvline(size, color=COLOURS[-1], linewidth=0.8, linestyle="--")
        ax.text(size, 1, f" {size} cells", fontsize=FONT_SIZE, va="top", transform=ax.get_xaxis_transform())
    ax.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    ax.set_yticks(HALF_WIDTHS, [f"± {width:g}" for width in HALF_WIDTHS])
    ax.minorticks_off()
    ax.set_xlim(SIZES[0], SIZES[-1])
    ax.set_xlabel("cells counted", fontsize=FONT_SIZE)
    ax.set_ylabel("half the 95 % interval, percentage points", fontsize=FONT_SIZE)
    ax.text(1.01, 1, "share", fontsize=FONT_SIZE, va="bottom", transform=ax.transAxes)
    ax.grid(alpha=0.3)
    alt = (
        f"Half the width of the 95 % interval of a share, in percentage points, falls with the number of cells from "
        f"{SIZES[0]} to {SIZES[-1]:,}. With {join_words(USUAL)} cells: {'; '.join(words)}."
    )
    return AccessibleFigure(figure, alt, caption)


def half_width(share: float, n: int) -> float:
    """Compute half the width of the 95 % interval of a share, in percentage points, for the count that is expected.

    Args:
        share: share of the type, 0 to 1.
        n: number of cells counted.
    """
    low, high = wilson_interval(share * n, n)
    return 50 * (high - low)


def differential_plot(
    table: pd.DataFrame, truth: pd.DataFrame | None, caption: str, *, n_columns: int = 2
) -> AccessibleFigure | NoFigure:
    """Draw the differential of each patient: the share of each class with its interval, and the true share.

    Args:
        table: from :func:`helpers.metrics.differential_count`: ``group, class, total, share, low, high``, of at most
            eight groups. Rows without a share, such as those of smudge cells, are left out.
        truth: true shares, where known: ``group, class, share``; others than those of ``table`` are left out.
        caption: caption of the figure.
        n_columns: patients side by side; two are legible on a telephone.

    Raises:
        ValueError: there are more than eight groups, or a share lies outside its interval.
    """
    shown = table[table["share"].notna()]
    if shown.empty:
        return NoFigure("no cell was counted, so there is no differential")
    groups, classes = list(shown["group"].unique()), list(shown["class"].unique())
    if len(groups) > MAX_PATIENTS:
        raise ValueError(f"at most {MAX_PATIENTS} patients fit into a figure, got {len(groups)}; select some of them")
    if truth is not None:
        shown = shown.merge(truth[["group", "class", "share"]], "left", ["group", "class"], suffixes=("", "_true"))
    else:
        shown = shown.assign(share_true=np.nan)
    n_columns = min(n_columns, len(groups))
    n_rows = -(-len(groups) // n_columns)
    height = n_rows * (0.7 + 0.21 * len(classes)) + 0.6
    figure, axes = make_axes(1.2 + 2.2 * n_columns, height, n_columns, n_rows, squeeze=False, sharex=True, sharey=True)
    known, words = bool(shown["share_true"].notna().any()), []
    for ax, group in zip(axes.ravel(), groups, strict=False):
        own = shown[shown["group"] == group]
        _draw_patient(ax, own, classes, known)
        cells = f"{group}, {own['total'].iloc[0]} cells"
        ax.set_title(short_label(cells), fontsize=FONT_SIZE)
        words.append(f"{cells}: {', '.join(_in_words(row) for _, row in own.iterrows())}")
    for ax in axes.ravel()[len(groups) :]:
        ax.set_axis_off()
    _finish_axes(axes, len(groups), shown, classes)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8, frameon=False
    )
    true_share = " and the true share" if known else ""
    alt = f"Share of each class in per cent with its 95 % interval{true_share}, by patient. {'; '.join(words)}."
    return AccessibleFigure(figure, alt, caption)


def _draw_patient(ax: Axes, own: pd.DataFrame, classes: list[str], known: bool) -> None:
    """Draw the shares of a patient with their intervals, and the true ones, where known, as upright strokes."""
    positions = np.array([classes.index(name) for name in own["class"]], float)
    percent = own.assign(**{name: 100 * own[name] for name in ("share", "low", "high")})
    style = series_styles(1)[0]
    draw_whiskers(ax, positions, percent, "share", axis="x", style=style, label="counted share, 95 % interval")
    if known:
        ax.plot(100 * own["share_true"], positions, "|", color=COLOURS[1], ms=14, mew=2.5, label="true share")


def _finish_axes(axes: np.ndarray, n_patients: int, shown: pd.DataFrame, classes: list[str]) -> None:
    """Set the axes, which all patients share; each has the numbers, the lowest of each column their name."""
    highest = 100 * shown[["high", "share_true"]].max().max()
    axes[0, 0].set_xlim(-0.03 * highest, 1.03 * highest)
    axes[0, 0].set_yticks(range(len(classes)), [short_label(name, 18) for name in classes])
    axes[0, 0].set_ylim(len(classes) - 0.5, -0.5)
    n_columns = axes.shape[1]
    for number, ax in enumerate(axes.ravel()[:n_patients]):
        ax.grid(axis="x", alpha=0.3)
        ax.tick_params(labelbottom=True)
        if number + n_columns >= n_patients:
            ax.set_xlabel("share, %", fontsize=FONT_SIZE)


def _in_words(row: pd.Series) -> str:
    ends = f"{row['class']} {100 * row['share']:.0f} [{100 * row['low']:.0f}, {100 * row['high']:.0f}]"
    return ends if pd.isna(row["share_true"]) else f"{ends}, true {100 * row['share_true']:.0f}"
