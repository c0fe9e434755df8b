"""Groups of images (patients): read them from a table, normalise their names and merge groups.

The table is ``groups.csv``, ``.tsv``, ``.txt``, ``.csv.txt`` or ``.xlsx`` (case-insensitive), with the columns
``image`` and ``group``. An image is identified by its path below the folder, with slashes or backslashes, by an
absolute path, or by its bare file name if that is unique. Whitespace around a group and its Unicode form are
normalised. A group that is empty or marked as unknown is an error; groups that differ only in case, spaces or the form
of a number or of their letters (full-width letters, invisible characters) cause a warning.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from helpers.datasets.directory import normalise_name
from helpers.datasets.errors import DatasetError, warn_problems
from helpers.datasets.listing import MAX_DEPTH
from helpers.datasets.tables import read_table

NOT_KNOWN = frozenset(
    {"", "-", "--", "—", "–", ".", "?", "??", "#n/a", "n.a.", "n/a", "na", "nan", "nil", "none", "null", "<na>"}
    | {"missing", "no group", "not available", "not known", "unk", "unknown", "undefined", "unbekannt"}
)
_NUMBER = re.compile(r"(\d+)[.,]0+")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_CUT_BY_EXCEL = re.compile(r"\d[.,]\d+E\+\d+")


def names_of_merged(*merged: str) -> dict[str, str]:
    """Map each group to the name of the merged group that it belongs to, as :func:`helpers.splits.merge_groups` would.

    Args:
        merged: names of merged groups, such as ``"1+15"``.
    """
    return {name: group for group in merged for name in group.split("+")}


def merge_groups(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """Merge the groups of both images of every pair.

    Args:
        frame: table of a dataset.
        pairs: image ids in the columns ``image_a`` and ``image_b``.

    Returns:
        Group of every image; the name of a merged group joins the original ones (``a+b``).
    """
    from scipy.sparse import coo_matrix  # here, because predictions need none of it and it takes long
    from scipy.sparse.csgraph import connected_components

    group, names = pd.factorize(frame["group"])
    position = pd.Series(group, index=frame.index)
    a, b = position[pairs["image_a"]].to_numpy(), position[pairs["image_b"]].to_numpy()
    _, joined = connected_components(
        coo_matrix((np.ones(len(a)), (a, b)), shape=(len(names), len(names))), directed=False
    )
    title = pd.Series(names).groupby(joined).agg(lambda members: "+".join(sorted(map(str, members))))
    return pd.Series(title[joined[group]].to_numpy(), index=frame.index, name="group")


def read_groups(table: Path, image_ids: Iterable[str], folder: Path | None = None) -> dict[str, str]:
    """Read the group of every image from a table.

    Args:
        table: file with the columns ``image`` and ``group``; see the module for the accepted forms.
        image_ids: image paths below the folder.
        folder: folder of the images; by default that of the table.

    Returns:
        Groups by image id.

    Raises:
        DatasetError: the file is not such a table, an image is listed twice, has no row or no group, or a row matches
            no image or several.
    """
    return validate_groups(table, read_image_column(table, "group", image_ids, folder=folder))


def read_image_column(
    table: Path, column: str, image_ids: Iterable[str], *, folder: Path | None = None
) -> dict[str, str]:
    """Read one value of every image from a table with the columns ``image`` and ``column``.

    Args:
        table: file; an image is identified as in a table of groups, see the module.
        column: name of the column to read.
        image_ids: image ids, all of which the table must have.
        folder: folder of the images; that of the table by default.

    Returns:
        Values by image id, in the order of the table.

    Raises:
        DatasetError: the file is not such a table, an image is listed twice or has no row, or a row matches no image or
            several.
    """
    rows = read_table(table, ["image", column])
    find = _Images(folder or table.parent, image_ids)
    problems: list[str] = []
    values: dict[str, str] = {}
    for line, image, value in zip(rows.index, rows["image"], rows[column], strict=True):
        fits = find(image)
        if len(fits) != 1:
            problem = (
                f"fits {', '.join(fits[:3])}; write its path" if fits else "in the table, but there is no such image"
            )
            problems.append(f"{image}: {problem} (line {line})")
        elif fits[0] in values:
            problems.append(f"{fits[0]}: occurs more than once (line {line})")
        else:
            values[fits[0]] = value
    problems += [f"{key}: an image without a row in the table" for key in find.ids if key not in values]
    if problems:
        where = f" in {folder}" if folder else ""
        raise DatasetError(f"{table}: does not match the images{where}; correct the table", problems)
    return values


def validate_groups(where: Path, groups: dict[str, str]) -> dict[str, str]:
    """Normalise the names of groups, refuse unknown groups, and warn of ambiguous names.

    Names that differ only in form may mean the same patient; a number that a spreadsheet has rounded may mean several.

    Args:
        where: table or folder of the groups, for the messages.
        groups: groups by image id.

    Returns:
        Normalised groups by image id.

    Raises:
        DatasetError: images have no group, or one that is marked as unknown.
    """
    normalised = {key: _normalise(group) for key, group in groups.items()}
    lacking = [f"{key}: {group!r}" for key, group in normalised.items() if normalise_name(group) in NOT_KNOWN]
    if lacking:
        raise DatasetError(f"{where}: images without a group; name the patient, or the image itself", lacking)
    pairs = [" and ".join(map(repr, names)) for names in find_similar_names(normalised.values())]
    if pairs:
        warn_problems(
            f"{where}: groups that differ only in case, space or the form of a number or letter count as "
            "different; if they are one patient, write one name",
            pairs,
        )
    cut = sorted({repr(group) for group in normalised.values() if _CUT_BY_EXCEL.fullmatch(group)})
    if cut:
        warn_problems(
            f"{where}: numbers that a spreadsheet has rounded may stand for several patients; "
            "format the column as text and enter them again",
            cut,
        )
    return normalised


def find_similar_names(groups: Iterable[str]) -> list[list[str]]:
    """Find names of groups that differ only in case, spaces or the form of a number or letter.

    Args:
        groups: names of groups; repeated names count once.

    Returns:
        Lists of two or more names, sorted.
    """
    similar: dict[str, list[str]] = {}
    for group in sorted(set(groups)):
        similar.setdefault(_comparison_key(group), []).append(group)
    return [names for names in similar.values() if len(names) > 1]


def _normalise(group: str) -> str:
    """Normalise a name: composed Unicode form, no invisible characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", group).replace("\u200b", "").replace("\ufeff", "").split())


def _comparison_key(group: str) -> str:
    """Reduce a name to a key without letter form, case, spaces, leading zeros and the ``.0`` of a number."""
    bare = normalise_name(group).replace(" ", "")
    number = _NUMBER.fullmatch(bare)
    return _LEADING_ZEROS.sub("", number[1] if number else bare)


class _Images:
    """Match a table cell with images."""

    def __init__(self, root: Path, image_ids: Iterable[str]):
        self.root = root
        self.ids = list(image_ids)
        self.exact = set(self.ids)
        self.by_path: dict[str, list[str]] = {}
        self.by_name: dict[str, list[str]] = {}
        self.by_exact_name: dict[str, list[str]] = {}
        for key in self.ids:
            self.by_path.setdefault(normalise_name(key), []).append(key)
            name = PurePosixPath(key).name
            self.by_name.setdefault(normalise_name(name), []).append(key)
            self.by_exact_name.setdefault(name, []).append(key)

    def __call__(self, cell: str) -> list[str]:
        """Return the ids that match a cell: by path, else by path below the folder, else by bare file name."""
        path = unicodedata.normalize("NFC", cell).strip().replace("\\", "/").removeprefix("./")
        if "/" not in path:
            exact = self.by_exact_name.get(path, [])
            return exact if len(exact) == 1 else self.by_name.get(normalise_name(path), [])
        for below in (path, *self._below_root(path)):
            if below in self.exact:
                return [below]
            if fits := self.by_path.get(normalise_name(below)):
                return fits
        return []

    def _below_root(self, path: str) -> list[str]:
        """Return the possible paths below the folder, the longest first, at most ``MAX_DEPTH`` folders deep."""
        parts = path.split("/")
        absolute = path.startswith("/") or parts[0].endswith(":")
        if not absolute and normalise_name(parts[0]) != normalise_name(self.root.name):
            return []
        if not absolute:
            return ["/".join(parts[1:])]
        return ["/".join(parts[k:]) for k in range(max(1, len(parts) - MAX_DEPTH - 1), len(parts) - 1)]
