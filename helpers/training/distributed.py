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
    """A distribution strategy that is not available; the message says what to do."""


@functools.cache
def get_strategy(name: str) -> tf.distribute.Strategy:
    """Create a TensorFlow distribution strategy, cached per name.

    TensorFlow requires that ``multi-worker`` is created before any other operation.

    Args:
        name: One of :data:`STRATEGIES`.

    Returns:
        The strategy.

    Raises:
        StrategyError: If the name is unknown, or ``TF_CONFIG`` does not list at least two workers and the index of this
            one.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name != "multi-worker":
        raise StrategyError(f"{name!r}: no such strategy; there are {', '.join(STRATEGIES)}")
    try:
        config = json.loads(os.environ.get("TF_CONFIG", ""))
        named = len(config["cluster"]["worker"]) > 1 and isinstance(config["task"]["index"], int)
    except (ValueError, KeyError, TypeError):
        named = False
    if not named:
        raise StrategyError(
            "multi-worker: TF_CONFIG names the machines and which of them this is, for instance "
            '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
        )
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(name: str) -> bool:
    """Return whether this process writes the files: the only process, or worker 0 of ``TF_CONFIG``.

    Args:
        name: Strategy, as in :class:`helpers.training.TrainingConfig`.
    """
    return name != "multi-worker" or json.loads(os.environ["TF_CONFIG"])["task"]["index"] == 0


def broadcast_from_chief(together: tf.distribute.Strategy, folder: Path) -> None:
    """Copy the files of the chief's folder to every worker, so that all start from the same state.

    Args:
        together: Strategy; nothing is copied unless it is a multi-worker strategy.
        folder: Checkpoint folder of this worker.
    """
    if not isinstance(together, tf.distribute.MultiWorkerMirroredStrategy):
        return
    held, first = io.BytesIO(), is_chief("multi-worker")
    if first:
        with zipfile.ZipFile(held, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    content = held.getvalue()
    size = int(_sum(together, np.array([len(content)], np.int32))[0])
    words = np.frombuffer(content.ljust(-(-size // 4) * 4, b"\0"), np.int32)
    content = _sum(together, words).tobytes()[:size]
    if not first:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            archive.extractall(folder)


def _sum(together: tf.distribute.Strategy, values: np.ndarray) -> np.ndarray:
    """Sum the values of all workers; each contributes those of its first device."""
    local = together.num_replicas_in_sync // len(together.cluster_resolver.cluster_spec().as_dict()["worker"])

    def given(context: tf.distribute.ValueContext) -> tf.Tensor:
        return tf.constant(values if context.replica_id_in_sync_group % local == 0 else np.zeros_like(values))

    each = together.experimental_distribute_values_from_function(given)
    return together.reduce("SUM", each, axis=None).numpy()


def fit(
    model: keras.Model,
    loss: Callable,
    train: Callable[[ReplicaShare], tf.data.Dataset],
    *,
    steps: int,
    validation: tf.data.Dataset,
    epochs: range,
    keeper: keras.callbacks.Callback,
    together: tf.distribute.Strategy,
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
        keeper: Callback called at the start and end of every epoch; it may stop the training.
        together: Distribution strategy.
    """
    devices = together.num_replicas_in_sync

    def one_step(batch: tuple[tf.Tensor, ...]) -> tf.Tensor:
        images, truth, weight = batch
        with tf.GradientTape() as tape:
            own = tf.reduce_mean(weight * loss(truth, model(images, training=True)))
            own = (own + sum(model.losses)) / devices  # Keras sums the gradients over the devices
        gradients = tape.gradient(own, model.trainable_variables)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return tf.stack([own, tf.cast(tf.math.count_nonzero(weight), tf.float32)])

    def one_look(batch: tuple[tf.Tensor, ...]) -> tf.Tensor:
        images, truth, weight = batch
        each = loss(truth, model(images, training=False)) + sum(model.losses)
        return tf.stack([tf.reduce_sum(weight * each), tf.reduce_sum(weight)])

    @tf.function
    def over(batches: tf.distribute.DistributedIterator, does: Callable, count: int) -> tf.Tensor:
        found = tf.TensorArray(tf.float32, count)
        for step in tf.range(count):
            found = found.write(step, together.reduce("SUM", together.run(does, (next(batches),)), axis=None))
        return found.stack()

    def share(context: tf.distribute.InputContext) -> ReplicaShare:
        local = devices // context.num_input_pipelines
        return ReplicaShare(context.input_pipeline_id * local, (context.input_pipeline_id + 1) * local, devices)

    looks = -(-int(validation.cardinality()) // devices)
    learnt = iter(together.distribute_datasets_from_function(lambda context: train(share(context))))
    looked = together.distribute_datasets_from_function(lambda context: _shared(validation, share(context)))
    keeper.set_model(model)
    keeper.on_train_begin()
    for epoch in epochs:
        keeper.on_epoch_begin(epoch)
        losses, images = over(learnt, one_step, steps).numpy().T
        total, count = over(iter(looked), one_look, looks).numpy().sum(axis=0)
        logs = {"loss": float(np.average(losses, weights=images)), "val_loss": float(total / count)}
        keeper.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    keeper.on_train_end()


def _shared(batches: tf.data.Dataset, share: ReplicaShare) -> tf.data.Dataset:
    """Select the batches of a share of the devices, padded with batches of weight 0 to as many per device."""
    weighted = batches.map(lambda images, truth: (images, truth, tf.ones(tf.shape(truth)[:1])))
    empty = batches.take(1).map(lambda images, truth: (images, truth, tf.zeros(tf.shape(truth)[:1])))
    filled = weighted.concatenate(empty.repeat(-int(batches.cardinality()) % share.of)).enumerate()
    own = filled.filter(lambda k, _: (k % share.of >= share.begin) & (k % share.of < share.end))
    return own.map(lambda _, batch: batch)
