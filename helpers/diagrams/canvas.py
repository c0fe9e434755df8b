"""A canvas for diagrams: boxes, arrows, images and labels, in the style of the figures of the book.

Coordinates run from 0 to 100 in both directions, whatever the size of the canvas, with y upwards; ``x`` and ``y`` are
the centre of what is drawn.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

from helpers.plots.style import COLOURS, FONT_SIZE, AccessibleFigure

INK = "#222222"
PAPER = "#FFFFFF"
BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, BLACK, GREY = COLOURS
TINT = 0.85  # share of white in the fill of a box, on which black text has a contrast of at least 7 to 1


@dataclass(frozen=True)
class Box:
    """A rectangle of a diagram, in coordinates of its canvas.

    Attributes:
        x: centre, from 0 (left) to 100.
        y: centre, from 0 (bottom) to 100.
        width: extent along x.
        height: extent along y.
    """

    x: float
    y: float
    width: float
    height: float

    def edge_towards(self, x: float, y: float) -> tuple[float, float]:
        """Return the point where the line from the centre to ``(x, y)`` leaves the rectangle."""
        across, up = x - self.x, y - self.y
        if not across and not up:
            return self.x, self.y
        scale = min(
            self.width / 2 / abs(across) if across else np.inf,
            self.height / 2 / abs(up) if up else np.inf,
        )
        return self.x + scale * across, self.y + scale * up


Point = Box | tuple[float, float]


class Canvas:
    """Draw a diagram from boxes, arrows, images and labels."""

    def __init__(self, width: float, height: float):
        """Create an empty canvas.

        Args:
            width: width in inches; at 6.5 or less, text of the default size is legible on a telephone.
            height: height in inches.
        """
        self.figure = Figure(figsize=(width, height))
        self.figure.patch.set_facecolor(PAPER)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, 100), ylim=(0, 100))
        self.axes.set_axis_off()
        self._aspect = width / height

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        text: str = "",
        *,
        colour: str = BLUE,
        dashed: bool = False,
        size: float = FONT_SIZE,
        wrap: int = 0,
    ) -> Box:
        """Draw a rounded box with centred text.

        Args:
            x: centre.
            y: centre.
            width: extent along x.
            height: extent along y.
            text: text; line breaks are kept.
            colour: colour of the edge; the fill is a light tint of it.
            dashed: dash the edge, for what is optional or not yet there.
            size: font size in points.
            wrap: longest line in characters; 0 does not wrap.
        """
        patch = FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1.2",
            mutation_aspect=self._aspect,
            facecolor=tint(colour),
            edgecolor=colour,
            linewidth=1.4,
            linestyle="--" if dashed else "-",
        )
        self.axes.add_patch(patch)
        if text:
            self.label(x, y, textwrap.fill(text, wrap) if wrap else text, size=size)
        return Box(x, y, width, height)

    def rectangle(self, x: float, y: float, width: float, height: float, *, colour: str, filled: bool = False) -> Box:
        """Draw a rectangle with sharp corners, such as a pixel or a kernel; see :meth:`box` for the arguments."""
        fill = tint(colour) if filled else "none"
        corner = (x - width / 2, y - height / 2)
        self.axes.add_patch(Rectangle(corner, width, height, facecolor=fill, edgecolor=colour, linewidth=1.4))
        return Box(x, y, width, height)

    def arrow(
        self, start: Point, end: Point, label: str = "", *, colour: str = INK, bend: float = 0, dashed: bool = False
    ) -> None:
        """Draw an arrow between two boxes or points.

        Args:
            start: box, from whose edge the arrow starts, or point.
            end: box, at whose edge the arrow ends, or point.
            label: text beside the middle of the arrow.
            colour: colour of arrow and label.
            bend: curvature; 0 is straight, positive bends to the right of its direction.
            dashed: dash the line.
        """
        tail, head = _ends(start, end)
        style = f"arc3,rad={bend}"
        self.axes.add_patch(
            FancyArrowPatch(
                tail,
                head,
                arrowstyle="-|>",
                mutation_scale=11,
                connectionstyle=style,
                color=colour,
                linewidth=1.3,
                linestyle="--" if dashed else "-",
                shrinkA=1,
                shrinkB=1,
            )
        )
        if label:
            x, y = self._middle(tail, head, bend)
            self.label(x, y, label, size=FONT_SIZE - 1, colour=colour, background=True)

    def image(self, x: float, y: float, width: float, picture: np.ndarray) -> Box:
        """Draw an image with square pixels.

        Args:
            x: centre.
            y: centre.
            width: extent along x; the height follows from the shape of the image.
            picture: ``uint8 (height, width, 3)`` RGB, or ``(height, width)``, shown in grey from its least to its
                largest value.
        """
        height = width * self._aspect * picture.shape[0] / picture.shape[1]
        extent = (x - width / 2, x + width / 2, y - height / 2, y + height / 2)
        self.axes.imshow(picture, extent=extent, aspect="auto", cmap="gray", interpolation="nearest", zorder=0.5)
        self.axes.set(xlim=(0, 100), ylim=(0, 100))
        return Box(x, y, width, height)

    def label(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = FONT_SIZE,
        colour: str = INK,
        align: str = "center",
        bold: bool = False,
        background: bool = False,
    ) -> None:
        """Write text.

        Args:
            x: centre, or the end that ``align`` names.
            y: centre.
            text: text; line breaks are kept.
            size: font size in points.
            colour: colour of the text.
            align: ``left``, ``center`` or ``right``.
            bold: bold face.
            background: put white behind the text, so that lines do not cross it.
        """
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5} if background else None
        weight = "bold" if bold else "normal"
        self.axes.text(x, y, text, fontsize=size, color=colour, ha=align, va="center", weight=weight, bbox=box)

    def finish(self, alt: str, caption: str) -> AccessibleFigure:
        """Return the diagram as a figure.

        Args:
            alt: alt text, the content of the diagram in words.
            caption: caption, the point of the diagram.
        """
        return AccessibleFigure(self.figure, alt, caption)

    def _middle(self, tail: tuple[float, float], head: tuple[float, float], bend: float) -> tuple[float, float]:
        """Return the middle of a bent arrow, which bulges at a right angle to its direction as seen on the page."""
        across, up = head[0] - tail[0], head[1] - tail[1]
        x = (tail[0] + head[0]) / 2 + bend / 2 * up / self._aspect
        return x, (tail[1] + head[1]) / 2 - bend / 2 * across * self._aspect


def tint(colour: str, white: float = TINT) -> tuple[float, float, float]:
    """Mix a colour with white.

    Args:
        colour: ``#RRGGBB``.
        white: share of white, from 0 to 1.

    Returns:
        Red, green and blue from 0 to 1.
    """
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return (white + (1 - white) * red, white + (1 - white) * green, white + (1 - white) * blue)


def _ends(start: Point, end: Point) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where an arrow starts and ends: on the edges of boxes, or at points."""
    start_x, start_y = (start.x, start.y) if isinstance(start, Box) else start
    end_x, end_y = (end.x, end.y) if isinstance(end, Box) else end
    tail = start.edge_towards(end_x, end_y) if isinstance(start, Box) else start
    head = end.edge_towards(start_x, start_y) if isinstance(end, Box) else end
    return tail, head
