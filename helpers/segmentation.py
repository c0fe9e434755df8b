"""A trained network on one's own images: masks, overlays and measures, written to a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import features, files, images, plots, preprocessing
from helpers.backend import keras
from helpers.datasets import BACKGROUND, CYTOPLASM, NUCLEUS
from helpers.models import CLASSES, ModelError, load, predict_masks

GREY = np.array([0, 128, 255], np.uint8)  # how masks are stored: background, cytoplasm, nucleus (Zheng et al. 2018)


def save_model(model: keras.Model, size: int, path: Path) -> None:
    """Write a model as ``.keras``, and beside it, as ``.json``, the side in pixels at which it has seen its images."""
    with files.whole(path) as part:
        model.save(part)
    files.write_text(path.with_suffix(".json"), json.dumps({"size": size, "classes": list(CLASSES)}) + "\n")


def load_model(path: Path) -> tuple[keras.Model, int]:
    """A segmentation model of :func:`save_model` and its size; nothing in the file is executed (Keras's safe mode).

    Raises:
        ModelError: one of the two files is not there or damaged, it is not a model, or not one of three classes.
    """
    if not path.is_file():
        raise ModelError(
            f"{path}: no such file; chapter 03 saves one in outputs/, below the folder that it runs in: "
            "build/quick/work/03-segment/ with make book, notebooks/ in JupyterLab"
        )
    model, note = load(path), path.with_suffix(".json")
    if model.output_shape[-1] != len(CLASSES):
        raise ModelError(f"{path}: gives {model.output_shape[-1]} classes, not {', '.join(CLASSES)}")
    try:
        size = json.loads(note.read_text(encoding="utf-8"))["size"]
    except (OSError, ValueError, KeyError, TypeError):
        size = None
    if type(size) is not int or size < 1:
        raise ModelError(f"{note}: does not say at which size the model has seen its images; chapter 03 writes it")
    return model, size


def segment_cells(pictures: np.ndarray, model: keras.Model) -> np.ndarray:
    """Outline the one cell of every image and its nucleus, for features that are read.

    A U-Net does it, with the mean of eight views, and its largest cell counts. Where the background has been removed
    (C-NMC), the outline is already there, and the nucleus is looked for inside it: a U-Net that has learnt from whole
    smears has never seen such a picture.

    Args:
        pictures: ``uint8 (n, size, size, 3)`` RGB.
        model: from images to probabilities of background, cytoplasm and nucleus.

    Returns:
        ``uint8 (n, size, size)``: 0 background, 1 cytoplasm, 2 nucleus; all 0 where no cell is found.
    """
    found = predict_masks(model, pictures, eight_views=True)
    for picture, mask in zip(pictures, found, strict=True):
        if features.background_removed(picture):
            mask[:] = features.segment_cell(picture)
        else:
            mask[~preprocessing.clean_up(mask > 0)] = BACKGROUND
    return found


def segment(paths: list[Path], model: keras.Model, size: int, folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """Segment images and write ``NAME.mask.png``, ``NAME.overlay.png`` and ``measures.csv``.

    Masks have the size of their image and three grey values: 0 background, 128 cytoplasm, 255 nucleus.

    Args:
        paths: of the images.
        model, size: see :func:`load_model`.
        folder: written to; made where it is not there.

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
