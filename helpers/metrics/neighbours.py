"""Nearest neighbours of images in a feature space, among the images of other groups."""

from __future__ import annotations

import numpy as np
import pandas as pd


def nearest_in_other_groups(features: np.ndarray, groups: pd.Series, k: int) -> np.ndarray:
    """Find the nearest neighbours of every image by Euclidean distance of standardised features.

    Images of the same group are left out: those of one patient resemble each other for reasons other than their class.

    Args:
        features: ``float (n, features)``.
        groups: group of every image, ``(n,)``.
        k: number of neighbours.

    Returns:
        Row numbers of the neighbours, nearest first, ``int (n, k)``.

    Raises:
        ValueError: some image has fewer than ``k`` images of other groups.
    """
    from sklearn.metrics import pairwise_distances  # here, because predictions need none of it and it takes long

    values = np.asarray(features, np.float64)
    deviation = values.std(axis=0)
    standardised = (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    distances = pairwise_distances(standardised)
    same_group = groups.to_numpy()[:, None] == groups.to_numpy()[None]
    n_others = int((~same_group).sum(axis=1).min())
    if k > n_others:
        raise ValueError(f"k must be at most {n_others}, the images of other groups that every image has; got {k}")
    distances[same_group] = np.inf
    return distances.argsort(axis=1, kind="stable")[:, :k]


def chance_of_same_class(labels: pd.Series, groups: pd.Series) -> pd.Series:
    """Compute for every image the share of its class among the images of other groups.

    This is the probability that an image drawn at random from other groups has the same class, the chance level of
    :func:`nearest_in_other_groups`; NaN where there are no other groups.

    Args:
        labels: class of every image, ``(n,)``.
        groups: group of every image, ``(n,)``.
    """
    names, codes = labels.to_numpy(), groups.to_numpy()
    other_group = codes[:, None] != codes[None]
    same_class = names[:, None] == names[None]
    n_others = other_group.sum(axis=1)
    shares = np.full(len(labels), np.nan)
    np.divide((same_class & other_group).sum(axis=1), n_others, out=shares, where=n_others > 0)
    return pd.Series(shares, labels.index)
