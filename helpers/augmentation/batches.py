"""Batches of images, or of cached features, for training and evaluation, as ``tf.data`` pipelines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.augmentation.transforms import NO_AUGMENTATION, Augmentation, augment
from helpers.backend import tf

AUTOTUNE = tf.data.AUTOTUNE


@dataclass(frozen=True)
class MappedRows:
    """Select rows of an array in a file, which are read when they are needed.

    Attributes:
        array: mapped array, see :mod:`helpers.datasets.pixels`.
        rows: indices, ``int (n,)``.
    """

    array: np.memmap
    rows: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """Type of the array."""
        return self.array.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the selected rows."""
        return (len(self.rows), *self.array.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.array.ndim

    def __len__(self) -> int:
        """Return the number of selected rows."""
        return len(self.rows)

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        """Read some of the selected rows into memory."""
        return np.asarray(self.array[self.rows[index]])


Pixels = np.ndarray | MappedRows


def select_rows(array: np.ndarray, chosen: np.ndarray) -> Pixels:
    """Select rows of an array: in memory, or of a mapped array without reading them.

    Args:
        array: array ``(n, …)``.
        chosen: ``bool (n,)``.
    """
    return MappedRows(array, np.flatnonzero(chosen)) if isinstance(array, np.memmap) else array[chosen]


@dataclass(frozen=True)
class ReplicaShare:
    """Select parts ``begin`` to ``end`` (exclusive) of every batch that is split between ``of`` devices."""

    begin: int
    end: int
    of: int


def training_batches(
    images: Pixels,
    targets: Pixels,
    batch_size: int,
    seed: int,
    augmentation: Augmentation,
    first_epoch: int = 0,
    weights: np.ndarray | None = None,
    share: ReplicaShare | None = None,
) -> tf.data.Dataset:
    """Yield augmented training batches, epoch after epoch without end, reshuffled in every epoch.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB, in memory or :class:`MappedRows`.
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
    features: Pixels,
    labels: Pixels,
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
    arrays: tuple[Pixels | None, ...],
    change: Callable,
    batch: int,
    seed: int,
    first: int,
    share: ReplicaShare | None,
) -> tf.data.Dataset:
    """Yield epochs of (input, target[, weight]) batches, each with its own order and keys for ``change``."""
    present = [array for array in arrays if array is not None]
    readers, n = [_reader(array) for array in present], len(present[0])
    size = batch // share.of if share else batch

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), number])
        order = tf.random.experimental.stateless_shuffle(tf.range(n), key)
        keys = tf.random.split(key, n)

        def example(k: tf.Tensor, *factor: tf.Tensor) -> tuple[tf.Tensor, ...]:
            image, target, *weight = (read(k) for read in readers)
            weight = [tf.reduce_prod([*weight, *factor])] if weight or factor else []
            return (*change(keys[k], image, target), *weight)

        chosen = _select_share(order, n, batch, share) if share else (order,)
        return tf.data.Dataset.from_tensor_slices(chosen).map(example, AUTOTUNE, deterministic=True).batch(size)

    return tf.data.Dataset.counter(first).flat_map(epoch).prefetch(AUTOTUNE)


def _reader(array: Pixels) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a function from the index of a row, or from several, to the row or rows."""
    if isinstance(array, np.ndarray):
        tensor = tf.constant(array)
        return lambda index: tf.gather(tensor, index)

    def read(index: tf.Tensor) -> tf.Tensor:
        rows = tf.numpy_function(array.__getitem__, [index], tf.as_dtype(array.dtype))
        rows.set_shape((*index.shape, *array.shape[1:]))
        return rows

    return read


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


def evaluation_batches(images: Pixels, targets: Pixels, batch_size: int) -> tf.data.Dataset:
    """Yield batches of images, or of one view of features, once, in order and without augmentation.

    Args:
        images, targets, batch_size: as in :func:`training_batches`; ``images`` may also be ``float (n, channels)``.
    """
    if images.ndim == 4:
        _check_arrays(images, targets)
    if isinstance(images, np.ndarray):
        return tf.data.Dataset.from_tensor_slices((images, targets)).batch(batch_size).prefetch(AUTOTUNE)
    readers = [_reader(images), _reader(targets)]
    indices = tf.data.Dataset.range(len(images)).batch(batch_size)
    return indices.map(lambda index: tuple(read(index) for read in readers)).prefetch(AUTOTUNE)


def _check_arrays(images: Pixels, targets: Pixels) -> None:
    fits = targets.shape in (images.shape[:3], images.shape[:1])
    if images.dtype != np.uint8 or images.ndim != 4 or not fits or not len(images):
        raise ValueError(
            f"images must be uint8 (n, size, size, 3), masks (n, size, size) and labels (n,), got {images.dtype} "
            f"{images.shape} and {targets.dtype} {targets.shape}"
        )
