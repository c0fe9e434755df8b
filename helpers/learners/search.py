"""Search for hyperparameters, on what is learnt from and never on the test."""

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
    """Train the head of :func:`helpers.models.regularised_head` on features, by its authors' protocol.

    Args:
        features: a row per image; each feature is brought to mean 0 and deviation 1 of the training images.
        seed: of weights and order.
        options: of the head.

    Raises:
        TrainingError: when learning, the validation loss was a number in no epoch.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        head = _trained(dataset, features, fold, seed=seed, options=options)
        if not np.isfinite(head.loss):
            raise training.TrainingError(f"the validation loss of a head with {options} is never a number; take others")
        return np.asarray(head.model(head.scaled(features.loc[ids]), training=False))

    return learn


def search_head(
    dataset: Dataset, features: pd.DataFrame, fold: Fold, *, n_trials: int, seed: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Search the five settings of the head with the least validation loss (penalties, dropout, nodes, activation).

    Each trial trains on the training images and is judged on the validation images; the test images are not used.
    Optuna's tree-structured Parzen estimator proposes, and knows the outcome of the trials before.

    Args:
        dataset: of images with labels.
        features: as in :func:`with_head`.
        fold: whose training and validation images are used.
        n_trials: how many settings to try, the authors' own first.
        seed: of the proposals and of the trainings.

    Returns:
        The best options, and a row per trial: ``trial``, ``loss`` and the five options.

    Raises:
        ValueError: fewer than one trial, or a fold whose splits share groups.
        TrainingError: the validation loss was a number in no trial.
    """
    if n_trials < 1 or splits.find_leakage(dataset.frame, fold.split_of(dataset.frame.index)):
        raise ValueError(f"a search needs a trial at least and a split by group; {n_trials} trials")

    def judge(trial: optuna.Trial) -> float:
        options = {
            "l1": trial.suggest_float("l1", 1e-6, 1e-1, log=True),
            "l2": trial.suggest_float("l2", 1e-6, 1e-1, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.7),
            "nodes": trial.suggest_int("nodes", 16, 512, log=True),
            "activation": trial.suggest_categorical("activation", ACTIVATIONS),
        }
        return _trained(dataset, features, fold, seed=seed, options=options).loss

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({"l1": 0.005945, "l2": 0.017184, "dropout": 0.5, "nodes": 256, "activation": "relu"})
    study.optimize(judge, n_trials=n_trials)
    if not np.isfinite(study.best_value):
        raise training.TrainingError(
            f"the validation loss was a number in none of {n_trials} trials; look at the features"
        )
    rows = [{"trial": t.number, "loss": round(t.value, 4)} | t.params for t in study.trials]
    return study.best_params, pd.DataFrame(rows)


class _Head(NamedTuple):
    """A trained head.

    Attributes:
        loss: least validation cross-entropy, penalties left out; infinite where it was a number in no epoch, so that a
            search goes on and leaves these options.
        model: with the weights of that epoch, from scaled features to probabilities.
        mean, std: of the training images, by which features are scaled.
    """

    loss: float
    model: keras.Model
    mean: np.ndarray
    std: np.ndarray

    def scaled(self, features: pd.DataFrame) -> np.ndarray:
        return (features.to_numpy(np.float32) - self.mean) / self.std


def _trained(dataset: Dataset, features: pd.DataFrame, fold: Fold, *, seed: int, options: dict[str, Any]) -> _Head:
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


def _callbacks(protocol: training.TrainingConfig) -> list[keras.callbacks.Callback]:
    watched = {"monitor": "val_cross_entropy", "mode": "min"}
    stop = keras.callbacks.EarlyStopping(
        min_delta=protocol.min_delta, patience=protocol.patience, restore_best_weights=True, **watched
    )
    return [keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, **watched), stop]
