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
        return ops.concatenate([*_rotations(images), *_rotations(ops.flip(images, axis=2))], axis=0)

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


def _rotations(images: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Rotate images by 0°, 90°, 180° and 270°, as ``ops.rot90``, whose graph of 30 operations takes long to build."""
    transposed = ops.transpose(images, (0, 2, 1, 3))
    return images, ops.flip(transposed, axis=1), ops.flip(images, axis=(1, 2)), ops.flip(transposed, axis=2)


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
