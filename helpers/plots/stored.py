"""Figures of stored results on real blood, beside those of a short run."""

from __future__ import annotations

from helpers.plots.notice import NoFigure
from helpers.plots.scores import forest_plot
from helpers.plots.style import AccessibleFigure
from helpers.plots.trends import learning_curve_plot
from helpers.reports import NO_BOOK, PublishedTable


def stored_forest_plot(
    stored: PublishedTable | None, measure: str, by: str, caption: str
) -> AccessibleFigure | NoFigure:
    """Draw a forest plot of a stored table, see :func:`helpers.plots.forest_plot`, with its origin in the caption.

    Args:
        stored: table with a column of this measure, or with the columns ``measure`` and ``value``; None where only the
            package is installed. A row ``difference`` is left out, as it has another scale.
        measure: measure to draw.
        by: column for the rows of the plot.
        caption: beginning of the caption, without a full stop.
    """
    if stored is None:
        return NoFigure(NO_BOOK.rstrip("."))
    rows = stored.frame[stored.frame[by] != "difference"]
    if "measure" in rows:
        rows = rows[rows["measure"] == measure].rename(columns={"value": measure})
    rows = rows.assign(dataset=stored.parameters["dataset"])
    return forest_plot(rows, measure, by, "dataset", f"{caption}: {stored.origin}.")


def stored_detector_plot(stored: PublishedTable | None, caption: str) -> AccessibleFigure | NoFigure:
    """Draw sensitivity and precision of stored detectors on real blood, with their origin in the caption.

    Args:
        stored: columns ``trained on``, ``tested on``, ``measure``, ``value`` and its interval; None where only the
            package is installed.
        caption: beginning of the caption, without a full stop.
    """
    if stored is None:
        return NoFigure(NO_BOOK.rstrip("."))
    rows = stored.frame[stored.frame["measure"].isin(["sensitivity", "precision"])]
    rows = rows[~rows["tested on"].str.startswith("synthetic")].rename(columns={"value": "share"})
    rows = rows.assign(detector=rows["tested on"] + ": " + rows["trained on"])
    return forest_plot(
        rows.sort_values("tested on", kind="stable"), "share", "detector", "measure", f"{caption}: {stored.origin}."
    )


def stored_learning_curve(stored: PublishedTable | None, value: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw a stored learning curve, see :func:`helpers.plots.learning_curve_plot`, with its origin in the caption.

    Args:
        stored: stored table; None where only the package is installed.
        value: column with the score.
        caption: beginning of the caption, without a full stop.
    """
    if stored is None:
        return NoFigure(NO_BOOK.rstrip("."))
    return learning_curve_plot(stored.frame, value, f"{caption}: {stored.origin}.")


def stored_method_plot(stored: PublishedTable | None, features: str, caption: str) -> AccessibleFigure | NoFigure:
    """Draw a stored table of methods in two laboratories, with its origin in the caption.

    Args:
        stored: columns ``features``, ``method``, ``laboratory`` and ``balanced accuracy`` with its interval; None where
            only the package is installed.
        features: kind of features to draw.
        caption: beginning of the caption, without a full stop.
    """
    if stored is None:
        return NoFigure(NO_BOOK.rstrip("."))
    rows = stored.frame[stored.frame["features"] == features]
    return forest_plot(rows, "balanced accuracy", "method", "laboratory", f"{caption}: {stored.origin}.")
