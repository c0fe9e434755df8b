"""Search for hyperparameters, on what is learnt from and never on the test."""

from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pandas as pd

from helpers import models, splits, training
from helpers.backend import keras
from helpers.crossvalidation import Learner, codes
from helpers.datasets import Dataset

ACTIVATIONS = ("relu", "tanh", "elu")


def with_head(dataset: Dataset, features: pd.DataFrame, seed: int, **options: Any) -> Learner:
    """Learns with the head of :func:`helpers.models.jschwxrz_head` on features, by its authors' protocol.

    Args:
        dataset: to learn.
        features: a row per image of the dataset; each is brought to mean 0 and deviation 1 of the training images.
        seed: of weights and order.
        options: of the head.

    Raises:
        TrainingError: when learning, the validation loss was a number in no epoch.
    """
    values, labels = features.loc[dataset.frame.index].to_numpy(np.float32), codes(dataset)

    def learn(part: pd.Series) -> np.ndarray:
        loss, said = _trained(values, labels, len(dataset.classes), part, seed, options)
        if not np.isfinite(loss):
            raise training.TrainingError(f"the validation loss of a head with {options} is never a number; take others")
        return said

    return learn


def search_head(
    dataset: Dataset, features: pd.DataFrame, part: pd.Series, trials: int, seed: int
) -> tuple[dict[str, Any], pd.DataFrame]:
    """The five settings of the head that give the least validation loss (penalties, dropout, nodes, activation).

    Each trial learns from the images of ``train`` and is judged on those of ``validation``; the test takes no part.
    Optuna's tree-structured Parzen estimator proposes, and knows the outcome of the trials before.

    Args:
        dataset, features: as in :func:`with_head`.
        part: ``train``, ``validation`` and ``test`` of every image.
        trials: how many settings to try, the authors' own first.
        seed: of the proposals and of the trainings.

    Returns:
        The best options, and a row per trial: ``trial``, ``loss`` and the five options.

    Raises:
        ValueError: fewer than one trial, or a split that shares groups between parts.
        TrainingError: the validation loss was a number in no trial.
    """
    if trials < 1 or splits.audit(dataset.frame, part):
        raise ValueError(f"a search needs a trial at least and a split by group; {trials} trials")
    values, labels = features.loc[dataset.frame.index].to_numpy(np.float32), codes(dataset)

    def judge(trial: optuna.Trial) -> float:
        options = {
            "l1": trial.suggest_float("l1", 1e-6, 1e-1, log=True),
            "l2": trial.suggest_float("l2", 1e-6, 1e-1, log=True),
            "dropout": trial.suggest_float("dropout", 0.0, 0.7),
            "nodes": trial.suggest_int("nodes", 16, 512, log=True),
            "activation": trial.suggest_categorical("activation", ACTIVATIONS),
        }
        return _trained(values, labels, len(dataset.classes), part, seed, options)[0]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({"l1": 0.005945, "l2": 0.017184, "dropout": 0.5, "nodes": 256, "activation": "relu"})
    study.optimize(judge, n_trials=trials)
    if not np.isfinite(study.best_value):
        raise training.TrainingError(
            f"the validation loss was a number in none of {trials} trials; look at the features"
        )
    rows = [{"trial": t.number, "loss": round(t.value, 4)} | t.params for t in study.trials]
    return study.best_params, pd.DataFrame(rows)


def _trained(
    values: np.ndarray, labels: np.ndarray, classes: int, part: pd.Series, seed: int, options: dict[str, Any]
) -> tuple[float, np.ndarray]:
    """Least validation cross-entropy, penalties left out, and what the model of that epoch says of all images.

    The loss is infinite where it was a number in no epoch, so that a search goes on and leaves these options.
    """
    protocol = training.JSCHWXRZ
    train, validation = ((part == name).to_numpy() for name in ("train", "validation"))
    mean, deviation = values[train].mean(0), np.maximum(values[train].std(0), 1e-6)
    scaled = (values - mean) / deviation
    training.seed_everything(seed)
    model = models.jschwxrz_head(values.shape[1], classes, **options)
    model.compile(keras.optimizers.Adamax(protocol.rate), models.cross_entropy, weighted_metrics=[models.cross_entropy])
    model.optimizer.build(model.trainable_variables)
    watched = {"monitor": "val_cross_entropy", "mode": "min"}
    callbacks = [
        keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=1, **watched),
        keras.callbacks.EarlyStopping(
            min_delta=protocol.least_gain, patience=protocol.patience, restore_best_weights=True, **watched
        ),
    ]
    history = model.fit(
        scaled[train],
        labels[train],
        batch_size=protocol.batch,
        epochs=protocol.epochs,
        validation_data=(scaled[validation], labels[validation]),
        class_weight=dict(enumerate(training.class_weights(labels, part))),
        callbacks=callbacks,
        verbose=0,
    )
    losses = np.nan_to_num(history.history["val_cross_entropy"], nan=np.inf)
    return float(losses.min()), np.asarray(model(scaled, training=False))
