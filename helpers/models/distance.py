"""Distance of an image from the training images of a classifier, in a space of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FeatureDistance:
    """Measure the distance of images to the nearest class mean (Mahalanobis distance; Lee et al. 2018).

    Attributes:
        scale: standard deviation of every feature within classes, ``float (features,)``; 1 where it is 0.
        means: mean of every class, in standardised features, ``float (classes, features)``.
        precision: inverse covariance within classes, of standardised features, ``float (features, features)``.
    """

    scale: np.ndarray
    means: np.ndarray
    precision: np.ndarray

    def measure(self, features: np.ndarray) -> np.ndarray:
        """Measure the distance of every image to the nearest class mean, ``float (n,)``, in standard deviations.

        Args:
            features: ``float (n, features)``.
        """
        values = np.asarray(features, np.float64) / self.scale
        squares = []
        for mean in self.means:
            difference = values - mean
            squares.append(((difference @ self.precision) * difference).sum(axis=1))
        return np.sqrt(np.maximum(np.min(squares, axis=0), 0))
