"""Draw the figure of the README: AUC of C-NMC with and without each mistake of chapter 09, from the published table.

``python book/figures/mistakes.py`` writes ``mistakes.png`` beside this script and prints its alt text for the README.
The image holds the checksum of its table, so that a test can tell when it must be drawn again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd

from helpers import files, plots
from helpers.project import Project

TABLE = "full-cnmc-trust-trust-mistakes.csv"
SYNTHETIC = ("4 the same cell twice", "11 a shortcut")  # measured on synthetic cells, where the truth is known
KEY = "table-sha256"  # of the PNG's text


def table_checksum(table: Path) -> str:
    """Return the SHA-256 of the published table, hexadecimal."""
    return hashlib.sha256(table.read_bytes()).hexdigest()


def draw(table: Path, target: Path) -> str:
    """Draw the figure from the published table.

    Args:
        table: CSV with the columns ``mistake``, ``variant``, ``measure``, ``value``, ``low`` and ``high``.
        target: PNG to write.

    Returns:
        Alt text.
    """
    rows = pd.read_csv(table)
    rows = rows[rows["measure"].str.startswith("AUC") & ~rows["mistake"].isin(SYNTHETIC)]
    rows = rows.assign(mistake=rows["mistake"].str.replace(r"^\d+ ", "", regex=True)).rename(columns={"value": "AUC"})
    figure = plots.forest_plot(rows, value="AUC", by="mistake", series="variant", caption="")
    if isinstance(figure, plots.NoFigure):
        raise ValueError(f"{table}: {figure}")
    with files.atomic_write(target) as temporary:
        figure.figure.savefig(
            temporary, format="png", dpi=150, bbox_inches="tight", metadata={KEY: table_checksum(table)}
        )
    return figure.alt


if __name__ == "__main__":
    book = Project.current().book
    print(draw(book / "results" / TABLE, book / "figures" / "mistakes.png"))
