"""Generate the page *Try it* from the networks of a run: their numbers for the script, and what it does in the text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files, reports, segmentation
from helpers.book.try_it.classifier import (
    N_CELLS,
    N_PATIENTS,
    SEED,
    SIZE,
    CalibratedClassifier,
    train_classifier,
)
from helpers.book.try_it.drawing import drawn_cells, example_cells
from helpers.book.try_it.exporting import export_network
from helpers.explorers import explorer
from helpers.pages import page_template
from helpers.plots.style import COLOURS
from helpers.project import Project
from helpers.runs import runner
from helpers.runs.records import Record, RunFolder
from helpers.training.identity import imported_code

CHAPTER = "04-segment"
PAGE, SCRIPT = "_generated/try-it.md", "_static/try-it.js"  # below the folder of the book's pages
VARIABLE = "leukobookTryIt"  # global variable of the script with the networks
TEMPLATES = Path(__file__).with_name("templates")
TITLE = "A cell, two networks, your browser"
SUMMARY = "two networks that outline a cell and name its class in your browser."
NOT_MADE = """:::{{warning}}
This book was built from the run `{}`, {}, so there is nothing to try here. `make book` builds the book from the quick
run, whose networks this page shows.
:::
"""


def generated_files(name: str, records: Sequence[Record]) -> dict[str, bytes]:
    """Generate what the page includes, and the script with its networks, if chapter 04 ran on synthetic cells.

    Args:
        name: name of the profile that was run.
        records: records of its notebooks.

    Returns:
        File content by path below the folder of the book's pages; without networks only a note that says why.
    """
    reason = why_not(records)
    if reason:
        return {PAGE: NOT_MADE.format(name, reason).encode()}
    folder = Project.current().build / name
    unet = RunFolder(folder, CHAPTER).work / "outputs" / "segment-unet.keras"
    models = read_or_make(unet, folder / "try-it")
    measured = pd.DataFrame(models.pop("measured"))
    text = f"````{{raw}} html\n{explorer_html(models)}\n````\n\n{measured_text(measured)}"
    return {PAGE: text.encode(), SCRIPT: models_script(models).encode()}


def why_not(records: Sequence[Record]) -> str:
    """Say why a run has no networks for the page, half a sentence; empty if it has."""
    record = next((record for record in records if record.notebook == CHAPTER and record.done), None)
    if record is None:
        return "in which chapter 04 did not run to its end"
    dataset = record.parameters.get("dataset", "synthetic")
    return "" if dataset == "synthetic" else f"whose U-Net was trained on `{dataset}`, not on synthetic cells"


def read_or_make(unet: Path, folder: Path) -> dict[str, Any]:
    """Read the networks of the page back, or train, calibrate and export them if code or U-Net have changed.

    Args:
        unet: U-Net of chapter 04.
        folder: keeps them for the next build.
    """
    code = sorted(imported_code(__name__).items())
    digest = hashlib.sha256(unet.read_bytes() + json.dumps([runner.installed(), code]).encode())
    kept = folder / f"{digest.hexdigest()[:16]}.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        models = make(segmentation.load_model(unet), folder / "training")
        for older in folder.glob("*.json"):
            older.unlink()
        files.write_text(kept, json.dumps(models))
    return json.loads(kept.read_text(encoding="utf-8"))


def make(segmenter: segmentation.Segmenter, checkpoint_dir: Path) -> dict[str, Any]:
    """Train the classifier, and write both networks, examples and the grid of synthetic cells as data for the script.

    Args:
        segmenter: U-Net of chapter 04.
        checkpoint_dir: folder of trainings.
    """
    classifier = train_classifier(segmenter.model, checkpoint_dir)
    return {
        "segmenter": export_segmenter(segmenter),
        "classifier": export_classifier(classifier),
        "examples": example_cells(),
        "drawn": drawn_cells(),
        "measured": classifier.measured.to_dict("records"),
    }


def export_segmenter(segmenter: segmentation.Segmenter) -> dict[str, Any]:
    """Write a U-Net as data for the script, with the limits of :func:`helpers.segmentation.find_cell`."""
    return export_network(segmenter.model, segmenter.note.size) | {
        "minNucleusShare": segmentation.MIN_NUCLEUS_SHARE,
        "minContrast": segmentation.MIN_CONTRAST,
        "cellShare": segmenter.note.cell_share,
    }


def export_classifier(classifier: CalibratedClassifier) -> dict[str, Any]:
    """Write a classifier as data for the script, with its thresholds."""
    return export_network(classifier.model, SIZE) | {
        "classes": list(classifier.classes),
        "coverage": classifier.sets.coverage,
        "thresholds": [classifier.sets.thresholds[name] for name in classifier.classes],
        "means": [[float(f"{value:.7g}") for value in mean] for mean in classifier.means],
        "limit": classifier.limit,
    }


def explorer_html(models: dict[str, Any]) -> str:
    """Return the explorer of the page in HTML; it reads the networks from :data:`SCRIPT`, a folder above its own.

    Args:
        models: from :func:`make`.
    """
    template = page_template(TEMPLATES / "try_it.html", explorer.TEMPLATES)
    return template.render(
        name="try-it",
        title=TITLE,
        summary=SUMMARY,
        values=json.dumps(VARIABLE),
        axes=models["drawn"]["axes"],
        colours=COLOURS,
        script=f"../{SCRIPT}",
    )


def models_script(models: dict[str, Any]) -> str:
    """Return the script that defines the networks, examples and grid for the explorer."""
    return f"window.{VARIABLE} = {json.dumps(models, separators=(',', ':'))};\n"


def measured_text(measured: pd.DataFrame) -> str:
    """Return the table of what the classifier does, with its origin, in MyST Markdown.

    Args:
        measured: see :class:`helpers.book.try_it.classifier.CalibratedClassifier`.
    """
    table = reports.show_table(measured, digits=2).to_markdown()
    return (
        f"## What the classifier does with other cells\n\n{table}\n\n"
        f"The cells are synthetic: {N_CELLS} of {N_PATIENTS} patients (seed {SEED}), of whom half "
        f"trained the network, and a sixth each chose its epoch, calibrated it and tested it. Beyond the limit of the "
        "distance, the page answers *unlike anything I know*.\n"
    )
