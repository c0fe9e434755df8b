"""Render result tables: HTML for JupyterLab and book pages, Markdown for reports, text for terminals and nbval."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from helpers.markup import escape_markdown
from helpers.metrics import INTERVAL, NONE, RANGE

ENDS = ("low", "high")
COUNTS = ("images", "n", "groups", "runs")  # integers, even where a missing value makes the column float
LAST = ("n", "groups")
# Headings of columns whose name without underscores is not readable enough.
HEADINGS = {
    "dice": "Dice",
    "hausdorff95": "95th-percentile Hausdorff distance",
    "image_a": "image A",
    "image_b": "image B",
    "image_id": "image",
    "iou": "IoU",
    "label": "class",
    "surface_dice": "surface Dice",
}
MISSING, UNDEFINED = "–", "not defined"
ROUNDING = 1e-9  # sums of the same floats in another order differ by less
MAX_DIGITS = 6  # of an end of an interval beside 0


@dataclass(frozen=True)
class ResultTable:
    """A formatted table, displayed as HTML in a notebook and as text elsewhere.

    Attributes:
        headings: column headings in plain words.
        rows: formatted and rounded cells.
        numeric: per column, whether it holds numbers and is aligned to the right.
        n_labels: number of leading columns that identify the row.
        caption: caption of one sentence; may be empty.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    n_labels: int
    caption: str = ""

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self) -> str:
        """Return the table as aligned lines of text: caption, headings and one line per row."""
        if not self.rows:
            return self._no_rows()
        lines = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.numeric, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([*([self.caption] if self.caption else []), *aligned])

    def to_markdown(self, escape: Callable[[object], str] = escape_markdown) -> str:
        """Return the table in Markdown, below its caption.

        Args:
            escape: function that escapes a heading or cell; ``str`` for cells that are Markdown already.
        """
        if not self.rows:
            return escape(self._no_rows())
        rule = "|" + "|".join("---:" if right else "---" for right in self.numeric) + "|"
        head = "| " + " | ".join(map(escape, self.headings)) + " |"
        lines = [
            "| "
            + " | ".join(cell if right else escape(cell) for cell, right in zip(row, self.numeric, strict=True))
            + " |"
            for row in self.rows
        ]
        return "\n".join([*([escape(self.caption), ""] if self.caption else []), head, rule, *lines])

    def to_html(self) -> str:
        """Return the table in HTML with row and column header cells, in a box that scrolls where the table is wide."""
        if not self.rows:
            return f"<p>{html.escape(self._no_rows())}</p>"
        label = html.escape(self.caption or f"Table of {', '.join(filter(None, self.headings))}", quote=True)
        caption = f"<caption>{html.escape(self.caption)}</caption>" if self.caption else ""
        head = "".join(
            self._cell("th" if heading else "td", k, heading, scope="col") for k, heading in enumerate(self.headings)
        )
        body = "\n".join(
            "<tr>"
            + "".join(
                self._cell("th" if k < self.n_labels else "td", k, cell, scope="row") for k, cell in enumerate(row)
            )
            + "</tr>"
            for row in self.rows
        )
        # Keyboard users can scroll only focusable elements, and a focusable element needs a role and a name.
        return (
            f'<div class="result-table" role="group" aria-label="{label}" tabindex="0" style="overflow-x: auto">\n'
            f"<table>{caption}\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
        )

    def _cell(self, tag: str, column: int, text: str, scope: str) -> str:
        side = "right" if self.numeric[column] else "left"
        scoped = f' scope="{scope}"' if tag == "th" else ""
        # Overrides the style sheets of JupyterLab and Colab, which align all cells to the right.
        return f'<{tag}{scoped} class="{side}" style="text-align: {side}">{html.escape(text)}</{tag}>'

    def _no_rows(self) -> str:
        return f"No rows in the table of {', '.join(filter(None, self.headings))}."


def show_table(table: pd.DataFrame, *, digits: int = 3, caption: str = "") -> ResultTable:
    """Format a table of results in the style of the book.

    A value and its interval, in columns ``low`` and ``high`` to its right, become one column; column ``interval`` holds
    the kind of interval, by default 95 %. ``n`` and ``groups`` come last. Index levels become the first columns; an
    unnamed numeric index is left out. Underscores in column names become spaces.

    Args:
        table: table with any columns and index.
        digits: decimals of floating-point numbers.
        caption: caption of one sentence.

    Returns:
        Formatted table, displayed as HTML in a notebook and as text elsewhere.

    Raises:
        ValueError: there is no column to the left of ``low``, or a value does not lie between ``low`` and ``high``.

    Example:
        >>> import pandas as pd
        >>> from helpers import reports
        >>> auc = {"value": 0.9, "low": 0.85, "high": 0.95, "n": 40}
        >>> reports.show_table(pd.DataFrame({"measure": ["AUC"], **auc}))
        measure  value (95 % interval)   n
        AUC       0.900 [0.850, 0.950]  40
    """
    frame = _with_row_labels(table)
    value = _value_column(frame)
    shown = [name for name in map(str, frame) if value is None or name not in (*ENDS, "interval")]
    shown.sort(key=lambda name: LAST.index(name) + 1 if name in LAST else 0)
    headings, cells = [], []
    for name in shown:
        heading, column = _estimates(frame, name, digits) if name == value else _plain(frame, name, digits)
        headings.append(heading)
        cells.append(column)
    numeric = tuple(_is_numeric(frame[name]) for name in shown)
    n_labels = max(_n_levels(table), numeric.index(True) if True in numeric else 1)
    return ResultTable(tuple(headings), tuple(zip(*cells, strict=True)), numeric, n_labels, caption)


def digits_beside_zero(low: float, high: float, digits: int) -> int:
    """Return the decimals with which no end of an interval that excludes 0 is rounded to 0.

    Args:
        low: lower end, not 0.
        high: upper end, not 0.
        digits: decimals that suffice otherwise.

    Returns:
        ``digits``, or as many more as are needed, up to six: what is smaller is no difference that a reader could use.
    """
    while digits < MAX_DIGITS and not (round(low, digits) and round(high, digits)):
        digits += 1
    return digits


def format_estimate(value: float | None, low: float | None, high: float | None, kind: str, digits: int = 3) -> str:
    """Format an estimate with its interval, or with the range of groups where there are too few for an interval.

    Args:
        value: estimate; None or NaN where undefined.
        low: lower end; None or NaN without an interval.
        high: upper end; None or NaN without an interval.
        kind: kind of interval: ``95 %``, ``range of groups`` or ``none``, see :class:`helpers.metrics.Estimate`.
        digits: decimals.

    Example:
        >>> format_estimate(0.9, 0.85, 0.95, "95 %")
        '0.900 [0.850, 0.950]'
        >>> format_estimate(0.9, 0.8, 1.0, "range of groups")
        '0.900 (range of groups 0.800 to 1.000)'
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    if kind == NONE or low is None or high is None or math.isnan(low) or math.isnan(high):
        return f"{_decimal(value, digits)} (no interval)"
    lower, upper = _decimal(low, digits), _decimal(high, digits)
    ends = {INTERVAL: f" [{lower}, {upper}]", RANGE: f" ({RANGE} {lower} to {upper})"}
    return _decimal(value, digits) + ends[kind]


def _n_levels(table: pd.DataFrame) -> int:
    """Return the number of index levels that identify rows; 0 for an unnamed numeric index."""
    unnamed = table.index.nlevels == 1 and table.index.name is None
    return 0 if unnamed and is_numeric_dtype(table.index) else table.index.nlevels


def _with_row_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Move the index into the first columns, and flatten column names to one level of text."""
    frame = table.copy()
    several = frame.columns.nlevels > 1
    frame.columns = pd.Index([", ".join(map(str, name)) if several else str(name) for name in frame.columns])
    n_levels = _n_levels(frame)
    if not n_levels:
        return frame.reset_index(drop=True)
    names = ["" if name is None else str(name) for name in frame.index.names]
    labels = frame.index.to_frame(index=False)
    labels.columns = names
    return pd.concat([labels, frame.reset_index(drop=True)], axis=1)


def _value_column(frame: pd.DataFrame) -> str | None:
    """Return the column left of ``low``, or None without intervals; convert it and its ends to float in place."""
    names = list(frame.columns)
    if not set(ENDS) <= set(names):
        return None
    position = names.index("low")
    if position == 0:
        raise ValueError("low and high have no value; put its column to the left of low")
    name = names[position - 1]
    frame[[name, *ENDS]] = frame[[name, *ENDS]].astype(float)  # object columns of None where undefined
    outside = (frame[name] < frame["low"] - ROUNDING) | (frame[name] > frame["high"] + ROUNDING)
    if outside.any():
        row = frame[outside].iloc[0]
        raise ValueError(
            f"{name} {row[name]:.3f} is outside its interval [{row['low']:.3f}, {row['high']:.3f}]; "
            "put the column of the value to the left of low"
        )
    return name


def _heading(name: str) -> str:
    return HEADINGS.get(name, str(name).replace("_", " "))


def _estimates(frame: pd.DataFrame, name: str, digits: int) -> tuple[str, list[str]]:
    """Return heading and formatted cells of a value with its interval."""
    kinds = frame["interval"] if "interval" in frame else pd.Series(INTERVAL, frame.index)
    has_ends = frame[list(ENDS)].notna().all(axis=1)
    kinds = kinds.where(has_ends, NONE)
    if not has_ends.any():  # a table without any interval need not repeat "no interval" in each row
        return _plain(frame, name, digits)
    cells = [
        format_estimate(value, low, high, kind, digits)
        for value, low, high, kind in zip(frame[name], frame["low"], frame["high"], kinds, strict=True)
    ]
    return f"{_heading(name)} ({INTERVAL} interval)" if (kinds == INTERVAL).any() else _heading(name), cells


def _plain(frame: pd.DataFrame, name: str, digits: int) -> tuple[str, list[str]]:
    """Return heading and formatted cells of a column without intervals."""
    column = frame[name]
    cells = zip(column, column.isna(), strict=True)
    return _heading(name), [MISSING if missing else _format(cell, name, digits) for cell, missing in cells]


def _is_numeric(column: pd.Series) -> bool:
    column = column.infer_objects()
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _format(cell: object, name: str, digits: int) -> str:
    """Format one cell that is not missing."""
    if pd.api.types.is_bool(cell):
        return "yes" if cell else "no"
    if pd.api.types.is_float(cell):
        return _decimal(float(cell), 0 if name in COUNTS else digits)
    return " ".join(str(cell).split())


def _decimal(value: float, digits: int) -> str:
    """Round a number, without a minus sign before zero, which may differ between machines."""
    return f"{round(value, digits) + 0.0:.{digits}f}"
