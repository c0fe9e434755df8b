"""Error bars from the lower to the upper end of an interval, and the kind of each interval in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from helpers.metrics import INTERVAL, RANGE
from helpers.plots.style import COLOURS, MARKERS, SeriesStyle

KINDS = {INTERVAL: f"{INTERVAL} interval", RANGE: RANGE}
ROUNDING = 1e-9  # tolerance for sums of the same floats in another order


def interval_kinds(table: pd.DataFrame) -> pd.Series:
    """Return the kind of interval of each row: column ``interval``, by default ``95 %``; empty where an end is NaN.

    Raises:
        ValueError: unknown kind of interval.
    """
    kinds = table["interval"] if "interval" in table else pd.Series(INTERVAL, table.index)
    kinds = kinds.astype(object).where(table[["low", "high"]].notna().all(axis=1), "")
    for kind in kinds.unique():
        if kind not in ("", *KINDS):
            raise ValueError(f"unknown kind of interval {kind!r}; choose from {', '.join(KINDS)}")
    return kinds


def describe_interval_kinds(tables: Iterable[pd.DataFrame]) -> str:
    """Return the kinds of all intervals, such as ``95 % interval or range of groups``; empty without intervals."""
    return " or ".join(KINDS[kind] for kind in _kinds_of(tables))


def _kinds_of(tables: Iterable[pd.DataFrame]) -> list[str]:
    present = {kind for table in tables for kind in interval_kinds(table)}
    return [kind for kind in KINDS if kind in present]


def draw_whiskers(
    ax: Axes,
    positions: np.ndarray,
    table: pd.DataFrame,
    value: str,
    *,
    axis: Literal["x", "y"],
    style: SeriesStyle,
    label: str,
) -> None:
    """Draw one series with error bars from ``low`` to ``high``; a range of groups is dotted with a hollow marker.

    Args:
        ax: axes to draw on.
        positions: positions on the other axis, ``float (n,)``.
        table: columns ``value``, ``low`` and ``high``, and ``interval`` where kinds differ.
        value: column with the values.
        axis: axis of the values.
        style: style of the series.
        label: legend label of the series.

    Raises:
        ValueError: a value lies outside its interval.
    """
    reach, ranged = _reach(table, value), (interval_kinds(table) == RANGE).to_numpy()
    values = table[value].to_numpy(float)
    for chosen, hollow in ((~ranged, False), (ranged, True)):
        if chosen.any():
            _draw(ax, positions[chosen], values[chosen], reach[:, chosen], axis, style, hollow, label)
            label = "_nolegend_"  # one legend entry per series


def draw_kinds(ax: Axes, tables: Iterable[pd.DataFrame], *, axis: Literal["x", "y"]) -> None:
    """Add the kinds of interval of tables with a column ``interval`` to the legend."""
    style, nothing = SeriesStyle(COLOURS[-1], MARKERS[0], "-", ""), np.full(1, np.nan)
    for kind in _kinds_of(table for table in tables if "interval" in table):
        _draw(ax, nothing, nothing, np.full((2, 1), np.nan), axis, style, kind == RANGE, KINDS[kind])


def _draw(
    ax: Axes,
    positions: np.ndarray,
    values: np.ndarray,
    reach: np.ndarray,
    axis: str,
    style: SeriesStyle,
    hollow: bool,
    label: str,
) -> None:
    x, y = (values, positions) if axis == "x" else (positions, values)
    bars = ax.errorbar(
        x,
        y,
        xerr=reach if axis == "x" else None,
        yerr=reach if axis == "y" else None,
        label=label,
        fmt=style.marker,
        color=style.colour,
        mfc="white" if hollow else style.colour,
        ms=5,
        capsize=2,
        elinewidth=0.8 if hollow else 1.5,
    )
    if hollow:
        bars.lines[2][0].set_linestyle(":")


def _reach(table: pd.DataFrame, value: str) -> np.ndarray:
    """Return distances from each value to the ends of its interval, ``float (2, n)``; NaN without an interval."""
    reach = np.stack([table[value] - table["low"], table["high"] - table[value]]).astype(float)
    outside = (reach < -ROUNDING).any(axis=0)
    if outside.any():
        row = table[outside].iloc[0]
        ends = f"[{row['low']:.3f}, {row['high']:.3f}]"
        raise ValueError(f"{value} {row[value]:.3f} is outside its interval {ends}; low ≤ {value} ≤ high must hold")
    reach = np.maximum(reach, 0)
    reach[:, np.isnan(reach).any(axis=0)] = np.nan
    return reach
