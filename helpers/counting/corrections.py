"""An expert's corrections of counted cells: other types, objects that are no cell, cells that were missed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from helpers.datasets import DatasetError
from helpers.datasets.tables import read_table
from helpers.prediction.referral import REASON, REFER

NO_CELL = "no cell"
CORRECTED = "corrected"
ADDED = "#+"  # in the name of a cell that the expert added


def apply_corrections(cells: pd.DataFrame, fields: pd.DataFrame, path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Apply a table of corrections to the cells of an earlier count.

    The table has the columns ``image``, ``cell`` and ``class``. A row with a cell gives it another type, or takes it
    out where the type is ``no cell``. A row without a cell adds one that was missed in the image, each row another one.
    Corrections replace those of an earlier table.

    Args:
        cells: cells with ``image``, ``group``, ``cell``, ``class``, ``counted``, ``refer`` and ``reason``.
        fields: fields with ``image`` and ``group``.
        path: table of corrections, CSV or XLSX.
        classes: classes of the classifier.

    Returns:
        The cells with their new ``class`` and ``counted``. Corrected cells are no longer referred, and ``corrected`` is
        set.

    Raises:
        DatasetError: the table is missing, names an unknown cell, image or type, or a cell twice; all such lines are
            listed, and nothing is changed.
    """
    table = read_table(path, ["image", "cell", "class"])
    group_of = dict(zip(fields["image"], fields["group"], strict=True))
    _refuse_unknown(table, set(cells["cell"]), set(group_of), path, classes)
    cells = cells.copy()
    row_of = dict(zip(cells["cell"], cells.index, strict=True))
    n_added = cells.loc[cells["cell"].str.contains(ADDED, regex=False), "image"].value_counts().to_dict()
    added = []
    for cell, image, name in zip(table["cell"], table["image"], table["class"], strict=True):
        if cell:
            cells.loc[row_of[cell], ["class", REFER, REASON, CORRECTED]] = [name, False, "", True]
            cells.loc[row_of[cell], "counted"] &= name != NO_CELL
        else:
            n_added[image] = n_added.get(image, 0) + 1
            named = {"image": image, "group": group_of[image], "cell": f"{image}{ADDED}{n_added[image]}", "class": name}
            added.append({**named, "cut": False, "counted": True, REFER: False, REASON: "", CORRECTED: True})
    return pd.concat([cells, pd.DataFrame(added)], ignore_index=True) if added else cells


def _refuse_unknown(table: pd.DataFrame, cells: set[str], images: set[str], path: Path, classes: Sequence[str]) -> None:
    problems, seen = [], set()
    for line, row in table.iterrows():
        image, cell, name = row["image"], row["cell"], row["class"]
        allowed = [*classes, NO_CELL] if cell else classes
        if cell and cell not in cells:
            problems.append(f"line {line}: {cell!r} is no cell of the count")
        elif not cell and image not in images:
            problems.append(f"line {line}: {image!r} is no field of the count")
        elif name not in allowed:
            problems.append(f"line {line}: {name!r} is none of {', '.join(allowed)}")
        elif cell and cell in seen:
            problems.append(f"line {line}: {cell!r} is corrected twice")
        seen.add(cell)
    if problems:
        raise DatasetError(f"{path}: corrections that do not fit the count; mend the table", problems)
