"""Classify a user's images into a table of probabilities, with checks for shift from the training images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from helpers import files, images, metrics, models, outputs
from helpers.backend import keras
from helpers.datasets import DatasetError
from helpers.datasets.groups import read_groups
from helpers.models import feature_model, loading, model_card
from helpers.models.feature_model import FeatureModel
from helpers.models.model_card import ModelCard
from helpers.prediction.groups import aggregate_groups, group_table_path
from helpers.prediction.referral import measure_features, refer
from helpers.prediction.shift import InputShift
from helpers.reports import tables

ROW_BYTES = 1024  # free disk space required per image; a row of the table mostly takes a tenth of it
Classifier: TypeAlias = keras.Model | FeatureModel


def load(model_path: Path) -> tuple[Classifier, ModelCard]:
    """Load a classifier and its model card; no code in either file is executed.

    Args:
        model_path: ``.keras`` or ``.features`` file with its card beside it as ``.json``.

    Raises:
        CardError: the card is missing, damaged or belongs to another model.
        ModelError: the model is unreadable, or its input or output shape differs from its card.
    """
    model_path = loading.require_file(model_path, (".keras", feature_model.SUFFIX))
    card = model_card.read_card(model_path.with_suffix(".json"), ModelCard, model_path)
    if model_path.suffix == feature_model.SUFFIX:
        return _require_classes(feature_model.read_feature_model(model_path), model_path, card), card
    model = loading.load_model_file(model_path)
    expected = (len(card.classes),) if len(card.classes) > 2 else (1, 2)
    if len(model.outputs) != 1 or len(model.output_shape) != 2 or model.output_shape[1] not in expected:
        raise loading.ModelError(
            f"{model_path}: predicts {model.output_shape}, but its card has {len(card.classes)} classes"
        )
    loading.require_input(model, model_path, card.size)
    return model, card


def _require_classes(model: FeatureModel, path: Path, card: ModelCard) -> FeatureModel:
    if model.n_classes != len(card.classes):
        raise loading.ModelError(f"{path}: predicts {model.n_classes} classes, but its card has {len(card.classes)}")
    return model


@dataclass(frozen=True)
class PredictionResult:
    """Result of :func:`helpers.prediction.predict`.

    Attributes:
        table: predictions, one row per readable image.
        paths: path of each image of ``table``.
        bad: one message per unreadable image.
        findings: differences between the images as a whole and the training images.
        skipped: number of skipped files, which commands have written.
        per_group: predictions per group, see :func:`helpers.prediction.aggregate_groups`; ``None`` without groups.
    """

    table: pd.DataFrame
    paths: list[Path]
    bad: list[str]
    findings: list[str]
    skipped: int
    per_group: pd.DataFrame | None


def predict(
    paths: Sequence[Path],
    model: Classifier,
    card: ModelCard,
    output: Path,
    *,
    folder: Path | None = None,
    groups_table: Path | None = None,
) -> PredictionResult:
    """Classify images with test-time augmentation and write the predictions as CSV.

    The columns are ``image``, ``p_<class>`` for each class, ``predicted_class``, those of
    :func:`helpers.prediction.referral.refer`, and ``threshold``. An image is predicted as the positive class
    from the threshold on, and otherwise as the most probable of the other classes. With groups, the column ``group``
    follows ``image``, and a table per group is written beside that of the images.

    Args:
        paths: paths of the images; files named like outputs of commands are skipped.
        model: classifier from :func:`helpers.prediction.load`.
        card: model card from :func:`helpers.prediction.load`.
        output: CSV file to write.
        folder: folder that image names in the tables are relative to; by default the lowest common folder.
        groups_table: table with the columns ``image`` and ``group``, see :mod:`helpers.datasets.groups`.

    Raises:
        OutputError: the file is not writable or its name does not end in ``.csv``, less than 1 MiB plus
            1 KiB per image is free on its disk, or all images are outputs of commands.
        DatasetError: the table of groups is no such table, lacks an image, or has one that does not exist or occurs
            twice.
        ImageError: no image is readable; an earlier table is kept.
        ModelError: an output of the model is not a probability.
    """
    if output.suffix.lower() != ".csv":
        raise outputs.OutputError(f"{output}: the table is CSV; use a name that ends in .csv")
    output = outputs.require_file(output, needed=outputs.MIB + len(paths) * ROW_BYTES)
    chosen = outputs.without_own_images(paths)
    names = dict(zip(chosen, outputs.relative_names(chosen, folder), strict=True))
    groups = _read_groups(groups_table, names.values(), folder) if groups_table else None
    output.parent.mkdir(parents=True, exist_ok=True)
    bad: list[str] = []
    shift = InputShift(card, len(chosen))
    predictions = list(_predict_batches(chosen, model, card, shift, bad))
    if not predictions:
        raise images.ImageError(images.describe_unreadable(bad))
    table = pd.concat(predictions, ignore_index=True)
    readable = list(table["image"])
    table["image"] = [names[path] for path in readable]
    table["threshold"] = card.threshold
    per_group = None
    if groups is not None:
        per_group = aggregate_groups(table, groups, card)
        table.insert(1, "group", table["image"].map(groups))
        _write(per_group, group_table_path(output))
    _write(table, output)
    return PredictionResult(table, readable, bad, shift.findings(), len(paths) - len(chosen), per_group)


def _read_groups(table: Path, names: Iterable[str], folder: Path | None) -> dict[str, str]:
    try:
        return read_groups(table, names, folder)
    except DatasetError as error:
        if not error.missing:
            raise
        raise DatasetError(f"{table}: no such file; give a table with the columns image and group") from None


def _write(table: pd.DataFrame, path: Path) -> None:
    files.write_text(path, tables.safe_text(table).to_csv(index=False, float_format="%.9g"))


def predict_probabilities(model: Classifier, resized: np.ndarray) -> np.ndarray:
    """Predict class probabilities of images ``uint8 (n, size, size, 3)``, ``float (n, classes)``.

    Args:
        model: network, which predicts with test-time augmentation, or classifier of hand-crafted features.
        resized: images in the size of the model.
    """
    if isinstance(model, keras.Model):
        return models.predict_proba(model, resized, tta=True)
    return model.predict_proba(resized)


def predict_batch(resized: np.ndarray, model: Classifier, card: ModelCard) -> pd.DataFrame:
    """Classify images, and say which of them should be referred to an expert.

    Args:
        resized: images in the size of the model, ``uint8 (n, size, size, 3)`` RGB.
        model: classifier from :func:`helpers.prediction.load`.
        card: model card from :func:`helpers.prediction.load`.

    Returns:
        Columns ``p_<class>`` for each class, ``predicted_class`` and those of
        :func:`helpers.prediction.referral.refer`, a row per image.

    Raises:
        ModelError: an output of the model is not a probability.
    """
    features = measure_features(resized) if card.reference or isinstance(model, FeatureModel) else None
    if isinstance(model, FeatureModel) and features is not None:  # once for both
        probabilities = model.predict_from_features(features[model.features].to_numpy())
    else:
        probabilities = predict_probabilities(model, resized)
    table = pd.DataFrame(probabilities, columns=[metrics.PREFIX + name for name in card.classes])
    predicted = metrics.predicted_classes(table, positive=card.positive, threshold=card.threshold)
    return table.assign(predicted_class=predicted).join(refer(table, card.prediction_sets, card.reference, features))


def _predict_batches(
    paths: Sequence[Path], model: Classifier, card: ModelCard, shift: InputShift, bad: list[str]
) -> Iterator[pd.DataFrame]:
    for batch in images.read_batches(list(paths), bad, "classifying"):
        resized = np.stack([images.resize_pad(image, card.size) for _, image in batch])
        shift.add(resized)
        try:
            table = predict_batch(resized, model, card)
        except loading.ModelError as error:
            raise loading.ModelError(f"{batch[0][0]}: {error}") from None
        table.insert(0, "image", [path for path, _ in batch])
        yield table
