"""Write the files of an evaluation: report.html, metrics.csv and predictions.csv, and those of an external test."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers import files
from helpers.datasets import Dataset
from helpers.evaluation.external_page import PAGE, REPORT, external_page
from helpers.evaluation.external_sentences import external_summary
from helpers.evaluation.record import Evaluation, ExternalTest
from helpers.evaluation.report import report
from helpers.project import user_cache
from helpers.reports import format_estimate
from helpers.reports.tables import safe_text

METRICS, PREDICTIONS, MODEL = "metrics.csv", "predictions.csv", "model.keras"
EXTERNAL_METRICS, EXTERNAL_PREDICTIONS = "external-metrics.csv", "external-predictions.csv"


def cache_folder() -> Path:
    """Return the folder in which evaluations keep features and predictions, to resume and to run again in less time."""
    return user_cache() / "evaluations"


def write(evaluation: Evaluation, dataset: Dataset, folder: Path) -> list[str]:
    """Write report, metrics and predictions of all models into a folder, and the page and tables of an external test.

    Args:
        evaluation: from :func:`helpers.evaluation.running.evaluate`.
        dataset: the evaluated images.
        folder: an existing folder, or one to create.

    Returns:
        Lines that name the files and the best model's main metric.
    """
    folder.mkdir(parents=True, exist_ok=True)
    predictions = pd.concat(
        [table.reset_index().assign(model=name) for name, table in evaluation.predictions.items()], ignore_index=True
    )
    predictions = predictions[["model", *predictions.columns.drop("model")]]
    files.write_text(folder / METRICS, safe_text(evaluation.metrics).to_csv(index=False))
    files.write_text(folder / PREDICTIONS, safe_text(predictions).to_csv(index=False))
    files.write_text(folder / REPORT, report(evaluation, dataset))
    external = [] if evaluation.external is None else _write_external(evaluation.external, folder)
    first = evaluation.metrics[evaluation.metrics["model"] == evaluation.headline].iloc[0]
    score = format_estimate(first["value"], first["low"], first["high"], first["interval"])
    return [
        f"{evaluation.headline}: {first['measure']} {score} (n={first['n']}, groups={first['groups']})",
        f"{folder / REPORT}, {METRICS} and {PREDICTIONS} are written",
        *external,
    ]


def _write_external(test: ExternalTest, folder: Path) -> list[str]:
    """Write page, metrics and predictions of an external test, and return lines that name them and the main metric."""
    named = [test.comparison.rename(columns={"measure": "name"}), test.recalls.rename(columns={"class": "name"})]
    kinds = ["measure", "recall"]
    tables = pd.concat([table.assign(kind=kind) for table, kind in zip(named, kinds, strict=True)], ignore_index=True)
    tables = tables[["kind", *tables.columns.drop("kind")]]
    files.write_text(folder / EXTERNAL_METRICS, safe_text(tables).to_csv(index=False))
    files.write_text(folder / EXTERNAL_PREDICTIONS, safe_text(test.predictions.reset_index()).to_csv(index=False))
    files.write_text(folder / PAGE, external_page(test))
    return [
        external_summary(test)[0],
        f"{folder / PAGE}, {EXTERNAL_METRICS} and {EXTERNAL_PREDICTIONS} are written",
    ]
