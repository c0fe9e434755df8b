"""Attribution by perturbation, for any classifier that predicts probabilities: no gradient and no feature map needed.

:func:`helpers.explain.attribution.occlusion` perturbs images, too. Both take scores from the flat graph of a network,
or from :class:`LogProbabilities` where a model has no such graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from helpers.backend import tf
from helpers.explain.attribution import mean_colour_images

CELLS = 7  # of the coarse grid of a random mask, along each side
SHARE_KEPT = 0.5


class LogProbabilities:
    """Scores of a classifier of any kind: the logarithms of its probabilities, which are logits of its softmax.

    Args:
        predict: function from images ``uint8 (n, size, size, 3)`` to probabilities ``(n, classes)``.
    """

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray]):
        self._predict = predict

    def __call__(self, images: np.ndarray, training: bool = False) -> tf.Tensor:
        """Compute the scores of images ``(n, size, size, 3)``, 0 to 255, rounded to ``uint8``."""
        probabilities = self._predict(np.rint(images).astype(np.uint8))
        return tf.constant(np.log(np.maximum(probabilities, 1e-12)), tf.float32)


def rise(model: Any, images: np.ndarray, classes: np.ndarray, *, seed: int = 0, n_masks: int = 128) -> np.ndarray:
    """Average random masks, weighted by the probability of the masked image (RISE, Petsiuk et al. 2018).

    A mask keeps about half of the image, in soft patches of a grid of 7 × 7 at a random offset; the rest gets the mean
    colour. All images get the same masks.

    Args:
        model: scores of images, see :mod:`helpers.explain.perturbation`.
        images: ``uint8 (n, size, size, 3)`` RGB.
        classes: ``int (n,)``, class of each image whose probability is attributed.
        seed: random seed of the masks.
        n_masks: number of masks, with one forward pass each.

    Returns:
        ``float32 (n, size, size)``, signed: mean probability while a pixel is kept, minus that over all masks.
    """
    random, plain = np.random.default_rng(seed), mean_colour_images(images)
    total, kept = np.zeros(images.shape[:3], np.float32), np.zeros(images.shape[1:3], np.float32)
    mean = np.zeros((len(images), 1, 1), np.float32)
    for _ in range(n_masks):
        mask = _random_mask(images.shape[1], random)
        masked = plain + mask[..., None] * (images - plain)
        probabilities = tf.nn.softmax(model(masked, training=False)).numpy()[np.arange(len(images)), classes]
        total += probabilities[:, None, None] * mask
        mean += probabilities[:, None, None] / n_masks
        kept += mask
    return total / np.maximum(kept, 1e-6) - mean


def _random_mask(size: int, random: np.random.Generator) -> np.ndarray:
    """Draw a smooth mask ``float32 (size, size)``, 0 to 1."""
    step = -(-size // CELLS)
    coarse = (random.random((CELLS + 1, CELLS + 1)) < SHARE_KEPT).astype(np.float32)
    large = cv2.resize(coarse, ((CELLS + 1) * step,) * 2, interpolation=cv2.INTER_LINEAR)
    top, left = random.integers(0, step, 2)
    return large[top : top + size, left : left + size]
