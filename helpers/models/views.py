"""Layers that average a network over the eight dihedral views of an image, inside its graph.

A frozen backbone with such layers predicts from the same features with which its classifier was trained, see
:func:`helpers.backbones.extract_features`; test-time augmentation then needs no code outside the model.
"""

from __future__ import annotations

from typing import Any

from helpers.backend import keras, layers, ops, tf

VIEWS = 8
PACKAGE = "leukobook"  # in the registered names of the layers, which a model file holds


@keras.saving.register_keras_serializable(package=PACKAGE)
class DihedralViews(layers.Layer):
    """Replace a batch of square images by its eight flips and 90° rotations, one after the other.

    The output is ``(8 n, size, size, channels)``, in the order of :func:`helpers.images.dihedral_views`.
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Compute the views of images ``(n, size, size, channels)``."""
        flips = (images, ops.flip(images, axis=2))
        return ops.concatenate([ops.rot90(flip, turns, axes=(1, 2)) for flip in flips for turns in range(4)], axis=0)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape with an unknown number of rows."""
        return (None, *input_shape[1:])


@keras.saving.register_keras_serializable(package=PACKAGE)
class ViewMean(layers.Layer):
    """Average the features of the eight views of every image: from ``(8 n, channels)`` to ``(n, channels)``."""

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Average over the views."""
        return ops.mean(ops.reshape(features, (VIEWS, -1, features.shape[-1])), axis=0)

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the shape with an unknown number of rows."""
        return (None, *input_shape[1:])


def views_within(model: keras.Model) -> int:
    """Count the views of every image that a model computes within its graph: 8 or 1."""
    return VIEWS if any(isinstance(layer, DihedralViews) for layer in model.layers) else 1


def single_view_model(model: keras.Model) -> keras.Model:
    """Build a copy of a model that predicts from the original image only, with the same weights.

    Saliency maps explain one view: in the model itself, the activations of eight views lie in one batch.

    Args:
        model: functional model, with or without the layers of this module.
    """

    def call(layer: layers.Layer, *args: Any, **kwargs: Any) -> Any:
        return args[0] if isinstance(layer, (DihedralViews, ViewMean)) else layer(*args, **kwargs)

    copy = keras.models.clone_model(model, call_function=call)
    copy.set_weights(model.get_weights())
    return copy
