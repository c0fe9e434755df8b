"""Cells of a field: which of them count, and their pictures for a classifier."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from helpers.datasets.boxes import SIDES, square_around

# Boxes of the detector are exact to about half a grid point; a cell this near to the border is taken for cut.
NEAR_BORDER_UM = 0.75
BORDER_RULE = (
    "A cell that the upper or left border of a field cuts is counted, one that the lower or right border cuts is not "
    "(Gundersen 1977): so that a large cell is as likely to be counted as a small one, wherever the field is laid."
)


def mark_border(table: pd.DataFrame, size: tuple[int, int], um_per_pixel: float) -> pd.DataFrame:
    """Tell which cells are cut by the border of their field, and which of them count.

    Cells that the upper or left border cuts are counted, those at the lower or right border are not (Gundersen 1977,
    J Microsc 111:219). To count only whole cells would miss more large cells than small ones.

    Args:
        table: detections of one field, with ``left``, ``top``, ``right`` and ``bottom`` in pixels.
        size: height and width of the field in pixels.
        um_per_pixel: scale of the field in µm per pixel.

    Returns:
        The table with the columns ``cut`` and ``counted``.

    Example:
        >>> import pandas as pd
        >>> from helpers.counting.cells import mark_border
        >>> sides = ["left", "top", "right", "bottom"]
        >>> boxes = [(0, 10, 40, 50), (50, 60, 99, 99)]
        >>> table = pd.DataFrame(boxes, columns=sides)
        >>> marked = mark_border(table, (100, 100), 0.25)
        >>> marked["cut"].tolist(), marked["counted"].tolist()
        ([True, True], [True, False])
    """
    height, width = size
    near = NEAR_BORDER_UM / um_per_pixel
    allowed = (table["left"] < near) | (table["top"] < near)
    forbidden = (table["right"] > width - near) | (table["bottom"] > height - near)
    return table.assign(cut=allowed | forbidden, counted=~forbidden)


def cut_out(field: np.ndarray, table: pd.DataFrame) -> Iterator[np.ndarray]:
    """Yield the picture of each cell: the square around its box with a margin of 10 %, as for ``bccd`` and ``txl``.

    Args:
        field: ``uint8 (height, width, 3)`` RGB.
        table: detections, with ``left``, ``top``, ``right`` and ``bottom`` in pixels.

    Yields:
        ``uint8 (side, side, 3)`` RGB, moved to lie within the field.
    """
    height, width = field.shape[:2]
    for left, top, right, bottom in table[SIDES].round().astype(int).to_numpy().tolist():
        square = square_around(("WBC", left, top, right, bottom), (height, width))
        yield field[square["top"] : square["bottom"], square["left"] : square["right"]]
