"""Tables and sentences on numbers with and without a mistake, for chapter *Trust*.

Tables have the columns ``mistake`` (number and name), ``variant`` (with the mistake, or corrected), ``measure``,
``value``, ``low`` and ``high``.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.metrics import Estimate
from helpers.reports.published import published_table

WITH, WITHOUT = "with the mistake", "corrected"
BLOOD = "full-cnmc-trust-trust-mistakes"
TWO_STAINS = "full-wbc1-trust-trust-mistakes"  # the only stored run with an external dataset
SYNTHETIC = ("4 the same cell twice", "11 a shortcut")  # measured on synthetic cells in every run
STAIN = "12 another stain"
COLUMNS = ["mistake", "variant", "measure", "value", "low", "high", "n", "groups"]


def stored_mistakes(blood_table: str, stain_table: str) -> pd.DataFrame:
    """Read the stored results on real blood: C-NMC, and wbc1 to wbc2 for another stain.

    A chapter names the tables itself, so that it is executed again when they change.

    Args:
        blood_table: name of a table in ``book/results``, such as ``full-cnmc-trust-trust-mistakes``.
        stain_table: name of a table with an external dataset, such as ``full-wbc1-trust-trust-mistakes``.

    Returns:
        Rows in the order of the mistakes, those on synthetic cells named so; empty where only the package is installed.
    """
    blood, stains = published_table(blood_table), published_table(stain_table)
    if blood is None or stains is None:
        return pd.DataFrame(columns=COLUMNS)
    rows = pd.concat([blood.frame, stains.frame[stains.frame["mistake"] == STAIN]])[COLUMNS]
    names = rows["mistake"] + rows["mistake"].isin(SYNTHETIC).map({True: " (synthetic)", False: ""})
    return sort_by_number(rows.assign(mistake=names))


def sort_by_number(table: pd.DataFrame) -> pd.DataFrame:
    """Sort the rows of a table by the number of the mistake."""
    order = _numbers(table["mistake"]).argsort(kind="stable")
    return table.iloc[order].reset_index(drop=True)


def count_directions(table: pd.DataFrame) -> str:
    """Say how many numbers the mistakes raise, lower and leave.

    Example:
        >>> import pandas as pd
        >>> from helpers.reports import mistake_tables
        >>> rows = [("1 a", "with the mistake", 0.5), ("1 a", "corrected", 0.8)]
        >>> table = pd.DataFrame(rows, columns=["mistake", "variant", "value"])
        >>> mistake_tables.count_directions(table)
        'the mistake raises 0 of 1 numbers, lowers 1 and leaves 0 as they are'
    """
    differences = _differences(table)
    raised, lowered = int((differences > 0).sum()), int((differences < 0).sum())
    n = len(differences)
    return f"the mistake raises {raised} of {n} numbers, lowers {lowered} and leaves {n - raised - lowered} as they are"


def compare_directions(here: pd.DataFrame, stored: pd.DataFrame) -> str:
    """Say in how many rows a mistake moves the number here as it does in the stored results.

    Args:
        here: table of this run.
        stored: from :func:`stored_mistakes`; may be empty.
    """
    if stored.empty:
        return "Stored results on real blood are on the results page of the book."
    names = here.set_index(_numbers(here["mistake"]))["mistake"]
    first, second = (_differences(table.assign(mistake=_numbers(table["mistake"]))) for table in (here, stored))
    both = first.index.intersection(second.index)
    unlike = [names.loc[[number]].iloc[0] for number in both if _sign(first[number]) != _sign(second[number])]
    sentence = (
        f"In {len(both) - len(unlike)} of {len(both)} rows it moves the number in the direction of the stored results"
    )
    return f"{sentence}; not so in *{'*, *'.join(unlike)}*." if unlike else f"{sentence}."


def pair_words(mistake: str, pair: Sequence[tuple[str, str, Estimate]]) -> str:
    """Say both numbers of a mistake.

    Args:
        mistake: number and name of the mistake.
        pair: variant, measure and estimate, with the mistake and corrected.
    """
    words = [f"{variant}, {measure} {estimate}" for variant, measure, estimate in pair]
    return f"**{mistake}**: {'; '.join(words)}."


def passing_words(n_passing: int, n_wrong: int) -> str:
    """Say what it means that cases pass every check.

    Args:
        n_passing: number of cases that pass every check.
        n_wrong: number of these with a mistake.
    """
    if not n_passing:
        return "Where even a result without a mistake fails a check, read why: it may be a limit of the data."
    if n_wrong:
        return f"But {n_wrong} of these has a mistake: a check that passes is no proof."
    return "None of these has a mistake that we made; another dataset may hide one."


def _differences(table: pd.DataFrame) -> pd.Series:
    """Return value with the mistake minus value without it, by mistake, rounded as it is shown."""
    values = table.set_index(["mistake", "variant"])["value"].unstack()
    return (values[WITH] - values[WITHOUT]).round(3) if len(values) else pd.Series(dtype=float)


def _numbers(mistakes: pd.Series) -> pd.Series:
    return mistakes.str.extract(r"^(\d+)", expand=False).astype(int)


def _sign(difference: float) -> int:
    return int(difference > 0) - int(difference < 0)
