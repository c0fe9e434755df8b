"""Pictures for the questions of *Count*; see :mod:`helpers.teaching.pictures`."""

from __future__ import annotations

import numpy as np

from helpers.plots import COLOURS, AccessibleFigure
from helpers.plots.style import FONT_SIZE, make_axes

_WIDTH = 4.0  # inches


def detector_curves() -> AccessibleFigure:
    """Draw precision over sensitivity of three detectors; A is high throughout, B stops at 0.6, C falls early."""
    curves = {
        "A": (np.linspace(0, 1, 9), 0.98 - 0.25 * np.linspace(0, 1, 9) ** 4),
        "B": (np.linspace(0, 0.6, 6), np.full(6, 0.99)),
        "C": (np.linspace(0, 1, 9), 0.9 - 0.6 * np.linspace(0, 1, 9) ** 0.7),
    }
    figure, ax = make_axes(_WIDTH, 3.0)
    words = []
    for (letter, (sensitivity, precision)), colour, marker in zip(curves.items(), COLOURS, "os^", strict=False):
        ax.plot(sensitivity, precision, color=colour, marker=marker, ms=4)
        ax.text(sensitivity[-1] + 0.02, precision[-1], letter, fontweight="bold", va="center", fontsize=FONT_SIZE + 2)
        words.append(f"{letter} ends at a sensitivity of {sensitivity[-1]:.1f} and a precision of {precision[-1]:.2f}")
    ax.set(xlim=(0, 1.08), ylim=(0, 1.05))
    ax.set_xlabel("sensitivity", fontsize=FONT_SIZE)
    ax.set_ylabel("precision", fontsize=FONT_SIZE)
    starts = ", ".join(f"{letter} at {precision[0]:.2f}" for letter, (_, precision) in curves.items())
    alt = (
        f"Precision over sensitivity of three detectors. They begin with a precision of: {starts}. {'; '.join(words)}."
    )
    return AccessibleFigure(figure, alt, "Precision over sensitivity of three detectors, A, B and C.")


def intervals_of_counts() -> AccessibleFigure:
    """Draw three counts of one type with their intervals; A is of medium width, B narrow and C wide."""
    counts = {"A": (0.20, 0.133, 0.289), "B": (0.21, 0.176, 0.248), "C": (0.25, 0.112, 0.469)}
    figure, ax = make_axes(_WIDTH, 1.9)
    words = []
    for row, (letter, (share, low, high)) in enumerate(counts.items()):
        ax.plot([100 * low, 100 * high], [row, row], color=COLOURS[row], linewidth=2)
        ax.plot(100 * share, row, "o", color=COLOURS[row])
        words.append(f"{letter}: {share:.0%}, from {low:.0%} to {high:.0%}")
    ax.set_yticks(range(3), list(counts), fontsize=FONT_SIZE)
    ax.invert_yaxis()
    ax.set_ylim(2.5, -0.5)
    ax.set_xlim(0, 50)
    ax.set_xlabel("share of the type in per cent", fontsize=FONT_SIZE)
    return AccessibleFigure(figure, f"Three counts with intervals. {'; '.join(words)}.", "Three counts, A, B and C.")
