"""Wrongly predicted test images, most confidently wrong first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.evaluation.record import Evaluation
from helpers.metrics import class_probabilities, predicted_classes, prediction_classes


def wrong_cells(evaluation: Evaluation) -> pd.DataFrame:
    """Tabulate the wrongly predicted test images.

    With a threshold, that of its fold, an image is predicted positive from it on; otherwise the most probable class is
    predicted.

    Returns:
        Columns ``group, true, predicted, probability`` (of the true class), by ``image_id``, lowest probability first.
    """
    table = evaluation.tested
    classes = prediction_classes(table)
    of_true_class = class_probabilities(table)[np.arange(len(table)), table["label"].map(classes.index)]
    cells = table[["group"]].assign(
        true=table["label"], predicted=predictions_at_threshold(evaluation), probability=of_true_class
    )
    return cells[cells["true"] != cells["predicted"]].sort_values("probability", kind="stable")


def predictions_at_threshold(evaluation: Evaluation) -> pd.Series:
    """Return the class that is predicted for each test image, at the threshold of its fold where there is one."""
    table, positive = evaluation.tested, evaluation.positive
    if not positive:
        return predicted_classes(table)
    return predicted_classes(table, positive=positive, threshold=evaluation.thresholds.loc[table.index])
