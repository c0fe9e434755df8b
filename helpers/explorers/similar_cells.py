"""Explorer of which cells are nearest to a cell, by pixels and by the features of a network."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import cv2
import numpy as np
import pandas as pd

from helpers import metrics
from helpers.explorers.explorer import Explorer, render
from helpers.plots.notice import short_label

MAX_CELLS = 100  # more would make the page heavy
COLUMNS = 10  # thumbnails in a row of the sheet
QUALITY = 90  # of the sheet as JPEG


def neighbours(
    images: np.ndarray,
    labels: pd.Series,
    groups: pd.Series,
    representations: Mapping[str, np.ndarray],
    *,
    n_neighbours: int = 5,
) -> Explorer:
    """Show the nearest neighbours of a cell that the reader chooses, by one of several representations.

    Neighbours are those of :func:`helpers.metrics.nearest_in_other_groups`: by Euclidean distance of standardised
    features, among the cells of other groups. The share of all cells whose nearest neighbour has their class stands
    beside the chance level, that of a random cell of another group.

    Args:
        images: thumbnails ``uint8 (n, side, side, 3)`` RGB, at most 100.
        labels: class of every cell, ``(n,)``.
        groups: group (patient) of every cell, ``(n,)``.
        representations: features ``float (n, …)`` by name, such as pixels and the last feature maps of a network.
        n_neighbours: neighbours shown.

    Raises:
        ValueError: the parameters do not have one row per cell, there are more than 100 cells or no representation, or
            a cell has too few cells of other groups.

    Example:
        >>> from helpers import datasets, explorers
        >>> data = datasets.load("synthetic", n_images=12, n_patients=12)
        >>> images = data.load_images(32)
        >>> labels, groups = data.frame["label"], data.frame["group"]
        >>> features = {"pixels": images}
        >>> shown = explorers.neighbours(images, labels, groups, features)
        >>> print(repr(shown)[:42])
        Explorer: the 5 nearest neighbours of each
    """
    _check(images, labels, groups, representations)
    flat = {name: np.reshape(values, (len(images), -1)) for name, values in representations.items()}
    nearest = {name: metrics.nearest_in_other_groups(values, groups, n_neighbours) for name, values in flat.items()}
    classes = sorted(labels.unique())
    return render(
        "neighbours",
        "The nearest cells of other groups",
        f"the {n_neighbours} nearest neighbours of each of {len(images)} cells, by {', '.join(representations)}.",
        {
            "sheet": _encode_sheet(images),
            "side": images.shape[1],
            "columns": COLUMNS,
            "classes": [short_label(name, lines=1) for name in classes],
            "labels": [classes.index(label) for label in labels],
            "representations": [short_label(name, lines=1) for name in representations],
            "nearest": [indices.tolist() for indices in nearest.values()],
            "chance": float(metrics.chance_of_same_class(labels, groups).mean()),
            "count": n_neighbours,
        },
    )


def _check(images: np.ndarray, labels: pd.Series, groups: pd.Series, representations: Mapping[str, np.ndarray]) -> None:
    shape = np.shape(images)
    if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(f"images must be uint8 (n, side, side, 3), got {images.dtype} {shape}")
    if shape[0] > MAX_CELLS:
        raise ValueError(f"at most {MAX_CELLS} cells can be shown, got {shape[0]}; give a sample")
    if not representations:
        raise ValueError("representations is empty; give at least one, such as {'pixels': images}")
    rows = {"labels": len(labels), "groups": len(groups)} | {name: len(one) for name, one in representations.items()}
    for name, count in rows.items():
        if count != shape[0]:
            raise ValueError(f"{name} has {count} rows for {shape[0]} images; give one row per image")


def _encode_sheet(images: np.ndarray) -> str:
    """Encode all images as one JPEG, ten in a row, as text."""
    n_rows = -(-len(images) // COLUMNS)
    side = images.shape[1]
    sheet = np.zeros((n_rows * COLUMNS, side, side, 3), np.uint8)
    sheet[: len(images)] = images
    joined = sheet.reshape(n_rows, COLUMNS, side, side, 3).swapaxes(1, 2).reshape(n_rows * side, COLUMNS * side, 3)
    _, encoded = cv2.imencode(".jpg", joined[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return base64.b64encode(encoded.tobytes()).decode("ascii")
