"""Random augmentation of images, and of their masks, in ``tf.data`` pipelines for training and evaluation.

Shuffling and augmentation use stateless random numbers keyed on seed, epoch and image, so that a run is reproducible
whatever the thread scheduling, and resumes after an interruption as if it had not been interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.backend import tf

AUTOTUNE = tf.data.AUTOTUNE


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


@dataclass(frozen=True)
class ReplicaShare:
    """Select parts ``begin`` to ``end`` (exclusive) of every batch that is split between ``of`` devices."""

    begin: int
    end: int
    of: int


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
    if augmentation.blur:
        pixels = _blur(pixels, tf.random.stateless_uniform((), seeds[5], 0.0, augmentation.blur))
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0, 255), tf.uint8), target if mask is None else mask[..., 0]


def training_batches(
    images: np.ndarray,
    targets: np.ndarray,
    batch_size: int,
    seed: int,
    augmentation: Augmentation,
    first_epoch: int = 0,
    weights: np.ndarray | None = None,
    share: ReplicaShare | None = None,
) -> tf.data.Dataset:
    """Yield augmented training batches, epoch after epoch without end, reshuffled in every epoch.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        targets: masks ``uint8 (n, size, size)``, or labels ``int (n,)``.
        batch_size: images per batch; the last batch of an epoch may be smaller.
        seed: random seed of shuffling and augmentation.
        augmentation: strength of the augmentation.
        first_epoch: epoch to start with; its batches do not depend on earlier epochs.
        weights: sample weights ``float (n,)`` in the loss; ``None`` weights all images equally.
        share: devices of a distributed run to yield batches for; ``None`` yields whole batches.

    Returns:
        Batches of images and targets, and of ``weights`` if set. With ``share``: the share of each device in turn, all
        of one size and with weights. The last batch of an epoch is padded with images of weight 0, and its other
        weights are scaled up, so that the mean loss over the batch is that of its images.

    Raises:
        ValueError: shapes or types of ``images`` and ``targets`` do not fit, or there are no images.
    """
    _check_arrays(images, targets)

    def change(key: tf.Tensor, image: tf.Tensor, target: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return augment(image, target, augmentation, key) if augmentation != NO_AUGMENTATION else (image, target)

    return _epochs((images, targets, weights), change, batch_size, seed, first_epoch, share)


def feature_batches(
    features: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    seed: int,
    first_epoch: int = 0,
    weights: np.ndarray | None = None,
    share: ReplicaShare | None = None,
) -> tf.data.Dataset:
    """Yield training batches of cached features, with one random view per image and epoch.

    Args:
        features: ``float16 (n, views, channels)`` from :func:`helpers.backbones.extract_features`.
        labels: ``int (n,)``.
        batch_size, seed, first_epoch, weights, share: as in :func:`training_batches`.
    """

    def change(key: tf.Tensor, views: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        view = tf.random.stateless_uniform((), key, 0, features.shape[1], tf.int32)
        return tf.cast(views[view], tf.float32), label

    return _epochs((features, labels, weights), change, batch_size, seed, first_epoch, share)


def _epochs(
    arrays: tuple[np.ndarray | None, ...],
    change: Callable,
    batch: int,
    seed: int,
    first: int,
    share: ReplicaShare | None,
) -> tf.data.Dataset:
    """Yield epochs of (input, target[, weight]) batches, each with its own order and keys for ``change``."""
    tensors = tuple(tf.constant(array) for array in arrays if array is not None)
    n = len(tensors[0])
    size = batch // share.of if share else batch

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), number])
        order = tf.random.experimental.stateless_shuffle(tf.range(n), key)
        keys = tf.random.split(key, n)

        def example(k: tf.Tensor, *factor: tf.Tensor) -> tuple[tf.Tensor, ...]:
            image, target, *weight = (array[k] for array in tensors)
            weight = [tf.reduce_prod([*weight, *factor])] if weight or factor else []
            return (*change(keys[k], image, target), *weight)

        chosen = _select_share(order, n, batch, share) if share else (order,)
        return tf.data.Dataset.from_tensor_slices(chosen).map(example, AUTOTUNE, deterministic=True).batch(size)

    return tf.data.Dataset.counter(first).flat_map(epoch).prefetch(AUTOTUNE)


def _select_share(order: tf.Tensor, n: int, batch: int, share: ReplicaShare) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the indices of the images of a share, padded to whole batches, and a factor for the weight of each."""
    steps, last = -(-n // batch), (n - 1) % batch + 1
    factor = np.ones(steps * batch, np.float32)
    factor[n:], factor[n - last : n] = 0, batch / last
    filled = tf.gather(order, np.arange(steps * batch) % n)
    return tuple(
        tf.reshape(tf.reshape(values, (steps, share.of, -1))[:, share.begin : share.end], [-1])
        for values in (filled, tf.constant(factor))
    )


def oversample_with_augmentation(
    images: np.ndarray, labels: pd.Series, n_per_class: int, seed: int, augmentation: Augmentation = FLIP_ROTATE
) -> tuple[np.ndarray, pd.Index]:
    """Oversample the smaller classes to ``n_per_class`` images with augmented copies (Schouten et al. 2021).

    Apply it to the training set, after the split: an augmented copy of a training image in the test set is leakage.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        labels: label of every image in the same order, indexed by ``image_id``.
        n_per_class: target number of images per class; a class with more keeps all and gets no copies.
        seed: random seed of sampling and augmentation.
        augmentation: strength of the augmentation.

    Returns:
        The copies ``uint8 (m, size, size, 3)``, and the id of the original of each. Numbers of copies differ by at most
        one between the originals of a class.
    """
    random, chosen = np.random.default_rng(seed), []
    for label in sorted(labels.unique()):
        members = np.flatnonzero(labels == label)
        chosen.append(np.resize(random.permutation(members), max(0, n_per_class - len(members))))
    positions = np.concatenate(chosen)
    keys = tf.random.split((seed, 0), len(positions))
    originals = tf.constant(images)  # outside the graph, whose constants cannot exceed 2 GiB
    changed = tf.data.Dataset.from_tensor_slices((positions, keys)).map(
        lambda k, key: augment(originals[k], tf.constant(0), augmentation, key)[0], AUTOTUNE, deterministic=True
    )
    copies = np.empty((len(positions), *images.shape[1:]), np.uint8)
    for k, copy in enumerate(changed.as_numpy_iterator()):
        copies[k] = copy
    return copies, labels.index[positions]


def evaluation_batches(images: np.ndarray, targets: np.ndarray, batch_size: int) -> tf.data.Dataset:
    """Yield batches of images, or of one view of features, once, in order and without augmentation.

    Args:
        images, targets, batch_size: as in :func:`training_batches`; ``images`` may also be ``float (n, channels)``.
    """
    if images.ndim == 4:
        _check_arrays(images, targets)
    return tf.data.Dataset.from_tensor_slices((images, targets)).batch(batch_size).prefetch(AUTOTUNE)


def _check_arrays(images: np.ndarray, targets: np.ndarray) -> None:
    fits = targets.shape in (images.shape[:3], images.shape[:1])
    if images.dtype != np.uint8 or images.ndim != 4 or not fits or not len(images):
        raise ValueError(
            f"images must be uint8 (n, size, size, 3), masks (n, size, size) and labels (n,), got {images.dtype} "
            f"{images.shape} and {targets.dtype} {targets.shape}"
        )


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
