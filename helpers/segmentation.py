"""A trained network on one's own images: masks, overlays and measures, written to a folder.

It is made for images of one white blood cell near their middle. A cell counts as found where its nucleus covers at
least 0.6 % of the area of a training image and absorbs more red light than what surrounds the cell, by 0.15 in optical
density (natural logarithm); red cells and empty fields do not.
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
from helpers.reports import tables

GREY = np.array([0, 128, 255], np.uint8)  # how masks are stored: background, cytoplasm, nucleus (Zheng et al. 2018)
OUTPUTS = (".mask.png", ".overlay.png")
MEASUREMENTS = "measurements.csv"  # one row per image
NUCLEUS_LEAST, CONTRAST_LEAST = 0.006, 0.15
# Of the images of a run, above which a finding is reported.
UNUSUAL = 0.25


@dataclass(frozen=True)
class Segmenter:
    """A U-Net and the note beside it."""

    model: keras.Model
    note: model_card.SegmentationNote


@dataclass(frozen=True)
class SegmentationResult:
    """What :func:`segment` has found.

    Attributes:
        table: one row per image that could be read.
        bad: a line for each image that could not be read.
        findings: what the images as a whole have that those of the training had not.
        skipped: number of files that are outputs of this command.
    """

    table: pd.DataFrame
    bad: list[str]
    findings: list[str]
    skipped: int


def save_model(
    model: keras.Model, path: Path, *, images: np.ndarray, masks: np.ndarray, um_per_pixel: float | None = None
) -> None:
    """Write a U-Net as ``.keras``, and a note of what it has learnt from beside it, as ``.json``.

    Args:
        model: from images to probabilities of background, cytoplasm and nucleus.
        path: ends in ``.keras``.
        images: of the training, ``uint8 (n, size, size, 3)`` RGB.
        masks: of the training, ``uint8 (n, size, size)``.
        um_per_pixel: scale of ``images`` in micrometres per pixel, where it is known.
    """
    shares = [_range_of((masks >= least).mean((1, 2))) for least in (CYTOPLASM, NUCLEUS)]
    with files.atomic_write(path) as part:
        model.save(part)
        note = model_card.SegmentationNote(
            size=images.shape[1],
            classes=list(CLASSES),
            sha256=loading.file_digest(part),
            input=checks.input_statistics(images),
            cell_share=shares[0],
            nucleus_share=shares[1],
            um_per_pixel=um_per_pixel,
        )
    files.write_text(path.with_suffix(".json"), json.dumps(note.model_dump()) + "\n")


def _range_of(shares: np.ndarray) -> list[float]:
    return [round(float(share), 4) for share in np.percentile(shares, (1, 99))]


def load_model(path: Path) -> Segmenter:
    """Load a model of :func:`save_model` with its note; nothing in the file is executed (Keras's safe mode).

    Raises:
        CardError: the note is missing, damaged or of another model.
        ModelError: the model is missing or damaged, or does not give three classes of each pixel of RGB images.
    """
    try:
        path = loading.require_file(path)
    except loading.ModelError as error:
        raise loading.ModelError(
            f"{error}; chapter 03 saves one in outputs/, below the folder that it runs in: "
            "build/quick/work/03-segment/ with make book, notebooks/ in JupyterLab"
        ) from None
    note = model_card.read_card(path.with_suffix(".json"), model_card.SegmentationNote, path)
    model = loading.load_model_file(path)
    if len(model.outputs) != 1 or model.output_shape[-1] != len(CLASSES):
        raise loading.ModelError(f"{path}: gives {model.output_shape}, not {', '.join(CLASSES)} of each pixel")
    loading.require_input(model, path, note.size)
    if tuple(model.compute_output_shape((1, note.size, note.size, 3)))[:3] != (1, note.size, note.size):
        raise loading.ModelError(f"{path}: its masks have another size than its images")
    return Segmenter(model, note)


def segment_cells(images: np.ndarray, model: keras.Model) -> np.ndarray:
    """Outline the one cell of every image and its nucleus, for features that are read.

    A U-Net does it, with the mean of eight views, and its largest cell counts. Where the background has been removed
    (C-NMC), the outline is already there, and the nucleus is looked for inside it: a U-Net that has learnt from whole
    smears has never seen such a picture.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        model: from images to probabilities of background, cytoplasm and nucleus.

    Returns:
        ``uint8 (n, size, size)``: 0 background, 1 cytoplasm, 2 nucleus; all 0 where no cell is found.
    """
    found = predict_masks(model, images, tta=True)
    for picture, mask in zip(images, found, strict=True):
        if features.has_black_background(picture):
            mask[:] = features.segment_cell(picture)
        else:
            mask[~preprocessing.largest_filled_component(mask > 0)] = BACKGROUND
    return found


def find_cell(picture: np.ndarray, mask: np.ndarray, area: int) -> np.ndarray:
    """Keep a predicted mask where it shows a white blood cell, and empty it where it does not.

    Args:
        picture: ``uint8 (height, width, 3)`` RGB.
        mask: predicted, ``uint8 (height, width)``.
        area: of a training image in pixels, of which a nucleus covers at least :data:`NUCLEUS_LEAST`.

    Returns:
        The mask, or one of background alone: without a nucleus, or where the nucleus does not absorb more red light
        than the surroundings (than the cytoplasm, where the background has been painted black).
    """
    nucleus = mask == NUCLEUS
    around = (mask == BACKGROUND) & picture.any(axis=2)
    if np.count_nonzero(around) < mask.size / 100:
        around = mask == CYTOPLASM
    if np.count_nonzero(nucleus) >= max(1, NUCLEUS_LEAST * area) and around.any():
        density = -np.log((picture[..., 0] + 1.0) / 256)
        if np.median(density[nucleus]) - np.median(density[around]) >= CONTRAST_LEAST:
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
        paths: of the images; files that are named as this command names its outputs are skipped.
        segmenter: see :func:`load_model`.
        output_dir: folder to write to, made where it is not there. What lies in a folder below ``folder`` is written
            into a folder of the same name.
        folder: which the images are named below in the table; where not given, the one that they share.
        um_per_pixel: scale of the images in micrometres per pixel. They are then brought to the scale that the model
            has learnt from, and areas are given in µm², too.

    Returns:
        A table of one row per image: ``image``, ``cell_area`` and ``nucleus_area`` in pixels (``…_um2`` in µm²),
        ``nucleus_to_cell_area`` (area of the nucleus over area of the cell; missing where no cell is found). And what
        was wrong.

    Raises:
        OutputError: the folder cannot be written to.
        ScaleError: ``um_per_pixel`` is out of range.
        ModelError: there is no image beside outputs of this command.
        ImageError: no image can be read; measures that were there before stay.
    """
    if um_per_pixel is not None:
        scale.validate_scale(um_per_pixel)
    output_dir = outputs.require_folder(output_dir)
    chosen = [path for path in paths if not path.name.endswith(OUTPUTS)]
    if not chosen:
        raise loading.ModelError(
            f"{output_dir}: all {len(paths)} files are masks or overlays of this command; no image"
        )
    names = dict(zip(chosen, outputs.relative_names(chosen, folder), strict=True))
    output_dir.mkdir(parents=True, exist_ok=True)
    rows, shares, bad, seen = [], [], [], checks.InputStatistics()
    for path, image, small, mask in _segmented(chosen, segmenter, um_per_pixel, seen, bad):
        shares.append([np.count_nonzero(small >= least) for least in (CYTOPLASM, NUCLEUS)])
        rows.append(_write(names[path], image, mask, output_dir))
    if not rows:
        raise images.ImageError(images.describe_unreadable(bad))
    table = pd.DataFrame(rows, columns=["image", "cell_area", "nucleus_area", "nucleus_to_cell_area"])
    if um_per_pixel is not None:
        for name in ("cell_area", "nucleus_area"):
            table[f"{name}_um2"] = (table[name] * um_per_pixel**2).round(3)
    files.write_text(output_dir / MEASUREMENTS, tables.safe_text(table).to_csv(index=False))
    findings = _findings(table, np.array(shares), segmenter.note, seen, um_per_pixel)
    return SegmentationResult(table, bad, findings, len(paths) - len(chosen))


def _segmented(
    paths: list[Path],
    segmenter: Segmenter,
    um_per_pixel: float | None,
    seen: checks.InputStatistics,
    bad: list[str],
) -> Iterator[tuple[Path, np.ndarray, np.ndarray, np.ndarray]]:
    """Paths and images with their masks, at the model's size and at the image's own."""
    model, note = segmenter.model, segmenter.note
    for read in images.read_batches(paths, bad, "segmenting"):
        if um_per_pixel is None or note.um_per_pixel is None:
            small = np.stack([images.resize_pad(image, note.size) for _, image in read])
            seen.add(small)
            for (path, image), picture, mask in zip(read, small, predict_masks(model, small, tta=True), strict=True):
                found = find_cell(picture, mask, note.size**2)
                yield path, image, found, images.undo_resize_pad(found, *image.shape[:2])
            continue
        for path, image in read:
            try:
                fitted = scale.rescale(image, um_per_pixel / note.um_per_pixel, note.size, stride(model))
            except scale.ScaleError as error:
                bad.append(f"{path}: {error}")
                continue
            seen.add(fitted.canvas[None])
            found = find_cell(fitted.canvas, predict_masks(model, fitted.canvas[None], tta=True)[0], note.size**2)
            yield path, image, found, fitted.restore(found)


def _write(name: str, image: np.ndarray, mask: np.ndarray, target: Path) -> tuple[str, int, int, float]:
    place = target / name
    place.parent.mkdir(parents=True, exist_ok=True)
    images.write_png(place.with_name(f"{place.name}{OUTPUTS[0]}"), GREY[mask])
    images.write_png(place.with_name(f"{place.name}{OUTPUTS[1]}"), plots.draw_contours(image, mask))
    cell, nucleus = int(np.count_nonzero(mask >= CYTOPLASM)), int(np.count_nonzero(mask == NUCLEUS))
    return name, cell, nucleus, round(nucleus / cell, 3) if cell else float("nan")


def _findings(
    table: pd.DataFrame,
    areas: np.ndarray,
    note: model_card.SegmentationNote,
    seen: checks.InputStatistics,
    um_per_pixel: float | None,
) -> list[str]:
    """What must be explained before the masks are used; ``areas`` are those of cell and nucleus at the model's size."""
    found = checks.check_input_statistics(seen.summary(), note.input.model_dump())
    one_cell = "that each image shows one white blood cell near its middle, as in the training; crop whole fields"
    with_cell = areas[:, 0] > 0
    if np.mean(~with_cell) > UNUSUAL:
        first = table["image"][~with_cell].iloc[0]
        saw = f"no cell is found in {np.sum(~with_cell)} of {len(table)} images, such as {first}"
        found.append(checks.Finding("images without a cell", saw, one_cell))
    for column, what, (low, high) in ((0, "cells", note.cell_share), (1, "nuclei", note.nucleus_share)):
        share = areas[:, column] / note.size**2
        strange = with_cell & ((share < low) | (share > high))
        if with_cell.any() and np.sum(strange) > UNUSUAL * np.sum(with_cell):
            first = int(np.argmax(strange))
            saw = (
                f"{np.sum(strange)} of {np.sum(with_cell)} {what} are smaller or larger than in the training, "
                f"{low:.1%} to {high:.1%} of an image, such as {table['image'][first]} with {share[first]:.1%}"
            )
            found.append(checks.Finding(f"{what} of another size", saw, f"their scale in µm per pixel, and {one_cell}"))
    if um_per_pixel is not None and note.um_per_pixel is None:
        saw = "the scale of the training images is not known, so that images were not brought to it"
        found.append(checks.Finding("unknown scale", saw, "that a cell fills as much of an image as in the training"))
    return list(map(str, found))
