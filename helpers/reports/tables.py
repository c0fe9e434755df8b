"""Save and read the result tables of notebooks together with the columns that identify their rows.

A class, group or file may have any name, even ``=HYPERLINK(...)``, which a spreadsheet would evaluate. Text that begins
with a character in :data:`FORMULA` is therefore written to CSV with a leading apostrophe, which marks text in
spreadsheets, and read without it. Numbers stay numbers, including negative ones.
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
# Characters that may begin a formula, with the full-width ones of East Asian keyboards.
FORMULA = "=+-@\t\r\n＝＋－＠"
_LIVE = re.compile(f"'*[{re.escape(FORMULA)}]")
_NUMBER = re.compile(r"[+-](\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-](inf|nan)", re.IGNORECASE)


class TableError(LeukobookError):
    """A result table is missing or its rows are not uniquely identified; the message names the table and a remedy."""


@dataclass(frozen=True)
class Table:
    """A result table saved by a notebook.

    Attributes:
        path: path of the CSV file.
        frame: content of the table; columns in ``index`` hold unconverted text.
        index: columns that together identify a row uniquely.
    """

    path: Path
    frame: pd.DataFrame
    index: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """Label of each row, which joins the values of ``index``."""
        return _labels(self.frame, self.index)


def safe_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Escape text that a spreadsheet would evaluate as a formula with a leading apostrophe.

    Args:
        frame: any table; index and column names are escaped, too. Text that is a number, such as ``-1.5``, is kept.

    Returns:
        A copy to write with ``to_csv``. :func:`plain_text` reverses the escaping, but carriage returns have become line
        feeds, because ``to_csv`` quotes only these.
    """

    def safe(text: str) -> str:
        text = text.replace("\r", "\n")
        return f"'{text}" if _LIVE.match(text) and not _NUMBER.fullmatch(text) else text

    return _each_text(frame, safe)


def plain_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Remove the apostrophes added by :func:`safe_text`."""
    return _each_text(frame, lambda text: text[1:] if text.startswith("'") and _LIVE.match(text) else text)


def _each_text(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def changed(value: Any) -> Any:
        if isinstance(value, tuple):  # label of a multi-level index
            return tuple(map(changed, value))
        return change(value) if isinstance(value, str) else value

    result = frame.copy()
    for position, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            result.isetitem(position, frame.iloc[:, position].map(changed, na_action="ignore").array)
    return result.set_axis(_each_label(frame.index, changed)).set_axis(_each_label(frame.columns, changed), axis=1)


def _each_label(labels: pd.Index, changed: Callable[[Any], Any]) -> pd.Index:
    if not len(labels) or pd.api.types.is_numeric_dtype(labels.dtype):
        return labels.set_names([changed(name) for name in labels.names])
    if isinstance(labels, pd.MultiIndex):
        return pd.MultiIndex.from_tuples(map(changed, labels), names=[changed(name) for name in labels.names])
    return pd.Index([changed(label) for label in labels], name=changed(labels.name), tupleize_cols=False)


def escape_formulas(book: pd.ExcelWriter) -> None:
    """Convert every formula of a workbook to text before it is closed; tables of this package have no formulas.

    Args:
        book: openpyxl writer with all its sheets. Cells are typed as text, so no apostrophe is added.
    """
    for sheet in book.sheets.values():
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and _LIVE.match(cell.value):
                    cell.data_type, cell.quotePrefix = "s", True


def save_table(table: pd.DataFrame, path: Path, index: Sequence[str]) -> None:
    """Write a result table as CSV, and the columns that identify its rows as ``.index.json`` beside it.

    A table without rows, from a skipped section of a notebook, is neither published nor reported.

    Args:
        table: unrounded values; rounding is left to the display.
        path: path that ends in ``.csv``; file names are unique within a notebook, even across folders.
        index: columns that together identify a row. Numbers in other columns are metrics.

    Raises:
        TableError: wrong suffix, missing column, missing value in ``index``, or two rows with the same index.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import pandas as pd
        >>> from helpers.reports import tables
        >>> table = pd.DataFrame({"model": ["U-Net", "Otsu"], "dice": [0.95, 0.9]})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tables.save_table(table, Path(folder) / "dice.csv", index=["model"])
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['dice.csv', 'dice.index.json']
    """
    if path.suffix != ".csv":
        raise TableError(f"{path}: the name of a table must end in .csv")
    if len(table):
        _check(table, path, index)
    content = safe_text(table).to_csv(index=False).encode()
    files.write_bytes(path, content)
    note = {"index": list(index), "sha256": hashlib.sha256(content).hexdigest()}
    files.write_text(path.with_suffix(DECLARATION), json.dumps(note) + "\n")


def read_table(path: Path) -> Table | None:
    """Read a result table with its declared index, by default all non-numeric columns.

    Returns:
        The table, or None if it has no rows.

    Raises:
        TableError: the table is missing, its index was declared for other content, or two rows have the same index.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror}); run its notebook again") from None
    declaration = path.with_suffix(DECLARATION)
    try:
        frame = plain_text(pd.read_csv(path))
        if not declaration.exists():
            index = frame.select_dtypes(exclude="number").columns.astype(str).to_list()
        else:
            note = json.loads(declaration.read_text(encoding="utf-8"))
            if note["sha256"] != hashlib.sha256(content).hexdigest():
                raise TableError(
                    f"{path}: {declaration.name} belongs to another table; save both with tables.save_table"
                )
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
            f"{path}: {repeated} identifies several rows; save it with tables.save_table(table, path, index=[...]), "
            "where index lists the columns that tell rows apart"
        )
    return Table(path, frame, tuple(index))


def read_tables(outputs: Path, chapter: str) -> list[Table]:
    """Read the result tables of a notebook: all with a declared index, and others named ``CHAPTER-….csv``.

    Args:
        outputs: folder that is searched; recursively for tables with a declared index.
        chapter: name of the chapter without its number.

    Raises:
        TableError: as :func:`read_table`, or two tables have the same name.
    """
    paths = {path.with_name(path.name.removesuffix(DECLARATION) + ".csv") for path in outputs.rglob(f"*{DECLARATION}")}
    by_name: dict[str, Table] = {}
    for path in sorted(paths | set(outputs.glob(f"{glob.escape(chapter)}-*.csv"))):
        table = read_table(path)
        if table is None:
            continue
        if path.stem in by_name:
            raise TableError(f"{by_name[path.stem].path} and {path}: two tables have the same name; rename one of them")
        by_name[path.stem] = table
    return list(by_name.values())


def _check(table: pd.DataFrame, path: Path, index: Sequence[str]) -> None:
    missing = [name for name in index if name not in table]
    if missing or not index:
        problem = f"no column {', '.join(missing)}" if missing else "the index is empty"
        raise TableError(f"{path}: {problem}; choose index from {', '.join(map(str, table))}")
    incomplete = [name for name in index if table[name].isna().any()]
    if incomplete:
        raise TableError(
            f"{path}: {', '.join(incomplete)} has missing values; an index column needs a value in each row"
        )
    if repeated := _repeated(_labels(table, index)):
        raise TableError(
            f"{path}: {', '.join(index)} = {repeated} identifies several rows; "
            "add the column to index that tells them apart"
        )


def _labels(table: pd.DataFrame, index: Sequence[str]) -> list[str]:
    if not index:
        return [""] * len(table)
    return [", ".join(map(str, row)) for row in table[list(index)].itertuples(index=False, name=None)]


def _repeated(labels: list[str]) -> str:
    """Return the first duplicate label in quotes, or an empty string."""
    counts = pd.Series(labels, dtype=object).value_counts(sort=False)
    return next((repr(label) for label, count in counts.items() if count > 1), "")
