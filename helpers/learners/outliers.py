"""How far an image lies from the training images in a feature space, to notice what the model has never seen."""

from __future__ import annotations

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.neighbors import NearestNeighbors

from helpers.metrics import group_weights
from helpers.models.distance import FeatureDistance


def fit_distance(features: np.ndarray, labels: np.ndarray) -> FeatureDistance:
    """Estimate class means and the covariance within classes, which is common to all classes.

    The covariance is shrunk (Ledoit and Wolf 2004), because there may be more features than images.

    Args:
        features: of the training images, ``float (n, features)``.
        labels: class of every image, ``(n,)``.

    Raises:
        ValueError: there are fewer than two images, or not as many labels as images.
    """
    values, labels = np.asarray(features, np.float64), np.asarray(labels)
    if len(values) < 2 or len(values) != len(labels):
        raise ValueError(f"a distance needs at least 2 images and a label of each, got {len(values)}, {len(labels)}")
    classes, number = np.unique(labels, return_inverse=True)
    means = np.stack([values[number == k].mean(axis=0) for k in range(len(classes))])
    deviation = (values - means[number]).std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)
    within = LedoitWolf(assume_centered=True).fit((values - means[number]) / scale)
    return FeatureDistance(scale, means / scale, within.precision_)


def neighbour_distance(training: np.ndarray, features: np.ndarray, k: int = 5) -> np.ndarray:
    """Measure the distance of every image to its k-th nearest training image, ``float (n,)`` (Sun et al. 2022).

    Features are scaled to length 1, as Sun et al. recommend. It assumes no distribution, and checks
    :func:`fit_distance`.

    Args:
        training: features of the training images, ``float (m, features)``.
        features: features of other images, ``float (n, features)``.
        k: number of neighbours, at most ``m``.
    """
    fitted = NearestNeighbors(n_neighbors=k).fit(_unit_length(training))
    return fitted.kneighbors(_unit_length(features))[0][:, -1]


def distance_quantiles(calibration: np.ndarray, groups: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Compute which share of calibration images is nearer than each image, every group with the same weight.

    Args:
        calibration: distances of images of the source that the model was not trained on, ``float (n,)``.
        groups: their groups, ``(n,)``.
        distances: distances of new images, ``float (m,)``.

    Returns:
        ``float (m,)``, 0 to below 1: with K groups at most K / (K + 1), because a new group may lie farther than all.
    """
    order = np.argsort(calibration, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(group_weights(groups)[order])])
    return reached[np.searchsorted(np.asarray(calibration)[order], distances, side="left")]


def _unit_length(features: np.ndarray) -> np.ndarray:
    values = np.asarray(features, np.float64)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(length > 0, length, 1.0)
