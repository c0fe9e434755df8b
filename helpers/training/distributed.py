"""Synchronous data-parallel training on several devices or machines: each processes a part of every batch.

Keras supports several GPUs of one machine, but its ``fit`` fails on several machines (keras-team/keras, issue 20585).
The training loop here supports both. Batches, loss, batch normalisation and optimizer steps equal those on one device,
up to rounding, with two exceptions: dropout uses the same random numbers for each device's part of a batch, and batch
normalisation includes the images that pad the last batch of an epoch.
"""

from __future__ import annotations

import functools
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from helpers.augmentation import ReplicaShare
from helpers.backend import keras, tf
from helpers.errors import LeukobookError

STRATEGIES = ("mirrored", "multi-worker")


class StrategyError(LeukobookError):
    """A distribution strategy that is not available; the message states a remedy."""


@functools.cache
def get_strategy(name: str) -> tf.distribute.Strategy:
    """Create a TensorFlow distribution strategy, cached per name.

    TensorFlow requires that ``multi-worker`` is created before any other operation.

    Args:
        name: One of ``STRATEGIES``.

    Returns:
        The strategy.

    Raises:
        StrategyError: If the name is unknown, or ``TF_CONFIG`` does not list at least two workers and the index of this
            one.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name != "multi-worker":
        raise StrategyError(f"unknown strategy {name!r}; choose from {', '.join(STRATEGIES)}")
    try:
        config = json.loads(os.environ.get("TF_CONFIG", ""))
        complete = len(config["cluster"]["worker"]) > 1 and isinstance(config["task"]["index"], int)
    except (ValueError, KeyError, TypeError):
        complete = False
    if not complete:
        raise StrategyError(
            "multi-worker needs TF_CONFIG with at least two workers and the index of this one, for instance "
            '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(name: str) -> bool:
    """Return whether this process writes the files: the only process, or worker 0 of ``TF_CONFIG``.

    Args:
        name: Strategy, as in :class:`helpers.training.TrainingConfig`.
    """
    return name != "multi-worker" or json.loads(os.environ["TF_CONFIG"])["task"]["index"] == 0


def broadcast_from_chief(strategy: tf.distribute.Strategy, folder: Path) -> None:
    """Copy the files of the chief's folder to every worker, so that all start from the same state.

    Args:
        strategy: Strategy; nothing is copied unless it is a multi-worker strategy.
        folder: Checkpoint folder of this worker.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return
    held, first = io.BytesIO(), is_chief("multi-worker")
    if first:
        with zipfile.ZipFile(held, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    content = held.getvalue()
    size = int(_sum(strategy, np.array([len(content)], np.int32))[0])
    words = np.frombuffer(content.ljust(-(-size // 4) * 4, b"\0"), np.int32)
    content = _sum(strategy, words).tobytes()[:size]
    if not first:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)


def _sum(strategy: tf.distribute.Strategy, values: np.ndarray) -> np.ndarray:
    """Sum the values of all workers; each contributes those of its first device."""
    local = strategy.num_replicas_in_sync // len(strategy.cluster_resolver.cluster_spec().as_dict()["worker"])

    def contribution(context: tf.distribute.ValueContext) -> tf.Tensor:
        return tf.constant(values if context.replica_id_in_sync_group % local == 0 else np.zeros_like(values))

    each = strategy.experimental_distribute_values_from_function(contribution)
    return strategy.reduce("SUM", each, axis=None).numpy()


def fit(
    model: keras.Model,
    loss: Callable,
    train: Callable[[ReplicaShare], tf.data.Dataset],
    *,
    steps: int,
    validation: tf.data.Dataset,
    epochs: range,
    checkpoint: keras.callbacks.Callback,
    strategy: tf.distribute.Strategy,
) -> None:
    """Train a compiled model on several devices, as ``Model.fit`` does on one.

    Args:
        model: Compiled model, built within the strategy's scope.
        loss: Loss function that returns one value per image, without averaging over the batch.
        train: Function from a share of the devices to an endless dataset of batches with sample weights, such as
            :func:`helpers.augmentation.training_batches`.
        steps: Batches per epoch.
        validation: Finite dataset of batches, the same in every epoch.
        epochs: Epoch numbers.
        checkpoint: Callback called at the start and end of every epoch; it may stop the training.
        strategy: Distribution strategy.
    """
    devices = strategy.num_replicas_in_sync

    def training_step(batch: tuple[tf.Tensor, ...]) -> tf.Tensor:
        images, truth, weight = batch
        with tf.GradientTape() as tape:
            mean = tf.reduce_mean(weight * loss(truth, model(images, training=True)))
            mean = (mean + sum(model.losses)) / devices  # Keras sums the gradients over the devices
        gradients = tape.gradient(mean, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return tf.stack([mean, tf.cast(tf.math.count_nonzero(weight), tf.float32)])

    def validation_step(batch: tuple[tf.Tensor, ...]) -> tf.Tensor:
        images, truth, weight = batch
        each = loss(truth, model(images, training=False)) + sum(model.losses)
        return tf.stack([tf.reduce_sum(weight * each), tf.reduce_sum(weight)])

    @tf.function
    def sums(batches: tf.distribute.DistributedIterator, function: Callable, count: int) -> tf.Tensor:
        results = tf.TensorArray(tf.float32, count)
        for step in tf.range(count):
            results = results.write(step, strategy.reduce("SUM", strategy.run(function, (next(batches),)), axis=None))
        return results.stack()

    def share(context: tf.distribute.InputContext) -> ReplicaShare:
        local = devices // context.num_input_pipelines
        return ReplicaShare(context.input_pipeline_id * local, (context.input_pipeline_id + 1) * local, devices)

    validation_steps = -(-int(validation.cardinality()) // devices)
    training = iter(strategy.distribute_datasets_from_function(lambda context: train(share(context))))
    validating = strategy.distribute_datasets_from_function(lambda context: _select_share(validation, share(context)))
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch in epochs:
        checkpoint.on_epoch_begin(epoch)
        losses, images = sums(training, training_step, steps).numpy().T
        total, count = sums(iter(validating), validation_step, validation_steps).numpy().sum(axis=0)
        logs = {"loss": float(np.average(losses, weights=images)), "val_loss": float(total / count)}
        checkpoint.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    checkpoint.on_train_end()


def _select_share(batches: tf.data.Dataset, share: ReplicaShare) -> tf.data.Dataset:
    """Select the batches of a share of the devices, padded with batches of weight 0 to as many per device."""
    weighted = batches.map(lambda images, truth: (images, truth, tf.ones(tf.shape(truth)[:1])))
    empty = batches.take(1).map(lambda images, truth: (images, truth, tf.zeros(tf.shape(truth)[:1])))
    filled = weighted.concatenate(empty.repeat(-int(batches.cardinality()) % share.of)).enumerate()
    selected = filled.filter(lambda k, _: (k % share.of >= share.begin) & (k % share.of < share.end))
    return selected.map(lambda _, batch: batch)
