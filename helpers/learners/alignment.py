"""Align the features of another laboratory with those of the source, without its labels."""

from __future__ import annotations

import numpy as np
from scipy.linalg import fractional_matrix_power
from sklearn.covariance import LedoitWolf


def align_moments(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Give every feature of the target domain the mean and standard deviation that it has in the source domain.

    This is what batch normalisation with the statistics of the target does, at the last layer only. It moves classes
    as well where their shares differ between the domains.

    Args:
        features: features to align, of images of the target domain, ``float (n, features)``.
        target: features of unlabelled images of the target domain, ``float (m, features)``.
        source: features of the training images, ``float (k, features)``.

    Returns:
        ``float (n, features)``.
    """
    deviation = np.std(target, axis=0)
    standard = (features - np.mean(target, axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return standard * np.std(source, axis=0) + np.mean(source, axis=0)


def align_correlations(features: np.ndarray, target: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Give the features of the target domain the mean and covariance of the source domain (CORAL; Sun et al. 2016).

    The features are whitened with the covariance of the target and coloured with that of the source, both shrunk
    (Ledoit and Wolf 2004). Sun et al. move the source to the target instead, which needs a training for every target.

    Args:
        features: features to align, of images of the target domain, ``float (n, features)``.
        target: features of unlabelled images of the target domain, ``float (m, features)``.
        source: features of the training images, ``float (k, features)``.

    Returns:
        ``float (n, features)``.
    """
    whiten = fractional_matrix_power(LedoitWolf().fit(target).covariance_, -0.5).real
    colour = fractional_matrix_power(LedoitWolf().fit(source).covariance_, 0.5).real
    return (features - np.mean(target, axis=0)) @ whiten @ colour + np.mean(source, axis=0)
