"""Result tables: saved by notebooks with the columns that name their rows, and read with them.

A class, a group or a file may have any name, also ``=HYPERLINK(...)``, which a spreadsheet would calculate. So text
that begins with one of :data:`FORMULA` is written to CSV with an apostrophe before it, by which spreadsheets know text,
and read without it. Numbers stay numbers, negative ones too.
"""

from __future__ import annotations

import glob
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files
from helpers.errors import LeukobookError

DECLARATION = ".index.json"
# What a formula may begin with; the wide signs are those of East Asian keyboards.
FORMULA = "=+-@\t\r\n＝＋－＠"
_LIVE = re.compile(f"'*[{re.escape(FORMULA)}]")
_NUMBER = re.compile(r"[+-](\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-](inf|nan)", re.IGNORECASE)


class TableError(LeukobookError):
    """A table whose rows cannot be told apart, or that is not there; the message names it and what to do."""


@dataclass(frozen=True)
class Table:
    """A table that a notebook has saved.

    Attributes:
        path: of the CSV file.
        frame: its columns; those of ``index`` hold text, as it stands in the file.
        index: columns that name a row; together they do so uniquely.
    """

    path: Path
    frame: pd.DataFrame
    index: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """The values of ``index`` in every row, in one text."""
        return _labels(self.frame, self.index)


def safe_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before every text that a spreadsheet would calculate, so that it is shown as it is.

    Args:
        frame: any; its index and the names of its columns count, too. Text that is a number, ``-1.5``, stays.

    Returns:
        A frame of the same form to write with ``to_csv``; :func:`plain_text` gives the old one back, but for carriage
        returns, which have become line feeds: ``to_csv`` puts quotes round these alone.
    """

    def safe(text: str) -> str:
        text = text.replace("\r", "\n")
        return f"'{text}" if _LIVE.match(text) and not _NUMBER.fullmatch(text) else text

    return _each_text(frame, safe)


def plain_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Take away the apostrophes of :func:`safe_text`."""
    return _each_text(frame, lambda text: text[1:] if text.startswith("'") and _LIVE.match(text) else text)


def _each_text(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def changed(value: Any) -> Any:
        if isinstance(value, tuple):  # a row or a column of several levels
            return tuple(map(changed, value))
        return change(value) if isinstance(value, str) else value

    result = frame.copy()
    for position, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            result.isetitem(position, frame.iloc[:, position].map(changed, na_action="ignore"))
    return result.set_axis(_each_label(frame.index, changed)).set_axis(_each_label(frame.columns, changed), axis=1)


def _each_label(labels: pd.Index, changed: Callable[[Any], Any]) -> pd.Index:
    if not len(labels) or pd.api.types.is_numeric_dtype(labels.dtype):
        return labels.set_names([changed(name) for name in labels.names])
    if isinstance(labels, pd.MultiIndex):
        return pd.MultiIndex.from_tuples(map(changed, labels), names=[changed(name) for name in labels.names])
    return pd.Index([changed(label) for label in labels], name=changed(labels.name), tupleize_cols=False)


def escape_formulas(book: pd.ExcelWriter) -> None:
    """Make text of every formula in a workbook, before it is closed; tables of this package have no formulas.

    Args:
        book: of openpyxl, with all its sheets. No apostrophe is added: a cell of a workbook says that it holds text.
    """
    for sheet in book.sheets.values():
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and _LIVE.match(cell.value):
                    cell.data_type, cell.quotePrefix = "s", True


def save_table(table: pd.DataFrame, path: Path, index: Sequence[str]) -> None:
    """Write a result table as CSV, and beside it, as ``.index.json``, which columns name its rows.

    A table without rows is that of a part that was left out, and is neither published nor measured.

    Args:
        table: not rounded; who shows it does that.
        path: ends in ``.csv``; two tables of a notebook have different names, also in different folders.
        index: columns that together name a row. All numbers in other columns are measures.

    Raises:
        TableError: another suffix, a column that is not there, a name that is missing, or two rows of one name.
    """
    if path.suffix != ".csv":
        raise TableError(f"{path}: a table is saved as .csv")
    if len(table):
        _check(table, path, index)
    content = safe_text(table).to_csv(index=False).encode()
    files.write_bytes(path, content)
    note = {"index": list(index), "sha256": hashlib.sha256(content).hexdigest()}
    files.write_text(path.with_suffix(DECLARATION), json.dumps(note) + "\n")


def read_table(path: Path) -> Table | None:
    """Read a result table with the index that was declared, or else its columns without numbers; None without rows.

    Raises:
        TableError: it is not there, its index is that of other content, or two rows have one name.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}); run its notebook again") from None
    declaration = path.with_suffix(DECLARATION)
    try:
        frame = plain_text(pd.read_csv(path))
        if not declaration.exists():
            index = [name for name in frame if name not in frame.select_dtypes("number")]
        else:
            note = json.loads(declaration.read_text(encoding="utf-8"))
            if note["sha256"] != hashlib.sha256(content).hexdigest():
                raise TableError(f"{path}: {declaration.name} is of another table; save both with tables.save_table")
            index = note["index"]
            if len(frame):  # a class may be called NA
                frame[index] = plain_text(pd.read_csv(path, dtype=str, keep_default_na=False))[index]
    except pd.errors.EmptyDataError:
        return None
    if frame.empty:
        return None
    if declaration.exists():
        _check(frame, path, index)
    elif repeated := _repeated(_labels(frame, index)):
        raise TableError(
            f"{path}: {repeated} names several rows; save it with tables.save_table(table, path, index=[...]), where "
            "index lists the columns that tell rows apart"
        )
    return Table(path, frame, tuple(index))


def read_tables(outputs: Path, chapter: str) -> list[Table]:
    """Read what a notebook has saved below a folder: all declared tables, and others that are named ``CHAPTER-….csv``.

    Raises:
        TableError: as :func:`read_table`, or two have the same name.
    """
    paths = {path.with_name(path.name.removesuffix(DECLARATION) + ".csv") for path in outputs.rglob(f"*{DECLARATION}")}
    found: dict[str, Table] = {}
    for path in sorted(paths | set(outputs.glob(f"{glob.escape(chapter)}-*.csv"))):
        table = read_table(path)
        if table is None:
            continue
        if path.stem in found:
            raise TableError(f"{found[path.stem].path} and {path}: two tables of one name; rename one of them")
        found[path.stem] = table
    return list(found.values())


def _check(table: pd.DataFrame, path: Path, index: Sequence[str]) -> None:
    lacking = [name for name in index if name not in table]
    if lacking or not index:
        named = ", ".join(lacking) or "an index"
        raise TableError(f"{path}: has no column {named}; index lists some of {', '.join(map(str, table))}")
    unnamed = [name for name in index if table[name].isna().any()]
    if unnamed:
        raise TableError(f"{path}: {', '.join(unnamed)} is missing in some rows; a row is named by a value in each")
    if repeated := _repeated(_labels(table, index)):
        raise TableError(
            f"{path}: {', '.join(index)} = {repeated} names several rows; add the column to index that tells them apart"
        )


def _labels(table: pd.DataFrame, index: Sequence[str]) -> list[str]:
    if not index:
        return [""] * len(table)
    return [", ".join(map(str, row)) for row in table[list(index)].itertuples(index=False, name=None)]


def _repeated(labels: list[str]) -> str:
    """The first label that several rows have, in quotes; empty where there is none."""
    counts = pd.Series(labels, dtype=object).value_counts(sort=False)
    return next((repr(label) for label, count in counts.items() if count > 1), "")
