"""Classify a user's images into a table of probabilities, with checks for shift from the training images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import checks, files, images, metrics, models, outputs
from helpers.backend import keras
from helpers.models import loading, model_card
from helpers.models.model_card import ModelCard
from helpers.reports import tables

ROW_BYTES = 1024  # free disk space required per image; a row of the table mostly takes a tenth of it


def load(model_path: Path) -> tuple[keras.Model, ModelCard]:
    """Load a classifier and its model card; no code in either file is executed.

    Args:
        model_path: ``.keras`` file with its card beside it as ``.json``.

    Raises:
        CardError: the card is missing, damaged or belongs to another model.
        ModelError: the model is unreadable, or its input or output shape differs from its card.
    """
    model_path = loading.require_file(model_path)
    card = model_card.read_card(model_path.with_suffix(".json"), ModelCard, model_path)
    model = loading.load_model_file(model_path)
    expected = (len(card.classes),) if len(card.classes) > 2 else (1, 2)
    if len(model.outputs) != 1 or len(model.output_shape) != 2 or model.output_shape[1] not in expected:
        raise loading.ModelError(
            f"{model_path}: predicts {model.output_shape}, but its card has {len(card.classes)} classes"
        )
    loading.require_input(model, model_path, card.size)
    return model, card


@dataclass(frozen=True)
class PredictionResult:
    """Result of :func:`predict`.

    Attributes:
        table: predictions, one row per readable image.
        bad: one message per unreadable image.
        findings: differences between the images as a whole and the training images.
    """

    table: pd.DataFrame
    bad: list[str]
    findings: list[str]


def predict(
    paths: Sequence[Path], model: keras.Model, card: ModelCard, output: Path, *, folder: Path | None = None
) -> PredictionResult:
    """Classify images with test-time augmentation and write the predictions as CSV.

    The columns are ``image``, ``p_<class>`` for each class, ``predicted_class`` and ``threshold``.

    Args:
        paths: paths of the images.
        model: classifier from :func:`load`.
        card: model card from :func:`load`.
        output: CSV file to write.
        folder: folder that image names in the table are relative to; by default the lowest common folder.

    Raises:
        OutputError: the file is not writable or its name does not end in ``.csv``, or less than 1 MiB plus
            :data:`ROW_BYTES` per image is free on its disk.
        ImageError: no image is readable; an earlier table is kept.
        ModelError: an output of the model is not a probability.
    """
    if output.suffix.lower() != ".csv":
        raise outputs.OutputError(f"{output}: the table is CSV; use a name that ends in .csv")
    output = outputs.require_file(output, needed=outputs.MIB + len(paths) * ROW_BYTES)
    output.parent.mkdir(parents=True, exist_ok=True)
    bad: list[str] = []
    statistics = checks.InputStatistics()
    names = dict(zip(paths, outputs.relative_names(paths, folder), strict=True))
    predictions = list(_predict_batches(paths, model, card, statistics, bad))
    if not predictions:
        raise images.ImageError(images.describe_unreadable(bad))
    table = pd.concat(predictions, ignore_index=True)
    table["image"] = [names[path] for path in table["image"]]
    table["threshold"] = card.threshold
    files.write_text(output, tables.safe_text(table).to_csv(index=False, float_format="%.9g"))
    findings = [
        str(finding) for finding in checks.check_input_statistics(statistics.summary(), card.input.model_dump())
    ]
    return PredictionResult(table, bad, findings)


def _predict_batches(
    paths: Sequence[Path], model: keras.Model, card: ModelCard, statistics: checks.InputStatistics, bad: list[str]
) -> Iterator[pd.DataFrame]:
    classes, positive = card.classes, card.positive
    for batch in images.read_batches(list(paths), bad, "classifying"):
        resized = np.stack([images.resize_pad(image, card.size) for _, image in batch])
        statistics.add(resized)
        try:
            probabilities = models.predict_proba(model, resized, tta=True)
        except loading.ModelError as error:
            raise loading.ModelError(f"{batch[0][0]}: {error}") from None
        table = pd.DataFrame(probabilities, columns=[metrics.PREFIX + name for name in classes])
        table.insert(0, "image", [path for path, _ in batch])
        predicted = np.array(classes)[probabilities.argmax(1)]
        if len(classes) == 2:
            other = next(name for name in classes if name != positive)
            predicted = np.where(probabilities[:, classes.index(positive)] >= card.threshold, positive, other)
        yield table.assign(predicted_class=predicted)
