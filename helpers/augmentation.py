"""Changes that leave the truth as it is: a mask moves with its image, a label stays, light changes the image only.

Everything runs in ``tf.data``, in parallel with training. Order and changes come from stateless streams keyed on the
seed, the epoch and the image, so that a run repeats whatever the threads do, and goes on after a kill as if nothing had
happened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.backend import tf

AUTOTUNE = tf.data.AUTOTUNE


@dataclass(frozen=True)
class Augmentation:
    """How strongly images are changed; all zero and ``d4=False`` leaves them as they are.

    Attributes:
        d4: one of the eight flips and quarter turns of the square.
        turn: largest turn by any angle, degrees.
        zoom: standard deviation of the logarithm of the magnification.
        light: standard deviation of the gain of the whole image and of each channel.
        blur: largest standard deviation of a Gaussian blur, pixels.
    """

    d4: bool = True
    turn: float = 0.0
    zoom: float = 0.0
    light: float = 0.06
    blur: float = 0.8


NONE = Augmentation(d4=False, light=0.0, blur=0.0)


def d4(image: tf.Tensor, element: tf.Tensor) -> tf.Tensor:
    """One of the eight flips and quarter turns of a square image ``(size, size, channels)``; ``element`` is 0 to 7."""
    image = tf.cond(element % 2 > 0, lambda: tf.reverse(image, [0]), lambda: image)
    image = tf.cond(element // 2 % 2 > 0, lambda: tf.reverse(image, [1]), lambda: image)
    return tf.cond(element // 4 > 0, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)


def augment(image: tf.Tensor, truth: tf.Tensor, how: Augmentation, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Change one image, and its mask with it.

    Args:
        image: ``uint8 (size, size, 3)`` RGB.
        truth: a mask ``uint8 (size, size)``, or anything else, such as a label, which stays as it is.
        how: how strongly.
        seed: ``int (2,)``; the same seed changes the same way.

    Returns:
        Image and truth of the same shapes and types. What a turn or a zoom brings in from outside is the image
        mirrored, and the mask with it.
    """
    seeds = tf.unstack(tf.random.split(seed, 6))
    mask = truth[..., None] if truth.shape.rank == 2 else None
    if how.d4:
        element = tf.random.stateless_uniform((), seeds[0], 0, 8, tf.int32)
        image = d4(image, element)
        mask = None if mask is None else d4(mask, element)
    if how.turn or how.zoom:
        turn = tf.random.stateless_uniform((), seeds[1], -how.turn, how.turn) * np.pi / 180
        zoom = tf.exp(how.zoom * tf.random.stateless_normal((), seeds[2]))
        image = tf.cast(tf.round(_moved(image, turn, zoom, "BILINEAR")), tf.uint8)
        mask = None if mask is None else tf.cast(_moved(mask, turn, zoom, "NEAREST"), mask.dtype)
    light = tf.cast(image, tf.float32)
    if how.light:
        light *= 1 + how.light * tf.random.stateless_normal((), seeds[3])
        light *= 1 + how.light * tf.random.stateless_normal((3,), seeds[4])
    if how.blur:
        light = _blurred(light, tf.random.stateless_uniform((), seeds[5], 0.0, how.blur))
    return tf.cast(tf.clip_by_value(tf.round(light), 0, 255), tf.uint8), truth if mask is None else mask[..., 0]


def epochs_of(
    images: np.ndarray,
    truth: np.ndarray,
    batch: int,
    seed: int,
    how: Augmentation,
    first: int = 0,
    weights: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Batches for training, epoch after epoch without end; every epoch has a new order and new changes.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        truth: masks ``uint8 (n, size, size)``, or labels ``int (n,)``.
        batch: images in a batch; the last one of an epoch may be smaller.
        seed: of the order and of the changes.
        how: how strongly images are changed.
        first: the epoch to begin with; what it yields does not depend on the epochs before.
        weights: ``float (n,)``, how much each image counts in the loss; all alike where not given.

    Returns:
        Batches of images and truths, and of weights where given.
    """
    n = _checked(images, truth)
    given = tuple(tf.constant(array) for array in (images, truth, weights) if array is not None)

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), number])
        order = tf.random.experimental.stateless_shuffle(tf.range(n), key)
        keys = tf.random.split(key, n)

        def one(k: tf.Tensor) -> tuple[tf.Tensor, ...]:
            image, true, *weight = (array[k] for array in given)
            return (*(augment(image, true, how, keys[k]) if how != NONE else (image, true)), *weight)

        return tf.data.Dataset.from_tensor_slices(order).map(one, AUTOTUNE, deterministic=True).batch(batch)

    return tf.data.Dataset.counter(first).flat_map(epoch).prefetch(AUTOTUNE)


def batches_of(images: np.ndarray, truth: np.ndarray, batch: int) -> tf.data.Dataset:
    """Batches for validation: in order, unchanged, once. Arguments as :func:`epochs_of`."""
    _checked(images, truth)
    return tf.data.Dataset.from_tensor_slices((images, truth)).batch(batch).prefetch(AUTOTUNE)


def _checked(images: np.ndarray, truth: np.ndarray) -> int:
    belong = truth.shape in (images.shape[:3], images.shape[:1])
    if images.dtype != np.uint8 or images.ndim != 4 or not belong or not len(images):
        raise ValueError(
            f"images are uint8 (n, size, size, 3), masks (n, size, size) and labels (n,); these are {images.dtype} "
            f"{images.shape} and {truth.dtype} {truth.shape}"
        )
    return len(images)


def _moved(image: tf.Tensor, turn: tf.Tensor, zoom: tf.Tensor, method: str) -> tf.Tensor:
    """Turn and magnify about the middle."""
    size = tf.cast(tf.shape(image)[0], tf.float32)
    middle = (size - 1) / 2
    cosine, sine = tf.cos(turn) / zoom, tf.sin(turn) / zoom
    matrix = tf.stack(
        [cosine, -sine, middle - (cosine - sine) * middle, sine, cosine, middle - (sine + cosine) * middle, 0.0, 0.0]
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(image, tf.float32)[None],
        transforms=matrix[None],
        output_shape=tf.shape(image)[:2],
        fill_value=0.0,
        interpolation=method,
        fill_mode="REFLECT",
    )[0]


def _blurred(image: tf.Tensor, sigma: tf.Tensor) -> tf.Tensor:
    """Gaussian blur of a float image; the edge is mirrored."""
    reach = 3
    offsets = tf.range(-reach, reach + 1, dtype=tf.float32)
    kernel = tf.exp(-0.5 * tf.square(offsets / tf.maximum(sigma, 0.05)))
    kernel /= tf.reduce_sum(kernel)
    padded = tf.pad(image, [[reach, reach], [reach, reach], [0, 0]], "REFLECT")[None]
    across = tf.tile(kernel[None, :, None, None], (1, 1, 3, 1))
    down = tf.tile(kernel[:, None, None, None], (1, 1, 3, 1))
    once = tf.nn.depthwise_conv2d(padded, across, (1, 1, 1, 1), "VALID")
    return tf.nn.depthwise_conv2d(once, down, (1, 1, 1, 1), "VALID")[0]
