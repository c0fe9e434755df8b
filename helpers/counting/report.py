"""Page on a count: one HTML file with the differentials, the flags, and a gallery of the most doubtful cells."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from helpers import metrics
from helpers.counting.cells import BORDER_RULE
from helpers.counting.corrections import CORRECTED, NO_CELL
from helpers.models.model_card import ModelCard
from helpers.pages import html_from_markdown, html_table, page_template, png_uri
from helpers.prediction.referral import REASON, REFER
from helpers.reports.cards import model_card

if TYPE_CHECKING:
    from helpers.counting.writing import Count

TEMPLATE = Path(__file__).with_name("report.html")
MAX_SHOWN = 120  # cells of each type
MAX_ROWS = 200  # of a table
MAX_UNREADABLE = 20
INTERVAL_NOTE = (
    "Shares are those of the counted white blood cells. Their 95 % intervals hold the chance of which cells lie in the "
    "fields, more of it where cells of one field are alike (overdispersion). They do not hold the errors of the "
    "classifier"
)
CORRECTED_NOTE = (
    "; the corrected shares do: they take back the confusion that the model showed on labelled cells of other "
    "patients, and their intervals are wider for it"
)


def doubt(cells: pd.DataFrame) -> pd.Series:
    """Measure how doubtful the type of each cell is: 1 − its highest probability, and 1 more where it is referred.

    Args:
        cells: cells with ``p_<class>`` for each class, ``refer`` and ``corrected``.

    Returns:
        0 to 2, indexed like ``cells``; 0 where an expert has corrected the cell.
    """
    highest = cells.filter(regex=f"^{metrics.PREFIX}").max(axis=1).fillna(1.0)
    return (1 - highest + cells[REFER].astype(float)).where(~cells[CORRECTED].astype(bool), 0.0)


def shown_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """Select the cells of the gallery, the most doubtful of each type first.

    Args:
        cells: cells of a count.

    Returns:
        At most 120 rows of each ``class``. Cells that the expert added have no box and are left out.
    """
    found = cells[cells["left"].notna()].assign(doubt=doubt(cells))
    order = found.sort_values(["class", "doubt"], ascending=[True, False], kind="stable")
    return order.groupby("class", sort=False).head(MAX_SHOWN)


def count_page(count: Count, card: ModelCard, title: str, thumbnails: Mapping[str, np.ndarray]) -> str:
    """Write a count as a self-contained page, which loads nothing from the network.

    Args:
        count: from :func:`helpers.counting.writing.count_folder`.
        card: model card of the classifier.
        title: name of the folder.
        thumbnails: picture of each cell of the gallery, by its name.

    Returns:
        HTML document; names of the user are escaped.
    """
    cells, fields = count.cells, count.fields
    n_corrected = int(cells[CORRECTED].sum())
    corrected = "corrected_share" in count.counts
    return page_template(TEMPLATE).render(
        title=title,
        n_cells=len(cells),
        n_counted=int(cells["counted"].sum()),
        n_fields=len(fields),
        n_groups=fields["group"].nunique(),
        corrected=f"An expert has corrected {n_corrected} cells." if n_corrected else "",
        flags=html_table(count.flags, "Flags by patient.") if len(count.flags) else None,
        interval_note=INTERVAL_NOTE + (CORRECTED_NOTE if corrected else "") + ".",
        counts=_bounded(count.counts, "Types by patient"),
        border_rule=BORDER_RULE,
        findings=count.findings,
        no_findings=_no_findings(n_corrected),
        unreadable=count.bad[:MAX_UNREADABLE],
        n_unreadable=len(count.bad),
        gallery=_gallery(shown_cells(cells), cells, thumbnails),
        fields=_bounded(fields, "Fields"),
        model_card=html_from_markdown(model_card(card), "model card"),
    )


def _no_findings(n_corrected: int) -> str:
    if n_corrected:
        return "Findings are those of the first count, and are not repeated here."
    return "None: colours and sizes are like those of the training images. This does not show that the count is right."


def _bounded(table: pd.DataFrame, caption: str) -> Any:
    cut = f", {MAX_ROWS} of {len(table)} rows; the CSV file has all" if len(table) > MAX_ROWS else ""
    return html_table(table.head(MAX_ROWS), f"{caption}{cut}.")


def _gallery(shown: pd.DataFrame, cells: pd.DataFrame, thumbnails: Mapping[str, np.ndarray]) -> dict[str, list]:
    """Return the cells of each type under a heading with their number; the expert's ``no cell`` comes last."""
    total = cells["class"].value_counts()
    gallery = {}
    for name in sorted(shown["class"].unique(), key=lambda each: (each == NO_CELL, each)):
        own = shown[shown["class"] == name]
        cut = f", the {len(own)} most doubtful" if len(own) == MAX_SHOWN < total[name] else ""
        gallery[f"{name} ({total[name]}{cut})"] = [_cell(row, thumbnails) for _, row in own.iterrows()]
    return gallery


def _cell(row: pd.Series, thumbnails: Mapping[str, np.ndarray]) -> dict[str, str]:
    probability = row.get(f"{metrics.PREFIX}{row['class']}", np.nan)
    label = f"{row['class']} (corrected)" if row[CORRECTED] else f"{row['class']} ({probability:.2f})"
    reason = row[REASON] if row["counted"] else "; ".join(filter(None, [row[REASON], "not counted"]))
    return {"source": png_uri(thumbnails[row["cell"]]), "name": row["cell"], "label": label, "reason": reason}
