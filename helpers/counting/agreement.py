"""Agreement of counted differentials with those of people: bias and limits per class, and what chance allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from helpers import metrics
from helpers.datasets import DatasetError
from helpers.datasets.tables import read_table
from helpers.reports.tables import plain_text

CHANCE = 0.05  # p-value below which two counts differ by more than chance makes likely
_NAMES = ["group", "class"]


def read_counts(path: Path) -> pd.DataFrame:
    """Read the shares of a count.

    Args:
        path: ``counts.csv`` of a count. Rows without a share, of objects that are no white blood cell, are left out.

    Returns:
        Columns ``group, class, n, total``, a row per group and class.

    Raises:
        DatasetError: a column is missing, a number is none, a class stands twice, or nothing is counted.
    """
    table = read_table(path, [*_NAMES, "n", "total", "share"])
    table = table[table["share"] != ""]
    if table.empty:
        raise DatasetError(f"{path}: no white blood cell is counted; count fields with cells")
    return _numbers(table, ["n", "total"], path)


def read_reference(path: Path, counts: pd.DataFrame) -> pd.DataFrame:
    """Read the differentials of people, of groups and classes of a count.

    Args:
        path: CSV or XLSX table with ``group``, ``class`` and ``n``, the number of cells that the person called so, and
            optionally ``patient``, where several groups (films) are of one patient. Classes without a cell may be left
            out.
        counts: from :func:`read_counts`.

    Returns:
        Columns ``group, patient, class, n, total``, a row per class of each group that stands in the table.

    Raises:
        DatasetError: a column is missing, a number is none, a group or class is not in the count, a class stands twice,
            a group has two patients, or somebody counted no cell.
    """
    table = read_table(path, [*_NAMES, "n"])
    if table.empty:
        raise DatasetError(f"{path}: has no line below its header; give the cells that a person counted")
    known = {name: sorted(counts[name].unique()) for name in _NAMES}
    problems = [
        f"line {line}: {row[name]!r} is no {name} of the count, which has {', '.join(known[name])}"
        for line, row in table.iterrows()
        for name in _NAMES
        if row[name] not in known[name]
    ]
    if problems:
        raise DatasetError(f"{path}: does not fit the count; mend the table", problems)
    table = _numbers(table, ["n"], path)
    if "patient" not in table:
        table["patient"] = table["group"]
    patients = table.groupby("group")["patient"].unique()
    if several := [str(group) for group, names in patients.items() if len(names) > 1]:
        raise DatasetError(f"{path}: a group has several patients; give each one", several)
    total = table.groupby("group")["n"].sum()
    if empty := list(total.index[total == 0]):
        raise DatasetError(f"{path}: groups without a counted cell; take them out", empty)
    every = pd.MultiIndex.from_product([total.index, known["class"]], names=_NAMES)
    filled = table.set_index(_NAMES)["n"].reindex(every, fill_value=0).reset_index()
    return filled.assign(total=filled["group"].map(total), patient=filled["group"].map(patients.str[0]))


def _numbers(table: pd.DataFrame, columns: Sequence[str], path: Path) -> pd.DataFrame:
    numbers = table[columns].apply(pd.to_numeric, errors="coerce")
    wrong = ~((numbers >= 0) & (numbers % 1 == 0)).all(axis=1)
    if wrong.any():
        line = wrong.idxmax()
        raise DatasetError(f"{path}: line {line} has a number of cells that is no whole number from 0; mend the table")
    if (twice := table.duplicated(_NAMES)).any():
        raise DatasetError(f"{path}: line {twice.idxmax()} has a group and class that stand above; mend the table")
    return plain_text(table).assign(**{name: numbers[name].astype(int) for name in columns}).reset_index(drop=True)


def compare_differentials(counts: pd.DataFrame, reference: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Compare the shares of a count with those of people, class by class, in percentage points.

    Bias and limits of agreement are those of Bland and Altman, see :func:`helpers.metrics.limits_of_agreement`, with
    several films of a patient as one group. A slope that differs from 0 is a proportional bias. How many films differ
    by more than chance makes likely is told by Fisher's exact test of the two numbers: where only chance differs, at
    most 5 % of films do.

    Args:
        counts: from :func:`read_counts`.
        reference: from :func:`read_reference`.
        seed: random seed of the resamples of patients.

    Returns:
        A row per class: ``class``, ``reference``, the mean share of the reference; ``bias``, ``bias_low``,
        ``bias_high``, ``lower_limit`` and ``upper_limit``, in percentage points; ``slope``, ``slope_low``,
        ``slope_high``; ``interval``, the kind of both; ``films``, ``patients``; ``beyond_chance``, a number of films.
    """
    both = reference.merge(counts, on=_NAMES, suffixes=("_person", "_count"))
    rows = []
    for name, own in both.groupby("class", sort=True):
        person, counted = (100 * own[f"n_{who}"] / own[f"total_{who}"] for who in ("person", "count"))
        agreement = metrics.limits_of_agreement(counted, person, own["patient"], seed=seed)
        pairs = own[["n_count", "total_count", "n_person", "total_person"]].itertuples(index=False, name=None)
        bias, slope = agreement.bias, agreement.slope
        rows.append(
            {
                "class": name,
                "reference": person.mean(),
                "bias": bias.value,
                "bias_low": bias.low,
                "bias_high": bias.high,
                "lower_limit": agreement.lower.value,
                "upper_limit": agreement.upper.value,
                "slope": slope.value,
                "slope_low": slope.low,
                "slope_high": slope.high,
                "interval": bias.interval,
                "films": len(own),
                "patients": own["patient"].nunique(),
                "beyond_chance": sum(metrics.difference_p_value(*pair) < CHANCE for pair in pairs),
            }
        )
    return pd.DataFrame(rows)
