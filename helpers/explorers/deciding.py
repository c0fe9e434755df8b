"""Explorer of a threshold on predicted probabilities, and of what it means where the positive class is rare."""

from __future__ import annotations

import pandas as pd

from helpers.explorers.explorer import Explorer, render
from helpers.explorers.inputs import check_predictions
from helpers.metrics import PREFIX
from helpers.plots.notice import NoFigure, short_label


def decision(table: pd.DataFrame, positive: str, unit: str = "cells") -> Explorer | NoFigure:
    """Show predicted probabilities with a threshold that the reader moves, and its errors among 1,000 cases.

    The reader also sets the prevalence, the share of positive cases among the 1,000. Sensitivity and specificity are
    those of :func:`helpers.metrics.binary_metrics`; predictive values, missed cases and false alarms are those of
    :func:`helpers.metrics.expected_outcomes`.

    Args:
        table: table of predictions, see :mod:`helpers.metrics.classification`, of 4 to 5,000 cases. Those of the
            validation set: a threshold that was moved on the test set has been chosen on it.
        positive: positive class.
        unit: what a row of the table is, in the plural, such as ``cells`` or ``films``.

    Returns:
        A sentence in place of the explorer where the table has no rows.

    Raises:
        ValueError: the table has too few or too many cases, no probability of ``positive``, or one class only.

    Example:
        >>> import pandas as pd
        >>> from helpers import explorers
        >>> labels = ["blast", "blast", "other", "other"]
        >>> table = pd.DataFrame({"label": labels, "p_blast": [0.9, 0.4, 0.6, 0.1]})
        >>> print(repr(explorers.decision(table, "blast"))[:52])
        Explorer: a threshold on the probability of blast of
    """
    if table.empty:
        return NoFigure(f"there are no {unit} with a label of their own")
    is_positive = check_predictions(table, positive)
    shown = short_label(positive, width=28, lines=1)
    return render(
        "decision",
        f"A threshold, and its errors among 1,000 {unit}",
        f"a threshold on the probability of {shown} of {len(table)} {unit}, and its errors among 1,000 at any "
        "prevalence.",
        {
            "scores": table[PREFIX + positive].round(6).tolist(),
            "positive": is_positive.astype(int).tolist(),
            "name": shown,
            "unit": unit,
        },
    )
