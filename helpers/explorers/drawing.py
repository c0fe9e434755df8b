"""Explorer of a bootstrap: the interval of an AUC, from resampled patients and from resampled cells."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.explorers.explorer import Explorer, render
from helpers.explorers.inputs import check_predictions
from helpers.metrics import INTERVAL, PREFIX, roc_auc
from helpers.metrics.resampling import GroupsByClass
from helpers.plots.notice import NoFigure, short_label

SEED = 20  # only the kind of interval is used, which no seed changes


def resampling(table: pd.DataFrame, positive: str) -> Explorer | NoFigure:
    """Show how the interval of an AUC forms, draw by draw, from resampled patients and from resampled cells.

    Each draw is one of :func:`helpers.metrics.resampling.bootstrap_weights`, with other random numbers: of m patients
    of a class, m − 1 are drawn with replacement, each with weight m / (m − 1). The AUC of a draw is that of
    :func:`helpers.metrics.roc_auc` with these weights.

    Args:
        table: table of predictions, see :mod:`helpers.metrics.classification`, of 4 to 5,000 cells.
        positive: positive class.

    Returns:
        A sentence in place of the explorer where there are too few groups for an interval.

    Raises:
        ValueError: the table has too few or too many cells, no probability of ``positive``, or one class only.

    Example:
        >>> import pandas as pd
        >>> from helpers import explorers
        >>> groups = [f"P{k:02}" for k in range(12) for cell in range(2)]
        >>> labels = ["blast" if k < 12 else "other" for k in range(24)]
        >>> scores = [(k * 7 % 24) / 24 for k in range(24)]
        >>> table = pd.DataFrame({"group": groups, "label": labels, "p_blast": scores})
        >>> explorers.resampling(table, "blast")
        Explorer: the interval of an AUC, draw by draw, from 24 cells of 12 patients.
    """
    is_positive = check_predictions(table, positive)
    estimate = roc_auc(table, positive, SEED)
    if estimate.interval != INTERVAL:
        return NoFigure(
            f"{estimate.groups} groups are too few for an interval, which needs ten, and five of each class"
        )
    names = sorted(table["group"].unique())
    by_patient, by_cell = GroupsByClass(table), GroupsByClass(table.assign(group=np.arange(len(table))))
    return render(
        "resampling",
        "Draw patients, or draw cells",
        f"the interval of an AUC, draw by draw, from {len(table)} cells of {len(names)} patients.",
        {
            "scores": table[PREFIX + positive].round(9).tolist(),
            "positive": is_positive.astype(int).tolist(),
            "group": table["group"].map(names.index).tolist(),
            "strata": {"patients": by_patient.strata.tolist(), "cells": by_cell.strata.tolist()},
            "name": short_label(positive, width=28, lines=1),
        },
    )
