"""Agreement of annotated masks of the same cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.metrics.masks import segmentation_scores


def annotator_agreement(dataset: Dataset, pairs: pd.DataFrame, size: int) -> pd.DataFrame:
    """Tabulate the Dice of two masks of the same cell, and their mean IoU over the classes.

    Args:
        dataset: dataset with masks.
        pairs: near-duplicates from :func:`helpers.splits.find_near_duplicates`. Only pairs in which the cell is in the
            same place (``aligned``) are compared; outlines of a cell that was cut out anew cannot be compared pixel by
            pixel.
        size: side of the masks in pixels.

    Returns:
        One row per pair with the columns ``pair``, ``cytoplasm``, ``mean IoU``, ``nucleus`` and ``whole cell``; empty
        without pairs.
    """
    aligned = pairs[pairs["aligned"]]
    if aligned.empty:
        return pd.DataFrame(columns=["pair", "cytoplasm", "mean IoU", "nucleus", "whole cell"])
    first, second = (
        np.stack([dataset.select([image_id]).load_masks(size)[0] for image_id in aligned[column]])
        for column in ("image_a", "image_b")
    )
    names = pd.Index(aligned["image_a"] + " and " + aligned["image_b"])
    scores = segmentation_scores(first, second, names)
    scores["dice"] = scores["dice"].fillna(scores["iou"])  # the mean of classes has an IoU only
    table = scores.pivot(index="image_id", columns="region", values="dice").rename(
        columns={"mean of classes": "mean IoU"}
    )
    return table.rename_axis(index="pair", columns=None).reset_index()
