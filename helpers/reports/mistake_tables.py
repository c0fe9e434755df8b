"""Tables and sentences on numbers with and without a mistake, for chapter *Trust*.

Tables have the columns ``mistake`` (number and name), ``variant`` (with the mistake, or corrected), ``measure``,
``value``, ``low``, ``high``, ``n`` and ``groups``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.metrics import INTERVAL, NONE, Estimate
from helpers.metrics.resampling import MIN_GROUPS
from helpers.reports.published import PublishedTable, published_table
from helpers.reports.statements import difference_words, shown_direction

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


def differences_shown(table: pd.DataFrame, matched: Mapping[str, Estimate] | None = None) -> pd.Series:
    """Return by mistake whether the interval of the difference (with the mistake − corrected) excludes 0.

    Without a paired difference it is computed from the two intervals as if the numbers were independent (Zou and Donner
    2008): wider than the paired one where both come from the same cells and rise and fall together.

    Args:
        table: numbers with the mistake and corrected, with the columns of this module.
        matched: differences from resamples of the same patients, by mistake.

    Returns:
        1 where the interval lies above 0, −1 where it lies below, 0 where it includes 0 or there is none.
    """
    rows = {(row["mistake"], row["variant"]): row for _, row in table.iterrows()}
    differences = {
        str(name): _independent_difference(rows[name, WITH], rows[name, WITHOUT]) for name in table["mistake"].unique()
    }
    differences.update(matched or {})
    return pd.Series({name: shown_direction(one) for name, one in differences.items()}, dtype=int)


def count_directions(table: pd.DataFrame, matched: Mapping[str, Estimate] | None = None) -> str:
    """Say how many numbers the mistakes raise, lower and leave, and in how many the difference is shown.

    Args:
        table, matched: as in :func:`differences_shown`.

    Example:
        >>> import pandas as pd
        >>> from helpers.reports import mistake_tables
        >>> names = ["mistake", "variant", "value", "low", "high", "n", "groups"]
        >>> table = pd.DataFrame([
        ...     ["1 a", "with the mistake", 0.5, 0.4, 0.6, 90, 12],
        ...     ["1 a", "corrected", 0.8, 0.75, 0.85, 90, 12],
        ... ], columns=names)
        >>> points, intervals = mistake_tables.count_directions(table).split("; ")
        >>> points
        'the mistake raises 0 of 1 numbers, lowers 1 and leaves 0 unchanged'
        >>> intervals
        'the interval of the difference lies above 0 in 0 rows and below 0 in 1'
    """
    differences, shown = _differences(table), differences_shown(table, matched)
    raised, lowered, n = int((differences > 0).sum()), int((differences < 0).sum()), len(differences)
    return (
        f"the mistake raises {raised} of {n} numbers, lowers {lowered} and leaves {n - raised - lowered} unchanged; "
        f"the interval of the difference lies above 0 in {(shown > 0).sum()} rows and below 0 in {(shown < 0).sum()}"
    )


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
    flat = any(estimate.interval == INTERVAL and estimate.low == estimate.high for _, _, estimate in pair)
    note = " An interval without width is no certainty: hits and errors that did not happen are in no resample."
    return f"**{mistake}**: {'; '.join(words)}.{note if flat else ''}"


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


def describe_near_duplicates(counted: PublishedTable, scores: PublishedTable) -> str:
    """Say how many near-duplicates a random split separates, and what that does to scores.

    Args:
        counted: ``whole-pbc-near-duplicates``, with the mean over several splits in ``value``, and the parameter
            ``n_splits``.
        scores: ``whole-pbc-scores``, with the differences between the two splits.
    """
    rows = counted.frame.set_index("what")
    pairs, separated = rows.loc["pairs of near-duplicates"], rows.loc["pairs separated"]
    moved = rows.loc["images whose near-duplicate is in another fold"]
    table = scores.frame[scores.frame["views"] == scores.frame["views"].max()]
    gains = table[table["split"].str.contains("−")].set_index("tested")
    words = []
    for tested, row in gains.iterrows():
        gain = difference_words(Estimate.from_row(row, "value"), digits=4)
        words.append(f"{row['measure']} on {tested}, {gain}")
    return (
        f"In {pairs['n']:,.0f} images the search found {pairs['value']:.0f} pairs of near-duplicates; how many it "
        f"missed is not known. A random split into {counted.parameters['n_splits']} parts separates "
        f"{separated['value']:.0f} of them ({separated['lowest']:.0f} to {separated['highest']:.0f} in "
        f"{separated['splits']:.0f} splits), and {moved['value']:.0f} images have one in another part. The random "
        f"split against one that keeps them together: {'; '.join(words)} ({scores.origin})."
    )


def _independent_difference(first: pd.Series, second: pd.Series) -> Estimate:
    """Return the difference first − second with its interval from those of both, as if they were independent."""
    difference, groups = float(first["value"] - second["value"]), int(min(first["groups"], second["groups"]))
    below = math.hypot(first["value"] - first["low"], second["high"] - second["value"])
    above = math.hypot(first["high"] - first["value"], second["value"] - second["low"])
    kind = INTERVAL if groups >= MIN_GROUPS and not math.isnan(below + above) else NONE
    return Estimate(difference, difference - below, difference + above, int(first["n"]), groups, kind)


def _numbers(mistakes: pd.Series) -> pd.Series:
    return mistakes.str.extract(r"^(\d+)", expand=False).astype(int)


def _sign(difference: float) -> int:
    return int(difference > 0) - int(difference < 0)
