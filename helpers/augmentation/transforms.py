"""Random augmentation of images, and of their masks, with stateless random numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from helpers.backend import tf

BATCH = 64  # images that are augmented at a time where no batches are given
KERNEL, MIN_SIGMA = 7, 0.05  # of the Gaussian blur, pixels; with a smaller sigma, OpenCV would choose one of its own


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


def augment(
    images: tf.Tensor, targets: tf.Tensor, augmentation: Augmentation, seeds: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Augment a batch of images, and their masks with the same geometric transforms.

    The random numbers are TensorFlow's, stateless; the pixels are changed by OpenCV, image by image, in one call per
    batch: several times as fast as operations of the graph, which start anew for every image.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        targets: masks ``uint8 (n, size, size)``, or anything else ``(n, …)``, which is returned unchanged.
        augmentation: strength of the augmentation.
        seeds: ``int (n, 2)``; the same seed gives the same augmentation.

    Returns:
        Images and targets of the same shapes and types. Pixels from outside an image are filled by reflection.
    """
    with_masks = targets.shape.rank == 3
    masks = targets if with_masks else tf.zeros((tf.shape(images)[0], 0, 0), tf.uint8)

    def change(images: np.ndarray, masks: np.ndarray, *draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        changed = [
            _augment_image(image, mask, augmentation, Draw(*draw))
            for image, mask, *draw in zip(images, masks, *draws, strict=True)
        ]
        return np.stack([image for image, _ in changed]), np.stack([mask for _, mask in changed])

    draws = tf.map_fn(
        lambda seed: _draw(augmentation, seed), seeds, fn_output_signature=Draw(tf.int32, *[tf.float32] * 7)
    )
    changed, moved = tf.numpy_function(change, [images, masks, *draws], [tf.uint8, masks.dtype], stateful=False)
    changed.set_shape(images.shape)
    moved.set_shape(masks.shape)
    return changed, moved if with_masks else targets


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
    batches = tf.data.Dataset.from_tensor_slices((images, keys)).batch(BATCH)
    changed = batches.map(
        lambda batch, seeds: augment(batch, seeds, augmentation, seeds)[0], tf.data.AUTOTUNE, deterministic=True
    )
    return np.concatenate([*changed.as_numpy_iterator()]) if len(images) else images


class Draw(NamedTuple):
    """Hold what is drawn at random for one image.

    Attributes:
        element: dihedral transform, 0 to 7: bit 0 flips vertically, bit 1 horizontally, bit 2 transposes, in this
            order.
        rotation: rotation, radians.
        zoom: magnification.
        translation: translation along x and y, share of the side, ``(2,)``.
        shear: tangent of the shear.
        light: gain of each channel, ``(3,)``.
        stain: gain of the optical density of each channel, ``(3,)``.
        blur: standard deviation of the Gaussian blur, pixels.
    """

    element: tf.Tensor
    rotation: tf.Tensor
    zoom: tf.Tensor
    translation: tf.Tensor
    shear: tf.Tensor
    light: tf.Tensor
    stain: tf.Tensor
    blur: tf.Tensor


def _draw(augmentation: Augmentation, seed: tf.Tensor) -> Draw:
    """Draw at random how one image is changed."""
    seeds = tf.unstack(tf.random.split(seed, 8))

    def uniform(number: int, limit: float, shape: tuple[int, ...] = ()) -> tf.Tensor:
        return tf.random.stateless_uniform(shape, seeds[number], -limit, limit) if limit else tf.zeros(shape)

    def normal(seed: tf.Tensor, scale: float, shape: tuple[int, ...] = ()) -> tf.Tensor:
        return scale * tf.random.stateless_normal(shape, seed) if scale else tf.zeros(shape)

    elements = 8 if augmentation.dihedral else 4 if augmentation.flips else 1
    gain = 1 + normal(seeds[3], augmentation.brightness)
    return Draw(
        element=tf.random.stateless_uniform((), seeds[0], 0, elements, tf.int32),
        rotation=uniform(1, augmentation.rotation) * np.pi / 180,
        zoom=tf.exp(normal(seeds[2], augmentation.zoom)),
        translation=uniform(6, augmentation.translation, (2,)),
        shear=tf.tan(uniform(7, augmentation.shear) * np.pi / 180),
        light=gain * (1 + normal(seeds[4], augmentation.brightness, (3,))),
        stain=tf.exp(normal(tf.random.fold_in(seed, 8), augmentation.stain, (3,))),
        blur=tf.random.stateless_uniform((), seeds[5], 0.0, augmentation.blur),
    )


def _augment_image(
    image: np.ndarray, mask: np.ndarray, augmentation: Augmentation, draw: Draw
) -> tuple[np.ndarray, np.ndarray]:
    """Change an image as drawn, and its mask, which may be empty."""
    image, mask = _apply_dihedral(image, draw.element), _apply_dihedral(mask, draw.element)
    if augmentation.rotation or augmentation.zoom or augmentation.translation or augmentation.shear:
        matrix = _affine_matrix(len(image), draw)
        image = _warp(image, matrix, cv2.INTER_LINEAR)
        mask = _warp(mask, matrix, cv2.INTER_NEAREST) if mask.size else mask
    values = np.arange(256, dtype=np.float32)[:, None] * draw.light
    if augmentation.stain:
        values = 256 * ((values.clip(0, 255) + 1) / 256) ** draw.stain - 1
    pixels = cv2.LUT(image, values[None])  # every change of colour is one of single pixels
    if augmentation.blur:
        pixels = cv2.GaussianBlur(pixels, (KERNEL, KERNEL), max(draw.blur, MIN_SIGMA))
    return pixels.round().clip(0, 255).astype(np.uint8), mask


def _apply_dihedral(image: np.ndarray, element: int) -> np.ndarray:
    """Apply a dihedral transform, see :class:`Draw`, to an image ``(size, size)`` or ``(size, size, channels)``."""
    image = image[::-1] if element & 1 else image
    image = image[:, ::-1] if element & 2 else image
    return np.ascontiguousarray(image.swapaxes(0, 1) if element & 4 else image)


def _affine_matrix(side: int, draw: Draw) -> np.ndarray:
    """Compute the affine transform ``(2, 3)`` from output to input coordinates, about the centre of the image."""
    cosine, sine = np.cos(draw.rotation) / draw.zoom, np.sin(draw.rotation) / draw.zoom
    linear = np.array([[cosine, draw.shear * cosine - sine], [sine, draw.shear * sine + cosine]])
    middle = np.full(2, (side - 1) / 2)
    return np.column_stack([linear, middle - linear @ (middle + side * draw.translation)])


def _warp(image: np.ndarray, matrix: np.ndarray, interpolation: int) -> np.ndarray:
    return cv2.warpAffine(
        image, matrix, image.shape[:2], flags=interpolation | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
    )
