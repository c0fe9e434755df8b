"""Fields with the boxes of their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from helpers.datasets.boxes import SIDES
from helpers.metrics import DetectionMatches
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure, draw_panels, make_axes, rgb


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


@dataclass(frozen=True)
class BoxStyle:
    """Hold the look of the boxes of one outcome.

    Attributes:
        colour: ``#RRGGBB``.
        dash: dash pattern.
        width: line width in points.
        label: text at the box; may be empty.
    """

    colour: str
    dash: Literal["-", "--", "-."]
    width: float
    label: str


FOUND = BoxStyle(COLOURS[2], "-", 1.8, "")
MISSED = BoxStyle(COLOURS[1], "--", 2.4, "missed")
INVENTED = BoxStyle(COLOURS[3], "-.", 2.6, "invented")


def field_grid(
    fields: Mapping[str, np.ndarray],
    matches: DetectionMatches,
    caption: str,
    *,
    threshold: float = -np.inf,
    n_columns: int = 2,
) -> AccessibleFigure | NoFigure:
    """Draw fields side by side with the cells that a detector found, missed and invented.

    Args:
        fields: ``uint8 (height, width, 3)`` RGB by ``image_id``.
        matches: from :func:`helpers.metrics.match_detections`, for these fields and perhaps others.
        caption: caption of the figure.
        threshold: least score of a detection.
        n_columns: fields in a row; two are legible on a telephone.
    """
    if not fields:
        return NoFigure("there are no fields")
    detected = matches.detections[matches.detections["score"] >= threshold]
    kinds = {
        "found": (detected[detected["true_positive"]], FOUND),
        "missed": (matches.missed(threshold), MISSED),
        "invented": (detected[~detected["true_positive"]], INVENTED),
    }
    n_columns = min(n_columns, len(fields))
    n_rows = -(-len(fields) // n_columns)
    figure, axes = make_axes(2.9 * n_columns, 3.15 * n_rows + 0.3, n_columns, n_rows, squeeze=False)
    draw_panels(axes, dict(fields))
    words = []
    for ax, (name, image) in zip(axes.ravel(), fields.items(), strict=False):
        counts = []
        for kind, (table, style) in kinds.items():
            own = table.loc[table["image_id"] == name, SIDES].to_numpy(float)
            counts.append(f"{len(own)} {kind}")
            for box in own:
                _outline(ax, box, style, image.shape[1])
        ax.set_title(f"{short_label(name)}\n{', '.join(counts)}", fontsize=FONT_SIZE)
        words.append(f"{name}: {', '.join(counts)}")
    handles = [
        Line2D([], [], color=style.colour, linestyle=style.dash, linewidth=style.width, label=kind)
        for kind, (_, style) in kinds.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    n_fields = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
    alt = f"{n_fields} with the boxes of white blood cells. {'; '.join(words)}."
    return AccessibleFigure(figure, alt, caption)


def _outline(ax: Axes, box: np.ndarray, style: BoxStyle, width: int) -> None:
    """Draw a box on a field of ``width`` pixels, with its label above it, or below it at the upper border."""
    left, top, right, bottom = box - 0.5  # matplotlib counts from the middle of the first pixel
    for line, colour in ((style.width + 1.4, "white"), (style.width, style.colour)):
        dash = "-" if colour == "white" else style.dash
        ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, ec=colour, lw=line, ls=dash))
    if style.label:
        above = top > 0.1 * width
        ax.text(
            min(max(left, 0), 0.72 * width),
            top if above else bottom,
            style.label,
            fontsize=FONT_SIZE,
            va="bottom" if above else "top",
            bbox={"facecolor": "white", "edgecolor": style.colour, "linewidth": 1.2, "pad": 1.5},
        )
