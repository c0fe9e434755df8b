"""Prepare the images of two laboratories in ways that may help a classifier to carry over, and strange images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.datasets import load_sample_image

from helpers import preprocessing
from helpers.augmentation import Augmentation, augment_images
from helpers.datasets import Dataset
from helpers.datasets.boxes import Box, central_cell, square_around
from helpers.datasets.readers import ArrayReader
from helpers.images import resize_pad
from helpers.learners.laboratories import Laboratories, laboratory_names

STAIN_AUGMENTATION = Augmentation(dihedral=False, brightness=0.0, blur=0.0, stain=0.3)
N_REFERENCE = 60  # images from which stains are estimated
MAX_RED_CELL_FIELDS = 10  # fields of a group from which its red cells are measured
NOISE = 2.0  # standard deviation of the sensor noise of a blank field, grey values


def as_dataset(labs: Laboratories, images: np.ndarray) -> Dataset:
    """Return the dataset of the laboratories with other pixels, ``uint8 (n, size, size, 3)``."""
    frame = labs.data.frame.assign(array_index=np.arange(len(labs.data)), path="", mask_path="")
    return replace(labs.data, frame=frame, reader=ArrayReader(images), has_masks=False)


def crop_cells(data: Dataset, size: int) -> np.ndarray | None:
    """Crop every image to the square around its white blood cell, with a margin of 10 %.

    The cell is that of the mask, or the box of a white blood cell that is nearest to the centre. An image without
    either stays whole.

    Args:
        data: images with masks, or with ``boxes`` in the frame.
        size: side of the crops, pixels.

    Returns:
        ``uint8 (n, size, size, 3)``; None if the dataset has neither masks nor boxes.
    """
    if not data.has_masks and "boxes" not in data.frame:
        return None
    crops = np.empty((len(data), size, size, 3), np.uint8)
    for number, image_id in enumerate(data.frame.index):
        image = data.load_image(image_id)
        if data.has_masks:
            box = _box_of_mask(data.load_mask(image_id))
        else:
            box = central_cell(data.row(image_id).boxes, image.shape[:2])
        square = square_around(box, image.shape[:2]) if box is not None else None
        crops[number] = resize_pad(image if square is None else _cut(image, square), size)
    return crops


def normalize_stain(labs: Laboratories, images: np.ndarray, name: str) -> np.ndarray:
    """Give the images of the target the stain of the source.

    Args:
        labs: the two laboratories.
        images: ``uint8 (n, size, size, 3)`` of both.
        name: ``"Reinhard"`` or ``"Macenko"``.

    Returns:
        Images of the same shape; those of the source are unchanged.
    """
    fit, normalise = preprocessing.NORMALISATIONS[name]
    where = {laboratory: labs.positions(labs.rows(laboratory).index) for laboratory in (labs.source, labs.target)}
    of_source, of_target = (fit(images[_evenly(where[laboratory])]) for laboratory in (labs.source, labs.target))
    normalised = images.copy()
    for position in where[labs.target]:
        normalised[position] = normalise(images[position], of_target, of_source)
    return normalised


@dataclass(frozen=True)
class RedCellReferences:
    """Hold light and red cells of every group, and of the source as a whole.

    Attributes:
        by_group: measured in the fields of a group, by its name; groups without red cells are missing.
        source: measured in fields of the source; None if they show too few red cells.
    """

    by_group: dict[str, preprocessing.RedCells]
    source: preprocessing.RedCells | None


def measure_red_cells(labs: Laboratories, fields: Dataset) -> RedCellReferences:
    """Measure light and red cells in the fields of every group, such as a slide or patient.

    Args:
        labs: the two laboratories.
        fields: whole fields of the same groups with ``boxes``.
    """
    wanted = fields.frame[fields.frame["group"].isin(labs.data.frame["group"])]
    by_group = {}
    for group, rows in wanted.groupby("group"):
        if red_cells := _fit_red_cells(fields, rows.head(MAX_RED_CELL_FIELDS).index):
            by_group[str(group)] = red_cells
    of_source = wanted[wanted["group"].isin(labs.rows(labs.source)["group"])].index
    return RedCellReferences(by_group, _fit_red_cells(fields, of_source[_evenly(np.arange(len(of_source)))]))


def normalize_by_red_cells(labs: Laboratories, images: np.ndarray, references: RedCellReferences) -> np.ndarray:
    """Scale the light and density of every image so that red cells look as they do in the source.

    Args:
        labs: the two laboratories.
        images: ``uint8 (n, size, size, 3)`` of both.
        references: from :func:`measure_red_cells`; a group without red cells keeps its images.

    Returns:
        Images of the same shape.
    """
    normalised = images.copy()
    for position, group in enumerate(labs.data.frame["group"].astype(str)):
        own = references.by_group.get(group)
        if own is not None and references.source is not None:
            normalised[position] = preprocessing.normalize_red_cells(images[position], own, references.source)
    return normalised


def augment_stain(images: np.ndarray, n_copies: int, seed: int) -> list[np.ndarray]:
    """Return copies of all images in other stains, random in optical density.

    Args:
        images: ``uint8 (n, size, size, 3)``.
        n_copies: number of copies of every image.
        seed: random seed.
    """
    return [augment_images(images, STAIN_AUGMENTATION, seed + number) for number in range(n_copies)]


def strange_images(
    labs: Laboratories, fields: Dataset | None, size: int, n: int, *, seed: int
) -> dict[str, np.ndarray]:
    """Make images that no class fits: red cells, platelets, blank fields and pieces of photographs.

    Args:
        labs: the two laboratories; red cells and platelets come from fields of the source.
        fields: whole fields with ``boxes``; without them there are neither.
        size: side of the images, pixels.
        n: images of each kind, or fewer.
        seed: random seed.

    Returns:
        ``uint8 (n, size, size, 3)`` by kind.
    """
    random, kinds = np.random.default_rng(seed), {}
    light = np.full(3, 240.0)
    if fields is not None:
        own = fields.frame[fields.frame["group"].isin(labs.rows(labs.source)["group"])]
        for kind, name in (("RBC", "red cells"), ("Platelets", "platelets")):
            kinds[name] = _crops_of_kind(fields, own, kind, size=size, n=n, random=random)
        first = fields.load_image(own.index[0])
        light = np.percentile(first.reshape(-1, 3), 98, axis=0)
    blank = light + NOISE * random.standard_normal((n, size, size, 3))
    kinds["blank fields"] = np.clip(np.round(blank), 0, 255).astype(np.uint8)
    kinds["photographs"] = _photographs(size, n, random)
    return {name: images for name, images in kinds.items() if len(images)}


def unknown_images(labs: Laboratories, data: Dataset, name: str, size: int) -> np.ndarray:
    """Load the images of a class that the model never learns, of the source alone, so that only the class is new.

    Args:
        labs: the two laboratories, without that class.
        data: dataset that they were chosen from.
        name: the class.
        size: side of the images, pixels.

    Returns:
        ``uint8 (n, size, size, 3)``.
    """
    wanted = data.frame["label"] == name
    if labs.data.name == data.name:  # not combined with an external dataset
        wanted &= laboratory_names(data) == labs.source
    return data.select(data.frame.index[wanted]).load_images(size)


def _crops_of_kind(
    fields: Dataset, frame: pd.DataFrame, kind: str, *, size: int, n: int, random: np.random.Generator
) -> np.ndarray:
    crops: list[np.ndarray] = []
    for number in random.permutation(len(frame)):
        image_id, of_image = str(frame.index[number]), frame["boxes"].iloc[number]
        boxes: list[Box] = [box for box in of_image if box[0] == kind]
        if boxes and len(crops) < n:
            image = fields.load_image(image_id)
            box = boxes[random.integers(len(boxes))]
            crops.append(resize_pad(_cut(image, square_around(box, image.shape[:2])), size))
    return np.stack(crops) if crops else np.empty((0, size, size, 3), np.uint8)


def _photographs(size: int, n: int, random: np.random.Generator) -> np.ndarray:
    photographs = [load_sample_image(name) for name in ("china.jpg", "flower.jpg")]
    pieces = []
    for number in range(n):
        image = photographs[number % 2]
        side = int(random.integers(120, 400))
        top, left = (int(random.integers(0, length - side)) for length in image.shape[:2])
        pieces.append(resize_pad(image[top : top + side, left : left + side], size))
    return np.stack(pieces)


def _fit_red_cells(fields: Dataset, ids: pd.Index) -> preprocessing.RedCells | None:
    try:
        return preprocessing.fit_red_cells(
            [fields.load_image(image_id) for image_id in ids], [*fields.frame.loc[ids, "boxes"]]
        )
    except ValueError:  # too few red cells
        return None


def _evenly(positions: np.ndarray) -> np.ndarray:
    """Return up to 60 of the positions, at even distances."""
    return positions[:: max(-(-len(positions) // N_REFERENCE), 1)]


def _box_of_mask(mask: np.ndarray) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return ("WBC", columns[0], rows[0], columns[-1] + 1, rows[-1] + 1) if len(rows) else None


def _cut(image: np.ndarray, square: dict[str, int]) -> np.ndarray:
    return image[square["top"] : square["bottom"], square["left"] : square["right"]]
