"""Learner that fine-tunes a pretrained network in two steps: a new head on the frozen backbone, then its layers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import backbones, models, training
from helpers.augmentation import Augmentation
from helpers.backend import keras
from helpers.datasets import Dataset
from helpers.learners.cross_validation import Learner, cnn_learner, encode_labels
from helpers.splits import Fold

HEAD, NETWORK = "head", "network"  # folders of the two trainings
# Learning rate and batch size by what is trained. Pretrained weights take small steps, so that they stay near their
# start. Random ones have to leave it: larger steps, and twice as many per epoch.
_STEPS = {"last block": (3e-4, 16), "all": (3e-4, 16), "scratch": (1e-3, 8)}


def network_config(trainable: str, *, epochs: int, seed: int) -> training.TrainingConfig:
    """Configure the training of a network with the learning rate and the batch size that suit its initial weights.

    Args:
        trainable: ``last block``, ``all`` or ``scratch``, see :func:`helpers.backbones.fine_tuning_model`.
        epochs: maximum number of epochs.
        seed: random seed.

    Raises:
        helpers.backbones.BackboneError: ``trainable`` is none of these.

    Example:
        >>> from helpers.learners import fine_tuning
        >>> config = fine_tuning.network_config("scratch", epochs=10, seed=20)
        >>> config.learning_rate, config.batch_size
        (0.001, 8)
    """
    if trainable not in _STEPS:
        raise backbones.BackboneError(f"unknown trainable {trainable!r}; choose from {', '.join(_STEPS)}")
    learning_rate, batch_size = _STEPS[trainable]
    return training.TrainingConfig(epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed)


def fine_tuning_learner(
    name: str,
    trainable: str,
    size: int,
    *,
    cached: np.ndarray,
    head_config: training.TrainingConfig,
    config: training.TrainingConfig,
    augmentation: Augmentation,
    checkpoint_dir: Path,
) -> Learner:
    """Create a learner that trains a softmax head on cached features, and then the network under this head.

    A head with random weights would send large, random gradients into the pretrained layers. Predictions are averaged
    over the eight dihedral views (TTA).

    Args:
        name: backbone, see :data:`helpers.backbones.BACKBONES`.
        trainable: layers of the second step, see :func:`helpers.backbones.fine_tuning_model`; ``scratch`` has no first
            step.
        size: side of the images in pixels.
        cached: features of the frozen backbone for images of this size, see
            :func:`helpers.backbones.extract_features`.
        head_config: training of the head.
        config: training of the network.
        augmentation: augmentation of the training images in the second step.
        checkpoint_dir: parent of the folders :data:`HEAD` and :data:`NETWORK`.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        build = partial(backbones.fine_tuning_model, name, trainable, size, classes=len(dataset.classes))
        weights = None
        if trainable != "scratch":
            head = _fit_head(dataset, fold, cached, config=head_config, checkpoint_dir=checkpoint_dir / HEAD)
            weights = [*build().get_weights()[:-2], *head.get_weights()]
        learner = cnn_learner(
            build,
            size,
            config=config,
            augmentation=augmentation,
            checkpoint_dir=checkpoint_dir / NETWORK,
            initial_weights=weights,
        )
        return learner(dataset, fold, ids)

    return learn


def read_work(checkpoint_dir: Path, since: float, seconds_before: float) -> pd.DataFrame:
    """Read the validation losses of a learner's trainings over the time that all their work took.

    Args:
        checkpoint_dir: folder with :data:`NETWORK` and, for two steps, :data:`HEAD`.
        since: time as of ``time.time``, see :func:`helpers.training.read_histories`.
        seconds_before: time of the work before the first training, such as the extraction of features.

    Returns:
        One row per epoch of the networks: ``training``, ``epoch``, ``val_loss`` and ``seconds`` since the beginning.
    """
    history = training.read_histories(checkpoint_dir / NETWORK, since)
    n_trainings = max(1, history["training"].nunique())
    before = seconds_before + training.training_seconds(checkpoint_dir / HEAD, since) / n_trainings
    seconds = before + history.groupby("training")["seconds"].cumsum()
    return history.assign(seconds=seconds)[["training", "epoch", "val_loss", "seconds"]]


def _fit_head(
    dataset: Dataset, fold: Fold, cached: np.ndarray, *, config: training.TrainingConfig, checkpoint_dir: Path
) -> keras.Model:
    model, _ = training.fit_head(
        partial(models.softmax_head, cached.shape[2], len(dataset.classes)),
        cached,
        encode_labels(dataset),
        split=fold.split_of(dataset.frame.index).to_numpy(),
        config=config,
        checkpoint_dir=checkpoint_dir,
    )
    return model
