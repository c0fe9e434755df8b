"""A trained network on one's own images: masks, overlays and measures, written to a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from helpers import files, images, plots
from helpers.backend import keras
from helpers.datasets import CYTOPLASM, NUCLEUS
from helpers.models import CLASSES, ModelError, load, predict_masks

GREY = np.array([0, 128, 255], np.uint8)  # how masks are stored: background, cytoplasm, nucleus (Zheng et al. 2018)


def load_model(path: Path) -> keras.Model:
    """A segmentation model from a ``.keras`` file; nothing in the file is executed (Keras's safe mode).

    Raises:
        ModelError: there is no such file, it is not a model, or not one of three classes.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such file; train a model in chapter 03, which saves one")
    model = load(path)
    if model.output_shape[-1] != len(CLASSES):
        raise ModelError(f"{path}: gives {model.output_shape[-1]} classes, not {', '.join(CLASSES)}")
    return model


def segment(paths: list[Path], model: keras.Model, folder: Path, size: int) -> tuple[pd.DataFrame, list[str]]:
    """Segment images and write ``NAME.mask.png``, ``NAME.overlay.png`` and ``measures.csv``.

    Masks have the size of their image and three grey values: 0 background, 128 cytoplasm, 255 nucleus.

    Args:
        paths: of the images.
        model: see :func:`load_model`.
        folder: written to; made where it is not there.
        size: side in pixels at which the model sees an image.

    Returns:
        One row per image: ``image``, ``cell_area`` and ``nucleus_area`` in pixels, ``nc_ratio`` (area of the nucleus
        over area of the cell; missing where no cell is found). And what was wrong with images that could not be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, bad = [], []
    for read in images.read_batches(paths, bad, "segmenting"):
        small = np.stack([images.resize(image, size) for _, image in read])
        for (path, image), mask in zip(read, predict_masks(model, small, True), strict=True):
            rows.append(_write(path, image, images.restore_mask(mask, *image.shape[:2]), folder))
    table = pd.DataFrame(rows, columns=["image", "cell_area", "nucleus_area", "nc_ratio"])
    files.write_text(folder / "measures.csv", table.to_csv(index=False))
    return table, bad


def _write(path: Path, image: np.ndarray, mask: np.ndarray, folder: Path) -> tuple[str, int, int, float]:
    images.write_png(folder / f"{path.name}.mask.png", GREY[mask])
    images.write_png(folder / f"{path.name}.overlay.png", plots.outlined(image, mask))
    cell, nucleus = int(np.count_nonzero(mask >= CYTOPLASM)), int(np.count_nonzero(mask == NUCLEUS))
    return path.name, cell, nucleus, round(nucleus / cell, 3) if cell else float("nan")
