"""Figures of chapter *Another laboratory*: what a classifier keeps for itself, and what it refers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.metrics import group_weights
from helpers.plots.notice import NoFigure, short_label
from helpers.plots.style import (
    COLOURS,
    FONT_SIZE,
    AccessibleFigure,
    draw_legend,
    make_axes,
    series_styles,
    titled_grid,
)

LEAST_SCORE = 1e-6  # left edge of the axis of scores


def risk_coverage_plot(curves: Mapping[str, pd.DataFrame], caption: str) -> AccessibleFigure | NoFigure:
    """Draw risk–coverage curves: the error among the images that are kept, against the share that is kept.

    Args:
        curves: from :func:`helpers.metrics.risk_coverage_curve`, by name.
        caption: caption of the figure.
    """
    if not curves:
        return NoFigure("there is no risk–coverage curve, as no image was tested")
    figure, ax = make_axes(5, 3.2)
    words = []
    for (name, curve), style in zip(curves.items(), series_styles(len(curves)), strict=True):
        ax.plot(curve["kept"], curve["error"], color=style.colour, linestyle=style.dash, label=short_label(name))
        half = curve.iloc[int(np.argmin(np.abs(curve["kept"] - 0.5)))]
        of_all, of_half = curve["error"].iloc[-1], half["error"]
        words.append(f"{name} {of_all:.2f} of all, {of_half:.2f} of the surest {half['kept']:.0%}")
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("share of images kept, the most confident first", fontsize=FONT_SIZE)
    ax.set_ylabel("wrong among the kept", fontsize=FONT_SIZE)
    ax.grid(axis="y", alpha=0.3)
    draw_legend(ax)
    return AccessibleFigure(figure, f"Share of wrong predictions: {'; '.join(words)}.", caption)


def conformal_plot(
    scores: np.ndarray, groups: np.ndarray, threshold: float, *, coverage: float, caption: str
) -> AccessibleFigure | NoFigure:
    """Draw the summed weights of calibration images, ordered by their score, with the threshold of the sets.

    Args:
        scores: 1 − the probability of the true class, ``float (n,)``.
        groups: group of every image, ``(n,)``; see :func:`helpers.metrics.group_weights`.
        threshold: threshold of the sets; infinite where there are too few groups.
        coverage: promised coverage.
        caption: caption of the figure.
    """
    if not np.isfinite(threshold):
        return NoFigure("the threshold is infinite: there are too few groups for this promise, and every set is full")
    order = np.argsort(scores, kind="stable")
    ordered, reached = np.maximum(scores[order], LEAST_SCORE), np.cumsum(group_weights(groups)[order])
    figure, ax = make_axes(5, 2.8)
    ax.step(ordered, reached, where="post", color=COLOURS[0])
    ax.axhline(coverage, color=COLOURS[-1], linewidth=0.8, linestyle=":")
    ax.axvline(threshold, color=COLOURS[1], linestyle="--")
    ax.annotate(f"promise {coverage:.0%}", (2 * LEAST_SCORE, coverage + 0.04), fontsize=FONT_SIZE)
    ax.annotate(f"threshold {threshold:.2g} ", (threshold, 0.05), fontsize=FONT_SIZE, color=COLOURS[1], ha="right")
    ax.set_xscale("log")
    ticks = (1e-6, 1e-4, 1e-2, 1.0)
    ax.set_xticks(ticks, [f"{tick:f}".rstrip("0").rstrip(".") for tick in ticks])
    ax.minorticks_off()
    ax.set_xlim(LEAST_SCORE, 1.5)
    ax.set_ylim(0, 1.08)
    ax.set_xlabel("1 − probability of the true class (lowest values drawn at the left edge)", fontsize=FONT_SIZE)
    ax.set_ylabel("sum of weights", fontsize=FONT_SIZE)
    alt = (
        f"Weights of {len(ordered)} calibration images of {len(np.unique(groups))} groups, summed in the order of "
        f"their scores: they reach {coverage:.0%} at the threshold of {threshold:.2g}, and end at {reached[-1]:.2f}."
    )
    return AccessibleFigure(figure, alt, caption)


def suspicion_grid(images: np.ndarray, suspicions: pd.DataFrame, caption: str) -> AccessibleFigure | NoFigure:
    """Draw images with suspicious labels, each with its label and the class that the model suggests.

    Args:
        images: ``uint8 (n, size, size, 3)``.
        suspicions: columns ``label`` and ``suggested``, a row per image, from
            :func:`helpers.learners.label_audit.suspicious_labels`.
        caption: caption of the figure.
    """
    if not len(images):
        return NoFigure("no label is suspicious")
    panels = {}
    for number, (image, row) in enumerate(zip(images, suspicions.itertuples(), strict=True), 1):
        panels[f"{number}. {row.label}\nor {row.suggested}?"] = image
    return titled_grid(panels, caption, n_columns=5)
