"""Write the files of an evaluation: report.html, metrics.csv and predictions.csv."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from helpers import files
from helpers.datasets import Dataset
from helpers.evaluation.record import Evaluation
from helpers.evaluation.report import report
from helpers.project import user_cache
from helpers.reports import format_estimate
from helpers.reports.tables import safe_text

REPORT, METRICS, PREDICTIONS, MODEL = "report.html", "metrics.csv", "predictions.csv", "model.keras"


def cache_folder() -> Path:
    """Return the folder in which evaluations keep features and predictions, to resume and to run again in less time."""
    return user_cache() / "evaluations"


def write(evaluation: Evaluation, dataset: Dataset, folder: Path) -> list[str]:
    """Write report, metrics and predictions of all models into a folder.

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
    first = evaluation.metrics[evaluation.metrics["model"] == evaluation.headline].iloc[0]
    score = format_estimate(first["value"], first["low"], first["high"], first["interval"])
    return [
        f"{evaluation.headline}: {first['measure']} {score} (n={first['n']}, groups={first['groups']})",
        f"{folder / REPORT}, {METRICS} and {PREDICTIONS} are written",
    ]
