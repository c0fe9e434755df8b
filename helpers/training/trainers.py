"""Training on arrays: a U-Net on masks, a classifier on labels, a classification head on cached features."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.augmentation import (
    Augmentation,
    Pixels,
    ReplicaShare,
    evaluation_batches,
    feature_batches,
    select_rows,
    training_batches,
)
from helpers.backend import keras, tf
from helpers.models import cross_entropy, dice_cross_entropy, unet
from helpers.training.config import TrainingConfig, seed_everything
from helpers.training.fitting import TrainingError, fit
from helpers.training.identity import identify, imported_code


def fit_unet(
    images: np.ndarray,
    masks: np.ndarray,
    *,
    split: np.ndarray,
    config: TrainingConfig,
    augmentation: Augmentation,
    checkpoint_dir: Path,
    base_filters: int = 16,
    skip_connections: bool = True,
    initial_weights: list[np.ndarray] | None = None,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a U-Net on images and masks and choose the epoch on the validation set.

    Args:
        images: RGB images ``uint8 (n, size, size, 3)``.
        masks: Ground-truth masks ``uint8 (n, size, size)``: 0 background, 1 cytoplasm, 2 nucleus.
        split: ``"train"`` or ``"validation"`` for each image ``(n,)``; images with another value are not used.
        config: Training configuration.
        augmentation: Augmentation of the training images.
        checkpoint_dir: Parent folder; each training gets a subfolder named after a hash of everything that determines
            its result, code included.
        base_filters: Number of filters at the first level.
        skip_connections: Whether the U-Net has its skip connections, see :func:`helpers.models.unet`.
        initial_weights: Initial weights; random by default.

    Returns:
        Model and history, as :func:`helpers.training.fit`.

    Raises:
        TrainingError, ValueError, StrategyError: As :func:`helpers.training.fit`.
    """
    build, loss = partial(unet, base_filters, skip_connections=skip_connections), dice_cross_entropy()
    return _fit_arrays(
        build,
        loss,
        images,
        targets=masks,
        split=split,
        config=config,
        augmentation=augmentation,
        checkpoint_dir=checkpoint_dir,
        initial_weights=initial_weights,
    )


def fit_classifier(
    build: partial[keras.Model],
    images: np.ndarray,
    labels: np.ndarray,
    *,
    split: np.ndarray,
    config: TrainingConfig,
    augmentation: Augmentation,
    checkpoint_dir: Path,
    class_weight: str | None = None,
    initial_weights: list[np.ndarray] | None = None,
    loss: Callable = cross_entropy,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a classifier on images and choose the epoch on the validation set.

    Args:
        build: Architecture of :mod:`helpers.models` with its arguments, such as
            ``functools.partial(models.schouten, 2)``.
        images: RGB images ``uint8 (n, size, size, 3)``.
        labels: Class indices ``int (n,)``.
        split, config, augmentation, checkpoint_dir: As in :func:`fit_unet`.
        class_weight: ``"balanced"`` weights the training images so that every class contributes equally to the loss;
            the validation loss, which chooses the epoch, is not weighted.
        initial_weights: Initial weights of the first layers, such as those of a U-Net encoder; the others are random.
        loss: Loss function of class indices and probabilities, of :mod:`helpers.models` or another. ``loss`` and
            ``build`` are hashed by value, closures included; :func:`helpers.training.identity.identify` lists what can
            be hashed.

    Returns:
        Model and history, as :func:`helpers.training.fit`.

    Raises:
        TrainingError: If ``class_weight`` is neither ``"balanced"`` nor ``None``, or as :func:`helpers.training.fit`.
        ValueError, StrategyError: As :func:`helpers.training.fit`.
    """
    if class_weight not in (None, "balanced"):
        raise TrainingError(f"class_weight must be 'balanced' or None, got {class_weight!r}")
    weights = class_weights(labels, split)[labels].astype(np.float32) if class_weight else None
    return _fit_arrays(
        build,
        loss,
        images,
        targets=labels,
        split=split,
        config=config,
        augmentation=augmentation,
        checkpoint_dir=checkpoint_dir,
        initial_weights=initial_weights,
        weights=weights,
    )


def fit_head(
    build: partial[keras.Model],
    features: np.ndarray,
    labels: np.ndarray,
    *,
    split: np.ndarray,
    config: TrainingConfig,
    checkpoint_dir: Path,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a classification head on cached features, with balanced classes and a random view per image and epoch.

    Args:
        build: Function that builds a model of inputs ``(n, channels)``, such as a partial of
            :func:`helpers.models.dense_head`.
        features: Cached features ``float16 (n, views, channels)`` of :func:`helpers.backbones.extract_features`.
        labels, split, config, checkpoint_dir: As in :func:`fit_classifier`. Validation uses the first view of each
            image.

    Returns:
        Model and history, as :func:`helpers.training.fit`.

    Raises:
        TrainingError, ValueError, StrategyError: As :func:`helpers.training.fit`.
    """
    weights = class_weights(labels, split)[labels].astype(np.float32)
    return _fit_arrays(
        build,
        cross_entropy,
        features,
        targets=labels,
        split=split,
        config=config,
        augmentation=None,
        checkpoint_dir=checkpoint_dir,
        weights=weights,
    )


def class_weights(labels: np.ndarray, split: np.ndarray) -> np.ndarray:
    """Compute class weights that balance the classes of the training set.

    Args:
        labels: Class indices ``int (n,)``.
        split: Split of each image ``(n,)``; only ``"train"`` counts.

    Returns:
        Weights ``float (classes,)``, with mean 1 over the training images and 0 for classes without training images.
    """
    training = labels[np.asarray(split) == "train"]
    count = np.bincount(training, minlength=labels.max() + 1)
    return np.where(count > 0, len(training) / np.count_nonzero(count) / np.maximum(count, 1), 0.0)


def _fit_arrays(
    build: partial[keras.Model],
    loss: Callable,
    images: np.ndarray,
    *,
    targets: np.ndarray,
    split: np.ndarray,
    config: TrainingConfig,
    augmentation: Augmentation | None,
    checkpoint_dir: Path,
    initial_weights: list[np.ndarray] | None = None,
    weights: np.ndarray | None = None,
) -> tuple[keras.Model, pd.DataFrame]:
    seed_everything(config.seed)
    model = build()
    if initial_weights is not None:
        model.set_weights([*initial_weights, *model.get_weights()[len(initial_weights) :]])
    train, validation = np.asarray(split) == "train", np.asarray(split) == "validation"
    method = identify((build, loss, config, augmentation, sorted(imported_code(__name__).items())))
    digest = hashlib.sha256(f"{method} {keras.__version__} {tf.__version__}".encode())
    weight = None if weights is None else weights[train]
    train_data, validation_data = (
        (select_rows(images, chosen), select_rows(targets, chosen)) for chosen in (train, validation)
    )
    for array in (*train_data, *validation_data, weight, *model.get_weights()):
        if array is not None:
            _add_array(digest, array)
    batching = (*train_data, config.batch_size, config.seed)

    def epochs(first: int, share: ReplicaShare | None = None) -> tf.data.Dataset:
        return (
            feature_batches(*batching, first, weight, share)
            if augmentation is None
            else training_batches(*batching, augmentation, first, weight, share)
        )

    return fit(
        model,
        build,
        loss,
        train=epochs,
        steps=-(-int(train.sum()) // config.batch_size),
        validation=evaluation_batches(
            validation_data[0][:][:, 0] if augmentation is None else validation_data[0], validation_data[1], 32
        ),
        config=config,
        checkpoint_dir=checkpoint_dir / digest.hexdigest()[:12],
    )


def _add_array(digest: hashlib._Hash, array: Pixels) -> None:
    """Add type, shape and content of an array to a digest; of a mapped array some rows at a time."""
    digest.update(f"{array.dtype} {array.shape}".encode())
    if isinstance(array, np.ndarray):
        digest.update(np.ascontiguousarray(array).data)
        return
    for start in range(0, len(array), 1024):
        digest.update(np.ascontiguousarray(array[start : start + 1024]).data)
