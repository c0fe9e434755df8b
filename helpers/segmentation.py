"""Segment a user's images with a trained U-Net and write masks, overlays and measurements to a folder.

Each image should show one white blood cell near its centre. A cell counts as detected where its nucleus covers at least
0.6 % of the area of a training image and exceeds the surroundings of the cell by 0.15 in red optical density (natural
logarithm); this rejects red blood cells and empty fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import checks, features, files, images, outputs, plots, preprocessing
from helpers.backend import keras
from helpers.datasets import BACKGROUND, CYTOPLASM, NUCLEUS
from helpers.images import scale
from helpers.models import CLASSES, loading, model_card, predict_masks, stride
from helpers.models.card_sections import Input
from helpers.reports import tables

GREY = np.array([0, 128, 255], np.uint8)  # stored mask values: background, cytoplasm, nucleus (Zheng et al. 2018)
OUTPUTS = (".mask.png", ".overlay.png")
MEASUREMENTS = "measurements.csv"  # one row per image
MIN_NUCLEUS_SHARE, MIN_CONTRAST = 0.006, 0.15
# Share of the images of a run above which a finding is reported.
UNUSUAL = 0.25


@dataclass(frozen=True)
class Segmenter:
    """A U-Net with its note.

    Attributes:
        model: U-Net.
        note: description of the training images, saved beside the model.
    """

    model: keras.Model
    note: model_card.SegmentationNote


@dataclass(frozen=True)
class SegmentationResult:
    """Result of :func:`segment`.

    Attributes:
        table: measurements, one row per readable image.
        bad: one message per unreadable image.
        findings: differences between the images as a whole and the training images.
        skipped: number of skipped files, which are outputs of an earlier run.
    """

    table: pd.DataFrame
    bad: list[str]
    findings: list[str]
    skipped: int


def save_model(
    model: keras.Model, path: Path, *, images: np.ndarray, masks: np.ndarray, um_per_pixel: float | None = None
) -> None:
    """Save a U-Net as ``.keras`` with a note on its training data beside it as ``.json``.

    Args:
        model: predicts probabilities of background, cytoplasm and nucleus from images.
        path: path that ends in ``.keras``.
        images: training images, ``uint8 (n, size, size, 3)`` RGB.
        masks: ground-truth masks of the training images, ``uint8 (n, size, size)``.
        um_per_pixel: scale of ``images`` in µm per pixel; None if unknown.
    """
    shares = [_range_of((masks >= lowest).mean((1, 2))) for lowest in (CYTOPLASM, NUCLEUS)]
    with files.atomic_write(path) as temporary:
        model.save(temporary)
        note = model_card.SegmentationNote(
            size=images.shape[1],
            classes=list(CLASSES),
            sha256=loading.file_digest(temporary),
            input=Input.model_validate(checks.input_statistics(images)),
            cell_share=shares[0],
            nucleus_share=shares[1],
            um_per_pixel=um_per_pixel,
        )
    files.write_text(path.with_suffix(".json"), json.dumps(note.model_dump()) + "\n")


def _range_of(shares: np.ndarray) -> list[float]:
    return [round(float(share), 4) for share in np.percentile(shares, (1, 99))]


def load_model(path: Path) -> Segmenter:
    """Load a U-Net and its note; no code in the file is executed (Keras's safe mode).

    Args:
        path: ``.keras`` file written by :func:`save_model`.

    Raises:
        CardError: the note is missing, damaged or belongs to another model.
        ModelError: the model is missing or damaged, or does not predict three classes per pixel of RGB images.
    """
    try:
        path = loading.require_file(path)
    except loading.ModelError as error:
        raise loading.ModelError(
            f"{error}; chapter 04 saves one in outputs/, below the folder that it runs in: "
            "build/quick/work/04-segment/ with make book, notebooks/ in JupyterLab"
        ) from None
    note = model_card.read_card(path.with_suffix(".json"), model_card.SegmentationNote, path)
    model = loading.load_model_file(path)
    if len(model.outputs) != 1 or model.output_shape[-1] != len(CLASSES):
        raise loading.ModelError(f"{path}: predicts {model.output_shape}, not {', '.join(CLASSES)} of each pixel")
    loading.require_input(model, path, note.size)
    if tuple(model.compute_output_shape((1, note.size, note.size, 3)))[:3] != (1, note.size, note.size):
        raise loading.ModelError(f"{path}: its masks have another size than its images")
    return Segmenter(model, note)


def segment_cells(images: np.ndarray, model: keras.Model) -> np.ndarray:
    """Segment cell and nucleus in single-cell images, for hand-crafted features.

    The U-Net averages its predictions over eight views (test-time augmentation), and the largest component is kept.
    Images with a black background (C-NMC) already contain the cell outline, and their nucleus is segmented inside it
    without the U-Net, whose training images were whole smears.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        model: predicts probabilities of background, cytoplasm and nucleus from images.

    Returns:
        Masks ``uint8 (n, size, size)``: 0 background, 1 cytoplasm, 2 nucleus; all 0 where no cell is detected.
    """
    masks = predict_masks(model, images, tta=True)
    for image, mask in zip(images, masks, strict=True):
        if features.has_black_background(image):
            mask[:] = features.segment_cell(image)
        else:
            mask[~preprocessing.largest_filled_component(mask > 0)] = BACKGROUND
    return masks


def find_cell(image: np.ndarray, mask: np.ndarray, area: int) -> np.ndarray:
    """Keep a predicted mask if it shows a white blood cell, or else return an empty mask.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        mask: predicted mask, ``uint8 (height, width)``.
        area: area of a training image in pixels, of which a nucleus must cover at least :data:`MIN_NUCLEUS_SHARE`.

    Returns:
        The mask, or background alone where there is no nucleus or its red optical density does not exceed that of the
        surroundings (of the cytoplasm in images with a black background) by :data:`MIN_CONTRAST`.
    """
    nucleus = mask == NUCLEUS
    around = (mask == BACKGROUND) & image.any(axis=2)
    if np.count_nonzero(around) < mask.size / 100:
        around = mask == CYTOPLASM
    if np.count_nonzero(nucleus) >= max(1, MIN_NUCLEUS_SHARE * area) and around.any():
        density = -np.log((image[..., 0] + 1.0) / 256)
        if np.median(density[nucleus]) - np.median(density[around]) >= MIN_CONTRAST:
            return mask
    return np.full_like(mask, BACKGROUND)


def segment(
    paths: Sequence[Path],
    segmenter: Segmenter,
    output_dir: Path,
    *,
    folder: Path | None = None,
    um_per_pixel: float | None = None,
) -> SegmentationResult:
    """Segment images and write ``NAME.mask.png``, ``NAME.overlay.png`` and ``measurements.csv``.

    Masks have the size of their image and three grey values: 0 background, 128 cytoplasm, 255 nucleus.

    Args:
        paths: paths of the images; files named like outputs of commands are skipped.
        segmenter: from :func:`load_model`.
        output_dir: output folder, created if missing, with the same subfolders as ``folder``.
        folder: folder that image names in the table are relative to; by default the lowest common folder.
        um_per_pixel: scale of the images in µm per pixel. If set, images are rescaled to the scale of the training
            images where that is known, and areas are also reported in µm².

    Returns:
        Result whose table has the columns ``image``, ``cell_area`` and ``nucleus_area`` in pixels (``…_um2`` in µm²)
        and ``nucleus_to_cell_area`` (nucleus area / cell area; NaN where no cell is detected), with the messages on
        unreadable images and the findings.

    Raises:
        OutputError: the folder is not writable, or all files are outputs of commands.
        ScaleError: ``um_per_pixel`` is out of range.
        ImageError: no image is readable; an earlier ``measurements.csv`` is kept.
    """
    if um_per_pixel is not None:
        scale.validate_scale(um_per_pixel)
    output_dir = outputs.require_folder(output_dir)
    chosen = outputs.without_own_images(paths)
    names = dict(zip(chosen, outputs.relative_names(chosen, folder), strict=True))
    output_dir.mkdir(parents=True, exist_ok=True)
    rows, shares, statistics = [], [], checks.InputStatistics()
    bad: list[str] = []
    for path, image, small, mask in _segmented(chosen, segmenter, um_per_pixel, statistics, bad):
        shares.append([np.count_nonzero(small >= lowest) for lowest in (CYTOPLASM, NUCLEUS)])
        rows.append(_write(names[path], image, mask, output_dir))
    if not rows:
        raise images.ImageError(images.describe_unreadable(bad))
    table = pd.DataFrame(rows, columns=["image", "cell_area", "nucleus_area", "nucleus_to_cell_area"])
    if um_per_pixel is not None:
        for name in ("cell_area", "nucleus_area"):
            table[f"{name}_um2"] = (table[name] * um_per_pixel**2).round(3)
    files.write_text(output_dir / MEASUREMENTS, tables.safe_text(table).to_csv(index=False))
    findings = _findings(table, np.array(shares), segmenter.note, statistics, um_per_pixel)
    return SegmentationResult(table, bad, findings, len(paths) - len(chosen))


def _segmented(
    paths: list[Path],
    segmenter: Segmenter,
    um_per_pixel: float | None,
    statistics: checks.InputStatistics,
    bad: list[str],
) -> Iterator[tuple[Path, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield each path and image with its mask at the model's size and at the image's size."""
    model, note = segmenter.model, segmenter.note
    for batch in images.read_batches(paths, bad, "segmenting"):
        if um_per_pixel is None or note.um_per_pixel is None:
            small = np.stack([images.resize_pad(image, note.size) for _, image in batch])
            statistics.add(small)
            for (path, image), resized, mask in zip(batch, small, predict_masks(model, small, tta=True), strict=True):
                cell = find_cell(resized, mask, note.size**2)
                yield path, image, cell, images.undo_resize_pad(cell, *image.shape[:2])
            continue
        for path, image in batch:
            try:
                fitted = scale.rescale(image, um_per_pixel / note.um_per_pixel, note.size, stride(model))
            except scale.ScaleError as error:
                bad.append(f"{path}: {error}")
                continue
            statistics.add(fitted.canvas[None])
            cell = find_cell(fitted.canvas, predict_masks(model, fitted.canvas[None], tta=True)[0], note.size**2)
            yield path, image, cell, fitted.restore(cell)


def _write(name: str, image: np.ndarray, mask: np.ndarray, target: Path) -> tuple[str, int, int, float]:
    path = target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write_png(path.with_name(f"{path.name}{OUTPUTS[0]}"), GREY[mask])
    images.write_png(path.with_name(f"{path.name}{OUTPUTS[1]}"), plots.draw_contours(image, mask))
    cell, nucleus = int(np.count_nonzero(mask >= CYTOPLASM)), int(np.count_nonzero(mask == NUCLEUS))
    return name, cell, nucleus, round(nucleus / cell, 3) if cell else float("nan")


def _findings(
    table: pd.DataFrame,
    areas: np.ndarray,
    note: model_card.SegmentationNote,
    statistics: checks.InputStatistics,
    um_per_pixel: float | None,
) -> list[str]:
    """Return findings to explain before the masks are used; ``areas`` hold cell and nucleus pixels at model size."""
    findings = checks.check_input_statistics(statistics.summary(), note.input.model_dump())
    one_cell = "that each image shows one white blood cell near its middle, as in the training; crop whole fields"
    with_cell = areas[:, 0] > 0
    if np.mean(~with_cell) > UNUSUAL:
        first = table["image"][~with_cell].iloc[0]
        observed = f"no cell is found in {np.sum(~with_cell)} of {len(table)} images, such as {first}"
        findings.append(checks.Finding("images without a cell", observed, one_cell))
    for column, objects, (low, high) in ((0, "cells", note.cell_share), (1, "nuclei", note.nucleus_share)):
        share = areas[:, column] / note.size**2
        unusual = with_cell & ((share < low) | (share > high))
        if with_cell.any() and np.sum(unusual) > UNUSUAL * np.sum(with_cell):
            first = int(np.argmax(unusual))
            observed = (
                f"{np.sum(unusual)} of {np.sum(with_cell)} {objects} are smaller or larger than in the training, "
                f"{low:.1%} to {high:.1%} of an image, such as {table['image'][first]} with {share[first]:.1%}"
            )
            findings.append(
                checks.Finding(f"{objects} of another size", observed, f"their scale in µm per pixel, and {one_cell}")
            )
    if um_per_pixel is not None and note.um_per_pixel is None:
        observed = "the scale of the training images is not known, so that images were not brought to it"
        findings.append(
            checks.Finding("unknown scale", observed, "that a cell fills as much of an image as in the training")
        )
    return list(map(str, findings))
