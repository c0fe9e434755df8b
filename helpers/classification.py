"""A classifier of one's own: trained with a card that says what it is, and applied to a folder of images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import cards, crossvalidation, files, images, metrics, models, splits, training
from helpers.augmentation import Augmentation
from helpers.backend import keras
from helpers.datasets import Dataset
from helpers.errors import LeukobookError

# By name: the network, the side of its images in pixels, how it is trained.
NETWORKS = {
    "encoder": (partial(models.encoder, 12), 128, training.Settings(epochs=30, rate=2e-3, batch=8)),
    "schouten": (models.schouten, 257, replace(training.SCHOUTEN_BINARY, epochs=100, patience=20)),
}
HOW = Augmentation(turn=180, zoom=0.1, light=0.1)
FOLDS = 5


class ClassifierError(LeukobookError):
    """Something that keeps a training or a prediction from starting; the message says what to do."""


def train(
    dataset: Dataset,
    network: str,
    positive: str,
    sensitivity: float,
    epochs: int,
    seed: int,
    model_path: Path,
    strategy: str = "",
    batch: int = 0,
    assurance: float | None = None,
) -> tuple[dict[str, Any], list[metrics.Alarm]] | None:
    """Train a network on three of five folds by group, choose on the fourth, test on the fifth, save model and card.

    Args:
        dataset: images of two classes or more.
        network: one of :data:`NETWORKS`.
        positive: the class that must not be missed; for two classes a threshold is chosen for it.
        sensitivity: wanted on the validation images.
        epochs: at most; 0 for the network's own.
        seed: of folds, weights, order and augmentation.
        model_path: ends in ``.keras``; the card goes beside it as ``.json`` and ``.md``, and the state of the
            training into a folder of its own, so that a killed training goes on.
        strategy: several devices or machines, as in :class:`helpers.training.Settings`.
        batch: images in a step, over all devices; 0 for the network's own.
        assurance: wanted probability that new images reach the sensitivity, see :func:`helpers.metrics.threshold_for`.

    Returns:
        The card, and the alarms that the evaluation raised; nothing where another machine does the rest.

    Raises:
        ClassifierError: an unknown network or class, another suffix, or a sensitivity or assurance out of range.
        StrategyError: ``strategy`` cannot be used here.
    """
    if strategy:
        training.strategy(strategy)  # before anything else is done with TensorFlow
    if network not in NETWORKS:
        raise ClassifierError(f"{network}: no such network; there are {', '.join(NETWORKS)}")
    if positive not in dataset.classes:
        raise ClassifierError(f"{positive}: not a class of {dataset.name}, which has {', '.join(dataset.classes)}")
    if model_path.suffix != ".keras":
        raise ClassifierError(f"{model_path}: a model is saved as .keras")
    if not 0 < sensitivity <= 1 or (assurance is not None and not 0 < assurance < 1):
        raise ClassifierError(
            f"sensitivity {sensitivity} must be above 0 up to 1, assurance {assurance} between 0 and 1"
        )
    build, size, settings = NETWORKS[network]
    epochs, batch = epochs or settings.epochs, batch or settings.batch
    settings = replace(settings, seed=seed, epochs=epochs, batch=batch, strategy=strategy)
    fold = splits.folds(dataset.frame, FOLDS, seed)
    part = splits.rotation(fold, 0)
    pictures, labels = dataset.images(size), crossvalidation.codes(dataset)
    model_path.parent.mkdir(parents=True, exist_ok=True)
    model, history = training.fit_classifier(
        partial(build, classes=len(dataset.classes)),
        pictures,
        labels,
        part,
        settings,
        HOW,
        model_path.with_suffix(".training"),
        balance=True,
    )
    if not training.is_first(strategy):
        return None
    tables = {}
    for name in ("validation", "test"):
        at = (part == name).to_numpy()
        said = models.predict_classes(model, pictures[at], eight_views=True)
        tables[name] = metrics.predictions(dataset.frame[at], said, dataset.classes, 0)
    threshold = metrics.threshold_for(tables["validation"], positive, sensitivity, assurance)
    learnt_from = metrics.input_statistics(pictures[(part == "train").to_numpy()])
    alarms = metrics.all_alarms(
        tables["test"],
        positive,
        threshold.value,
        dataset.frame,
        part,
        pictures[(part == "test").to_numpy()],
        learnt_from,
        seed,
    )
    card = {
        "purpose": "teaching and research; not for diagnosis",
        "network": network,
        "classes": list(dataset.classes),
        "positive": positive,
        "threshold": threshold.value,
        "sensitivity_wanted": sensitivity,
        "sensitivity_expected": threshold.expected,
        "sensitivity_assurance": threshold.assurance,
        "size": size,
        "input": learnt_from,
        "data": {"name": dataset.public_name, "title": dataset.card.title, "sha256": dataset.fingerprint()},
        "split": f"{FOLDS} folds by group ({dataset.card.unit}); fold 0 tested, fold 1 chose epoch and threshold",
        "parts": {
            name: {"images": len(rows), "groups": int(rows["group"].nunique())}
            for name, rows in dataset.frame.groupby(part)
        },
        "test": _scores(tables["test"], positive, threshold.value, seed),
        "alarms": [str(alarm) for alarm in alarms],
        "seed": seed,
        "settings": asdict(settings),
        "epochs_run": len(history),
        "versions": {"keras": keras.__version__},
    }
    with files.whole(model_path) as part_path:
        model.save(part_path)
    files.write_text(model_path.with_suffix(".json"), json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    files.write_text(model_path.with_suffix(".md"), cards.model_card(card))
    return card, alarms


def _scores(test: pd.DataFrame, positive: str, threshold: float, seed: int) -> dict[str, Any]:
    rows = metrics.rates(test, positive, threshold, seed).set_index("measure")
    rows.loc["AUC"] = metrics.roc_auc(test, positive, seed).row("value")
    return json.loads(rows.to_json(orient="index"))  # NaN, where there is one group only, becomes null


def load(model_path: Path) -> tuple[keras.Model, dict[str, Any]]:
    """A model and its card; nothing in either file is executed.

    Raises:
        ClassifierError: one of the files is missing, the card is damaged, or they do not belong together.
        helpers.models.ModelError: the model cannot be read.
    """
    card_path = model_path.with_suffix(".json")
    for path in (model_path, card_path):
        if not path.is_file():
            raise ClassifierError(f"{path}: no such file; `python -m helpers train` writes a model and its card")
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
        classes, input_seen = list(card["classes"]), card["input"]
        float(card["threshold"]), int(card["size"]), input_seen["low"], input_seen["high"], input_seen["mean"]
        if card["positive"] not in classes:
            raise ValueError(f"{card['positive']} is not one of its classes")
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ClassifierError(f"{card_path}: not the card of a model ({error!r})") from None
    model = models.load(model_path)
    if model.output_shape != (None, len(classes)):
        raise ClassifierError(f"{model_path}: gives {model.output_shape}, but its card has {len(classes)} classes")
    return model, card


def predict(
    paths: list[Path], model: keras.Model, card: dict[str, Any], target: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Classify images and write a table: ``image``, a column ``p_<class>`` per class, ``called`` and ``threshold``.

    Args:
        paths: of the images.
        model, card: from :func:`load`.
        target: the CSV file.

    Returns:
        The table, and what was wrong with images that could not be read.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    bad: list[str] = []
    parts = list(_predicted(paths, model, card, bad))
    columns = [metrics.PREFIX + name for name in card["classes"]]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["image", *columns, "called"])
    table["threshold"] = card["threshold"]
    files.write_text(target, table.to_csv(index=False, float_format="%.9g"))
    return table, bad


def _predicted(paths: list[Path], model: keras.Model, card: dict[str, Any], bad: list[str]) -> Iterator[pd.DataFrame]:
    classes, positive = card["classes"], card["positive"]
    for read in images.read_batches(paths, bad, "classifying"):
        pictures = np.stack([images.resize(image, card["size"]) for _, image in read])
        bad.extend(str(alarm) for alarm in metrics.another_input(pictures, card["input"]))
        said = models.predict_classes(model, pictures, eight_views=True)
        table = pd.DataFrame(said, columns=[metrics.PREFIX + name for name in classes])
        table.insert(0, "image", [path.name for path, _ in read])
        called = np.array(classes)[said.argmax(1)]
        if len(classes) == 2:
            other = next(name for name in classes if name != positive)
            called = np.where(said[:, classes.index(positive)] >= card["threshold"], positive, other)
        yield table.assign(called=called)
