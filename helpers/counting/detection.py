"""Find white blood cells in whole fields of any size with a trained network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from helpers.backend import keras
from helpers.counting.network import UM_PER_PIXEL, decode_boxes, drop_duplicates
from helpers.counting.patches import Field
from helpers.counting.tiles import Tile, iter_tiles
from helpers.datasets.boxes import SIDES
from helpers.models import stride

COLUMNS = (*SIDES, "score")
BATCH = 8  # tiles per batch
LEAST = 0.05  # heat below which nothing is reported, so that precision and recall can be drawn


def detect(
    network: keras.Model,
    fields: Sequence[np.ndarray],
    um_per_pixel: Sequence[float],
    *,
    threshold: float = LEAST,
) -> list[pd.DataFrame]:
    """Find the white blood cells of fields.

    Tiles of the same size, also of different fields, are predicted together.

    Args:
        network: from :func:`helpers.counting.training.fit_detector`.
        fields: ``uint8 (height, width, 3)`` RGB each.
        um_per_pixel: scale of each field in µm per pixel.
        threshold: least heat of a cell, 0 to 1.

    Returns:
        A table for each field, the most likely cell first: ``left``, ``top``, ``right``, ``bottom`` in pixels of the
        field, within it, and ``score``, the heat.
    """
    step = stride(network)
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in fields]
    for numbers, tiles in _batches(fields, um_per_pixel, step):
        canvases = np.stack([tile.canvas for tile in tiles]).astype(np.float32)
        # Calling a Keras model eagerly takes longer; predict_on_batch keeps its graph with the model.
        outputs = network.predict_on_batch(canvases)
        for number, tile, output in zip(numbers, tiles, outputs, strict=True):
            boxes, score = decode_boxes(output, threshold)
            boxes = tile.to_field(boxes)
            own = tile.owns(boxes)
            found[number].append((boxes[own], score[own]))
    return [_merge(parts, field.shape[:2]) for parts, field in zip(found, fields, strict=True)]


def _batches(
    fields: Sequence[np.ndarray], um_per_pixel: Sequence[float], step: int
) -> Iterator[tuple[list[int], list[Tile]]]:
    """Yield up to eight tiles of one size with the numbers of their fields."""
    waiting: dict[tuple[int, ...], tuple[list[int], list[Tile]]] = {}
    for number, (field, scale) in enumerate(zip(fields, um_per_pixel, strict=True)):
        for tile in iter_tiles(field, scale, step):
            numbers, tiles = waiting.setdefault(tile.canvas.shape, ([], []))
            numbers.append(number)
            tiles.append(tile)
            if len(tiles) == BATCH:
                yield waiting.pop(tile.canvas.shape)
    yield from waiting.values()


def _merge(parts: Iterable[tuple[np.ndarray, np.ndarray]], size: tuple[int, int]) -> pd.DataFrame:
    boxes, score = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    kept = drop_duplicates(boxes, score)
    boxes, score = boxes[kept], score[kept]
    height, width = size
    boxes = np.clip(boxes, 0, np.tile((width, height), 2))
    table = pd.DataFrame(np.column_stack([boxes, score]), columns=list(COLUMNS))
    return table[(table["right"] > table["left"]) & (table["bottom"] > table["top"])].reset_index(drop=True)


def detect_fields(network: keras.Model, fields: Sequence[Field], *, threshold: float = LEAST) -> pd.DataFrame:
    """Find the white blood cells of fields that are at the scale of the detector, in one table.

    Args:
        network: from :func:`helpers.counting.training.fit_detector`.
        fields: from :func:`helpers.counting.patches.read_fields`.
        threshold: as in :func:`detect`.

    Returns:
        Columns ``image_id`` and those of :func:`detect`, in pixels of ``field.image``.
    """
    tables = detect(network, [field.image for field in fields], [UM_PER_PIXEL] * len(fields), threshold=threshold)
    named = [
        table.assign(image_id=field.image_id)[["image_id", *COLUMNS]]
        for field, table in zip(fields, tables, strict=True)
    ]
    return pd.concat(named, ignore_index=True)


def true_boxes(fields: Sequence[Field]) -> pd.DataFrame:
    """Return the annotated boxes of fields in one table.

    Args:
        fields: from :func:`helpers.counting.patches.read_fields`.

    Returns:
        Columns ``image_id``, ``group``, ``left``, ``top``, ``right``, ``bottom``, in pixels of ``field.image``.
    """
    rows = [(field.image_id, field.group, *box) for field in fields for box in field.boxes.tolist()]
    return pd.DataFrame(rows, columns=["image_id", "group", *SIDES])
