"""Hyperparameter search on training and validation images, never on the test set."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd

from helpers import models, splits, training
from helpers.backend import keras
from helpers.datasets import Dataset
from helpers.learners.cross_validation import Learner, encode_labels
from helpers.splits import Fold

ACTIVATIONS = ("relu", "tanh", "elu")


def searched_head_learner(features: pd.DataFrame, *, seed: int, **options: Any) -> Learner:
    """Create a learner that trains :func:`helpers.models.regularised_head` on features with its authors' protocol.

    Args:
        features: a row per image, by ``image_id``; standardised with the mean and deviation of the training images.
        seed: random seed of initial weights and order.
        options: hyperparameters of the head.

    Raises:
        TrainingError: in training, a feature is not finite, or the validation loss was not in any epoch.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        head = _trained(dataset, features, fold, seed=seed, options=options)
        if not np.isfinite(head.loss):
            raise training.TrainingError(
                f"the validation loss of a head with {options} was not finite in any epoch; choose others"
            )
        return np.asarray(head.model(head.scaled(features.loc[ids]), training=False))

    return learn


def search_head(
    dataset: Dataset, features: pd.DataFrame, fold: Fold, *, n_trials: int, seed: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Search the five hyperparameters of the head (L1, L2, dropout, units, activation) for the lowest validation loss.

    Each trial trains on the training images and is evaluated on the validation images; the test images are not used.
    Optuna's tree-structured Parzen estimator proposes hyperparameters from the results of earlier trials.

    Args:
        dataset: images with labels.
        features: as in :func:`searched_head_learner`.
        fold: fold with the training and validation images to use.
        n_trials: number of trials, at least 1; the first has the authors' hyperparameters.
        seed: random seed of the sampler and of the trainings.

    Returns:
        The best hyperparameters, and a row per trial with ``trial``, ``loss`` and the five hyperparameters.

    Raises:
        ValueError: fewer than one trial, or a fold whose splits share groups.
        TrainingError: a feature is not finite, or the validation loss was not in any trial.
    """
    if n_trials < 1:
        raise ValueError(f"n_trials must be at least 1, got {n_trials}")
    if leaks := splits.find_leakage(dataset.frame, fold.split_of(dataset.frame.index)):
        raise ValueError(f"the splits of the fold share groups ({leaks[0]}); split by group")

    def validation_loss(trial: optuna.Trial) -> float:
        options = {
            "l1": trial.suggest_float("l1", 1e-6, 1e-1, log=True),
            "l2": trial.suggest_float("l2", 1e-6, 1e-1, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.7),
            "units": trial.suggest_int("units", 16, 512, log=True),
            "activation": trial.suggest_categorical("activation", ACTIVATIONS),
        }
        return _trained(dataset, features, fold, seed=seed, options=options).loss

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({"l1": 0.005945, "l2": 0.017184, "dropout": 0.5, "units": 256, "activation": "relu"})
    study.optimize(validation_loss, n_trials=n_trials)
    if not np.isfinite(study.best_value):
        raise training.TrainingError(
            f"the validation loss was not finite in any of {n_trials} trials; check the features for very large values"
        )
    return study.best_params, pd.DataFrame([_trial_row(trial) for trial in study.trials])


def _trial_row(trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
    assert trial.value is not None  # no trial is pruned, and none fails: the loss may be infinite, but is never NaN
    return {"trial": trial.number, "loss": round(trial.value, 4), **trial.params}


class _Head(NamedTuple):
    """Hold a trained classification head.

    Attributes:
        loss: lowest validation cross-entropy, without penalties; infinite if it was not finite in any epoch, so that a
            search rejects these hyperparameters and continues.
        model: maps scaled features to probabilities, with the weights of the best epoch.
        mean, std: mean and standard deviation of the features of the training images.
    """

    loss: float
    model: keras.Model
    mean: np.ndarray
    std: np.ndarray

    def scaled(self, features: pd.DataFrame) -> np.ndarray:
        return (features.to_numpy(np.float32) - self.mean) / self.std


def _trained(dataset: Dataset, features: pd.DataFrame, fold: Fold, *, seed: int, options: dict[str, Any]) -> _Head:
    _require_finite(features.loc[[*fold.train, *fold.val]])
    protocol, values = training.JSCHWXRZ, features.loc[fold.train].to_numpy(np.float32)
    training.seed_everything(seed)
    model = models.regularised_head(values.shape[1], len(dataset.classes), **options)
    head = _Head(np.inf, model, values.mean(0), np.maximum(values.std(0), 1e-6))
    model.compile(
        keras.optimizers.Adamax(protocol.learning_rate), models.cross_entropy, weighted_metrics=[models.cross_entropy]
    )
    model.optimizer.build(model.trainable_variables)
    train, validation = encode_labels(dataset, fold.train), encode_labels(dataset, fold.val)
    history = model.fit(
        head.scaled(features.loc[fold.train]),
        train,
        batch_size=protocol.batch_size,
        epochs=protocol.epochs,
        validation_data=(head.scaled(features.loc[fold.val]), validation),
        class_weight=dict(enumerate(training.class_weights(train, np.repeat("train", len(train))))),
        callbacks=_callbacks(protocol),
        verbose=0,
    )
    losses = np.nan_to_num(history.history["val_cross_entropy"], nan=np.inf)
    return head._replace(loss=float(losses.min()))


def _require_finite(features: pd.DataFrame) -> None:
    """Refuse features that are not finite: on some processors TensorFlow's fused layers turn NaN into 0."""
    damaged = features.index[~np.isfinite(features.to_numpy(np.float64)).all(axis=1)]
    if len(damaged):
        raise training.TrainingError(
            f"features of {len(damaged)} of {len(features)} images are not finite, first of {damaged[0]}; measure them "
            "again, or leave these images out"
        )


def _callbacks(protocol: training.TrainingConfig) -> list[keras.callbacks.Callback]:
    monitored = {"monitor": "val_cross_entropy", "mode": "min"}
    stop = keras.callbacks.EarlyStopping(
        min_delta=protocol.min_delta, patience=protocol.patience, restore_best_weights=True, **monitored
    )
    return [keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, **monitored), stop]
