"""Model inference on single images or averaged over the eight dihedral views (test-time augmentation, TTA)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from helpers.backend import keras, layers, tf
from helpers.models.loading import ModelError
from helpers.models.views import views_within

ROUNDING = 1e-5  # tolerated excess of an averaged probability below 0 or above 1


def stride(model: keras.Model) -> int:
    """Compute the factor, in pixels, of which image height and width must be multiples: 2 per max-pooling layer."""
    return 2 ** sum(isinstance(layer, layers.MaxPooling2D) for layer in model.layers)


def predict_masks(model: keras.Model, images: np.ndarray, *, tta: bool = False, batch_size: int = 32) -> np.ndarray:
    """Predict the most probable class of every pixel.

    Args:
        model: Model from images to class probabilities per pixel, such as :func:`helpers.models.unet`.
        images: RGB images ``uint8 (n, height, width, 3)``.
        tta: Whether to predict all eight flips and 90° rotations of each image, undo the transforms on the
            probabilities and average them, at eight times the cost.
        batch_size: Images per batch.

    Returns:
        Class indices ``uint8 (n, height, width)``.

    Raises:
        ValueError: If the images are not ``uint8 (n, height, width, 3)``, or their height or width is not a multiple of
            :func:`stride`.
        ModelError: If the model output is not finite.
    """
    step = stride(model)
    if images.ndim == 4 and (images.shape[1] % step or images.shape[2] % step):
        raise ValueError(f"image height and width must be multiples of {step} for this model, got {images.shape[1:3]}")
    batches = _predict_views(model, images, tta, batch_size)
    return np.concatenate([tf.argmax(batch, axis=-1).numpy().astype(np.uint8) for batch in batches])


def predict_proba(model: keras.Model, images: np.ndarray, *, tta: bool = False, batch_size: int = 32) -> np.ndarray:
    """Predict class probabilities of images.

    Args:
        model: Model from images to class probabilities; a single output, as of :func:`helpers.models.schouten` with
            ``sigmoid``, is the probability of the second of two classes.
        images: RGB images ``uint8 (n, height, width, 3)``.
        tta: Whether to average the probabilities over all eight flips and 90° rotations of each image. A model that
            computes these views itself, see :mod:`helpers.models.views`, gets each image once.
        batch_size: Images per batch; divided by eight for such a model.

    Returns:
        Probabilities ``float32 (n, classes)``.

    Raises:
        ValueError: If the images are not ``uint8 (n, height, width, 3)``.
        ModelError: If the model output is not finite, or is below 0 or above 1 by more than ``ROUNDING``.
    """
    probability = np.concatenate([batch.numpy() for batch in _predict_views(model, images, tta, batch_size)])
    if probability.min(initial=0) < -ROUNDING or probability.max(initial=0) > 1 + ROUNDING:
        span = f"{probability.min():.3g} to {probability.max():.3g}"
        raise ModelError(f"the model predicts {span}, not probabilities; end it in a softmax")
    probability = np.clip(probability, 0, 1)
    return np.concatenate([1 - probability, probability], axis=1) if probability.shape[1] == 1 else probability


def _predict_views(model: keras.Model, images: np.ndarray, tta: bool, batch_size: int) -> Iterator[tf.Tensor]:
    """Yield the predictions of each batch, per image or per pixel, averaged over the views."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"images must be uint8 (n, height, width, 3), got {images.dtype} {images.shape}")
    within = views_within(model)
    views = range(8 if tta and within == 1 else 1)
    batch_size = max(1, batch_size // within)
    for start in range(0, len(images), batch_size):
        # As the model would do; of transposed uint8 TensorFlow logs an error on processors without AVX-512.
        batch = tf.cast(images[start : start + batch_size], tf.float32)
        # predict_on_batch compiles the model at its first call and caches the graph with the model: as fast as ONNX
        # Runtime here. Calling the model eagerly takes 1.5 times as long.
        predictions = [tf.constant(model.predict_on_batch(_transform(batch, view))) for view in views]
        aligned = [_transform(prediction, view, back=True) for prediction, view in zip(predictions, views, strict=True)]
        mean = tf.add_n(aligned) / len(views)
        if not bool(tf.reduce_all(tf.math.is_finite(mean))):
            raise ModelError("the model predicts values that are not finite; its training has failed, train it again")
        yield mean


def _transform(images: tf.Tensor, view: int, back: bool = False) -> tf.Tensor:
    """Apply one of the eight dihedral transforms to a batch, or undo it; predictions per image stay unchanged."""
    if images.shape.rank < 4:
        return images
    turns, mirrored = view % 4, view >= 4
    if back:
        images = tf.image.rot90(images, -turns)
    if mirrored:
        images = tf.reverse(images, [2])
    return images if back else tf.image.rot90(images, turns)
