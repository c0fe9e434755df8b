"""Predictions per group, usually a patient: the mean over the images of each group."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from helpers import metrics
from helpers.models.model_card import ModelCard

SHARE = "share_"
THRESHOLD_NOTE = (
    "The threshold was chosen for single images; the model card has no test of it on the mean probability of a group."
)


def group_table_path(output: Path) -> Path:
    """Return the path of the table per group, beside the table of predictions: ``predictions-per-group.csv``."""
    return output.with_name(f"{output.stem}-per-group.csv")


def aggregate_groups(table: pd.DataFrame, groups: Mapping[str, str], card: ModelCard) -> pd.DataFrame:
    """Average the predicted probabilities over the images of each group, as the evaluation of a model does.

    Args:
        table: predictions with the columns ``image``, ``p_<class>`` and ``predicted_class``.
        groups: group of every image by its name in ``table``, also of images that could not be read.
        card: model card, for the classes and the threshold.

    Returns:
        A row per group, sorted by name: ``group``, ``images`` (number of readable images), ``p_<class>`` (mean
        probability), ``predicted_class`` (of the mean, at the threshold of the card), ``image_threshold``, and
        ``share_<class>``, the share of the images that are predicted as the class. A group without a readable image
        has missing values.
    """
    group = table["image"].map(groups)
    by_group = table.groupby(group)
    means = by_group[[metrics.PREFIX + name for name in card.classes]].mean()
    means["predicted_class"] = metrics.predicted_classes(means, positive=card.positive, threshold=card.threshold)
    means["image_threshold"] = card.threshold
    for name in card.classes:
        means[SHARE + name] = (table["predicted_class"] == name).groupby(group).mean()
    means.insert(0, "images", by_group.size())
    means = means.reindex(sorted(set(groups.values())))
    means["images"] = means["images"].fillna(0).astype(int)
    return means.rename_axis("group").reset_index()
