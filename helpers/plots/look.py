"""The one look of all figures, and pictures of cells."""

from __future__ import annotations

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

# Okabe and Ito 2008: told apart with every common colour blindness. Pale yellow is left out: white paper swallows it.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# For the second eight series and further ones. Dots are left out: they are the line of chance.
DASHES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)))
HATCHES = ("", "////", "xxxx", "....")
BESIDE = {"bbox_to_anchor": (1, 1), "loc": "upper left"}  # where a legend covers nothing
DPI = 110
STYLE = {"fontsize": 9}


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows in words (``alt``) and what to see in it (``caption``)."""

    figure: Figure
    alt: str
    caption: str

    def __repr__(self) -> str:
        return f"Figure: {self.alt}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        bundle = {"image/png": buffer.getvalue(), "text/plain": repr(self)}
        return bundle, {"image/png": {"alt": self.alt, "caption": self.caption}}


def axes_of(width: float, height: float, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """A figure of this size in inches, and its axes, one or an array, without the box around them."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, **options)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    return figure, axes


class SeriesStyle(NamedTuple):
    """What tells one series of a figure from the others."""

    colour: str
    marker: str
    dash: str | tuple[int, tuple[int, ...]]
    hatch: str


def series_styles(count: int) -> list[SeriesStyle]:
    """Return a style for each of ``count`` series; no two share a colour with a marker, a dash or a hatch.

    The first eight differ in colour and marker. Every further eight have the colours again, with other markers, dashes
    and hatches.

    Raises:
        ValueError: more than 32 series, which nobody can tell apart.
    """
    if count > len(COLOURS) * len(DASHES):
        raise ValueError(f"{count} series cannot be told apart; show at most {len(COLOURS) * len(DASHES)} in a figure")
    styles = []
    for number in range(count):
        turn, k = divmod(number, len(COLOURS))
        styles.append(SeriesStyle(COLOURS[k], MARKERS[(k + turn) % len(MARKERS)], DASHES[turn], HATCHES[turn]))
    return styles


def draw_legend(ax: Axes, **options: Any) -> None:
    """Draw a legend without a frame; one of more than nine entries stands beside the axes, where it covers nothing.

    Args:
        ax: that the legend is of.
        options: those of :meth:`matplotlib.axes.Axes.legend`.
    """
    if len(ax.get_legend_handles_labels()[1]) > 9 and "bbox_to_anchor" not in options:
        options |= BESIDE
    ax.legend(fontsize=8, frameon=False, **options)


def listed(words: Sequence[Any]) -> str:
    """Words as one reads them out: ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def grid(rows: dict[str, np.ndarray], caption: str, columns: Sequence[str] = (), side: float = 1.05) -> Picture:
    """Images in labelled rows: the way to look at cells side by side.

    Args:
        rows: label to images ``uint8 (n, size, size, 3)``, or masks ``(n, size, size)`` of 0 to 2; n may differ.
        caption: what to see.
        columns: titles of the columns, if they have any.
        side: width of one image in inches.

    Raises:
        ValueError: more titles than columns of images.
    """
    width = max(len(pictures) for pictures in rows.values())
    if len(columns) > width:
        raise ValueError(f"{len(columns)} titles for {width} columns of images; give each column one title")
    figure = Figure(figsize=(side * width + 1.1, side * len(rows) + 0.3 * bool(len(columns))), layout="constrained")
    axes = figure.subplots(len(rows), width, squeeze=False)
    for line, (label, pictures) in zip(axes, rows.items(), strict=True):
        for ax in line:
            ax.set_axis_off()
        for ax, picture in zip(line, pictures, strict=False):
            ax.imshow(picture, **({"cmap": "gray", "vmin": 0, "vmax": 2} if picture.ndim == 2 else {}))
        line[0].text(-0.08, 0.5, label, transform=line[0].transAxes, ha="right", va="center", **STYLE)
    for ax, title in zip(axes[0], columns, strict=False):
        ax.set_title(title, **STYLE)
    across = f", columns {listed(columns)}" if len(columns) else ""
    counts = {label: len(pictures) for label, pictures in rows.items()}
    alt = f"Pictures in {len(rows)} rows{across}: " + "; ".join(f"{label} ({n})" for label, n in counts.items()) + "."
    return Picture(figure, alt, caption)


def montage(dataset: Dataset, caption: str, per_class: int = 8, size: int = 96, seed: int = 0) -> Picture:
    """Cells of every class drawn at random, one row per class. ``per_class`` at most, fewer where a class has fewer."""
    random = np.random.default_rng(seed)
    rows = {}
    for label in dataset.classes or ("all images",):
        ids = dataset.frame.index[dataset.frame["label"] == label] if dataset.classes else dataset.frame.index
        if len(ids):
            chosen = random.choice(np.sort(ids), min(per_class, len(ids)), replace=False)
            rows[label] = dataset.subset(chosen).images(size)
    return grid(rows, caption)


def overlays(dataset: Dataset, masks: dict[str, np.ndarray], caption: str, size: int = 128) -> Picture:
    """Outlines on the images of a small dataset: one row per way of drawing them, whole cell green, nucleus yellow.

    Args:
        dataset: some six images.
        masks: label to ``uint8 (n, size, size)`` of 0 background, 1 cytoplasm, 2 nucleus (a nucleus alone has no 1).
        caption: what to see.
        size: side in pixels.
    """
    pictures = dataset.images(size)
    rows = {
        label: np.stack([outlined(p, m) for p, m in zip(pictures, drawn, strict=True)])
        for label, drawn in masks.items()
    }
    return grid({"image": pictures, **rows}, caption, [i.split("-", 1)[-1] for i in dataset.frame.index])


def outlined(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A copy of the image with the outlines of cell (green) and nucleus (yellow) drawn on it."""
    drawn = image.copy()
    for least, colour in ((CYTOPLASM, COLOURS[2]), (NUCLEUS, "#F0E442")):
        edges, _ = cv2.findContours((mask >= least).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
        cv2.drawContours(drawn, edges, -1, (red, green, blue), 1)
    return drawn


def sizes_compared(picture: np.ndarray, sides: Sequence[int], caption: str) -> Picture:
    """One image shrunk to several sides and shown equally large."""
    shrunk = [images.resize(picture, side) for side in sides]
    shown = np.stack([cv2.resize(small, (300, 300), interpolation=cv2.INTER_NEAREST) for small in shrunk])
    return grid({"": shown}, caption, [f"{side} px" for side in sides], side=2.1)
