"""Figures of an evaluation, each with the question that it answers; a figure that would show nothing is a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from helpers import metrics, plots
from helpers.evaluation.record import DIFFERENCE, Evaluation, ExternalTest
from helpers.evaluation.sentences import capitalised, main_measure, simplest_model
from helpers.pages import data_uri
from helpers.plots import AccessibleFigure, NoFigure

WIDE = 1.5  # ratio of width and height above which a figure has a row of its own


@dataclass(frozen=True)
class Answer:
    """A figure, or the reason why there is none.

    Attributes:
        title: question or topic, the heading of the figure.
        figure: the figure, or its reason.
        note: sentence below the figure; may be empty.
    """

    title: str
    figure: AccessibleFigure | NoFigure
    note: str = ""


@dataclass(frozen=True)
class ShownAnswer:
    """A figure for a template: ``source`` is a data URI, or empty where ``text`` says why there is no figure."""

    title: str
    source: str
    text: str
    caption: str
    note: str
    wide: bool = False


def shown_answers(answers: list[Answer]) -> list[ShownAnswer]:
    """Encode figures for a template."""
    return [_shown(answer) for answer in answers]


def _shown(answer: Answer) -> ShownAnswer:
    figure = answer.figure
    if not isinstance(figure, AccessibleFigure):
        return ShownAnswer(answer.title, "", repr(figure), "", answer.note)
    width, height = figure.figure.get_size_inches()
    source = data_uri(figure.to_png())
    return ShownAnswer(answer.title, source, figure.alt, figure.caption, answer.note, wide=width > WIDE * height)


def draw_external_figures(test: ExternalTest) -> list[Answer]:
    """Draw the figures of an external test: recall by class on both datasets, and the confusion matrix."""
    table = test.recalls[test.recalls["dataset"] != DIFFERENCE].rename(columns={"value": "recall"})
    caption = f"Recall by class, on {test.source} (source) and {test.external} (external)."
    matrix = f"Images of {test.external} by true and predicted class."
    return [
        Answer("Recall by class", plots.forest_plot(table, "recall", "class", "dataset", caption)),
        Answer("Confusion matrix, external dataset", plots.confusion_plot(test.confusion, matrix)),
    ]


def draw_figures(evaluation: Evaluation) -> list[Answer]:
    """Draw the figures of a report, in its order."""
    return [
        Answer("All models", _models(evaluation)),
        Answer(*_errors(evaluation)),
        Answer("Calibration", _calibration(evaluation)),
        *_learning(evaluation),
        Answer("Groups", _groups(evaluation)),
    ]


def _models(evaluation: Evaluation) -> AccessibleFigure | NoFigure:
    measure = main_measure(evaluation)
    table = evaluation.metrics[evaluation.metrics["measure"] == measure]
    table = table.rename(columns={"value": measure}).assign(images="test images")
    caption = f"{capitalised(measure)} of all models on the same test images. The first is the simplest."
    return plots.forest_plot(table, measure, "model", "images", caption)


def _errors(evaluation: Evaluation) -> tuple[str, AccessibleFigure | NoFigure]:
    """Draw ROC curves where there is a positive class, otherwise the confusion matrix."""
    table, positive, headline = evaluation.tested, evaluation.positive, evaluation.headline
    if not positive:
        caption = f"Images by true and predicted (most probable) class; model: {headline}."
        return "Confusion matrix", plots.confusion_plot(metrics.confusion_matrix(table), caption)
    curves = {
        model: metrics.roc_curve(evaluation.predictions[model], positive, evaluation.seed)
        for model in dict.fromkeys([headline, simplest_model(evaluation)])
    }
    caption = "Sensitivity against false positive rate for all thresholds; bands need at least ten groups."
    return "ROC curve", plots.roc_plot(curves, caption)


def _calibration(evaluation: Evaluation) -> AccessibleFigure | NoFigure:
    if evaluation.calibration.empty:
        return NoFigure("calibration is measured for a positive class, and there is none")
    caption = f"On the diagonal, probabilities can be taken literally; model: {evaluation.headline}."
    return plots.calibration_plot({evaluation.headline: evaluation.calibration}, caption)


def _learning(evaluation: Evaluation) -> list[Answer]:
    """Draw a learning curve for each unit that was counted; the projection follows the last."""
    if evaluation.learning.empty:
        return [Answer("Learning curve", NoFigure("no learning curve was computed"), evaluation.projection)]
    measure, answers = main_measure(evaluation), []
    for counted, rows in evaluation.learning.groupby("counted", sort=False):
        table = rows.rename(columns={"model": "learner", "size": "images", "value": measure})
        caption = f"{capitalised(measure)} on test images by number of training {counted}."
        figure = plots.learning_curve_plot(table, measure, caption, f"training {counted}")
        answers.append(Answer(f"Learning curve over {counted}", figure))
    return [*answers[:-1], Answer(answers[-1].title, answers[-1].figure, evaluation.projection)]


def _groups(evaluation: Evaluation) -> AccessibleFigure | NoFigure:
    """Draw predicted against true proportions where groups are mixed, otherwise the scores of each group."""
    table, positive = evaluation.tested, evaluation.positive
    if len(evaluation.proportions):
        shares, name = evaluation.proportions, positive or "each class"
        caption = f"Predicted − true share of {name} in each group, with mean difference and limits of agreement."
        return plots.bland_altman_plot(
            shares["predicted"], shares["true"], f"share of {name}", caption, groups=shares["group"]
        )
    if not positive:
        return NoFigure("scores of groups are shown for a positive class, and there is none")
    if not table["group"].duplicated().any():
        return NoFigure(f"each of {len(table)} images is a group of its own")
    threshold = evaluation.thresholds.groupby(table["group"]).first()
    caption = "Each row is a group: dots are images, the large marker is their mean, the bar the threshold of its fold."
    return plots.patient_scores(table, positive, threshold, caption)
