"""Training of the detector on patches of fields."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.backend import keras, tf
from helpers.counting.network import centre_loss, centre_network
from helpers.counting.patches import Field, draw_patches, patch_batches, select_split
from helpers.training import TrainingConfig, TrainingError, fit, seed_everything
from helpers.training.identity import identify, imported_code

N_VALIDATION = 256  # patches that choose the epoch


def fit_detector(
    fields: Sequence[Field],
    split: np.ndarray,
    *,
    n_patches: int,
    config: TrainingConfig,
    checkpoint_dir: Path,
    base_filters: int = 8,
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a centre-point network on fields and choose the epoch on patches of the validation fields.

    Args:
        fields: fields with boxes, of one source or several.
        split: ``"train"`` or ``"validation"`` for each field ``(n,)``; others are not used.
        n_patches: patches per epoch, at least a batch.
        config: training configuration.
        checkpoint_dir: parent folder; each training gets a subfolder named after a hash of what determines its result.
        base_filters: see :func:`helpers.counting.network.centre_network`.

    Returns:
        Model and history, as :func:`helpers.training.fit`.

    Raises:
        TrainingError: there are no training or no validation fields with a cell, or as :func:`helpers.training.fit`.
    """
    parts = {}
    for name in ("train", "validation"):
        parts[name] = select_split(fields, split, name)
        if not any(len(field.boxes) for field in parts[name]):
            raise TrainingError(f"no {name} field has a box of a white blood cell; give fields of more groups")
    seed_everything(config.seed)
    build = partial(centre_network, base_filters)
    model = build()
    drawn = list(draw_patches(parts["validation"], N_VALIDATION, (config.seed,)))
    images, targets = (np.stack(arrays) for arrays in zip(*drawn, strict=True))
    method = identify((build, centre_loss, config, n_patches, sorted(imported_code(__name__).items())))
    digest = hashlib.sha256(f"{method} {keras.__version__} {tf.__version__}".encode())
    for field in parts["train"]:
        digest.update(f"{field.source} {field.image.shape} {field.boxes.tolist()}".encode())
        digest.update(np.ascontiguousarray(field.image).data)
    for array in (images, targets, *model.get_weights()):
        digest.update(np.ascontiguousarray(array).data)

    def epochs(first: int) -> tf.data.Dataset:
        return patch_batches(parts["train"], n_patches, config.batch_size, config.seed, first)

    return fit(
        model,
        build,
        centre_loss,
        train=epochs,
        steps=n_patches // config.batch_size,
        validation=tf.data.Dataset.from_tensor_slices((images, targets)).batch(32),
        config=config,
        checkpoint_dir=checkpoint_dir / digest.hexdigest()[:12],
    )
