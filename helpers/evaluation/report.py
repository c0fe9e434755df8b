"""Report of an evaluation: one HTML file with its figures inside, for the screen and for paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from helpers.datasets import Dataset
from helpers.evaluation.external_page import PAGE as EXTERNAL_PAGE
from helpers.evaluation.external_sentences import external_summary
from helpers.evaluation.figures import draw_figures, shown_answers
from helpers.evaluation.record import Audit, Evaluation
from helpers.evaluation.results import agreement
from helpers.evaluation.sentences import (
    capitalised,
    five_sentences,
    main_measure,
    ordered_findings,
    prevalence_sentences,
    simplest_model,
    threshold_words,
)
from helpers.evaluation.wrong_cells import wrong_cells
from helpers.metrics import confusion_pairs, plain_language_sentences
from helpers.pages import html_from_markdown, html_table, page_template, png_uri
from helpers.reports.cards import datasheet
from helpers.runs import provenance

TEMPLATE = Path(__file__).with_name("report.html")
MAX_CELLS = 24
CELL_SIZE = 96  # pixels
REFERRED_IF = (
    "not exactly one class is in its prediction set, or if it is unlike the training images; both are calibrated "
    "without the groups of the fold"
)
MAX_PAIRS = 50  # near-duplicates in the table


def report(evaluation: Evaluation, dataset: Dataset) -> str:
    """Write the report of an evaluation as a self-contained page, which loads nothing from the network.

    Args:
        evaluation: the records.
        dataset: dataset of the test images, for the pictures of wrong cells and the datasheet.

    Returns:
        HTML document; names of the user are escaped, local paths removed.
    """
    wrong = wrong_cells(evaluation)
    return page_template(TEMPLATE).render(
        evaluation=evaluation,
        sentences=five_sentences(evaluation),
        findings=ordered_findings(evaluation),
        counts=html_table(evaluation.audit.counts, "Images and groups by class.", 1),
        external=external_summary(evaluation.external) if evaluation.external else [],
        external_page=EXTERNAL_PAGE,
        answers=shown_answers(draw_figures(evaluation)),
        n_wrong=len(wrong),
        n_tested=len(evaluation.tested),
        cells=_cells(wrong.head(MAX_CELLS), dataset),
        expectations=_expectations(evaluation),
        tables=_result_tables(evaluation),
        audit_tables=_audit_tables(evaluation.audit),
        model_facts=_model_facts(evaluation),
        datasheet=html_from_markdown(datasheet(dataset), "datasheet"),
        origin=_origin(evaluation),
    )


def _cells(wrong: pd.DataFrame, dataset: Dataset) -> list[dict[str, str]]:
    """Return picture and names of each wrong cell, in the order of the table."""
    if wrong.empty:
        return []
    images = dataset.select(wrong.index).load_images(CELL_SIZE)
    return [
        {
            "source": png_uri(image),
            "image_id": str(row.Index),
            "group": str(row.group),
            "true": str(row.true),
            "predicted": str(row.predicted),
            "probability": f"{row.probability:.3f}",
        }
        for row, image in zip(wrong.itertuples(), images, strict=True)
    ]


def _expectations(evaluation: Evaluation) -> list[str]:
    """Describe the selected models at their thresholds in plain language; empty without a positive class."""
    if not evaluation.positive:
        return []
    sentences = plain_language_sentences(
        evaluation.tested, evaluation.positive, evaluation.thresholds, seed=evaluation.seed
    )
    return [*sentences[:-1], *prevalence_sentences(evaluation), sentences[-1]]


def _result_tables(evaluation: Evaluation) -> dict[str, Markup]:
    model, simplest, measure = evaluation.headline, simplest_model(evaluation), capitalised(main_measure(evaluation))
    pairs = confusion_pairs(evaluation.tested, evaluation.seed)
    tables = {
        "Metrics of all models": (evaluation.metrics, "All models on the same test images."),
        "Differences": (evaluation.differences, f"Each model − {simplest} on the same images (paired)."),
        "Each class against the rest": (evaluation.by_class, f"{model}, AUC of each class against all others."),
        "Averaged over groups": (evaluation.per_group, f"{model}, probabilities averaged over the images of a group."),
        "Agreement of proportions": (
            agreement(evaluation.proportions, evaluation.seed),
            "Predicted − true share, over the groups.",
        ),
        "Proportions": (evaluation.proportions, "Share of a class in the images of each group, true and predicted."),
        "Confused classes": (pairs, f"{model}, most probable class; rate is the share of the true class."),
        "When to say nothing": (evaluation.referral, f"{model}; an image is referred to an expert if {REFERRED_IF}."),
        "Calibration": (evaluation.calibration, f"{model}, by bins of predicted probability."),
        "Learning curve": (evaluation.learning, f"{measure} by size of the training set."),
    }
    return {title: html_table(table, caption) for title, (table, caption) in tables.items() if len(table)}


def _audit_tables(audit: Audit) -> dict[str, Markup]:
    tables = {}
    if len(audit.shortcuts):
        caption = "Scores of models that see nothing of the cell; a score above chance suggests a shortcut."
        tables["Shortcuts"] = html_table(audit.shortcuts, caption)
    if audit.near_duplicates is not None and len(audit.near_duplicates):
        count = len(audit.near_duplicates)
        shown = f", the first {MAX_PAIRS} shown" if count > MAX_PAIRS else ""
        caption = f"Near-duplicates: {count} pairs{shown}."
        tables["Near-duplicates"] = html_table(audit.near_duplicates.head(MAX_PAIRS), caption)
    return tables


def _model_facts(evaluation: Evaluation) -> dict[str, str]:
    """Return the facts of the best model that a model card asks for, as far as they are known."""
    facts = {
        "Model": evaluation.best,
        "Saved": evaluation.saved_model or "no model",
        "Predicts": f"a probability for each of {', '.join(evaluation.classes)}",
        "Positive class": evaluation.positive or "none; each class is tested against the rest",
        "Selected on": "validation predictions of all folds",
        "Best in each fold": ", ".join(f"{number}: {model}" for number, model in evaluation.selected.items()),
        "Tested": evaluation.protocol,
    }
    if evaluation.threshold is not None:
        limit = evaluation.threshold
        facts["Threshold"] = (
            f"{limit.value:.3f} for new images, chosen on the validation predictions of all folds for "
            f"{evaluation.rule.describe(evaluation.positive)}; {limit.found} of {limit.positives} positive images "
            f"reach it. The test images had {threshold_words(evaluation)}"
        )
        facts["Expected sensitivity"] = f"{limit.expected:.3f} on new images, if images are independent"
    facts["Intended use"] = "teaching and research into methods; not for diagnosis"
    facts["Not tested"] = "another laboratory, stain, camera or population than that of the test images"
    if evaluation.external is not None:
        facts["Not tested"] += f" and of {evaluation.external.external}"
    return facts


def _origin(evaluation: Evaluation) -> dict[str, str]:
    """Return version, machine, libraries, seed and durations of the evaluation."""
    facts = {"Report written by": _version(), "Random seed": str(evaluation.seed)}
    if evaluation.provenance is not None:
        source = evaluation.provenance
        facts |= {
            "Commit": provenance.short(source.commit),
            "Machine": f"{source.hardware}; {provenance.describe(source.threads)}",
            "Python": source.python,
            "Libraries": _listed(source.versions),
        }
    seconds = {step: f"{duration:.1f} s" for step, duration in evaluation.seconds.items()}
    return facts | ({"Duration": _listed(seconds)} if seconds else {})


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _version() -> str:
    try:
        return provenance.version()
    except provenance.NotInstalledError:
        return f"{provenance.PACKAGE}, not installed"
