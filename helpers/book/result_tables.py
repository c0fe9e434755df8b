"""Write the appendix of all published result tables, sortable and searchable, each with its provenance folded."""

from __future__ import annotations

import html
from dataclasses import replace

from helpers import datasets, reports
from helpers.book import results
from helpers.book.republishing import parameters_line
from helpers.book.results import ResultNote
from helpers.markup import escape_markdown
from helpers.metrics import INTERVAL
from helpers.project import Project
from helpers.reports import ResultTable
from helpers.runs import notebooks, provenance
from helpers.runs.notebooks import Parameters

# Titles of the tables that chapters save, by name without the profile.
TITLES = {
    "classify-auc": "AUC and average precision by classifier",
    "classify-learning-curve": "AUC by number of training images",
    "classify-patient-curve": "AUC by number of training patients",
    "classify-patients": "Metrics per patient",
    "classify-rates": "Metrics per cell at the chosen threshold",
    "classify-split": "AUC in a split by patient and by image",
    "many-classes-augmentation": "Augmentation strategies, difference from none",
    "many-classes-by-class": "Precision, recall and F1 by class",
    "many-classes-confused": "Confused classes",
    "many-classes-copies-before-split": "Oversampling before and after the split",
    "many-classes-roc-auc": "AUC of each class against the others",
    "many-classes-scores": "Metrics over all classes by network",
    "preprocess-nucleus-dice": "Dice of the nucleus by threshold method",
    "saliency-cascade": "Saliency maps after randomisation of layers",
    "saliency-scores": "Saliency maps against the masks",
    "saliency-shortcut": "Accuracy with a planted shortcut",
    "saliency-shortcut-maps": "Saliency maps against a planted shortcut",
    "segment-annotators": "Agreement of two annotations of one cell",
    "segment-augmentation": "Dice on another stain by augmentation",
    "segment-dice": "Dice by method",
    "segment-miou": "Mean IoU by method",
    "segment-shift": "Dice on another stain by training set",
    "segment-skips": "What the U-Net loses without skip connections, by metric and region",
    "transfer-background": "Macro F1 with and without background",
    "transfer-differences": "Differences in macro F1 from the first method, and of fine-tuned − frozen",
    "transfer-learning-curve": "Balanced accuracy by number of training images",
    "transfer-scaling": "Macro F1 by scaling of the input",
    "transfer-scores": "Macro F1 by network and method, with times",
    "trust-mistakes": "Metrics with each mistake and corrected",
    "trust-pairs": "Near-duplicates across patients",
    "another-laboratory-audit": "Precision and recall of the label audit, with planted errors",
    "another-laboratory-coverage": "Coverage and size of prediction sets",
    "another-laboratory-crossed": "Trained in one laboratory, tested in both",
    "another-laboratory-methods": "What helps in another laboratory, and what it costs at home",
    "another-laboratory-noticing": "How well scores notice other images",
    "another-laboratory-referral": "What is referred, and the error of the rest",
    "another-laboratory-suspicions": "Labels that a model contradicts",
    "counting-differential": "The differential of BCCD by two classifiers, and the shares of the annotated cells",
    "counting-types": "Types of cells in fields of other laboratories",
    "counting-detection": "White blood cells found in whole fields, by what the detector was trained on",
    "partitions-cnmc": "C-NMC in 20 partitions, every choice inside, and five subjects set aside",
    "partitions-cnmc-networks": "C-NMC in the same partitions: frozen features, and networks trained on pixels",
    "realism-difficulty": "How hard the synthetic tasks are",
    "realism-segmentation": "Trained on synthetic cells, tested on real ones",
    "sweep-mistakes": "Metrics with each mistake, over seeds",
    "whole-pbc-learning-curve": "All of PBC: balanced accuracy by number of training images per class",
    "whole-pbc-near-duplicates": "All of PBC: near-duplicates that a random split separates",
    "whole-pbc-scores": "All of PBC: frozen features with discriminant analysis, by views and split",
    "sweep-transfer": "Macro F1 by network and method, over seeds",
}
SWEEPS, SYNTHETIC = "Over several seeds (synthetic cells)", "Synthetic cells against real ones"
# Column headings in words, in addition to those of :mod:`helpers.reports.result_table`.
HEADINGS = {
    "agreement": "rank correlation",
    "features, s": "seconds to compute features",
    "layers drawn anew": "randomised layers",
    "learner": "classifier on features of",
    "n": "tested images",
    "n inliers": "matching points",
    "rate": "share of the class",
    "rule": "method",
    "training, s": "seconds to train",
}


def appendix() -> str:
    """Return all published tables in MyST Markdown, under a heading for each dataset."""
    sections: dict[str, list[str]] = {}
    for path in sorted(Project.current().results.glob("*.csv")):
        sections.setdefault(_group(path.stem), []).append(_section(path.stem))
    order = sorted(sections, key=lambda group: (group in (SWEEPS, SYNTHETIC), group))
    return "\n".join(f"## {group}\n\n" + "\n".join(sections[group]) for group in order)


def _group(name: str) -> str:
    """Return the heading under which a table stands: the title of its dataset, or the name of images of one's own."""
    if name.startswith("sweep-"):
        return SWEEPS
    dataset = results.read_result(name)[1].parameters.get("dataset")
    if not dataset:
        return SYNTHETIC
    return datasets.SOURCES[dataset].card.title if dataset in datasets.SOURCES else escape_markdown(str(dataset))


def title(name: str) -> str:
    """Return the title of a published table in words; its name if it has none."""
    return next((words for kind, words in TITLES.items() if name == kind or name.endswith(f"-{kind}")), name)


def _section(name: str) -> str:
    note = results.read_result(name)[1]
    made_by = note.made_by
    chapters = {notebooks.chapter_name(path.stem): path.stem for path in Project.current().notebooks.glob("*.ipynb")}
    chapter = chapters.get(made_by.removeprefix("chapter "))
    origin = f"chapter {{doc}}`../notebooks/{chapter}`" if chapter else f"`{made_by}`"
    return f"({name})=\n### {title(name)}\n\n`{name}`, from {origin}. {parameters_line(note)}\n\n{result_table(name)}"


def result_table(name: str) -> str:
    """Return one published table with its provenance folded, as HTML within MyST Markdown."""
    table, note = results.read_result(name)
    shown = word_headings(reports.show_table(table), name)
    return (
        f'```{{raw}} html\n<div class="sortable">\n{shown.to_html()}\n</div>\n'
        f'<details class="provenance"><summary>Provenance</summary><p>{_origin(note)}</p></details>\n```\n'
    )


def word_headings(table: ResultTable, name: str) -> ResultTable:
    """Replace the column headings of a table by words of the field.

    Args:
        table: formatted table.
        name: its name; in tables of learning curves *images* are those of the training set, and counts have cells, or
            fields for their counting errors.
    """
    suffix = f" ({INTERVAL} interval)"
    words = HEADINGS | ({"images": "training images"} if name.endswith("learning-curve") else {})
    if name.startswith("counting-"):
        words["n"] = "cells or fields"
    headings = []
    for heading in table.headings:
        column = heading.removesuffix(suffix)
        headings.append(words.get(column, column) + heading[len(column) :])
    return replace(table, headings=tuple(headings))


def _origin(note: ResultNote) -> str:
    """Return the provenance of a table in HTML."""
    made = note.provenance
    limits = f"{provenance.describe(made.threads)}, " if made.threads else ""
    values = ", ".join(f"{name} = {value}" for name, value in note.parameters.items())
    return (
        f"Made by {html.escape(note.made_by)} ({html.escape(values)}); <code>{html.escape(note.command)}</code>; "
        f"data SHA-256 <code>{note.data_sha256[:16]}</code>; commit <code>{provenance.short(made.commit)}</code>; "
        f"{html.escape(made.hardware)}, {limits}Python {made.python}; {note.finished[:10]}."
    )


def format_parameters(parameters: Parameters) -> str:
    """Return parameters in Markdown, as ``name = value, …``."""
    return ", ".join(f"{name} = {escape_markdown(value)}" for name, value in parameters.items())
