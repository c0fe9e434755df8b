"""Training loop with early stopping, the best checkpoint, and resumption after an interruption."""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import files
from helpers.backend import keras, tf
from helpers.errors import LeukobookError
from helpers.training import distributed
from helpers.training.checkpoint import BEST, HISTORY, flat_layers, resume, saved_states
from helpers.training.config import TrainingConfig, seed_everything
from helpers.training.identity import identify

# Identifies the training that owns the folder; rewritten at every call, so that its time is that of the last use.
CONFIG = "settings.json"
# The compiled model of the last training that ended, and the first state of its optimizer, by what its graph holds.
_LAST_TRACED: dict[str, tuple[keras.Model, list[np.ndarray]]] = {}


class TrainingError(LeukobookError):
    """A training that cannot be run or resumed; the message states a remedy, and the folder where one matters."""


def fit(
    model: keras.Model,
    build: functools.partial[keras.Model],
    loss: Callable,
    *,
    train: Callable[..., tf.data.Dataset],
    steps: int,
    validation: tf.data.Dataset,
    config: TrainingConfig,
    checkpoint_dir: Path,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a model, resume an interrupted training, or load a finished one.

    Args:
        model: Model with the initial weights.
        build: Function that builds a model of the same architecture, with any weights.
        loss: Loss function; with a strategy, it must return one value per image. ``build`` and ``loss`` are hashed by
            value, see :func:`helpers.training.identity.identify`.
        train: Function from a first epoch, and with a strategy a share, to an endless dataset of batches, such as
            :func:`helpers.augmentation.training_batches`; an epoch must not depend on the epochs before it.
        steps: Batches per epoch.
        validation: Dataset of batches, the same in every epoch.
        config: Training configuration.
        checkpoint_dir: Folder of this training only: ``best.weights.h5``, ``history.csv`` and, until the training has
            finished, the state to resume from.

    Returns:
        The model with the weights of the epoch with the lowest validation loss, and the history: one row per epoch with
        ``epoch``, ``loss``, ``val_loss`` and ``learning_rate``.

    Raises:
        TrainingError: If the folder holds a training of another model, loss or configuration, the training loss is not
            finite, the validation loss is not finite in any epoch, the devices cannot share the batch size equally, or
            one of several machines does not answer or differs from the first.
        ValueError: If ``build`` or ``loss`` contains an object that cannot be hashed by value.
        StrategyError: If the strategy is not available.
    """
    if config.strategy:
        try:
            return _fit_distributed(
                model,
                build,
                loss,
                train=train,
                steps=steps,
                validation=validation,
                config=config,
                checkpoint_dir=checkpoint_dir,
            )
        except (tf.errors.UnavailableError, tf.errors.AbortedError) as error:
            raise TrainingError(
                "another machine no longer answers; start all of them again to resume from the last state of the "
                "first one"
            ) from error
    _claim(checkpoint_dir, {**asdict(config), "steps": steps, "model": identify(build), "loss": identify(loss)})
    with files.locked(checkpoint_dir / "lock", wait=True):  # a second process waits, then loads the result of the first
        if not (checkpoint_dir / "finished").exists():
            seed_everything(config.seed)
            with _traced(build, model.get_weights(), loss, steps=steps, config=config) as compiled:
                first, checkpoint = resume(compiled, checkpoint_dir, config)
                if not checkpoint.out_of_patience():  # interrupted after the last epoch
                    compiled.fit(
                        train(first),
                        steps_per_epoch=steps,
                        initial_epoch=first,
                        epochs=config.epochs,
                        validation_data=validation,
                        shuffle=False,
                        callbacks=[checkpoint],
                        verbose=0,
                    )
            _finish(checkpoint_dir)
        return _best_model(model, checkpoint_dir)


def _fit_distributed(
    model: keras.Model,
    build: functools.partial[keras.Model],
    loss: Callable,
    *,
    train: Callable[..., tf.data.Dataset],
    steps: int,
    validation: tf.data.Dataset,
    config: TrainingConfig,
    checkpoint_dir: Path,
) -> tuple[keras.Model, pd.DataFrame]:
    """Run :func:`fit` on several devices or machines; only the chief keeps its folder."""
    strategy = distributed.get_strategy(config.strategy)
    if config.batch_size % strategy.num_replicas_in_sync:
        raise TrainingError(
            f"{strategy.num_replicas_in_sync} devices cannot share batches of {config.batch_size}; take a multiple"
        )
    identity = {**asdict(config), "steps": steps, "model": identify(build), "loss": identify(loss)}
    identity |= {"devices": strategy.num_replicas_in_sync, "training": checkpoint_dir.name}
    with contextlib.ExitStack() as stack:
        if distributed.is_chief(config.strategy):
            _claim(checkpoint_dir, identity)
            stack.enter_context(files.locked(checkpoint_dir / "lock", wait=True))
        else:
            checkpoint_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="training-")))
        distributed.broadcast_from_chief(strategy, checkpoint_dir)
        if json.loads((checkpoint_dir / CONFIG).read_text(encoding="utf-8")) != identity:
            raise TrainingError("this machine has other data, settings or code than the first one; give it the same")
        if not (checkpoint_dir / "finished").exists():
            with strategy.scope():
                seed_everything(config.seed)
                compiled = _compiled(build, model.get_weights(), loss, steps=steps, config=config)
                for layer in flat_layers(compiled):
                    if isinstance(layer, keras.layers.BatchNormalization):
                        layer.synchronized = True  # statistics over the whole batch, not per device
                first, checkpoint = resume(compiled, checkpoint_dir, config)
                if not checkpoint.out_of_patience():
                    epochs = range(first, config.epochs)
                    batches = functools.partial(train, first)
                    distributed.fit(
                        compiled,
                        loss,
                        batches,
                        steps=steps,
                        validation=validation,
                        epochs=epochs,
                        checkpoint=checkpoint,
                        strategy=strategy,
                    )
            _finish(checkpoint_dir)
        return _best_model(model, checkpoint_dir)


@contextlib.contextmanager
def _traced(
    build: functools.partial[keras.Model],
    weights: list[np.ndarray],
    loss: Callable,
    *,
    steps: int,
    config: TrainingConfig,
) -> Iterator[keras.Model]:
    """Provide a compiled model: that of the last training, with its state reset, if both have the same graph.

    Tracing the graphs of a training and a validation step takes seconds, longer than a short training itself. A model
    whose training was interrupted is not used again, as Keras keeps its validation data.
    """
    schedule = [config.optimizer, config.schedule, config.learning_rate, config.epochs * steps]
    key = json.dumps([identify(build), identify(loss), *schedule])
    model, state = _LAST_TRACED.pop(key, (None, []))
    _LAST_TRACED.clear()
    if model is None:
        model = _compiled(build, weights, loss, steps=steps, config=config)
        state = [np.array(variable) for variable in model.optimizer.variables]
    model.set_weights(weights)
    for variable, value in zip(model.optimizer.variables, state, strict=True):
        variable.assign(value)
    yield model
    _LAST_TRACED[key] = model, state


def _compiled(
    build: functools.partial[keras.Model],
    weights: list[np.ndarray],
    loss: Callable,
    *,
    steps: int,
    config: TrainingConfig,
) -> keras.Model:
    """Build and compile a copy; the caller's model stays without an optimizer, which would be saved with it."""
    model = build()
    model.set_weights(weights)
    rate = config.learning_rate
    if config.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, config.epochs * steps)
    model.compile(type(keras.optimizers.get(config.optimizer))(rate), loss)
    # Building the variables now lets Keras trace the step once, not twice, which halves the time to the first step.
    model.optimizer.build(model.trainable_variables)
    return model


def _finish(folder: Path) -> None:
    """Check the losses, mark the training as finished and remove the states to resume from."""
    history = pd.read_csv(folder / HISTORY)
    if not np.isfinite(history["loss"]).all():
        raise TrainingError(f"{folder}: the loss is not a number; delete the folder and lower the learning rate")
    if not np.isfinite(history["val_loss"]).any():
        raise TrainingError(
            f"{folder}: the validation loss is not a number in any epoch, so none is best; delete the folder, check "
            "the labels or masks of the validation images, or lower the learning rate"
        )
    (folder / "finished").touch()
    for state in saved_states(folder):
        state.unlink()


def _best_model(model: keras.Model, folder: Path) -> tuple[keras.Model, pd.DataFrame]:
    model.load_weights(folder / BEST)
    return model, pd.read_csv(folder / HISTORY).drop(columns="seconds")


def read_histories(checkpoint_dir: Path, since: float) -> pd.DataFrame:
    """Read the histories of all trainings below a folder, with the time that each epoch took when it was first run.

    Args:
        checkpoint_dir: Folder with any number of trainings, including those of earlier configurations.
        since: Time as of ``time.time``; only trainings requested at or after it count, whether run or loaded.

    Returns:
        One row per epoch: ``training``, numbered in the order of the requests, ``epoch`` (from 0), ``loss``,
        ``val_loss``, ``learning_rate`` and ``seconds``, the duration of the epoch.
    """
    requested = {path: (path.parent / CONFIG).stat().st_mtime for path in checkpoint_dir.rglob(HISTORY)}
    paths = sorted((path for path in requested if requested[path] >= since), key=requested.__getitem__)
    columns = ["training", "epoch", "loss", "val_loss", "learning_rate", "seconds"]
    tables = [pd.read_csv(path).assign(training=number) for number, path in enumerate(paths)]
    return pd.concat(tables)[columns] if tables else pd.DataFrame(columns=columns)


def training_seconds(checkpoint_dir: Path, since: float) -> float:
    """Sum the durations of all epochs of the trainings below a folder, as measured when they were first run.

    Args:
        checkpoint_dir, since: As in :func:`read_histories`.

    Returns:
        Duration in seconds.
    """
    return float(read_histories(checkpoint_dir, since)["seconds"].sum())


def _claim(folder: Path, identity: dict) -> None:
    """Record which training owns the folder, or refuse the folder of another training."""
    folder.mkdir(parents=True, exist_ok=True)
    note, text = folder / CONFIG, json.dumps(identity, indent=1)
    if note.exists() and note.read_text(encoding="utf-8") != text:
        raise TrainingError(
            f"{folder}: holds a training with other settings, model or loss; give another folder, or delete this one"
        )
    files.write_text(note, text)
