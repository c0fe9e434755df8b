"""Find labels that may be wrong, from out-of-fold predictions (confident learning; Northcutt et al. 2021)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics import class_probabilities, prediction_classes


def suspicious_labels(table: pd.DataFrame) -> pd.DataFrame:
    """List images whose label a model contradicts with more confidence than it usually has for that class.

    The threshold of a class is the mean probability that the model gives it where it is the label. An image is
    suspicious if the probability of another class reaches that class's threshold, and is the highest among those that
    do. A suspicion is not an error: the model may be wrong.

    Args:
        table: predictions of every image by a model that was not trained on its group.

    Returns:
        ``label``, ``suggested`` (the other class), ``margin`` (probability of the suggested class minus that of the
        label) and ``group``, most suspicious first; indexed by ``image_id``. Classes without an image suggest nothing.
    """
    classes = prediction_classes(table)
    probabilities = class_probabilities(table)
    labels = table["label"].to_numpy()
    thresholds = np.full(len(classes), np.inf)
    for number, name in enumerate(classes):
        if (labels == name).any():
            thresholds[number] = probabilities[labels == name, number].mean()
    reached = np.where(probabilities >= thresholds, probabilities, -np.inf)
    suggested = np.array(classes)[reached.argmax(axis=1)]
    own = probabilities[np.arange(len(table)), [classes.index(label) for label in labels]]
    found = pd.DataFrame(
        {"label": labels, "suggested": suggested, "margin": reached.max(axis=1) - own, "group": table["group"]},
        table.index,
    )
    contradicted = (found["suggested"] != found["label"]) & np.isfinite(found["margin"])
    return found[contradicted].sort_values("margin", ascending=False, kind="stable")


def plant_label_errors(labels: pd.Series, share: float, seed: int) -> pd.Series:
    """Exchange the labels of a random share of the images for another class, drawn at random.

    Args:
        labels: true labels by image.
        share: share of the images, 0 to 1.
        seed: random seed.

    Returns:
        Labels with errors, indexed like ``labels``.

    Raises:
        ValueError: the share is out of range, or there are fewer than two classes.
    """
    classes = np.unique(labels)
    if not 0 <= share <= 1 or len(classes) < 2:
        raise ValueError(f"errors need a share from 0 to 1 and two classes, got {share} and {len(classes)}")
    random, wrong = np.random.default_rng(seed), labels.to_numpy(copy=True)
    for position in random.choice(len(labels), round(share * len(labels)), replace=False):
        wrong[position] = random.choice(classes[classes != wrong[position]])
    return pd.Series(wrong, labels.index)


def audit_quality(suspected: pd.Index, planted: pd.Index) -> dict[str, float]:
    """Compare suspicions with the errors that were planted.

    Args:
        suspected: ids of suspicious images.
        planted: ids of images with a planted error.

    Returns:
        ``precision``, the share of suspicions that are planted errors, and ``recall``, the share of planted errors that
        are suspected; NaN where there are none.
    """
    found = len(suspected.intersection(planted))
    precision = found / len(suspected) if len(suspected) else float("nan")
    return {"precision": precision, "recall": found / len(planted) if len(planted) else float("nan")}
