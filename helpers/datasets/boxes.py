"""Boxes of cells in pixels of their image: ``(kind, left, top, right, bottom)``, right and bottom exclusive."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

KINDS = ("WBC", "RBC", "Platelets")
SIDES = ["left", "top", "right", "bottom"]  # columns of tables of boxes
MARGIN = 0.1
Box = tuple[str, int, int, int, int]


def square_around(box: Box, size: tuple[int, int]) -> dict[str, int]:
    """Compute the square around a box with a margin of 10 %, shifted to lie inside the image.

    Args:
        box: kind and sides in pixels.
        size: height and width of the image in pixels.

    Returns:
        ``left``, ``top``, ``right`` and ``bottom`` in pixels, the columns of a crop.

    Example:
        >>> from helpers.datasets.boxes import square_around
        >>> square_around(("WBC", 600, 0, 640, 60), (480, 640))
        {'left': 568, 'top': 0, 'right': 640, 'bottom': 72}
    """
    (height, width), (_, left, top, right, bottom) = size, box
    side = min(round(max(right - left, bottom - top) * (1 + 2 * MARGIN)), height, width)
    x = min(max((left + right - side) // 2, 0), width - side)
    y = min(max((top + bottom - side) // 2, 0), height - side)
    return {"left": x, "top": y, "right": x + side, "bottom": y + side}


def with_area(boxes: list[Box]) -> tuple[Box, ...]:
    """Drop boxes without an area."""
    return tuple(box for box in boxes if box[3] > box[1] and box[4] > box[2])


def central_cell(boxes: Iterable[Box], size: tuple[int, int]) -> Box | None:
    """Return the box of the white blood cell whose centre is nearest to that of the image; None if there is none.

    Args:
        boxes: boxes of all cells of an image.
        size: height and width of the image in pixels.
    """
    height, width = size
    cells = [box for box in boxes if box[0] == "WBC"]
    if not cells:
        return None
    return min(cells, key=lambda box: math.hypot(box[1] + box[3] - width, box[2] + box[4] - height))


def box_table(frame: pd.DataFrame, kind: str = "WBC") -> pd.DataFrame:
    """Tabulate the boxes of one kind of cell, a row per box, as :mod:`helpers.metrics.detection` takes them.

    A box that a field lists more than once is one cell: image LY_10361 of TXL-PBC lists its only white blood cell six
    times.

    Args:
        frame: table of whole fields with a column ``boxes`` (``Dataset.frame``).
        kind: kind of cell: WBC, RBC or Platelets.

    Returns:
        Columns ``image_id, group, left, top, right, bottom``, in the order of ``frame``.

    Raises:
        ValueError: the table has no column ``boxes``, or the kind is unknown.

    Example:
        >>> from helpers import datasets
        >>> from helpers.datasets.boxes import box_table
        >>> options = {"n_images": 2, "n_patients": 1, "size": 128}
        >>> data = datasets.load("synthetic", task="fields", **options)
        >>> sorted(box_table(data.frame)["image_id"].unique())
        ['synthetic-00000', 'synthetic-00001']
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of cell {kind!r}; choose from {', '.join(KINDS)}")
    if "boxes" not in frame:
        raise ValueError("the table has no column 'boxes'; load whole fields, such as bccd with whole_fields=True")
    rows = [
        (image_id, group, *box[1:])
        for image_id, group, boxes in zip(frame.index, frame["group"], frame["boxes"], strict=True)
        for box in dict.fromkeys(boxes)
        if box[0] == kind
    ]
    return pd.DataFrame(rows, columns=["image_id", "group", *SIDES])
