"""Figures of transfer learning: trainings over time with their test scores, and a discriminant of two features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse

from helpers.plots.intervals import draw_whiskers
from helpers.plots.notice import short_label
from helpers.plots.style import COLOURS, FONT_SIZE, MARKERS, AccessibleFigure, make_axes, series_styles

SPREAD = 2.0  # standard deviations that an ellipse reaches


def training_race(histories: pd.DataFrame, scores: pd.DataFrame, value: str, caption: str) -> AccessibleFigure:
    """Draw the validation loss of several methods over the time that they take, and below it their test scores.

    Args:
        histories: columns ``method``, ``training`` (such as the fold), ``seconds`` since the start of all work for that
            training, and ``val_loss``; one row per epoch.
        scores: columns ``method``, ``value``, ``low``, ``high``, ``seconds``, and ``interval`` where kinds differ; one
            row per method, in the order of the legend.
        value: column with the test score.
        caption: caption of the figure.
    """
    figure, (upper, lower) = make_axes(5.4, 4.6, 1, 2, height_ratios=(2, 1))
    for (_, row), style in zip(scores.iterrows(), series_styles(len(scores)), strict=True):
        rows = histories[histories["method"] == row["method"]]
        label = short_label(row["method"])
        for _, training in rows.groupby("training"):
            look = {"color": style.colour, "marker": style.marker, "ms": 3, "lw": 1.2}
            upper.plot(training["seconds"], training["val_loss"], label=label, **look)
            label = "_nolegend_"
    for number, ((_, row), style) in enumerate(zip(scores.iterrows(), series_styles(len(scores)), strict=True)):
        draw_whiskers(
            lower, np.array([number]), row.to_frame().T.infer_objects(), value, axis="x", style=style, label=""
        )
    upper.set_ylim(bottom=0)
    upper.set_xlim(left=0)
    upper.set_xlabel("seconds, all work counted", fontsize=FONT_SIZE)
    upper.set_ylabel("validation loss", fontsize=FONT_SIZE)
    upper.legend(fontsize=8, frameon=False)
    names = [f"{short_label(row['method'])}\n{row['seconds']:.0f} s" for _, row in scores.iterrows()]
    lower.set_yticks(range(len(scores)), names, fontsize=FONT_SIZE)
    lower.set(xlim=(0, 1), ylim=(len(scores) - 0.5, -0.5))
    lower.set_xlabel(f"{value} on test images", fontsize=FONT_SIZE)
    return AccessibleFigure(figure, _describe_race(histories, scores, value), caption)


def _describe_race(histories: pd.DataFrame, scores: pd.DataFrame, value: str) -> str:
    words = []
    for _, row in scores.iterrows():
        losses = histories.loc[histories["method"] == row["method"], "val_loss"]
        words.append(
            f"{row['method']}: validation loss from {losses.iloc[0]:.2f} to {losses.min():.2f} at its lowest, "
            f"{row['seconds']:.0f} seconds, {value} {row[value]:.2f}"
        )
    return f"Validation loss over seconds, and test scores. {'; '.join(words)}."


def discriminant_plot(
    points: np.ndarray, labels: np.ndarray, names: tuple[str, str], classes: tuple[str, str], caption: str
) -> AccessibleFigure:
    """Draw two classes in the plane of two features, and the borders of nearest mean and of a linear discriminant.

    The ellipse of each class has the covariance within classes, which both share, and reaches two standard deviations.

    Args:
        points: ``float (n, 2)``.
        labels: ``(n,)``, 0 or 1; both are present, and the covariance within classes is not singular.
        names: names of the features.
        classes: names of class 0 and class 1.
        caption: caption of the figure.
    """
    means = np.stack([points[labels == k].mean(axis=0) for k in (0, 1)])
    covariance = np.cov((points - means[labels]).T)
    directions = {"nearest mean": means[1] - means[0], "LDA": np.linalg.solve(covariance, means[1] - means[0])}
    figure, ax = make_axes(4.8, 4.2)
    for k, name in enumerate(classes):
        x, y = points[labels == k].T
        ax.scatter(x, y, s=14, color=COLOURS[k], marker=MARKERS[k], alpha=0.6, linewidths=0, label=short_label(name))
        ax.add_patch(_ellipse(means[k], covariance, COLOURS[k]))
    ax.set(xlim=ax.get_xlim(), ylim=ax.get_ylim())
    shares = {}
    for (name, direction), dash in zip(directions.items(), ("--", "-"), strict=True):
        _draw_border(ax, means.mean(axis=0), direction, dash, name)
        predicted = (points - means.mean(axis=0)) @ direction > 0
        shares[name] = float((predicted == labels).mean())
    ax.set_xlabel(names[0], fontsize=FONT_SIZE)
    ax.set_ylabel(names[1], fontsize=FONT_SIZE)
    figure.legend(fontsize=8, frameon=False, ncols=2, loc="outside lower center")
    counts = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    alt = (
        f"Cells of {classes[0]} and {classes[1]} by {names[0]} and {names[1]}, with two straight borders. Share of "
        f"cells on the side of their class: {counts}."
    )
    return AccessibleFigure(figure, alt, caption)


def _ellipse(mean: np.ndarray, covariance: np.ndarray, colour: str) -> Ellipse:
    variances, axes = np.linalg.eigh(covariance)
    angle = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
    minor, major = 2 * SPREAD * np.sqrt(variances)
    return Ellipse((mean[0], mean[1]), major, minor, angle=angle, fill=False, edgecolor=colour, linewidth=1.5)


def _draw_border(ax: Axes, middle: np.ndarray, direction: np.ndarray, dash: str, name: str) -> None:
    """Draw the line through ``middle`` on which both classes are equally likely."""
    end = middle + np.array([-direction[1], direction[0]])
    ax.axline(tuple(middle), tuple(end), color="black", linestyle=dash, linewidth=1.5, label=name)
