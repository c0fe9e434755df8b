"""Write the results page: figures of published tables, each with computed sentences and a label of its origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import datasets
from helpers.book import results
from helpers.book.results import ResultNote
from helpers.metrics import INTERVAL, NONE, Estimate
from helpers.plots import AccessibleFigure, NoFigure
from helpers.project import Project
from helpers.reports import ResultError, format_estimate

BY_FOLDS = "cross-validation in folds by group: each image is tested by a model that saw no image of its group"


@dataclass(frozen=True)
class Finding:
    """One figure of the results page.

    Attributes:
        name: name of its files and its anchor, such as ``segmentation``.
        question: heading of its section.
        figure: the figure.
        sentences: two sentences, computed from the tables: what it shows, and what that means.
        label: data, split, unit, n, interval and seed, from :func:`describe_origin`.
        chapter: name of the notebook that made the tables.
        tables: names of the published tables.
    """

    name: str
    question: str
    figure: AccessibleFigure
    sentences: tuple[str, str]
    label: str
    chapter: str
    tables: tuple[str, ...]


class MissingTable(ResultError):
    """A table that a figure needs is not published yet; the message names it."""


def published(*names: str) -> list[pd.DataFrame]:
    """Read published tables by name.

    Raises:
        MissingTable: a table is not published.
    """
    for name in names:
        if not (Project.current().results / f"{name}.csv").is_file():
            raise MissingTable(f"the table {name} is not published yet")
    return [_with_interval(results.read_result(name)[0]) for name in names]


def _with_interval(table: pd.DataFrame) -> pd.DataFrame:
    """Say of every row with an interval which kind it is; before tables had this column, all were 95 %."""
    if "interval" in table or not {"low", "high"} <= set(table):
        return table
    has_ends = table[["low", "high"]].notna().all(axis=1)
    return table.assign(interval=np.where(has_ends, INTERVAL, NONE))


def select(table: pd.DataFrame, value: str, **row: str) -> Estimate:
    """Return the estimate in the one row that has the given values.

    Args:
        table: columns ``value``, ``low``, ``high``, ``n`` and ``groups``; optionally ``interval``.
        value: column with the value.
        row: content of columns; underscores in their names stand for spaces.

    Raises:
        ResultError: no row, or several, have these values.
    """
    wanted = {name.replace("_", " "): content for name, content in row.items()}
    chosen = table[(table[list(wanted)] == list(wanted.values())).all(axis=1)]
    if len(chosen) != 1:
        raise ResultError(
            f"{wanted} selects {len(chosen)} rows of a table with {', '.join(map(str, table))}; name one row"
        )
    return Estimate.from_row(chosen.iloc[0], value)


def short(estimate: Estimate) -> str:
    """Format an estimate with two decimals, as in the figures."""
    return format_estimate(estimate.value, estimate.low, estimate.high, estimate.interval, 2)


def overlap_words(first: Estimate, second: Estimate) -> str:
    """Say how one estimate compares with another where no paired difference is published.

    Returns:
        ``higher``, ``lower`` or ``equal``, and whether the intervals overlap.

    Example:
        >>> from helpers.metrics import Estimate
        >>> first = Estimate(0.9, 0.8, 0.95, 90, 30)
        >>> overlap_words(first, Estimate(0.7, 0.6, 0.75, 90, 30))
        'higher, and the intervals do not overlap'
    """
    side = "higher" if first.value > second.value else "lower" if first.value < second.value else "equal"
    if first.low > second.high or first.high < second.low:
        return f"{side}, and the intervals do not overlap"
    return f"{side}, but the intervals overlap, so the table alone shows no difference"


def position_words(value: float, other: Estimate) -> str:
    """Say whether a value lies ``below``, ``within`` or ``above`` the interval of an estimate."""
    return "below" if value < other.low else "above" if value > other.high else "within"


def group_words(words: dict[str, str], what: str = "") -> str:
    """Join statements on several things, each statement once.

    Args:
        words: statement by thing.
        what: what follows each statement.

    Example:
        >>> words = {"cell": "within", "rim": "within", "nucleus": "below"}
        >>> group_words(words, "the range")
        'within the range (cell, rim); below the range (nucleus)'
    """
    parts = []
    for statement in dict.fromkeys(words.values()):
        names = ", ".join(name for name, other in words.items() if other == statement)
        parts.append(f"{statement} {what} ({names})" if what else f"{statement} ({names})")
    return "; ".join(parts)


def describe_origin(table: str, split: str, shown: pd.DataFrame) -> str:
    """Return the label of a figure: data, split, unit of independence, n, interval and seed.

    Args:
        table: name of a published table, whose note holds dataset and seed.
        split: what was trained on what, and tested on what.
        shown: rows of the figure, with columns ``n`` and ``groups``.
    """
    note: ResultNote = results.read_result(table)[1]
    card = datasets.SOURCES[note.parameters["dataset"]].card
    return label(
        f"{card.title} (`{note.parameters['dataset']}`)", split, card.independent_unit, shown, note.parameters["seed"]
    )


def label(data: str, split: str, unit: str, shown: pd.DataFrame, seed: int) -> str:
    """Join the parts of the label of a figure; see :func:`describe_origin`."""
    n, groups = (_range(shown[column]) for column in ("n", "groups"))
    return (
        f"**Data:** {data}. **Split:** {split}. **Unit of independence:** {unit}. **n:** {n} images in {groups} "
        f"groups. **Interval:** 95 %, over groups. **Seed:** {seed}."
    )


def _range(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def as_figure(shown: AccessibleFigure | NoFigure) -> AccessibleFigure:
    """Return the figure of a page, which must not be a :class:`helpers.plots.NoFigure`.

    Raises:
        ResultError: there is nothing to show; the message states the reason.
    """
    if isinstance(shown, NoFigure):
        raise ResultError(f"a page lacks a figure: {shown.reason}")
    return shown


Maker = Callable[[], Finding]


def generated_files(makers: Sequence[Maker]) -> dict[str, bytes]:
    """Generate the results page and its figures; where a table is missing, a sentence stands in place of the figure.

    Args:
        makers: functions that make the findings, in the order of the page.

    Returns:
        File content by file name: ``story.md`` and a PNG for each finding.
    """
    sections, files = [], {}
    for make in makers:
        try:
            finding = make()
        except MissingTable as missing:
            sections.append(f"*A figure is left out: {missing}.*\n")
            continue
        files[f"story-{finding.name}.png"] = finding.figure.to_png()
        sections.append(section(finding))
    return {"story.md": "\n".join(sections).encode(), **files}


def figure_directive(file: str, figure: AccessibleFigure) -> list[str]:
    """Return the lines that show a generated figure in MyST Markdown, with its alt text and caption."""
    return [f"```{{figure}} _generated/{file}", f":alt: {figure.alt}", "", figure.caption, "```"]


def section(finding: Finding) -> str:
    """Return one section of the results page in MyST Markdown: figure, sentences, links, label."""
    tables = ", ".join(f"[`{name}`](#{name})" for name in finding.tables)
    return "\n".join(
        [
            f"(result-{finding.name})=",
            f"## {finding.question}",
            "",
            *figure_directive(f"story-{finding.name}.png", finding.figure),
            "",
            " ".join(finding.sentences),
            "",
            f"Chapter {{doc}}`../notebooks/{finding.chapter}`; tables {tables}.",
            "",
            ":::{admonition} Where these numbers come from",
            ":class: dropdown",
            finding.label,
            ":::",
            "",
        ]
    )
