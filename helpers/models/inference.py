"""Predictions of a model, one view or the mean of eight dihedral views (test-time augmentation, TTA)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.backend import keras, layers, tf
from helpers.models.loading import ModelError

ROUNDING = 1e-5  # by which a mean of probabilities may be beyond 0 or 1


def stride(model: keras.Model) -> int:
    """Number that the sides of an image must be multiples of, because the model halves them so often."""
    return 2 ** sum(isinstance(layer, layers.MaxPooling2D) for layer in model.layers)


def predict_masks(model: keras.Model, images: np.ndarray, *, tta: bool = False, batch_size: int = 32) -> np.ndarray:
    """The most probable class of every pixel, ``uint8 (n, height, width)``.

    Args:
        model: from images to probabilities of classes, such as :func:`unet`.
        images: ``uint8 (n, height, width, 3)`` RGB.
        tta: shows the model every image in its eight flips and 90° rotations, turns the answers back and
            averages their probabilities; eight times the work.
        batch_size: images at a time.

    Raises:
        ValueError: the images are not ``uint8 (n, height, width, 3)``, or the model cannot halve their sides.
        ModelError: the model gives values that are not finite.
    """
    step = stride(model)
    if images.ndim == 4 and (images.shape[1] % step or images.shape[2] % step):
        raise ValueError(f"the sides of an image must be multiples of {step} for this model, not {images.shape[1:3]}")
    parts = _in_views(model, images, tta, batch_size)
    return np.concatenate([tf.argmax(part, axis=-1).numpy().astype(np.uint8) for part in parts])


def predict_proba(model: keras.Model, images: np.ndarray, *, tta: bool = False, batch_size: int = 32) -> np.ndarray:
    """Probability of every class, ``float32 (n, classes)``; one output becomes two, as in :func:`schouten`.

    Arguments and errors as :func:`predict_masks`; values beyond 0 and 1, but for rounding, are a ``ModelError``, too.
    """
    said = np.concatenate([part.numpy() for part in _in_views(model, images, tta, batch_size)])
    if said.min(initial=0) < -ROUNDING or said.max(initial=0) > 1 + ROUNDING:
        raise ModelError(f"the model gives {said.min():.3g} to {said.max():.3g}, no probabilities; end it in a softmax")
    said = np.clip(said, 0, 1)
    return np.concatenate([1 - said, said], axis=1) if said.shape[1] == 1 else said


def _in_views(model: keras.Model, images: np.ndarray, eight_views: bool, batch: int) -> Iterator[tf.Tensor]:
    """Probabilities of batches of images, of pixels or of classes, averaged over the views."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"a model takes uint8 images (n, height, width, 3), not {images.dtype} {images.shape}")
    views = range(8 if eight_views else 1)
    for start in range(0, len(images), batch):
        some = tf.constant(images[start : start + batch])
        # Keras compiles the model when it first predicts, and keeps the graph with the model: as fast as ONNX Runtime
        # here; called layer by layer it takes half as long again.
        predictions = [tf.constant(model.predict_on_batch(_seen(some, view))) for view in views]
        mean = tf.add_n([_seen(one, view, back=True) for one, view in zip(predictions, views, strict=True)]) / len(
            views
        )
        if not bool(tf.reduce_all(tf.math.is_finite(mean))):
            raise ModelError("the model gives values that are not finite; its training has failed, train it again")
        yield mean


def _seen(images: tf.Tensor, view: int, back: bool = False) -> tf.Tensor:
    """A batch in one of its eight views, or from that view ``back``; classes of images look alike in all of them."""
    if images.shape.rank < 4:
        return images
    turns, mirrored = view % 4, view >= 4
    if back:
        images = tf.image.rot90(images, -turns)
    if mirrored:
        images = tf.reverse(images, [2])
    return images if back else tf.image.rot90(images, turns)
