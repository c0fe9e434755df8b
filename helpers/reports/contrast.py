"""Compare a difference that a chapter finds with the same difference in stored results on real blood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.markup import join_words
from helpers.metrics import INTERVAL, Estimate
from helpers.reports.published import NO_BOOK, PublishedTable, published_table
from helpers.reports.result_table import format_estimate
from helpers.reports.statements import difference_words, shown_direction

Row = Mapping[str, str]
MEASURES = {"dice": "Dice", "hausdorff95": "HD95"}  # names in sentences of columns of scores


def stored_differences(names: Sequence[str], value: str, first: Row, second: Row) -> dict[str, float]:
    """Look up the difference of two rows (first − second) in stored result tables.

    Args:
        names: names of tables in ``book/results``.
        value: column with the values.
        first: column and content that select the first row, such as ``{"method": "U-Net", "region": "nucleus"}``.
        second: the same for the second row.

    Returns:
        Difference by dataset; empty where only the package is installed, without the book.

    Raises:
        ResultError: a table is missing or not that of its note.
        ValueError: a selection does not match exactly one row.
    """
    differences = {}
    for name in names:
        stored = published_table(name)
        if stored is not None:
            dataset = stored.parameters["dataset"]
            differences[dataset] = _value(stored.frame, value, first) - _value(stored.frame, value, second)
    return differences


def contrast_words(here: float, stored: Mapping[str, float], digits: int = 3) -> str:
    """Say whether a difference found here has the sign that it has in stored results.

    Args:
        here: difference in this run.
        stored: the same difference by dataset, from :func:`stored_differences`.
        digits: decimals, to which the signs refer.

    Example:
        >>> from helpers import reports
        >>> reports.contrast_words(0.03, {"wbc1": 0.006, "wbc2": 0.254})
        'here 0.030; on real blood 0.006 (wbc1) and 0.254 (wbc2): the same direction'
        >>> reports.contrast_words(0.03, {"wbc1": -0.1})
        'here 0.030; on real blood -0.100 (wbc1): not the direction seen here'
    """
    shown = f"{round(here, digits) + 0.0:.{digits}f}"  # adding 0 turns -0 into 0
    if not stored:
        return f"here {shown}; stored results on real blood are on the results page of the book"
    values = {name: f"{difference:.{digits}f} ({name})" for name, difference in stored.items()}
    verdicts = {name: _direction_words(here, difference, digits) for name, difference in stored.items()}
    if len(set(verdicts.values())) == 1:
        return f"here {shown}; on real blood {' and '.join(values.values())}: {next(iter(verdicts.values()))}"
    clauses = [f"{values[name]}, {verdict}" for name, verdict in verdicts.items()]
    return f"here {shown}; on real blood {', and '.join(clauses)}"


def describe_stored_split(stored: PublishedTable) -> str:
    """Say what splitting by image instead of by patient did to a stored AUC, with intervals and origin.

    Args:
        stored: table of chapter *Classify* with the rows ``by image``, ``by patient`` and their ``difference``, each
            with its interval.

    Example:
        >>> from helpers import reports
        >>> stored = reports.published_table("full-cnmc-classify-split")
        >>> reports.describe_stored_split(stored).partition(", a stored")[0]
        'Real blood'
    """
    rows = stored.frame.set_index("split").to_dict("index")
    by_image, by_patient = (
        format_estimate(row["AUC"], row["low"], row["high"], INTERVAL) for row in (rows["by image"], rows["by patient"])
    )
    row = rows["difference"]
    difference = Estimate.from_row(row, "AUC")
    return (
        f"Real blood, a {stored.origin}: AUC **{by_image}** split by image, **{by_patient}** split by patient "
        f"({difference.n:,} images of {difference.groups} patients). By image against by patient: "
        f"{difference_words(difference)}."
    )


def describe_stored_ablation(stored: Sequence[PublishedTable]) -> str:
    """Say which scores a removed part changes in stored results on real blood, and in which direction.

    Args:
        stored: tables of an ablation, without − with the part: columns ``measure, region, difference, low, high,
            interval, n, groups``; empty where only the package is installed, without the book.
    """
    if not stored:
        return NO_BOOK
    of_tables = [_describe_ablation(table) for table in stored]
    origins = join_words([table.origin for table in stored])
    return f"Without − with, where the interval excludes 0: {' '.join(of_tables)} ({origins})"


def _describe_ablation(table: PublishedTable) -> str:
    """Return a sentence on one table: by measure, the regions whose score is shown to fall or to rise."""
    clauses = []
    for measure, rows in table.frame.groupby("measure", sort=False):
        changes = {row["region"]: Estimate.from_row(row, "difference") for row in rows.to_dict("records")}
        for sign, comparative in ((-1, "smaller"), (1, "larger")):
            regions = [region for region, change in changes.items() if shown_direction(change) == sign]
            if regions:
                clauses.append(f"{MEASURES[str(measure)]} is {comparative} for {join_words(regions)}")
    first = table.frame.iloc[0]
    return (
        f"**{table.parameters['dataset']}** ({first['n']} images of {first['groups']} groups): "
        f"{'; '.join(clauses) or 'nothing'}."
    )


def _value(frame: pd.DataFrame, value: str, row: Row) -> float:
    selected = frame[(frame[list(row)] == list(row.values())).all(axis=1)]
    if len(selected) != 1:
        raise ValueError(f"{dict(row)} selects {len(selected)} rows; give columns that identify one")
    return float(selected[value].iloc[0])


def _direction_words(here: float, there: float, digits: int) -> str:
    """Compare the signs of two differences, rounded to some decimals."""
    if not _sign(there, digits):
        return "no difference"
    if not _sign(here, digits):
        return "a difference"
    return "the same direction" if _sign(there, digits) == _sign(here, digits) else "not the direction seen here"


def _sign(difference: float, digits: int) -> int:
    rounded = round(difference, digits)
    return int(rounded > 0) - int(rounded < 0)
