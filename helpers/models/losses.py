"""Losses of classifiers and of segmentation."""

from __future__ import annotations

import functools

from helpers.backend import keras, ops


def cross_entropy(truth, probability):
    """Cross-entropy of class numbers ``(n,)`` and probabilities ``(n, classes)``, or ``(n, 1)`` of the second."""
    if probability.shape[-1] == 1:
        return keras.losses.binary_crossentropy(ops.reshape(truth, (-1, 1)), probability)
    return keras.losses.sparse_categorical_crossentropy(truth, probability)


def focal_loss(truth, probability):
    """Cross-entropy in which an image that is called right with confidence hardly counts (Lin et al. 2017).

    Every image's cross-entropy is multiplied by (1 - p)², p the probability of its class.

    Args:
        truth: class numbers ``(n,)``.
        probability: ``(n, classes)``.
    """
    hot = ops.one_hot(ops.cast(truth, "int32"), probability.shape[-1], dtype=probability.dtype)
    return keras.losses.categorical_focal_crossentropy(hot, probability, alpha=1.0, gamma=2.0)


@functools.cache  # what is trained with the same loss is the same function to Keras
def dice_cross_entropy(class_weights: tuple[float, ...] | None = None):
    """Cross-entropy plus soft Dice (Milletari et al. 2016), averaged over classes.

    Args:
        class_weights: weight of each class in the cross-entropy; equal where not given.

    Returns:
        Loss of integer masks ``(n, height, width)`` and probabilities ``(n, height, width, classes)``.
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
