"""Pictures for the questions of *Another laboratory*; see :mod:`helpers.teaching.pictures`."""

from __future__ import annotations

import numpy as np

from helpers.plots import COLOURS, AccessibleFigure
from helpers.plots.style import FONT_SIZE, make_axes

_WIDTH = 4.0  # inches
_CLASSES = ("neutrophil", "lymphocyte", "monocyte")


def slides_by_class() -> AccessibleFigure:
    """Draw images by slide and class of two datasets; in A each slide has one class, in B all slides have all."""
    counts = {
        "A": np.array([[40, 0, 0], [0, 40, 0], [0, 0, 40], [40, 0, 0]]),
        "B": np.array([[15, 13, 12], [12, 15, 13], [13, 12, 15], [14, 14, 12]]),
    }
    figure, axes = make_axes(_WIDTH, 2.6, 2, sharey=True)
    words = []
    for ax, (letter, table) in zip(axes, counts.items(), strict=True):
        left = np.zeros(len(table))
        for images, name, colour in zip(table.T, _CLASSES, COLOURS, strict=False):
            ax.barh(range(len(table)), images, left=left, color=colour, edgecolor="white", label=name)
            for slide in np.flatnonzero(images):
                ax.text(left[slide] + images[slide] / 2, slide, name[0].upper(), ha="center", va="center", fontsize=8)
            left += images
        ax.set_xlabel("images", fontsize=FONT_SIZE)
        ax.set_title(letter, fontsize=FONT_SIZE + 2, fontweight="bold", loc="left")
        slides = "; ".join(f"slide {k}: {', '.join(map(str, row))}" for k, row in enumerate(table, 1))
        words.append(f"{letter}: {slides}.")
    axes[0].set_yticks(range(4), [f"slide {k}" for k in range(1, 5)], fontsize=FONT_SIZE)
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    alt = f"Images of {', '.join(_CLASSES)}, in this order, on the four slides of two datasets. {' '.join(words)}"
    return AccessibleFigure(figure, alt, "Images by slide and class in two datasets, A and B.")


def risk_coverage_curves() -> AccessibleFigure:
    """Draw the error among kept images over their share; in A it falls with referral, in B it stays, in C it rises."""
    kept = np.linspace(0.1, 1, 10)
    curves = {"A": 0.3 * kept**2.5, "B": np.full(len(kept), 0.3), "C": 0.3 + 0.15 * (1 - kept)}
    figure, ax = make_axes(_WIDTH, 2.8)
    for (letter, error), colour, marker in zip(curves.items(), COLOURS, "os^", strict=False):
        ax.plot(kept, error, color=colour, marker=marker, ms=4)
        ax.text(kept[0] - 0.03, error[0], letter, fontweight="bold", ha="right", va="center", fontsize=FONT_SIZE + 2)
    ax.set(xlim=(0, 1.03), ylim=(-0.02, 0.5))
    ax.set_xlabel("share of images that is kept", fontsize=FONT_SIZE)
    ax.set_ylabel("error among the kept", fontsize=FONT_SIZE)
    ends = "; ".join(f"{letter}: {error[0]:.2f} and {error[-1]:.2f}" for letter, error in curves.items())
    alt = (
        "Error among the kept images over the share that is kept, for three models. Where the surest tenth is kept, "
        f"and where all images are: {ends}."
    )
    return AccessibleFigure(figure, alt, "Risk–coverage curves of three models, A, B and C.")
