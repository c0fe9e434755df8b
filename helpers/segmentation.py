"""A trained network on one's own images: masks, overlays and measures, written to a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers import files, images, plots
from helpers.backend import keras
from helpers.datasets import CYTOPLASM, NUCLEUS
from helpers.datasets.base import files_in
from helpers.models import CLASSES, predict_masks

GREY = np.array([0, 128, 255], np.uint8)  # how masks are stored: background, cytoplasm, nucleus (Zheng et al. 2018)
BATCH = 16


class SegmentationError(ValueError):
    """Something that keeps a whole run from starting; the message says what to do."""


def load_model(path: Path) -> keras.Model:
    """A segmentation model from a ``.keras`` file; nothing in the file is executed (Keras's safe mode).

    Raises:
        SegmentationError: there is no such file, it is not a model, or not one of three classes.
    """
    if not path.is_file():
        raise SegmentationError(f"{path}: no such file; train a model in chapter 03, which saves one")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise SegmentationError(f"{path}: cannot be read as a Keras model ({str(error).splitlines()[0]})") from None
    if model.output_shape[-1] != len(CLASSES):
        raise SegmentationError(f"{path}: gives {model.output_shape[-1]} classes, not {', '.join(CLASSES)}")
    return model


def find_images(place: Path) -> list[Path]:
    """One image, or all of a folder, sorted by name. Raises DataError where a folder is missing or has none."""
    return [place] if place.is_file() else files_in(place)


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
    with tqdm(total=len(paths), desc="segmenting", unit="image", delay=2, leave=False) as bar:
        for start in range(0, len(paths), BATCH):
            read = _read(paths[start : start + BATCH], bad)
            if read:
                small = np.stack([images.resize(image, size) for _, image in read])
                for (path, image), mask in zip(read, predict_masks(model, small, True), strict=True):
                    rows.append(_write(path, image, images.restore_mask(mask, *image.shape[:2]), folder))
            bar.update(len(paths[start : start + BATCH]))
    table = pd.DataFrame(rows, columns=["image", "cell_area", "nucleus_area", "nc_ratio"])
    files.write_text(folder / "measures.csv", table.to_csv(index=False))
    return table, bad


def _read(paths: list[Path], bad: list[str]) -> list[tuple[Path, np.ndarray]]:
    found = []
    for path in paths:
        try:
            found.append((path, images.read(path)))
        except images.ImageError as error:
            bad.append(str(error))
    return found


def _write(path: Path, image: np.ndarray, mask: np.ndarray, folder: Path) -> tuple[str, int, int, float]:
    images.write_png(folder / f"{path.name}.mask.png", GREY[mask])
    images.write_png(folder / f"{path.name}.overlay.png", plots.outlined(image, mask))
    cell, nucleus = int(np.count_nonzero(mask >= CYTOPLASM)), int(np.count_nonzero(mask == NUCLEUS))
    return path.name, cell, nucleus, round(nucleus / cell, 3) if cell else float("nan")
