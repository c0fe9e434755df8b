"""Tables that accompany images: CSV of any locale or XLSX; and the frame of a dataset.

=====================================================  ===========================================================
CSV in UTF-8 with or without BOM, UTF-16 with BOM      read; other encodings are refused with the line number
comma, semicolon or tab                                the one that finds most of the required columns
XLSX                                                   first sheet, at most 64 columns
column names                                           case and surrounding spaces are ignored
more than 16 MiB, or an XLSX that unpacks to more      refused (``MAX_TABLE_BYTES``)
an XLSX of more than 1,000 files                       refused (``MAX_SHEET_MEMBERS``)
more than 500,000 lines, or 10,000 characters in one   refused (``MAX_TABLE_LINES``, ``MAX_LINE``)
a folder, a device, a pipe, a loop of links            refused
=====================================================  ===========================================================
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files
from helpers.datasets.errors import DatasetError
from helpers.errors import printable

COLUMNS = ("path", "mask_path", "label", "group", "dataset")
MAX_TABLE_BYTES = 16 * 2**20
MAX_TABLE_LINES = 500_000
MAX_LINE = 10_000
MAX_SHEET_COLUMNS = 64
MAX_SHEET_MEMBERS = 1_000  # files in an XLSX; usually about ten and one per sheet
DELIMITERS = (",", ";", "\t")
_ZIP, _OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_TOO_LONG = "{}: more than {:,} lines; a table of images is shorter"
_SEPARATOR = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)  # first line that Excel writes and hides


def build_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Build the frame of a dataset from rows, with :data:`COLUMNS` first, indexed by ``image_id``."""
    frame = pd.DataFrame(rows).set_index("image_id")
    extra = [column for column in frame if column not in COLUMNS]
    return frame[[*COLUMNS, *extra]]


def read_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """Read a table as strings, indexed by line number in the file.

    Args:
        path: CSV or XLSX file, recognised by its content; see the module for the limits.
        columns: required columns, which get exactly these names in the result.

    Raises:
        DatasetError: the file is missing, too large or not a table, lacks a column, or a line has more cells than the
            first one.
    """
    content = _content(path)
    if content.startswith(_OLD_EXCEL):
        raise DatasetError(f"{path}: an Excel file of before 2007; save it as .xlsx or as CSV")
    zipped = content.startswith(_ZIP)
    numbered = _sheet(path, content) if zipped else _text_lines(path, _text(path, content), columns)
    lines = ((number, cells) for number, cells in numbered if any(cells))
    _, first = next(lines, (0, []))
    header = _header(path, first, columns)
    numbers, rows = [], []
    for number, cells in lines:
        numbers.append(number)
        rows.append(_cells(path, number, cells, len(header)))
        if len(rows) > MAX_TABLE_LINES:
            raise DatasetError(_TOO_LONG.format(path, MAX_TABLE_LINES))
    return pd.DataFrame(rows, columns=header, index=pd.Index(numbers, name="line", dtype=int), dtype=str)


def match_ids(on_disk: Iterable[str], in_table: Iterable[str], table: Path) -> None:
    """Check that the ids of a label table are exactly those of the files.

    Args:
        on_disk: ids of the files.
        in_table: ids in the table.
        table: path of the table, for the message.

    Raises:
        DatasetError: ids are repeated in the table, have no file, or have no row; the message lists all.
    """
    on_disk, listed = list(on_disk), pd.Series(list(in_table), dtype=str)
    problems = [f"{key}: occurs more than once" for key in listed[listed.duplicated()].unique()]
    problems += [f"{key}: in the table, but there is no such image" for key in sorted(set(listed) - set(on_disk))]
    problems += [f"{key}: an image without a row in the table" for key in sorted(set(on_disk) - set(listed))]
    if problems:
        raise DatasetError(f"{table}: does not match the images beside it; correct the table", problems)


def _content(path: Path) -> bytes:
    try:
        if kind := files.irregular_file_kind(path):
            raise DatasetError(f"{path}: is {kind}, not a file; put the table itself there")
        with path.open("rb") as file:
            content = file.read(MAX_TABLE_BYTES + 1)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such table; fetch the dataset again", missing=True) from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); put the table itself there") from None
    if len(content) > MAX_TABLE_BYTES:
        raise DatasetError(f"{path}: more than {MAX_TABLE_BYTES / 2**20:.0f} MiB; a table of images is smaller")
    return content


def _text(path: Path, content: bytes) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        value = content[error.start : error.start + 1].hex()
        raise DatasetError(
            f"{path}: line {line}: byte 0x{value} is not {'UTF-16' if wide else 'UTF-8'}; "
            "save the table as 'CSV UTF-8' or as .xlsx"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DatasetError(f"{path}: line {line}: a null byte, so not text; save it as CSV UTF-8")
    return text


def _text_lines(path: Path, text: str, columns: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of every line; the delimiter is the one that finds most columns in the first line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MAX_TABLE_LINES + 1:
        raise DatasetError(_TOO_LONG.format(path, MAX_TABLE_LINES))
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise DatasetError(
                f"{path}: line {number}: {len(line):,} signs, more than {MAX_LINE:,}; not a table of images"
            )
    first, _, rest = text.partition("\n")
    declared = _SEPARATOR.match(first)
    if declared:
        text = rest
    required = {_plain(column) for column in columns}

    def count_columns(delimiter: str) -> int:
        head = next(csv.reader(text.lstrip("\n").split("\n", 1)[:1], delimiter=delimiter), [])
        return len(required & {_plain(cell) for cell in head})

    try:
        delimiter = declared[1] if declared else max(DELIMITERS, key=count_columns)
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        for cells in reader:
            yield reader.line_num + bool(declared), [cell.strip() for cell in cells]
    except (csv.Error, TypeError, ValueError) as error:  # the last two: invalid delimiter after sep=
        raise DatasetError(f"{path}: not a CSV table ({error}); save it as 'CSV UTF-8' or as .xlsx") from None


def _sheet(path: Path, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of every row of an Excel file's first sheet."""
    import openpyxl  # imported here because few tables need it

    try:
        _check_members(path, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of styles and extensions
            sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()  # the declared size may be wrong
        for number, cells in enumerate(sheet.iter_rows(max_col=MAX_SHEET_COLUMNS, values_only=True), 1):
            yield number, [_cell(value) for value in cells]
    except DatasetError:
        raise
    except Exception as error:  # zip, XML and other errors: openpyxl has no common error class
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(
            f"{path}: not an .xlsx table ({type(error).__name__}: {reason}); save it as CSV UTF-8"
        ) from None


def _check_members(path: Path, content: bytes) -> None:
    """Unpack every member once in bounded memory, because openpyxl unpacks members of any size."""
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        members = zipped.infolist()
        if len(members) > MAX_SHEET_MEMBERS or sum(info.file_size for info in members) > MAX_TABLE_BYTES:
            raise DatasetError(
                f"{path}: unpacks to more than {MAX_TABLE_BYTES / 2**20:.0f} MiB or {MAX_SHEET_MEMBERS:,} files; "
                "save it as CSV UTF-8"
            )
        for info in members:
            files.read_member(zipped, info, MAX_TABLE_BYTES)


def _cell(value: Any) -> str:
    """Convert a cell to text: Excel stores the number 1 as 1.0, and dates with a time of midnight."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat().removesuffix("T00:00:00")
    return str(value).strip()


def _strip_trailing(cells: list[str]) -> list[str]:
    kept = len(list(itertools.dropwhile(lambda cell: not cell, reversed(cells))))
    return cells[:kept]


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _header(path: Path, cells: list[str], columns: Iterable[str]) -> list[str]:
    """Return the column names, with the required ones spelt as required."""
    header = _strip_trailing(cells)
    plain = [_plain(name) for name in header]
    lacking = [column for column in columns if _plain(column) not in plain]
    if lacking:
        raise DatasetError(
            f"{path}: lacks the column(s) {', '.join(lacking)}; it has {printable(', '.join(header))[:200] or 'none'}; "
            "name the columns in the first line"
        )
    for column in columns:
        if plain.count(_plain(column)) > 1:
            raise DatasetError(f"{path}: more than one column {column}; keep one")
        header[plain.index(_plain(column))] = column
    return header


def _cells(path: Path, number: int, cells: list[str], width: int) -> list[str]:
    """Pad a line to the width of the first line or strip empty cells at its end."""
    kept = _strip_trailing(cells)
    if len(kept) > width:
        raise DatasetError(
            f"{path}: line {number}: {len(kept)} cells where the first line has {width} "
            f"({' | '.join(kept)[:200]}); put a value that holds a delimiter into double quotes"
        )
    return kept + [""] * (width - len(kept))
