"""Loss functions for classification and segmentation."""

from __future__ import annotations

import functools

from helpers.backend import keras, ops


def cross_entropy(truth, probability):
    """Compute the cross-entropy of each image.

    Args:
        truth: Class indices ``(n,)``.
        probability: Predicted probabilities ``(n, classes)``, or ``(n, 1)`` of the second of two classes.

    Returns:
        Loss ``(n,)``.
    """
    if probability.shape[-1] == 1:
        return keras.losses.binary_crossentropy(ops.reshape(truth, (-1, 1)), probability)
    return keras.losses.sparse_categorical_crossentropy(truth, probability)


def focal_loss(truth, probability):
    """Compute the focal loss (Lin et al. 2017), which down-weights confidently correct predictions.

    The cross-entropy of each image is multiplied by (1 - p)², where p is the predicted probability of its true class.

    Args:
        truth: Class indices ``(n,)``.
        probability: Predicted probabilities ``(n, classes)``.

    Returns:
        Loss ``(n,)``.
    """
    hot = ops.one_hot(ops.cast(truth, "int32"), probability.shape[-1], dtype=probability.dtype)
    return keras.losses.categorical_focal_crossentropy(hot, probability, alpha=1.0, gamma=2.0)


@functools.cache  # cached, so that Keras gets the same function object for the same loss
def dice_cross_entropy(class_weights: tuple[float, ...] | None = None):
    """Build the sum of cross-entropy and soft Dice loss (Milletari et al. 2016); Dice is averaged over classes.

    Args:
        class_weights: Weight of each class in the cross-entropy; equal weights by default.

    Returns:
        Loss function of integer masks ``(n, height, width)`` and probabilities ``(n, height, width, classes)`` that
        returns a loss ``(n,)``.
    """

    def loss(truth, probability):
        hot = ops.one_hot(ops.cast(truth, "int32"), probability.shape[-1], dtype=probability.dtype)
        surprise = -hot * ops.log(ops.clip(probability, 1e-7, 1.0))
        if class_weights is not None:
            surprise = surprise * ops.cast(class_weights, probability.dtype)
        shared = ops.sum(hot * probability, axis=(1, 2))
        total = ops.sum(hot + probability, axis=(1, 2))
        dice = ops.mean((2 * shared + 1) / (total + 1), axis=-1)
        return ops.mean(ops.sum(surprise, axis=-1), axis=(1, 2)) + 1 - dice

    loss.__name__ = "cross_entropy_and_dice"
    return loss
