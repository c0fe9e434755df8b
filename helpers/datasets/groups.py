"""Groups: a table of them beside the images, names that are one, and groups that are joined.

The table is ``groups.csv``, ``.tsv``, ``.txt``, ``.csv.txt`` or ``.xlsx``, whatever the case of its name, with the
columns ``image`` and ``group``. An image is named by its path below the folder, with slashes or backslashes, by an
absolute path, or by its bare file name where no other image bears it. Space around a group and its Unicode form are
evened out. A group that is empty or says that it is not known is refused; groups that differ only in case, space or the
form of a number or of its letters (full-width ones, signs that do not show) are warned of.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

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


def merge_groups(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """Groups in which both images of every pair lie together, named by the ids they join (``a+b``).

    Args:
        frame: of a dataset.
        pairs: ids in the columns ``image_a`` and ``image_b``.
    """
    group, names = pd.factorize(frame["group"])
    position = pd.Series(group, index=frame.index)
    a, b = position[pairs["image_a"]].to_numpy(), position[pairs["image_b"]].to_numpy()
    _, joined = connected_components(
        coo_matrix((np.ones(len(a)), (a, b)), shape=(len(names), len(names))), directed=False
    )
    title = pd.Series(names).groupby(joined).agg(lambda members: "+".join(sorted(map(str, members))))
    return pd.Series(title[joined[group]].to_numpy(), index=frame.index, name="group")


def read_groups(table: Path, image_ids: Iterable[str]) -> dict[str, str]:
    """The group of every image, from a table.

    Args:
        table: with the columns ``image`` and ``group``; see the module for how they may be written.
        image_ids: of the images, their paths below the folder of the table.

    Raises:
        DataError: it is no such table, an image stands twice, has no row, no group, or a row fits no image or several.
    """
    rows = read_table(table, ["image", "group"])
    find = _Images(table.parent, image_ids)
    problems: list[str] = []
    groups: dict[str, str] = {}
    for line, image, group in zip(rows.index, rows["image"], rows["group"], strict=True):
        fits = find(image)
        if len(fits) != 1:
            what = f"fits {', '.join(fits[:3])}; write its path" if fits else "in the table, but there is no such image"
            problems.append(f"{image}: {what} (line {line})")
        elif fits[0] in groups:
            problems.append(f"{fits[0]}: stands more than once (line {line})")
        else:
            groups[fits[0]] = group
    problems += [f"{key}: an image without a row in the table" for key in find.ids if key not in groups]
    if problems:
        raise DatasetError(f"{table}: does not match the images beside it; correct the table", problems)
    return validate_groups(table, groups)


def validate_groups(where: Path, groups: dict[str, str]) -> dict[str, str]:
    """Even out the names of groups, refuse those that are not known, and warn of those that may be one.

    Args:
        where: the table or the folder that they are from, for the messages.
        groups: by image id.

    Raises:
        DataError: images without a group, or with one that says that it is not known.
    """
    even = {key: _evened(group) for key, group in groups.items()}
    lacking = [f"{key}: {group!r}" for key, group in even.items() if normalise_name(group) in NOT_KNOWN]
    if lacking:
        raise DatasetError(f"{where}: images without a group; name the patient, or the image itself", lacking)
    alike: dict[str, set[str]] = {}
    for group in set(even.values()):
        alike.setdefault(_without_form(group), set()).add(group)
    pairs = [" and ".join(map(repr, sorted(names))) for names in alike.values() if len(names) > 1]
    if pairs:
        warn_problems(
            f"{where}: groups that differ only in case, space or the form of a number or letter count as "
            "different; if they are one patient, write one name",
            pairs,
        )
    cut = sorted({repr(group) for group in even.values() if _CUT_BY_EXCEL.fullmatch(group)})
    if cut:
        warn_problems(
            f"{where}: numbers that a spreadsheet has rounded may stand for several patients; "
            "format the column as text and enter them again",
            cut,
        )
    return even


def _evened(group: str) -> str:
    """A name in one Unicode form, without space or invisible signs around it, with single spaces within."""
    return " ".join(unicodedata.normalize("NFC", group).replace("\u200b", "").replace("\ufeff", "").split())


def _without_form(group: str) -> str:
    """What is left of a name without the form of its letters, case, space, leading zeros and the ``.0`` of a number."""
    bare = normalise_name(group).replace(" ", "")
    number = _NUMBER.fullmatch(bare)
    return _LEADING_ZEROS.sub("", number[1] if number else bare)


class _Images:
    """Finds the images that a cell of a table may mean."""

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
        """The ids that a cell fits: by path, else below the folder that it names, else by bare file name."""
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
        """The ends of a path that can be paths below the folder, the longest first; it is ``MAX_DEPTH`` deep."""
        parts = path.split("/")
        absolute = path.startswith("/") or parts[0].endswith(":")
        if not absolute and normalise_name(parts[0]) != normalise_name(self.root.name):
            return []
        if not absolute:
            return ["/".join(parts[1:])]
        return ["/".join(parts[k:]) for k in range(max(1, len(parts) - MAX_DEPTH - 1), len(parts) - 1)]
