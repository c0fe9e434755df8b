"""Prepare a detector from datasets whose fields have boxes: load, train, set the threshold, test, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import datasets, metrics, outputs, splits
from helpers.backend import keras
from helpers.counting.detection import detect_fields, true_boxes
from helpers.counting.patches import Field, read_fields, select_split
from helpers.counting.saving import save_detector
from helpers.counting.scale import annotated_scale
from helpers.counting.training import fit_detector
from helpers.datasets import DatasetError
from helpers.models.model_card import DetectorNote
from helpers.training import TrainingConfig

# Options with which these datasets are whole fields with boxes; a source follows the name, as in txl:pbc.
ANNOTATED: dict[str, dict[str, Any]] = {
    "synthetic": {"task": "fields", "n_images": 240, "n_patients": 60, "n_stain_batches": 9},
    "txl": {"crop": False},
    "bccd": {"whole_fields": True},
}
THRESHOLDS = np.round(np.linspace(0.05, 0.95, 91), 2)
NEARLY = 0.99  # share of the highest F1 score from which a threshold is as good
N_SPLITS = 10  # one of which is the validation set
N_PATCHES, EPOCHS = 2048, 12


def load_annotated_fields(name: str, seed: int) -> list[Field]:
    """Load the fields of a dataset with boxes, at the scale of the detector.

    Args:
        name: ``synthetic``, ``txl`` or ``bccd``; ``txl:pbc`` and ``txl:raabin`` are one laboratory of it.
        seed: random seed of synthetic fields.

    Raises:
        DatasetError: the dataset has no boxes, or as :func:`helpers.datasets.load`.
    """
    dataset, _, source = name.partition(":")
    if dataset not in ANNOTATED or (source and dataset != "txl"):
        raise DatasetError(
            f"{name}: has no fields with boxes; choose from {', '.join(ANNOTATED)}, txl:pbc and txl:raabin"
        )
    options = dict(ANNOTATED[dataset])
    if dataset == "synthetic":
        options["seed"] = seed
    if source:
        options["source"] = source
    data = datasets.load(dataset, **options)
    return read_fields(data, annotated_scale(data))


def split_fields(fields: Sequence[Field], seed: int) -> np.ndarray:
    """Divide the groups of every source into a training set and a validation set of a tenth, or of one group.

    Args:
        fields: fields of one source or several.
        seed: random seed.

    Returns:
        ``"train"`` or ``"validation"`` for each field ``(n,)``.

    Raises:
        DatasetError: there are fewer than three groups.
    """
    frame = pd.DataFrame(
        {"group": [f"{field.source} {field.group}" for field in fields], "label": [field.source for field in fields]}
    )
    n_groups = frame["group"].nunique()
    if n_groups < splits.MIN_SPLITS:
        raise DatasetError(
            f"a detector needs fields of at least {splits.MIN_SPLITS} groups, got {n_groups}; give more patients"
        )
    folds = splits.group_folds(frame, min(N_SPLITS, n_groups), seed)
    return np.where(folds.to_numpy() == 0, "validation", "train")


def choose_threshold(network: keras.Model, fields: Sequence[Field]) -> float:
    """Choose a heat at which the F1 score of the validation fields is nearly as high as at any.

    The middle of all such thresholds is chosen, and not the best one: on few fields many are equally good, and in
    another stain the heat is lower or higher than here.

    Args:
        network: from :func:`helpers.counting.training.fit_detector`.
        fields: validation fields.

    Returns:
        Threshold, 0 to 1.
    """
    matches = metrics.match_detections(detect_fields(network, fields), true_boxes(fields), criterion="centre")
    detections, n_true = matches.detections, len(matches.true)
    scores = []
    for threshold in THRESHOLDS:
        above = detections[detections["score"] >= threshold]
        scores.append(2 * above["true_positive"].sum() / (len(above) + n_true))
    good = np.flatnonzero(np.array(scores) >= NEARLY * max(scores))
    return float(THRESHOLDS[good[len(good) // 2]])


def score_detections(detected: pd.DataFrame, fields: Sequence[Field], threshold: float, seed: int) -> pd.DataFrame:
    """Score the detections of fields with boxes.

    Args:
        detected: detections, such as from :func:`helpers.counting.detection.detect_fields`.
        fields: the fields, none of which the detector was trained on.
        threshold: least score of a cell.
        seed: random seed of the resamples of groups.

    Returns:
        A row per ``measure`` with ``value, low, high, interval, n, groups``: average precision by IoU and by centre,
        and those of :func:`helpers.metrics.detection_metrics` for matches by centre.
    """
    true, groups = true_boxes(fields), pd.Series({field.image_id: field.group for field in fields})
    rows, matches = [], {name: metrics.match_detections(detected, true, criterion=name) for name in ("iou", "centre")}
    for name, measure in (("iou", "AP at IoU 0.5"), ("centre", "AP at half a cell")):
        estimate = metrics.detection_average_precision(matches[name], groups, seed=seed)
        rows.append({"measure": measure, **estimate.row("value")})
    working = metrics.detection_metrics(matches["centre"], groups, threshold, seed=seed)
    return pd.concat([pd.DataFrame(rows), working], ignore_index=True)


def train_detector(
    names: Sequence[str], model_path: Path, *, seed: int, epochs: int = EPOCHS, log: Callable[[str], None] = print
) -> DetectorNote:
    """Train a detector on the fields of datasets, and save it with its note.

    Args:
        names: see :func:`load_annotated_fields`.
        model_path: file to write, ``*.keras``; checkpoints go beside it, in ``*.training``.
        seed: random seed.
        epochs: maximum number of epochs.
        log: takes lines on the progress.

    Raises:
        OutputError: the name does not end in ``.keras``, or something cannot be written.
        DatasetError: as :func:`load_annotated_fields`.
        TrainingError: as :func:`helpers.counting.training.fit_detector`.
    """
    if model_path.suffix != ".keras":
        raise outputs.OutputError(f"{model_path}: the name of a detector must end in .keras")
    model_path = outputs.require_file(model_path)
    outputs.require_file(model_path.with_suffix(".json"))
    checkpoints = outputs.require_folder(model_path.with_suffix(".training"))
    fields = [field for name in names for field in load_annotated_fields(name, seed)]
    split = split_fields(fields, seed)
    log(f"{len(fields)} fields: {np.sum(split == 'train')} to train on, {np.sum(split == 'validation')} to choose by")
    config = TrainingConfig(epochs=epochs, batch_size=16, seed=seed)
    network, _ = fit_detector(fields, split, n_patches=N_PATCHES, config=config, checkpoint_dir=checkpoints)
    validation = select_split(fields, split, "validation")
    threshold = choose_threshold(network, validation)
    scores = score_detections(detect_fields(network, validation), validation, threshold, seed)
    return save_detector(
        network,
        model_path,
        training_fields=select_split(fields, split, "train"),
        threshold=threshold,
        validation=scores,
        seed=seed,
    )
