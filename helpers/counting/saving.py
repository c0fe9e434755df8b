"""Save a detector with its note, and load it without executing code in the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import checks, files
from helpers.backend import keras
from helpers.counting.network import CHANNELS, STRIDE, UM_PER_PIXEL
from helpers.counting.patches import Field, draw_patches
from helpers.counting.scale import measure_sharpness
from helpers.counting.tiles import CORE, MARGIN
from helpers.models import loading, model_card
from helpers.models.card_sections import Input, Size, metric_records

N_SAMPLE = 256  # training patches whose colours are described


@dataclass(frozen=True)
class Detector:
    """Hold a centre-point network and its note."""

    network: keras.Model
    note: model_card.DetectorNote


def save_detector(
    network: keras.Model,
    path: Path,
    *,
    training_fields: Sequence[Field],
    threshold: float,
    validation: pd.DataFrame,
    seed: int,
) -> model_card.DetectorNote:
    """Save a detector as ``.keras``, with a note on its training beside it as ``.json``.

    Args:
        network: from :func:`helpers.counting.training.fit_detector`.
        path: path that ends in ``.keras``.
        training_fields: fields that it was trained on.
        threshold: least heat of a cell.
        validation: scores of the fields that chose the threshold, with ``measure, value, low, high, interval, n,
            groups``.
        seed: random seed of the training.

    Returns:
        The note.
    """
    patches = np.stack([image for image, _ in draw_patches(training_fields, N_SAMPLE, (seed,))])
    sources: dict[str, list[Field]] = {}
    for field in training_fields:
        sources.setdefault(field.source, []).append(field)
    sharpness = np.percentile([measure_sharpness(field.image) for field in training_fields], 1)
    with files.atomic_write(path) as temporary:
        network.save(temporary)
        note = model_card.DetectorNote(
            purpose=model_card.PURPOSE,
            sha256=loading.file_digest(temporary),
            um_per_pixel=UM_PER_PIXEL,
            threshold=float(threshold),
            sources={
                name: Size(images=len(own), groups=len({field.group for field in own})) for name, own in sources.items()
            },
            input=Input.model_validate(checks.input_statistics(patches)),
            sharpness=round(float(sharpness), 4),
            validation=metric_records(validation),
            seed=seed,
        )
    files.write_text(path.with_suffix(".json"), json.dumps(note.model_dump(), indent=1, ensure_ascii=False) + "\n")
    return note


def load_detector(path: Path) -> Detector:
    """Load a detector and its note.

    Args:
        path: ``.keras`` file written by :func:`save_detector`.

    Raises:
        CardError: the note is missing, damaged or belongs to another model.
        ModelError: the model is missing or damaged, or is no detector.
    """
    path = loading.require_file(path)
    note = model_card.read_card(path.with_suffix(".json"), model_card.DetectorNote, path)
    network = loading.load_model_file(path)
    side = CORE + 2 * MARGIN
    loading.require_input(network, path, side)
    shape = tuple(network.compute_output_shape((1, side, side, 3)))
    if len(network.outputs) != 1 or shape != (1, side // STRIDE, side // STRIDE, CHANNELS):
        raise loading.ModelError(
            f"{path}: predicts {shape} for an image of {side} pixels, and a detector "
            f"{(1, side // STRIDE, side // STRIDE, CHANNELS)}; give the file that train-detector has written"
        )
    return Detector(network, note)
