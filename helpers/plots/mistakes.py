"""Figure of chapter *Trust*: numbers with and without a mistake."""

from __future__ import annotations

from typing import Any

import pandas as pd

from helpers.plots.intervals import describe_interval_kinds, draw_whiskers
from helpers.plots.notice import NoFigure
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, draw_legend_above, make_axes, series_styles

_WIDTH = 4.3  # inches, so that the text is legible on a telephone
_ROW = 0.52  # inches


def mistake_plot(table: pd.DataFrame, caption: str) -> AccessibleFigure | NoFigure:
    """Draw a row per mistake: the number with it and without it, with their intervals, below its name and measure.

    Args:
        table: columns ``mistake``, ``variant`` (two of them), ``measure``, ``value``, ``low`` and ``high``.
        caption: caption of the figure.
    """
    if table.empty:
        return NoFigure("there are no results with and without a mistake")
    names, variants = list(dict.fromkeys(table["mistake"])), list(dict.fromkeys(table["variant"]))
    figure, ax = make_axes(_WIDTH, 0.9 + _ROW * len(names))
    for k, (variant, style) in enumerate(zip(variants, series_styles(len(variants)), strict=True)):
        rows = table[table["variant"] == variant]
        positions = rows["mistake"].map(names.index).to_numpy(float) + 0.2 * k
        draw_whiskers(ax, positions, rows, "value", axis="x", style=style, label=variant)
    low = min(table["low"].min(), table["value"].min())
    high = max(table["high"].max(), table["value"].max())
    behind = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 1}  # covers the dotted line
    for row, name in enumerate(names):
        title = {"fontsize": FONT_SIZE, "va": "center", "bbox": behind}
        measures = dict.fromkeys(table.loc[table["mistake"] == name, "measure"])
        ax.text(low, row - 0.28, name, fontweight="bold", **title)
        ax.text(high, row - 0.28, " / ".join(measures), ha="right", color="0.3", **title)
    ax.set_yticks([])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.axvline(0.5, color=COLOURS[-1], linewidth=0.8, linestyle=":")
    kinds = describe_interval_kinds([table])
    ax.set_xlabel(f"value{' and ' + kinds if kinds else ''}; dotted: one half", fontsize=FONT_SIZE)
    draw_legend_above(ax, 2, FONT_SIZE)
    words = [f"{row.mistake}, {row.variant}: {row.measure} {row.value:.2f}{_ends(row)}" for row in table.itertuples()]
    return AccessibleFigure(figure, f"Numbers with and without a mistake. {'; '.join(words)}.", caption)


def _ends(row: Any) -> str:
    return "" if pd.isna(row.low) else f" [{row.low:.2f}, {row.high:.2f}]"
