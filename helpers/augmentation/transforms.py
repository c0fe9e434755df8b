"""Random augmentation of single images, and of their masks, with stateless random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.backend import tf


@dataclass(frozen=True)
class Augmentation:
    """Set the strength of random augmentation; :data:`NO_AUGMENTATION` leaves images unchanged.

    Attributes:
        dihedral: apply one of the eight dihedral transforms (flips and 90° rotations).
        flips: apply horizontal and vertical flips only; included in ``dihedral``.
        rotation: maximum rotation, degrees.
        translation: maximum translation along each axis, share of the side.
        shear: maximum shear, degrees.
        zoom: standard deviation of the logarithm of the magnification.
        brightness: standard deviation of the gain, of the whole image and again of each channel (colour jitter).
        blur: maximum standard deviation of a Gaussian blur, pixels.
        stain: standard deviation of the logarithm of the gain of the optical density, of each channel: another amount
            and kind of dye. Unlike ``brightness`` it leaves white background as it is.

    Example:
        >>> import numpy as np
        >>> from helpers.augmentation import Augmentation, training_batches
        >>> flips = Augmentation(dihedral=False, flips=True, brightness=0, blur=0)
        >>> images = np.zeros((4, 16, 16, 3), np.uint8)
        >>> batches = training_batches(images, np.arange(4), 2, 20, flips)
        >>> batch, labels = next(iter(batches))
        >>> tuple(batch.shape)
        (2, 16, 16, 3)
    """

    dihedral: bool = True
    flips: bool = False
    rotation: float = 0.0
    translation: float = 0.0
    shear: float = 0.0
    zoom: float = 0.0
    brightness: float = 0.06
    blur: float = 0.8
    stain: float = 0.0


NO_AUGMENTATION = Augmentation(dihedral=False, brightness=0.0, blur=0.0)
FLIP_ROTATE = Augmentation(
    dihedral=False, flips=True, rotation=180.0, brightness=0.0, blur=0.0
)  # of Schouten et al. 2021


def apply_dihedral(image: tf.Tensor, element: tf.Tensor) -> tf.Tensor:
    """Apply the dihedral transform ``element`` (0 to 7) to a square image ``(size, size, channels)``."""
    image = tf.cond(element % 2 > 0, lambda: tf.reverse(image, [0]), lambda: image)
    image = tf.cond(element // 2 % 2 > 0, lambda: tf.reverse(image, [1]), lambda: image)
    return tf.cond(element // 4 > 0, lambda: tf.transpose(image, (1, 0, 2)), lambda: image)


def augment(
    image: tf.Tensor, target: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Augment an image, and its mask with the same geometric transform.

    Args:
        image: ``uint8 (size, size, 3)`` RGB.
        target: mask ``uint8 (size, size)``, or a label, which is returned unchanged.
        augmentation: strength of the augmentation.
        seed: ``int (2,)``; the same seed gives the same augmentation.

    Returns:
        Image and target of the same shapes and types. Pixels from outside the image are filled by reflection.
    """
    seeds = tf.unstack(tf.random.split(seed, 8))
    mask = target[..., None] if target.shape.rank == 2 else None
    if augmentation.dihedral or augmentation.flips:
        element = tf.random.stateless_uniform((), seeds[0], 0, 8 if augmentation.dihedral else 4, tf.int32)
        image = apply_dihedral(image, element)
        mask = None if mask is None else apply_dihedral(mask, element)
    if augmentation.rotation or augmentation.zoom or augmentation.translation or augmentation.shear:
        rotation = (
            tf.random.stateless_uniform((), seeds[1], -augmentation.rotation, augmentation.rotation) * np.pi / 180
        )
        zoom = tf.exp(augmentation.zoom * tf.random.stateless_normal((), seeds[2]))
        translation = tf.random.stateless_uniform((2,), seeds[6], -augmentation.translation, augmentation.translation)
        shear = tf.tan(tf.random.stateless_uniform((), seeds[7], -augmentation.shear, augmentation.shear) * np.pi / 180)
        matrix = _affine_matrix(tf.shape(image)[0], rotation, zoom, translation, shear)
        image = tf.cast(tf.round(_warp(image, matrix, "BILINEAR")), tf.uint8)
        mask = None if mask is None else tf.cast(_warp(mask, matrix, "NEAREST"), mask.dtype)
    pixels = tf.cast(image, tf.float32)
    if augmentation.brightness:
        pixels *= 1 + augmentation.brightness * tf.random.stateless_normal((), seeds[3])
        pixels *= 1 + augmentation.brightness * tf.random.stateless_normal((3,), seeds[4])
    if augmentation.stain:
        gain = tf.exp(augmentation.stain * tf.random.stateless_normal((3,), tf.random.fold_in(seed, 8)))
        pixels = 256 * tf.pow((tf.clip_by_value(pixels, 0.0, 255.0) + 1) / 256, gain) - 1
    if augmentation.blur:
        pixels = _blur(pixels, tf.random.stateless_uniform((), seeds[5], 0.0, augmentation.blur))
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8), target if mask is None else mask[..., 0]


def augment_images(images: np.ndarray, augmentation: Augmentation, seed: int) -> np.ndarray:
    """Augment every image once, with random numbers of its own.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        augmentation: strength of the augmentation.
        seed: random seed.

    Returns:
        Augmented images of the same shape and type.
    """
    keys = tf.random.split((seed, 0), len(images))
    changed = tf.data.Dataset.from_tensor_slices((images, keys)).map(
        lambda image, key: augment(image, tf.constant(0), augmentation, key)[0], tf.data.AUTOTUNE, deterministic=True
    )
    return np.stack([*changed.as_numpy_iterator()]) if len(images) else images


def _affine_matrix(
    side: tf.Tensor, rotation: tf.Tensor, zoom: tf.Tensor, translation: tf.Tensor, shear: tf.Tensor
) -> tf.Tensor:
    """Projective transform (eight numbers) from output to input coordinates, about the centre of the image."""
    size = tf.cast(side, tf.float32)
    middle = (size - 1) / 2
    cosine, sine = tf.cos(rotation) / zoom, tf.sin(rotation) / zoom
    across, down = shear * cosine - sine, shear * sine + cosine
    x, y = size * translation[0], size * translation[1]
    right = middle - (cosine + across) * middle - (cosine * x + across * y)
    low = middle - (sine + down) * middle - (sine * x + down * y)
    return tf.stack([cosine, across, right, sine, down, low, 0.0, 0.0])


def _warp(image: tf.Tensor, matrix: tf.Tensor, method: str) -> tf.Tensor:
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(image, tf.float32)[None],
        transforms=matrix[None],
        output_shape=tf.shape(image)[:2],
        fill_value=0.0,
        interpolation=method,
        fill_mode="REFLECT",
    )[0]


def _blur(image: tf.Tensor, sigma: tf.Tensor) -> tf.Tensor:
    """Blur a float image with a Gaussian, reflecting it at the border."""
    reach = 3
    offsets = tf.range(-reach, reach + 1, dtype=tf.float32)
    kernel = tf.exp(-0.5 * tf.square(offsets / tf.maximum(sigma, 0.05)))
    kernel /= tf.reduce_sum(kernel)
    padded = tf.pad(image, [[reach, reach], [reach, reach], [0, 0]], "REFLECT")[None]
    across = tf.tile(kernel[None, :, None, None], (1, 1, 3, 1))
    down = tf.tile(kernel[:, None, None, None], (1, 1, 3, 1))
    once = tf.nn.depthwise_conv2d(padded, across, (1, 1, 1, 1), "VALID")
    return tf.nn.depthwise_conv2d(once, down, (1, 1, 1, 1), "VALID")[0]
