"""Style of all figures, and grids of cell images."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import images
from helpers.datasets import CYTOPLASM, NUCLEUS, Dataset
from helpers.markup import join_words
from helpers.plots.notice import NoFigure, short_label, show_letter_by_letter

# Okabe and Ito 2008: distinguishable with all common colour blindness. Without pale yellow, invisible on white paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# Dashes for each further eight series. Dotted lines are reserved for the chance level.
DASHES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)))
HATCHES = ("", "////", "xxxx", "....")
BESIDE = {"bbox_to_anchor": (1, 1), "loc": "upper left"}  # outside the axes, where a legend covers no data
BELOW = {"bbox_to_anchor": (0.5, 0), "loc": "upper center"}
DPI = 110
FONT_SIZE = 9
LEGEND_ROWS = 16  # legend entries in one column


@dataclass(frozen=True)
class AccessibleFigure:
    """A figure with alt text and caption.

    Attributes:
        figure: matplotlib figure.
        alt: alt text, the content of the figure in words.
        caption: caption, the point of the figure.
    """

    figure: Figure
    alt: str
    caption: str

    def __post_init__(self) -> None:
        show_letter_by_letter(self.figure)

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def to_png(self) -> bytes:
        """Render the figure as a PNG."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle = {"image/png": self.to_png(), "text/plain": repr(self)}
        return bundle, {"image/png": {"alt": self.alt, "caption": plain_caption(self.caption)}}

    def _ipython_display_(self) -> None:
        """Display the figure, then its caption as text, as a notebook shows only one form of a result."""
        from IPython.display import display  # only notebooks call this, and they have IPython

        bundle, metadata = self._repr_mimebundle_()
        display(bundle, metadata=metadata, raw=True)
        display(caption_bundle(self.caption), raw=True)


def caption_bundle(caption: str) -> dict[str, str]:
    """Return a caption as notebook output: HTML in italics, and plain text."""
    plain = plain_caption(caption)
    return {"text/html": f"<p><em>{html.escape(plain)}</em></p>", "text/plain": plain}


def plain_caption(caption: str) -> str:
    """Return a caption without marks of code, which neither the book nor a notebook renders below a figure."""
    return caption.replace("`", "")


def make_axes(width: float, height: float, columns: int = 1, rows: int = 1, **options: Any) -> tuple[Figure, Any]:
    """Create a figure and its axes without top and right spines.

    Args:
        width: width in inches.
        height: height in inches.
        columns: columns of axes.
        rows: rows of axes.
        options: passed to :meth:`matplotlib.figure.Figure.subplots`.

    Returns:
        The figure, and one axes or an array of axes.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, **options)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    return figure, axes


class SeriesStyle(NamedTuple):
    """Colour, marker, dash pattern and hatch of one series."""

    colour: str
    marker: str
    dash: str | tuple[int, tuple[int, ...]]
    hatch: str


def series_styles(count: int) -> list[SeriesStyle]:
    """Return distinct styles for ``count`` series; series of one colour differ in marker, dash and hatch.

    The first eight differ in colour and marker; each further eight repeat the colours with other markers, dashes and
    hatches.

    Raises:
        ValueError: more than 32 series, which cannot be told apart.
    """
    if count > len(COLOURS) * len(DASHES):
        raise ValueError(f"{count} series cannot be told apart; show at most {len(COLOURS) * len(DASHES)} in a figure")
    styles = []
    for number in range(count):
        repetition, k = divmod(number, len(COLOURS))
        styles.append(
            SeriesStyle(COLOURS[k], MARKERS[(k + repetition) % len(MARKERS)], DASHES[repetition], HATCHES[repetition])
        )
    return styles


def draw_legend(ax: Axes, *, below: bool = False, **options: Any) -> None:
    """Draw a frameless legend outside the axes, where it covers no data, and enlarge the figure to fit it.

    Args:
        ax: axes with labelled series; the last axes of their row, unless ``below``.
        below: place the legend below the axes instead of to the right.
        options: passed to :meth:`matplotlib.axes.Axes.legend`.
    """
    labels = ax.get_legend_handles_labels()[1]
    longest = max(len(line) for label in labels for line in label.split("\n"))
    n_columns = max(1, min(3, 36 // longest)) if below else -(-len(labels) // LEGEND_ROWS)
    ax.legend(fontsize=8, frameon=False, ncols=n_columns, **(BELOW if below else BESIDE), **options)
    legend_height = 0.17 * sum(label.count("\n") + 1 for label in labels) / n_columns
    figure = ax.figure
    assert isinstance(figure, Figure)  # make_axes divides no figure into subfigures
    width, height = figure.get_size_inches()
    if below:
        figure.set_size_inches(width, max(height, 2.9 + legend_height))
    else:
        figure.set_size_inches(width + n_columns * (0.5 + 0.07 * longest), max(height, 0.5 + legend_height))


def image_grid(
    rows: dict[str, np.ndarray], caption: str, columns: Sequence[str] = (), side: float = 1.05
) -> AccessibleFigure | NoFigure:
    """Draw a grid of images in labelled rows.

    Args:
        rows: images ``uint8 (n, size, size, 3)``, or masks ``(n, size, size)`` with values 0 to 2, by row label; n may
            differ, and a row without images is left out.
        caption: caption of the figure.
        columns: titles of the columns; may be empty.
        side: width of one image in inches.

    Raises:
        ValueError: more titles than columns of images.

    Example:
        >>> from helpers import datasets, plots
        >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
        >>> images = data.load_images(32)
        >>> plots.image_grid({"all": images, "first": images[:2]}, "Six cells.")
        Figure: Pictures in 2 rows: all (6); first (2).
    """
    shown = {label: pictures for label, pictures in rows.items() if len(pictures)}
    if not shown:
        return NoFigure(f"there are no images of {join_words(list(rows))}" if rows else "there are no images")
    width = max(len(pictures) for pictures in shown.values())
    if len(columns) > width:
        raise ValueError(f"{len(columns)} titles for {width} columns of images; give each column one title")
    figure = Figure(figsize=(side * width + 1.1, side * len(shown) + 0.3 * bool(len(columns))), layout="constrained")
    axes = figure.subplots(len(shown), width, squeeze=False)
    for line, (label, pictures) in zip(axes, shown.items(), strict=True):
        for ax in line:
            ax.set_axis_off()
        for ax, picture in zip(line, pictures, strict=False):
            ax.imshow(picture, **({"cmap": "gray", "vmin": 0, "vmax": 2} if picture.ndim == 2 else {}))
        line[0].text(
            -0.08, 0.5, short_label(label), transform=line[0].transAxes, ha="right", va="center", fontsize=FONT_SIZE
        )
    for ax, title in zip(axes[0], columns, strict=False):
        ax.set_title(short_label(title), fontsize=FONT_SIZE)
    titles = [" ".join(title.split()) for title in columns]
    across = f", columns {join_words(titles)}" if titles else ""
    counts = {label: len(pictures) for label, pictures in rows.items()}
    n_rows = "1 row" if len(shown) == 1 else f"{len(shown)} rows"
    alt = f"Pictures in {n_rows}{across}: " + "; ".join(f"{label} ({n})".strip() for label, n in counts.items()) + "."
    return AccessibleFigure(figure, alt, caption)


def draw_legend_above(ax: Axes, n_columns: int, size: float = 8) -> None:
    """Draw the legend above the axes, which keep the whole width of a telephone.

    Args:
        ax: axes with labelled series.
        n_columns: entries in a row.
        size: font size in points.
    """
    ax.legend(fontsize=size, frameon=False, ncols=n_columns, loc="lower center", bbox_to_anchor=(0.5, 1))


def titled_grid(panels: dict[str, np.ndarray], caption: str, n_columns: int = 4) -> AccessibleFigure:
    """Draw images of one cell, such as its saliency maps, each with its title.

    Args:
        panels: images ``uint8 (size, size, 3)`` by title, at least one.
        caption: caption of the figure.
        n_columns: images in a row.
    """
    n_rows = -(-len(panels) // n_columns)
    figure, axes = make_axes(2.1 * n_columns, 2.5 * n_rows, n_columns, n_rows, squeeze=False)
    draw_panels(axes, panels)
    return AccessibleFigure(figure, f"{len(panels)} images: {'; '.join(panels)}.".replace("\n", ", "), caption)


def draw_panels(axes: np.ndarray, panels: dict[str, np.ndarray]) -> None:
    """Draw images into axes, each with its title; axes that remain stay empty.

    Args:
        axes: at least as many axes as images.
        panels: ``uint8 (height, width, 3)``, or ``(height, width)``, shown in grey, by title.
    """
    for ax in axes.ravel():
        ax.set_axis_off()
    for ax, (title, panel) in zip(axes.ravel(), panels.items(), strict=False):
        ax.imshow(panel, cmap="gray")
        ax.set_title(short_label(title, lines=3), fontsize=FONT_SIZE)


def montage(
    dataset: Dataset, caption: str, per_class: int = 8, size: int = 96, seed: int = 0
) -> AccessibleFigure | NoFigure:
    """Draw a grid of randomly sampled images, one row per class.

    Args:
        dataset: dataset to sample from.
        caption: caption of the figure.
        per_class: maximum number of images per class.
        size: side of the images in pixels.
        seed: seed of the sampling.
    """
    random = np.random.default_rng(seed)
    rows = {}
    for label in dataset.classes or ("all images",):
        ids = dataset.frame.index[dataset.frame["label"] == label] if dataset.classes else dataset.frame.index
        if len(ids):
            chosen = random.choice(np.sort(ids), min(per_class, len(ids)), replace=False)
            rows[label] = dataset.select(chosen).load_images(size)
    return image_grid(rows, caption)


def contour_grid(
    dataset: Dataset, masks: dict[str, np.ndarray], caption: str, size: int = 128
) -> AccessibleFigure | NoFigure:
    """Draw mask contours on images, one row per segmentation method; whole cell green, nucleus yellow.

    Args:
        dataset: a small dataset of about six images.
        masks: masks ``uint8 (n, size, size)`` by method: 0 background, 1 cytoplasm (absent if only the nucleus is
            segmented), 2 nucleus.
        caption: caption of the figure.
        size: side in pixels.
    """
    pictures = dataset.load_images(size)
    rows = {
        label: np.stack([draw_contours(p, m) for p, m in zip(pictures, drawn, strict=True)])
        for label, drawn in masks.items()
    }
    return image_grid({"image": pictures, **rows}, caption, [i.split("-", 1)[-1] for i in dataset.frame.index])


def rgb(colour: str) -> tuple[int, int, int]:
    """Convert a colour ``#RRGGBB`` to red, green and blue, 0 to 255."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return red, green, blue


def draw_contours(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the contours of cell (green) and nucleus (yellow) on a copy of an image.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        mask: ``(height, width)``: 0 background, 1 cytoplasm, 2 nucleus.

    Returns:
        Copy of the image with contours one pixel wide.
    """
    drawn = image.copy()
    for min_label, colour in ((CYTOPLASM, COLOURS[2]), (NUCLEUS, "#F0E442")):
        edges, _ = cv2.findContours((mask >= min_label).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, edges, -1, rgb(colour), 1)
    return drawn


def resolution_grid(picture: np.ndarray, sides: Sequence[int], caption: str) -> AccessibleFigure | NoFigure:
    """Draw one image at several resolutions, all displayed at the same size.

    Args:
        picture: ``uint8 (height, width, 3)`` RGB.
        sides: sides in pixels to resize to.
        caption: caption of the figure.
    """
    if not len(sides):
        return NoFigure("there are no sizes to compare")
    shrunk = [images.resize_pad(picture, side) for side in sides]
    shown = np.stack([cv2.resize(small, (300, 300), interpolation=cv2.INTER_NEAREST) for small in shrunk])
    return image_grid({"": shown}, caption, [f"{side} px" for side in sides], side=2.1)
