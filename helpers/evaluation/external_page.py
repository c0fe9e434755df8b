"""Page on an external test: one HTML file beside the report, with its figures inside."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers.evaluation.external_sentences import external_sentences
from helpers.evaluation.figures import draw_external_figures, shown_answers
from helpers.evaluation.record import DIFFERENCE, EXTERNAL, SOURCE, ExternalTest
from helpers.pages import html_table, page_template
from helpers.reports import format_estimate

TEMPLATE = Path(__file__).with_name("external.html")
INTERVALS = " with 95 % intervals over groups, or the range of groups where they are too few"
PAGE, REPORT = "external.html", "report.html"  # file names


def external_page(test: ExternalTest) -> str:
    """Write an external test as a self-contained page, which loads nothing from the network.

    Returns:
        HTML document; names of the user are escaped, local paths removed.
    """
    numbers = {
        "Measures": html_table(test.comparison, "Both datasets, and the difference with the images of both."),
        "Recall by class": html_table(test.recalls, "Both datasets, and the difference with the images of both."),
    }
    return page_template(TEMPLATE).render(
        test=test,
        report_page=REPORT,
        sentences=external_sentences(test),
        counts=html_table(test.counts, "Tested images and groups by class."),
        comparison=_side_by_side(test.comparison, "measure", f"Measures{INTERVALS}."),
        recalls=_side_by_side(test.recalls, "class", f"Recall by class{INTERVALS}."),
        answers=shown_answers(draw_external_figures(test)),
        tables=numbers,
    )


def _side_by_side(table: pd.DataFrame, by: str, caption: str) -> str:
    """Render a table with one row for each measure or class, and a column for each dataset and the difference."""
    rows = []
    for name, of_name in table.groupby(by, sort=False):
        cells = {str(row["dataset"]): _cell(row) for _, row in of_name.iterrows()}
        rows.append({by: name, **{dataset: cells[dataset] for dataset in (SOURCE, EXTERNAL, DIFFERENCE)}})
    return html_table(pd.DataFrame(rows), caption)


def _cell(row: pd.Series) -> str:
    estimate = format_estimate(row["value"], row["low"], row["high"], row["interval"])
    return estimate if row["dataset"] == DIFFERENCE else f"{estimate}, n={row['n']}, groups={row['groups']}"
