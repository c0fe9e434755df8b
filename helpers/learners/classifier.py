"""Train a classifier on a dataset of one's own, test it once, and save it with a model card.

Before the first epoch the output paths are checked (200 MB must be free), and each split must have the classes that it
needs. Limits: 1 to 10,000 epochs, batch sizes from 1 to 4,096, seeds from 0 to 4,294,967,295.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from helpers import checks, files, metrics, models, outputs, splits, training
from helpers.augmentation import Augmentation
from helpers.backend import keras
from helpers.datasets import Dataset, refuse_single_class, refuse_unknown_class
from helpers.errors import LeukobookError
from helpers.learners import cross_validation
from helpers.learners.referral import calibrate_reference, calibrate_sets, measure_features
from helpers.models import loading, model_card
from helpers.models.card_sections import MetricRecord, metric_records
from helpers.reports import cards
from helpers.splits import Fold


class Network(NamedTuple):
    """Describe a network that can be trained.

    Attributes:
        build: function of the number of ``classes`` that returns the untrained model.
        size: image side, pixels.
        config: default training configuration.
    """

    build: Callable[..., keras.Model]
    size: int
    config: training.TrainingConfig


# Networks by name.
NETWORKS = {
    "encoder": Network(
        partial(models.unet_encoder_classifier, 12),
        128,
        training.TrainingConfig(epochs=30, learning_rate=2e-3, batch_size=8),
    ),
    "schouten": Network(models.schouten, 257, replace(training.SCHOUTEN_BINARY, epochs=100, patience=20)),
}
AUGMENTATION = Augmentation(rotation=180, zoom=0.1, brightness=0.1)
FOLDS = 5
# Minimum and maximum, inclusive; 0 epochs or a batch size of 0 select the network's default.
LIMITS = {"epochs": (0, 10_000), "batch": (0, 4096), "seed": (0, 2**32 - 1)}


class ClassifierError(LeukobookError):
    """Report options or data that prevent training; the message has the remedy."""


def train(
    dataset: Dataset,
    network: str,
    positive: str,
    *,
    sensitivity: float,
    epochs: int,
    seed: int,
    model_path: Path,
    strategy: str = "",
    batch_size: int = 0,
    assurance: float | None = None,
) -> tuple[model_card.ModelCard, list[checks.Finding]] | None:
    """Train a classifier on three of five group folds, choose epoch and threshold on the fourth, test on the fifth.

    Model and model card are saved.

    Args:
        dataset: images of two or more classes.
        network: a name of :data:`NETWORKS`.
        positive: the class that must not be missed, for which the threshold is chosen.
        sensitivity: target sensitivity on the validation set, above 0 up to 1.
        epochs: maximum number of epochs; 0 for the network's default.
        seed: random seed of folds, initial weights, order and augmentation.
        model_path: path of the model, ``*.keras``; the card is written beside it as ``.json`` and ``.md``, and
            checkpoints into a folder ``*.training``, from which an interrupted training resumes. ``~`` is expanded.
        strategy: distribution over devices or machines, as in :class:`helpers.training.TrainingConfig`.
        batch_size: images per step, over all devices; 0 for the network's default.
        assurance: target probability that new images reach the sensitivity, see
            :func:`helpers.metrics.threshold_at_sensitivity`.

    Returns:
        The model card and the findings of the checks; ``None`` on a machine that is not the chief of a distributed
        training.

    Raises:
        ClassifierError: an unknown network, a suffix other than ``.keras``, a value out of range, or a split
            without a class that it needs.
        DatasetError: all images are of one class, or the positive class is unknown.
        OutputError: model, card or checkpoints cannot be written.
        StrategyError: ``strategy`` is not available on this machine.
    """
    if strategy:
        training.get_strategy(strategy)  # before anything else is done with TensorFlow
    check_options(network, sensitivity, assurance, numbers={"epochs": epochs, "batch": batch_size, "seed": seed})
    refuse_unknown_class(dataset.public_name, positive, dataset.classes)
    build, size, config = NETWORKS[network]
    epochs, batch_size = epochs or config.epochs, batch_size or config.batch_size
    config = replace(config, seed=seed, epochs=epochs, batch_size=batch_size, strategy=strategy)
    if "split" in dataset.frame:
        warnings.warn(
            f"{dataset.name}: the split of this dataset is not used; train splits by group anew",
            stacklevel=2,
        )
    split = _split(dataset, positive, seed).split_of(dataset.frame.index)
    model_path = checked_outputs(model_path)
    pictures = dataset.load_images(size)
    model_path.parent.mkdir(parents=True, exist_ok=True)
    model, history = training.fit_classifier(
        partial(build, classes=len(dataset.classes)),
        pictures,
        cross_validation.encode_labels(dataset),
        split=split.to_numpy(),
        config=config,
        augmentation=AUGMENTATION,
        checkpoint_dir=model_path.with_suffix(".training"),
        class_weight="balanced",
    )
    if not training.is_chief(strategy):
        return None
    is_in = {name: (split == name).to_numpy() for name in splits.SPLITS}
    predicted = {}
    for name in ("validation", "test"):
        probabilities = models.predict_proba(model, pictures[is_in[name]], tta=True)
        predicted[name] = metrics.prediction_table(dataset.frame[is_in[name]], probabilities, dataset.classes, fold=0)
    threshold = metrics.threshold_at_sensitivity(predicted["validation"], positive, sensitivity, assurance=assurance)
    training_images = dataset.select(dataset.frame.index[is_in["train"]])
    measured = measure_features(training_images, size)
    train_statistics = checks.input_statistics(pictures[is_in["train"]])
    findings = checks.run_checks(
        predicted["test"],
        positive,
        threshold.value,
        dataset.frame,
        split,
        pictures[is_in["test"]],
        train_statistics,
        seed,
    )
    card = {
        "purpose": model_card.PURPOSE,
        "model_type": "cnn",
        "network": network,
        "classes": list(dataset.classes),
        "positive": positive,
        "threshold": threshold.value,
        "sensitivity_wanted": sensitivity,
        "sensitivity_expected": threshold.expected,
        "sensitivity_assurance": threshold.assurance,
        "size": size,
        "input": train_statistics,
        "scale": _scale(training_images, pictures[is_in["train"]]),
        "prediction_sets": calibrate_sets(pd.concat(predicted.values())),  # more groups than the validation set has
        "reference": calibrate_reference(measured, training_images.frame, seed),
        "data": {"name": dataset.public_name, "title": dataset.card.title, "sha256": dataset.fingerprint()},
        "split": f"{FOLDS} folds by group ({dataset.card.independent_unit}); "
        "fold 0 tested, fold 1 chose epoch and threshold",
        "split_sizes": {
            name: {"images": len(rows), "groups": int(rows["group"].nunique())}
            for name, rows in dataset.frame.groupby(split)
        },
        "test": _scores(predicted["test"], positive, threshold.value, seed=seed),
        "findings": [str(finding) for finding in findings],
        "seed": seed,
        "config": asdict(config),
        "epochs_run": len(history),
        "versions": {"keras": keras.__version__},
    }
    return save(model, card, model_path), findings


def check_options(network: str, sensitivity: float, assurance: float | None, *, numbers: dict[str, int]) -> None:
    """Check the options of a training.

    Args:
        network: a name of :data:`NETWORKS`.
        sensitivity: target sensitivity, above 0 up to 1.
        assurance: target probability of reaching it, between 0 and 1; or ``None``.
        numbers: values of :data:`LIMITS` by name.

    Raises:
        ClassifierError: an unknown network, or a value out of range.
    """
    if network not in NETWORKS:
        raise ClassifierError(f"unknown network {network!r}; choose from {', '.join(NETWORKS)}")
    if not 0 < sensitivity <= 1 or (assurance is not None and not 0 < assurance < 1):
        raise ClassifierError(
            f"sensitivity {sensitivity} must be above 0 up to 1, assurance {assurance} between 0 and 1"
        )
    for name, value in numbers.items():
        low, high = LIMITS[name]
        if not low <= value <= high:
            raise ClassifierError(f"{name} must be from {low} to {high}, got {value}")


def _scale(dataset: Dataset, pictures: np.ndarray) -> dict[str, Any] | None:
    nuclei = checks.NucleusShares(len(pictures))
    nuclei.add(pictures)
    return checks.scale_statistics(nuclei.shares, dataset.image_sizes())


def _split(dataset: Dataset, positive: str, seed: int) -> Fold:
    """Split by group, and require all classes in the training set, the positive and another in validation and test."""
    frame = dataset.frame
    refuse_single_class(dataset.name, frame)
    fold = splits.split_for_fold(splits.group_folds(frame, FOLDS, seed), 0)
    others = [name for name in dataset.classes if name != positive]
    for name, ids, number in (("train", fold.train, "2 to 4"), ("validation", fold.val, "1"), ("test", fold.test, "0")):
        rows = frame.loc[ids]
        has = set(rows["label"])
        lacking = [one for one in dataset.classes if one not in has]
        if name != "train":
            lacking = [positive] if positive not in has else others if len(has) < 2 else []
        if lacking:
            groups = frame.loc[frame["label"].isin(lacking), "group"].nunique()
            raise ClassifierError(
                f"{dataset.name}: the {name} images (fold {number}) are {_counts(rows)} of "
                f"{rows['group'].nunique()} groups, none is {' or '.join(lacking)}, which {groups} groups have; "
                f"add patients with {' or '.join(lacking)}, at least {FOLDS} in all, or try another --seed"
            )
    return fold


def _counts(rows: pd.DataFrame) -> str:
    return ", ".join(f"{number} {label}" for label, number in rows["label"].value_counts().items()) or "none"


def checked_outputs(model_path: Path) -> Path:
    """Check that model, card and checkpoints can be written; return the path of the model with ``~`` expanded.

    Args:
        model_path: path of the model, ``*.keras``.

    Raises:
        ClassifierError: another suffix.
        OutputError: something cannot be written.
    """
    if model_path.suffix != ".keras":
        raise ClassifierError(f"{model_path}: the name of a model must end in .keras")
    model_path = outputs.require_file(model_path)
    for suffix in (".json", ".md"):
        outputs.require_file(model_path.with_suffix(suffix))
    outputs.require_folder(model_path.with_suffix(".training"))
    return model_path


def save(model: keras.Model, fields: dict[str, Any], model_path: Path) -> model_card.ModelCard:
    """Write the model, then the card with its SHA-256, so that an old card never passes for that of a new model.

    Args:
        model: trained model.
        fields: fields of :class:`helpers.models.model_card.ModelCard` without ``sha256``.
        model_path: path of the model; the card is written beside it.
    """
    with files.atomic_write(model_path) as part_path:
        model.save(part_path)
        card = model_card.ModelCard(**fields, sha256=loading.file_digest(part_path))
    write_card(card, model_path)
    return card


def write_card(card: model_card.ModelCard, model_path: Path) -> None:
    """Write a model card beside its model, as JSON and as Markdown."""
    content = json.dumps(card.model_dump(), indent=1, ensure_ascii=False) + "\n"
    files.write_text(model_path.with_suffix(".json"), content)
    files.write_text(model_path.with_suffix(".md"), cards.model_card(card))


def _scores(test: pd.DataFrame, positive: str, threshold: float, *, seed: int) -> dict[str, MetricRecord]:
    rows = metrics.binary_metrics(test, positive, threshold, seed=seed).set_index("measure")
    rows.loc["AUC"] = metrics.roc_auc(test, positive, seed).row("value")
    return metric_records(rows.reset_index())
