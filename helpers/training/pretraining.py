"""Pretraining of a U-Net on synthetic cells, for datasets with few masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers import datasets
from helpers.augmentation import Augmentation
from helpers.training.config import TrainingConfig
from helpers.training.trainers import fit_unet

N_PATIENTS, N_TRAINED = 60, 54  # the other patients choose the epoch


def pretrain_unet(
    size: int,
    *,
    config: TrainingConfig,
    augmentation: Augmentation,
    checkpoint_dir: Path,
    base_filters: int,
    n_images: int = 1500,
) -> list[np.ndarray]:
    """Train a U-Net on synthetic cells of nine stain batches and return its weights.

    The cells come from the seed after that of ``config``, so that none is among those of a chapter with that seed.

    Args:
        size: side of the images in pixels.
        config: training configuration.
        augmentation: augmentation of the training images.
        checkpoint_dir: parent folder of the training, as in :func:`fit_unet`.
        base_filters: number of filters at the first level.
        n_images: number of synthetic images.

    Returns:
        Weights, for ``initial_weights`` of :func:`fit_unet`.
    """
    cells = datasets.load(
        "synthetic",
        n_images=n_images,
        n_patients=N_PATIENTS,
        n_stain_batches=9,
        balanced=True,
        seed=config.seed + 1,
    )
    model, _ = fit_unet(
        cells.load_images(size),
        cells.load_masks(size),
        split=np.where(cells.frame["patient"] < N_TRAINED, "train", "validation"),
        config=config,
        augmentation=augmentation,
        checkpoint_dir=checkpoint_dir,
        base_filters=base_filters,
    )
    return model.get_weights()
