"""Every figure of the book, in one look; each comes with its alt text and its caption.

A function here returns a :class:`Picture`. In a notebook it shows as an image; its text form is the alt text, which is
what a screen reader says, what the committed notebook keeps, and what nbval compares when the image is not stored.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers import images
from helpers.datasets import CYTOPLASM, NUCLEUS, Dataset

# Okabe and Ito 2008: told apart with every common colour blindness. Pale yellow is left out: white paper swallows it.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DPI = 110
_STYLE = {"fontsize": 9}


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


def _axes(width: float, height: float, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, **options)
    for ax in np.ravel(axes):
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8)
    return figure, axes


def _listed(words: Sequence[Any]) -> str:
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def grid(rows: dict[str, np.ndarray], caption: str, columns: Sequence[str] = (), side: float = 1.05) -> Picture:
    """Images in labelled rows: the way to look at cells side by side.

    Args:
        rows: label to images ``uint8 (n, size, size, 3)``, or masks ``(n, size, size)`` of 0 to 2; n may differ.
        caption: what to see.
        columns: titles of the columns, if they have any.
        side: width of one image in inches.
    """
    width = max(len(pictures) for pictures in rows.values())
    figure = Figure(figsize=(side * width + 1.1, side * len(rows) + 0.3 * bool(len(columns))), layout="constrained")
    axes = figure.subplots(len(rows), width, squeeze=False)
    for line, (label, pictures) in zip(axes, rows.items(), strict=True):
        for ax in line:
            ax.set_axis_off()
        for ax, picture in zip(line, pictures, strict=False):
            ax.imshow(picture, **({"cmap": "gray", "vmin": 0, "vmax": 2} if picture.ndim == 2 else {}))
        line[0].text(-0.08, 0.5, label, transform=line[0].transAxes, ha="right", va="center", **_STYLE)
    for ax, title in zip(axes[0], columns, strict=False):
        ax.set_title(title, **_STYLE)
    across = f", columns {_listed(columns)}" if len(columns) else ""
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


def counts(frame: pd.DataFrame, by: str, caption: str) -> Picture:
    """Horizontal bars: how many images each value of a column has."""
    number = frame[by].value_counts()
    figure, ax = _axes(5.5, 0.8 + 0.28 * len(number))
    bars = ax.barh(number.index.astype(str), number, color=COLOURS[0])
    ax.bar_label(bars, padding=2, **_STYLE)
    ax.invert_yaxis()
    ax.set_xlabel("images", **_STYLE)
    alt = f"Bar chart of images by {by}: " + ", ".join(f"{name} {n}" for name, n in number.items()) + "."
    return Picture(figure, alt, caption)


def counts_by_group(frame: pd.DataFrame, caption: str, most: int = 30) -> Picture:
    """Stacked bars: the classes within each group, largest groups first, ``most`` groups at most."""
    table = pd.crosstab(frame["group"], frame["label"])
    table = table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index].head(most)
    figure, ax = _axes(6.5, 2.8)
    below = np.zeros(len(table))
    for label, colour in zip(table, COLOURS, strict=False):
        ax.bar(
            table.index.astype(str), table[label], bottom=below, color=colour, label=label, edgecolor="white", lw=0.4
        )
        below += table[label].to_numpy()
    ax.set_xlabel("group", **_STYLE)
    ax.set_ylabel("images", **_STYLE)
    ax.tick_params(axis="x", rotation=90)
    ax.legend(fontsize=7, ncols=2, frameon=False)
    total = frame["group"].nunique()
    alt = (
        f"Stacked bar chart of images by group, for {len(table)} of {total} groups: the largest has "
        f"{int(below[0])} images, the smallest shown {int(below[-1])}; bars are split into {_listed(list(table))}."
    )
    return Picture(figure, alt, caption)


def sizes(table: pd.DataFrame, caption: str) -> Picture:
    """Width against height of the images; the area of a marker grows with the number of images of that size."""
    number = table.value_counts().reset_index(name="images")
    figure, ax = _axes(4, 3.4)
    ax.scatter(
        number["width"],
        number["height"],
        s=12 + 200 * number["images"] / number["images"].max(),
        alpha=0.5,
        c=COLOURS[0],
    )
    ax.set_xlabel("width in pixels", **_STYLE)
    ax.set_ylabel("height in pixels", **_STYLE)
    common = number.iloc[0]
    alt = (
        f"Scatter plot of image sizes: {len(number)} different sizes among {len(table)} images; the most common is "
        f"{common['width']}×{common['height']} pixels with {common['images']} images."
    )
    return Picture(figure, alt, caption)


def colour_distributions(table: pd.DataFrame, caption: str, by: str = "label") -> Picture:
    """Strips of the mean red, green and blue of every image, by class (or another column)."""
    figure, axes = _axes(7.5, 2.8, 3, sharey=True)
    for ax, channel in zip(axes, ("red", "green", "blue"), strict=True):
        _strips(ax, table, channel, by)
        ax.set_title(channel, **_STYLE)
    axes[0].set_ylabel("mean over the image, 0 to 255", **_STYLE)
    medians = table.groupby(by)[["red", "green", "blue"]].median().round().astype(int)
    alt = f"Mean red, green and blue of each image by {by}; medians: " + "; ".join(
        f"{name} {r}, {g}, {b}" for name, r, g, b in medians.itertuples()
    )
    return Picture(figure, alt + ".", caption)


def strips(table: pd.DataFrame, value: str, caption: str, unit: str = "", by: str = "label") -> Picture:
    """One dot per image, one column per class, a bar at the median."""
    figure, ax = _axes(6, 3)
    _strips(ax, table, value, by)
    ax.set_ylabel(f"{value} {unit}".strip(), **_STYLE)
    quarter = table.groupby(by)[value].quantile([0.25, 0.5, 0.75]).unstack().round(2)
    alt = f"{value} by {by}, median and middle half: " + "; ".join(
        f"{name} {middle} ({low} to {high})" for name, low, middle, high in quarter.itertuples()
    )
    return Picture(figure, alt + ".", caption)


def _strips(ax: Axes, table: pd.DataFrame, value: str, by: str) -> None:
    jitter = np.random.default_rng(0)
    names = sorted(table[by].dropna().unique())
    for k, name in enumerate(names):
        points = table.loc[table[by] == name, value]
        place = k + jitter.uniform(-0.25, 0.25, len(points))
        ax.scatter(place, points, s=7, alpha=0.5, color=COLOURS[k % 8], marker=MARKERS[k % 8], lw=0)
        ax.hlines(points.median(), k - 0.35, k + 0.35, color="black", lw=1.5)
    ax.set_xticks(range(len(names)), [str(name) for name in names], rotation=40, ha="right", **_STYLE)


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


def intervals(table: pd.DataFrame, value: str, by: str, series: str, caption: str) -> Picture:
    """Means with 95 % intervals as points with whiskers, from :func:`helpers.metrics.table_of_means`."""
    names, kinds = list(dict.fromkeys(table[by])), list(dict.fromkeys(table[series]))
    if table.empty:
        figure, ax = _axes(6.5, 1.2)
        ax.set_axis_off()
        ax.text(0.5, 0.5, f"no {value} was measured", ha="center", **_STYLE)
        return Picture(figure, f"An empty panel: no {value} was measured, there is no truth to compare with.", caption)
    figure, ax = _axes(6.5, 0.9 + 0.42 * len(names))
    for k, kind in enumerate(kinds):
        part = table[table[series] == kind].set_index(by).loc[lambda t: [n for n in names if n in t.index]]
        place = np.array([names.index(name) for name in part.index]) + (k - (len(kinds) - 1) / 2) * 0.2
        reach = np.abs(part[["low", "high"]].to_numpy().T - part[value].to_numpy())
        ax.errorbar(part[value], place, xerr=reach, fmt=MARKERS[k], color=COLOURS[k], ms=5, capsize=2, label=kind)
    ax.set_yticks(range(len(names)), names, **_STYLE)
    ax.invert_yaxis()
    ax.set_xlabel(f"{value}, mean and 95 % interval", **_STYLE)
    ax.grid(axis="x", alpha=0.3)
    ax.legend(fontsize=7, frameon=False, bbox_to_anchor=(1, 1), loc="upper left")
    alt = f"{value} by {by} for {_listed(kinds)}: " + "; ".join(
        f"{row[by]}, {row[series]} {row[value]:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
        for _, row in table.iterrows()
    )
    return Picture(figure, alt + ".", caption)


def histograms(
    images_by_name: dict[str, np.ndarray], channels: Callable[[np.ndarray], dict[str, np.ndarray]], caption: str
) -> Picture:
    """Distributions of pixel values, one panel per channel, one line per name.

    Args:
        images_by_name: name to images ``uint8 (n, size, size, 3)``.
        channels: from images to values by channel name.
        caption: what to see.
    """
    split = {name: channels(pictures) for name, pictures in images_by_name.items()}
    titles = list(next(iter(split.values())))
    figure, axes = _axes(7.5, 2.4, len(titles))
    for ax, title in zip(np.ravel(axes), titles, strict=True):
        for k, (name, values) in enumerate(split.items()):
            ax.hist(values[title].ravel(), bins=64, density=True, histtype="step", color=COLOURS[k], label=name, lw=1.3)
        ax.set_title(title, **_STYLE)
        ax.set_yticks([])
    np.ravel(axes)[0].legend(fontsize=7, frameon=False)
    means = "; ".join(
        f"{name} " + ", ".join(f"{title} {np.mean(values[title]):.0f}" for title in titles)
        for name, values in split.items()
    )
    return Picture(figure, f"Histograms of {_listed(titles)}; means: {means}.", caption)


def sizes_compared(picture: np.ndarray, sides: Sequence[int], caption: str) -> Picture:
    """One image shrunk to several sides and shown equally large."""
    shrunk = [images.resize(picture, side) for side in sides]
    shown = np.stack([cv2.resize(small, (300, 300), interpolation=cv2.INTER_NEAREST) for small in shrunk])
    return grid({"": shown}, caption, [f"{side} px" for side in sides], side=2.1)


def curves(history: pd.DataFrame, caption: str) -> Picture:
    """Training and validation loss by epoch, with a mark at the epoch of least validation loss."""
    figure, ax = _axes(5.5, 3)
    for k, (column, name) in enumerate((("loss", "training"), ("val_loss", "validation"))):
        ax.plot(history["epoch"] + 1, history[column], color=COLOURS[k], marker=MARKERS[k], markersize=3, label=name)
    best = history.loc[history["val_loss"].idxmin()]
    ax.axvline(best["epoch"] + 1, color=COLOURS[-1], linewidth=0.8, linestyle=":")
    ax.set_xlabel("epoch", **_STYLE)
    ax.set_ylabel("loss", **_STYLE)
    ax.legend(frameon=False, **_STYLE)
    alt = (
        f"Loss over {len(history)} epochs; training falls from {history['loss'].iloc[0]:.2f} to "
        f"{history['loss'].iloc[-1]:.2f}; validation is least, {best['val_loss']:.2f}, after epoch "
        f"{best['epoch'] + 1:.0f}."
    )
    return Picture(figure, alt, caption)


def bland_altman(measured: pd.Series, true: pd.Series, name: str, caption: str) -> Picture:
    """Difference of two measurements against their mean, with the mean difference and the limits of agreement.

    The limits are the mean difference ± 1.96 standard deviations (Bland and Altman 1986).
    """
    mean, difference = (measured + true) / 2, measured - true
    bias, spread = difference.mean(), 1.96 * difference.std()
    figure, ax = _axes(5.5, 3)
    ax.scatter(mean, difference, s=9, color=COLOURS[0], alpha=0.6, linewidth=0)
    for level, style in ((bias, "-"), (bias - spread, "--"), (bias + spread, "--")):
        ax.axhline(level, color=COLOURS[-1], linewidth=0.9, linestyle=style)
    ax.set_xlabel(f"mean {name}", **_STYLE)
    ax.set_ylabel("predicted − true", **_STYLE)
    alt = (
        f"{len(mean)} differences of predicted and true {name} against their mean: mean difference {bias:.3f}, limits "
        f"of agreement {bias - spread:.3f} to {bias + spread:.3f}."
    )
    return Picture(figure, alt, caption)
