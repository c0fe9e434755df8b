"""Conformal prediction: sets of classes that hold the true one with a promised probability.

The promise counts over new *groups*. Cells of one patient resemble each other, so a threshold that treats them as
independent promises too much for the next patient. The threshold of :func:`helpers.metrics.conformal_threshold` is that
of hierarchical conformal prediction (Lee, Barber and Willett 2023, arXiv:2306.06342): with K calibration groups, every
group has the weight 1 / (K + 1), spread evenly over its images, and the new group has the same weight at infinity. If
the new group comes from the same population as the calibration groups, the set of one of its images, drawn at random,
holds the true class with at least the promised probability. Where every image is its own group, this is split conformal
prediction.

With fewer than ``coverage / (1 - coverage)`` groups (nine for 0.9) nothing can be promised: the threshold is infinite,
and a set holds all classes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics.classification import PREFIX, class_probabilities, prediction_classes


def conformal_threshold(scores: np.ndarray, groups: np.ndarray, coverage: float) -> float:
    """Compute the threshold of nonconformity scores that holds for an image of a new group.

    Args:
        scores: nonconformity of calibration images, ``float (n,)``: high where the true class has a low probability;
            see :func:`nonconformity`.
        groups: group of every image, ``(n,)``.
        coverage: promised probability, above 0 and below 1.

    Returns:
        The smallest score at which the weights reach ``coverage``; infinity if there are too few groups.

    Raises:
        ValueError: there is no score, one is not finite, or the coverage is out of range.

    Example:
        >>> from helpers import metrics
        >>> scores = np.array([0.1, 0.2, 0.3, 0.4])
        >>> metrics.conformal_threshold(scores, np.arange(4), 0.6)
        0.3
        >>> metrics.conformal_threshold(scores, np.arange(4), 0.9)
        inf
    """
    scores = np.asarray(scores, np.float64)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be above 0 and below 1, got {coverage}; for 90 % give 0.9")
    if not len(scores) or not np.isfinite(scores).all():
        raise ValueError(f"a threshold needs at least one score, all finite; got {len(scores)} scores")
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(group_weights(groups)[order]) >= coverage - 1e-12
    return float(scores[order][reached.argmax()]) if reached.any() else float("inf")


def group_weights(groups: np.ndarray) -> np.ndarray:
    """Compute the weight of every image, ``float (n,)``: 1 / (K + 1) for each of K groups, spread over its images.

    They add up to K / (K + 1); the rest is the weight of a new group.

    Args:
        groups: group of every image, ``(n,)``.
    """
    _, group, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    return 1 / (sizes[group] * (len(sizes) + 1))


def nonconformity(table: pd.DataFrame) -> np.ndarray:
    """Compute 1 − the probability of the true class for every row of a table of predictions, ``float (n,)``."""
    classes = prediction_classes(table)
    return 1 - class_probabilities(table)[np.arange(len(table)), [classes.index(label) for label in table["label"]]]


def conformal_thresholds(table: pd.DataFrame, coverage: float, *, by_class: bool) -> pd.Series:
    """Compute the threshold of every class from calibration images.

    Args:
        table: predictions of images that the model was not trained on.
        coverage: promised probability, above 0 and below 1.
        by_class: compute the threshold of a class from its own images, so that the promise holds for every class and
            not for the mean over classes; it needs more groups of each.

    Returns:
        Thresholds by class; infinite where a class has too few groups, or no image.
    """
    classes, scores = prediction_classes(table), nonconformity(table)
    groups = table["group"].to_numpy()
    if not by_class:
        return pd.Series(conformal_threshold(scores, groups, coverage), pd.Index(classes, name="class"))
    thresholds = {}
    for name in classes:
        of_class = (table["label"] == name).to_numpy()
        has_any = of_class.any()
        thresholds[name] = conformal_threshold(scores[of_class], groups[of_class], coverage) if has_any else np.inf
    return pd.Series(thresholds, pd.Index(classes, name="class"))


def prediction_sets(table: pd.DataFrame, thresholds: pd.Series) -> pd.DataFrame:
    """List which classes are in the prediction set of every image.

    Args:
        table: table of predictions.
        thresholds: from :func:`conformal_thresholds`.

    Returns:
        ``bool``, one column per class, indexed like ``table``. A set may be empty: no class is probable enough.

    Raises:
        ValueError: the classes differ from those of the thresholds.
    """
    classes = prediction_classes(table)
    if set(classes) != set(thresholds.index):
        raise ValueError(f"predictions have the classes {classes}, thresholds {list(thresholds.index)}")
    columns = {name: 1 - table[PREFIX + name] <= thresholds[name] for name in classes}
    return pd.DataFrame(columns, table.index)


def set_coverage(table: pd.DataFrame, sets: pd.DataFrame) -> pd.DataFrame:
    """Compute for every image whether its set holds the true class, and how many classes it holds.

    Args:
        table: predictions with known labels.
        sets: from :func:`prediction_sets`.

    Returns:
        ``covered`` (0 or 1), ``size`` and ``group``, indexed like ``table``; give a column to
        :func:`helpers.metrics.cluster_mean` for an interval over groups.
    """
    columns = list(sets.columns)
    covered = sets.to_numpy()[np.arange(len(sets)), [columns.index(label) for label in table["label"]]]
    return pd.DataFrame(
        {"covered": covered.astype(float), "size": sets.sum(axis=1), "group": table["group"]}, table.index
    )
