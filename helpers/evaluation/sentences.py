"""The five sentences at the top of a report, computed from the records of an evaluation."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from helpers.checks import Finding
from helpers.evaluation.record import Evaluation
from helpers.metrics import (
    INTERVAL,
    RANGE,
    binary_metrics,
    classification_report,
    natural_frequency,
    plain_language_sentences,
)
from helpers.reports import format_estimate

PER = 1_000  # new images in the sentence on the prevalence
# Findings after which no number of the evaluation can be used, most serious first; all others follow in their order.
INVALIDATING = (
    "data leakage",
    "no separate validation and test set",
    "single predicted class",
    "AUC below chance level",
    "AUC at chance level",
    "predictions independent of the label",
    "hard predictions",
)


def five_sentences(evaluation: Evaluation) -> list[str]:
    """Summarise an evaluation: what was tested, best score, gain over the simplest model, expectation, finding.

    Args:
        evaluation: the records; the first measure in ``metrics`` is the main one.

    Returns:
        Five sentences in plain text; names of the user are not escaped.
    """
    return [
        _tested(evaluation),
        _best_score(evaluation),
        _gain(evaluation),
        _expectation(evaluation),
        _finding(evaluation),
    ]


def main_measure(evaluation: Evaluation) -> str:
    """Return the measure by which models are compared, the first in ``metrics``."""
    return str(evaluation.metrics["measure"].iloc[0])


def capitalised(text: str) -> str:
    """Return a text with a capital first letter, and the others as they are."""
    return text[:1].upper() + text[1:]


def simplest_model(evaluation: Evaluation) -> str:
    """Return the model to which the others are compared."""
    return next(iter(evaluation.predictions))


def ordered_findings(evaluation: Evaluation) -> list[Finding]:
    """List the findings of audit and predictions once each, those that invalidate all numbers first."""
    findings = list(dict.fromkeys([*evaluation.audit.findings, *evaluation.findings]))
    rank = {name: number for number, name in enumerate(INVALIDATING)}
    return sorted(findings, key=lambda finding: rank.get(finding.name, len(rank)))


def _tested(evaluation: Evaluation) -> str:
    table, count = evaluation.tested, len(evaluation.predictions) - (evaluation.headline != evaluation.best)
    models = "1 model was" if count == 1 else f"{count} models were"
    return (
        f"{models} tested on {len(table)} images of {table['group'].nunique()} groups ({evaluation.unit}) and "
        f"{len(evaluation.classes)} classes of {evaluation.title}: {evaluation.protocol.rstrip('.')}."
    )


def _best_score(evaluation: Evaluation) -> str:
    measure, table = main_measure(evaluation), evaluation.metrics
    scores = table[table["measure"] == measure].reset_index(drop=True)
    score, highest = scores[scores["model"] == evaluation.headline].iloc[0], scores.iloc[scores["value"].argmax()]
    if evaluation.headline == evaluation.best:
        sentence = f"The best model by validation score is {evaluation.best}; its {measure} on test images is "
    else:
        sentence = (
            f"The best model by validation score was chosen in each fold ({_selected(evaluation)}; on all folds "
            f"together {evaluation.best}); their {measure} on test images is "
        )
    sentence += _estimate(score)
    if highest["value"] > score["value"]:
        higher = f"{highest['model']} scored {highest['value']:.3f}"
        sentence += f"; {higher} on test images, which must not choose the model"
    return f"{sentence}."


def _selected(evaluation: Evaluation) -> str:
    """List the models that were selected, with the number of folds."""
    counts = Counter(evaluation.selected.values())
    parts = [f"{model} in {count} {'fold' if count == 1 else 'folds'}" for model, count in counts.most_common()]
    return ", ".join(parts)


def _gain(evaluation: Evaluation) -> str:
    """Compare the best model with the simplest, as far as the interval of the difference allows."""
    measure, simplest, best = main_measure(evaluation), simplest_model(evaluation), evaluation.headline
    if best == simplest:
        return f"No model had a better validation score than the simplest, {simplest}."
    it_is, its = ("It is", "its") if best == evaluation.best else ("They are", "their")
    table = evaluation.differences
    rows = table[(table["model"] == best) & (table["measure"] == measure)]
    if rows["value"].isna().all():
        return f"The difference between {best} and the simplest model, {simplest}, is not defined."
    row = rows.iloc[0]
    difference = f"{measure} differs by {_estimate(row)} on the same images (paired)"
    if row["interval"] != INTERVAL:
        return (
            f"Compared with the simplest model, {simplest}, {its} {difference}; there are too few groups to say "
            "whether this holds for others."
        )
    if row["low"] > 0:
        return f"{it_is} better than the simplest model, {simplest}: {its} {difference}."
    if row["high"] < 0:
        return f"{it_is} worse than the simplest model, {simplest}: {its} {difference}."
    return (
        f"{it_is} not distinguishable from the simplest model, {simplest}: {its} {difference}, and the interval "
        "includes 0."
    )


def _estimate(row: pd.Series) -> str:
    """Format a row of metrics with the kind of its interval and the number of groups."""
    estimate = format_estimate(row["value"], row["low"], row["high"], row["interval"])
    return f"{estimate} (95 % interval over {row['groups']} groups)" if row["interval"] == INTERVAL else estimate


def _expectation(evaluation: Evaluation) -> str:
    table, positive = evaluation.tested, evaluation.positive
    if positive:
        limits = evaluation.thresholds
        _, sensitivity, false_positives, *_ = plain_language_sentences(table, positive, limits, seed=evaluation.seed)
        clauses = f"{_continued(sensitivity)}; {_continued(false_positives)}"
        chosen = f"with {threshold_words(evaluation)}, chosen for {evaluation.rule.describe(positive)}"
        return f"What to expect {_new_images(evaluation)}, {chosen}: {clauses}."
    return f"What to expect {_new_images(evaluation)}: {_recalls(table, evaluation.seed)}."


def threshold_words(evaluation: Evaluation) -> str:
    """Describe the thresholds of the test images: one, or the range of those of several folds."""
    low, high = evaluation.thresholds.min(), evaluation.thresholds.max()
    if len(evaluation.selected) == 1:
        return f"a threshold of {low:.3f}"
    return f"a threshold for each fold, from {low:.3f} to {high:.3f}"


def prevalence_sentences(evaluation: Evaluation) -> list[str]:
    """Say what to expect at the prevalence of the threshold rule; none without a prevalence or a positive class."""
    positive, prevalence = evaluation.positive, evaluation.rule.prevalence
    if not positive or prevalence is None:
        return []
    rates = binary_metrics(evaluation.tested, positive, evaluation.thresholds, seed=evaluation.seed)
    value = rates.set_index("measure")["value"]
    n_positive = PER * prevalence
    true_positives = value["sensitivity"] * n_positive
    false_positives = value["false positive rate"] * (PER - n_positive)
    right = true_positives / (true_positives + false_positives) if true_positives + false_positives else float("nan")
    return [
        f"Where {prevalence:.3g} of all images are {positive}, {PER:,} new images contain about {n_positive:.3g} of "
        f"them; about {true_positives:.3g} of these are found, with about {false_positives:.3g} false positives, so "
        f"that {right:.0%} of the positive predictions are right, if sensitivity and false positive rate are those of "
        "the test images."
    ]


def _new_images(evaluation: Evaluation) -> str:
    """Say for which units the test is an estimate: a split by image says nothing about patients."""
    return f"on new {evaluation.unit}s like these"


def _continued(sentence: str) -> str:
    """Return a sentence as a clause, without capital letter and full stop."""
    return sentence[0].lower() + sentence[1:].rstrip(".")


def _recalls(table: pd.DataFrame, seed: int) -> str:
    """Describe the classes that are recognised least and most often, each of 100 images."""
    report = classification_report(table, seed)
    report = report[(report["measure"] == "recall") & ~report["class"].isin(("macro", "weighted"))]
    report = report[report["value"].notna()].sort_values("value", kind="stable")
    worst, best = report.iloc[0], report.iloc[-1]
    return (
        f"of 100 images of {worst['class']}, the class with the lowest recall, {_per_hundred(worst)} are recognised; "
        f"of 100 of {best['class']}, the class with the highest, {_per_hundred(best)}"
    )


def _per_hundred(row: pd.Series) -> str:
    return natural_frequency(row["value"], row["low"], row["high"], kind=row["interval"])


def _finding(evaluation: Evaluation) -> str:
    findings = ordered_findings(evaluation)
    if findings:
        first, count = findings[0], len(findings)
        failed = "1 check failed" if count == 1 else f"{count} checks failed, above all"
        return f"{failed}: {first.name}: {first.observed.rstrip('.')}."
    if (evaluation.metrics["interval"] == RANGE).any():
        return "No check failed; but there are too few groups, at least of one class, for 95 % intervals."
    known = f" than that of {evaluation.external.external}" if evaluation.external else ""
    return f"No check failed; performance on images of another laboratory, stain or camera{known} is unknown."
