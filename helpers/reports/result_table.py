"""One renderer for result tables: HTML for JupyterLab and pages, Markdown for reports, text for terminals and nbval."""

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
COUNTS = ("images", "n", "groups", "runs")  # whole numbers, even where a missing one makes the column float
LAST = ("n", "groups")
# Column names of the code that are not plain words once their underscores are gone.
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


@dataclass(frozen=True)
class ResultTable:
    """A table ready to be shown; in a notebook it shows as HTML, anywhere else as text.

    Attributes:
        headings: one per column, in plain words.
        rows: cells as they are read, rounded.
        numeric: whether a column holds numbers, which are aligned to the right.
        n_labels: leading columns that name the row.
        caption: what the table shows, in one sentence; may be empty.
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
        """Return the table as aligned lines: headings, then a line for each row."""
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
            escape: turns a heading or a cell into Markdown; ``str`` for a table whose cells are Markdown already.
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
        """Return the table in HTML: rows and columns have header cells, and a wide table scrolls inside its own box."""
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
        # A keyboard scrolls only what it can focus, and what has the focus needs a role and a name.
        return (
            f'<div class="result-table" role="group" aria-label="{label}" tabindex="0" style="overflow-x: auto">\n'
            f"<table>{caption}\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>"
        )

    def _cell(self, tag: str, column: int, text: str, scope: str) -> str:
        side = "right" if self.numeric[column] else "left"
        scoped = f' scope="{scope}"' if tag == "th" else ""
        # JupyterLab and Colab have style sheets of their own, which align everything to the right.
        return f'<{tag}{scoped} class="{side}" style="text-align: {side}">{html.escape(text)}</{tag}>'

    def _no_rows(self) -> str:
        return f"No rows in the table of {', '.join(filter(None, self.headings))}."


def show_table(table: pd.DataFrame, *, digits: int = 3, caption: str = "") -> ResultTable:
    """Render a table of results the way the whole book shows them.

    A value and its interval, columns ``low`` and ``high`` to the right of it, become one column; the kind of interval
    is that of the column ``interval``, 95 % without one. ``n`` and ``groups`` come last. Names in an index become the
    first columns; an index that only counts rows is left out. Underscores in column names become spaces.

    Args:
        table: of any columns and index.
        digits: decimals of numbers that are not whole.
        caption: what the table shows, in one sentence.

    Returns:
        A table that shows itself as HTML in a notebook and as text elsewhere, and that can be had as Markdown.

    Raises:
        ValueError: no value to the left of ``low``, or one that is not between ``low`` and ``high``.

    Example:
        >>> import pandas as pd
        >>> show_table(pd.DataFrame({"measure": ["AUC"], "value": [0.9], "low": [0.85], "high": [0.95], "n": [40]}))
        measure  value (95 % interval)   n
        AUC       0.900 [0.850, 0.950]  40
    """
    frame = _with_row_labels(table)
    value = _value_column(frame)
    shown = [name for name in frame if value is None or name not in (*ENDS, "interval")]
    shown.sort(key=lambda name: LAST.index(name) + 1 if name in LAST else 0)
    headings, cells = [], []
    for name in shown:
        heading, column = _estimates(frame, name, digits) if name == value else _plain(frame[name], digits)
        headings.append(heading)
        cells.append(column)
    numeric = tuple(_is_numeric(frame[name]) for name in shown)
    n_labels = max(_n_levels(table), numeric.index(True) if True in numeric else 1)
    return ResultTable(tuple(headings), tuple(zip(*cells, strict=True)), numeric, n_labels, caption)


def format_estimate(value: float | None, low: float | None, high: float | None, kind: str, digits: int = 3) -> str:
    """Write a number with its interval, or with the range of the groups where they are too few for an interval.

    Args:
        value: the number, missing where it is not defined.
        low: lower end, missing where there is no interval.
        high: upper end, likewise.
        kind: of the interval: ``95 %``, ``range of groups`` or ``none``, see :class:`helpers.metrics.Estimate`.
        digits: decimals.

    Example:
        >>> format_estimate(0.9, 0.85, 0.95, "95 %")
        '0.900 [0.850, 0.950]'
        >>> format_estimate(0.9, 0.8, 1.0, "range of groups")
        '0.900 (range of groups 0.800 to 1.000)'
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        kind = NONE
    ends = {
        INTERVAL: lambda: f" [{_decimal(low, digits)}, {_decimal(high, digits)}]",
        RANGE: lambda: f" ({RANGE} {_decimal(low, digits)} to {_decimal(high, digits)})",
        NONE: lambda: " (no interval)",
    }
    return _decimal(value, digits) + ends[kind]()


def _n_levels(table: pd.DataFrame) -> int:
    """Levels of an index that names rows; 0 where it only counts them."""
    unnamed = table.index.nlevels == 1 and table.index.name is None
    return 0 if unnamed and is_numeric_dtype(table.index) else table.index.nlevels


def _with_row_labels(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the names of its index as first columns, and with one level of column names."""
    frame = table.copy()
    if frame.columns.nlevels > 1:
        frame.columns = [", ".join(map(str, name)) for name in frame.columns]
    n_levels = _n_levels(frame)
    if not n_levels:
        return frame.reset_index(drop=True)
    names = ["" if name is None else str(name) for name in frame.index.names]
    labels = frame.index.to_frame(index=False)
    labels.columns = names
    return pd.concat([labels, frame.reset_index(drop=True)], axis=1)


def _value_column(frame: pd.DataFrame) -> str | None:
    """The column that ``low`` and ``high`` are the ends of, made numbers; ``None`` where there are no intervals."""
    names = list(frame.columns)
    if not set(ENDS) <= set(names):
        return None
    position = names.index("low")
    if position == 0:
        raise ValueError("low and high have no value; put its column to the left of low")
    name = names[position - 1]
    frame[[name, *ENDS]] = frame[[name, *ENDS]].astype(float)  # where nothing is defined, they hold None
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
    """The heading and the cells of a value with its interval."""
    kinds = frame["interval"] if "interval" in frame else pd.Series(INTERVAL, frame.index)
    has_ends = frame[list(ENDS)].notna().all(axis=1)
    kinds = kinds.where(has_ends, NONE)
    if not has_ends.any():  # of a table without any interval, "no interval" need not be read in every row
        return _heading(name), [_format(value, name, digits) for value in frame[name]]
    cells = [
        format_estimate(value, low, high, kind, digits)
        for value, low, high, kind in zip(frame[name], frame["low"], frame["high"], kinds, strict=True)
    ]
    return f"{_heading(name)} ({INTERVAL} interval)" if (kinds == INTERVAL).any() else _heading(name), cells


def _plain(column: pd.Series, digits: int) -> tuple[str, list[str]]:
    """The heading and the cells of a column without intervals."""
    return _heading(column.name), [_format(cell, column.name, digits) for cell in column]


def _is_numeric(column: pd.Series) -> bool:
    column = column.infer_objects()
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _format(cell: object, name: str, digits: int) -> str:
    """One cell in words or digits."""
    if pd.api.types.is_bool(cell):
        return "yes" if cell else "no"
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return MISSING
    if pd.api.types.is_float(cell):
        return _decimal(float(cell), 0 if name in COUNTS else digits)
    return " ".join(str(cell).split())


def _decimal(value: float, digits: int) -> str:
    """A rounded number; never a minus before a zero, whose sign may differ from machine to machine."""
    return f"{round(value, digits) + 0.0:.{digits}f}"
