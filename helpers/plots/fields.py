"""Fields with the boxes of their cells."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from helpers.plots.style import COLOURS


def rgb(colour: str) -> tuple[int, int, int]:
    """Convert a colour ``#RRGGBB`` to red, green and blue, 0 to 255."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return red, green, blue


def draw_boxes(
    image: np.ndarray, boxes: np.ndarray, labels: Sequence[str], colours: Sequence[str] | None = None
) -> np.ndarray:
    """Draw boxes with a label above each on a copy of a field.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        boxes: left, top, right and bottom in pixels, ``(n, 4)``.
        labels: text of each box; an empty one is left out.
        colours: colour ``#RRGGBB`` of each box; all blue by default.

    Returns:
        Copy of the image; lines and letters grow with its size.
    """
    drawn = image.copy()
    thickness = max(1, round(max(image.shape[:2]) / 320))
    size = max(0.35, max(image.shape[:2]) / 1100)
    colours = colours if colours is not None else [COLOURS[0]] * len(boxes)
    for box, label, colour in zip(np.round(boxes).astype(int).tolist(), labels, colours, strict=True):
        left, top, right, bottom = box
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), rgb(colour), thickness)
        if not label:
            continue
        (width, height), below = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
        x = min(max(0, left), max(0, image.shape[1] - width))
        y = (
            top - thickness - below
            if top - height - 2 * below >= 0
            else min(bottom + height + below, image.shape[0] - 1)
        )
        cv2.rectangle(drawn, (x, y - height - below), (x + width, y + below), rgb(colour), -1)
        cv2.putText(
            drawn, label, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), max(1, thickness // 2), cv2.LINE_AA
        )
    return drawn
