"""Every figure of the book, in one look; each comes with its alt text and its caption.

A function here returns a :class:`Picture`. In a notebook it shows as an image; its text form is the alt text, which is
what a screen reader says, what the committed notebook keeps, and what nbval compares when the image is not stored.
Where a figure would show nothing, such as bars of one class or a curve of one epoch, a function returns a
:class:`NoFigure` instead: a sentence that says what cannot be shown, and why.
"""

from helpers.plots.data import colour_distributions, counts, counts_by_group, histograms, points, sizes, strips
from helpers.plots.look import COLOURS, Picture, grid, montage, outlined, overlays, sizes_compared
from helpers.plots.notice import NoFigure
from helpers.plots.scores import bland_altman, by_patient, confusion, intervals, reliability, roc
from helpers.plots.trends import curves, learning_curve, lines, paired

__all__ = [
    "COLOURS",
    "NoFigure",
    "Picture",
    "bland_altman",
    "by_patient",
    "colour_distributions",
    "confusion",
    "counts",
    "counts_by_group",
    "curves",
    "grid",
    "histograms",
    "intervals",
    "learning_curve",
    "lines",
    "montage",
    "outlined",
    "overlays",
    "paired",
    "points",
    "reliability",
    "roc",
    "sizes",
    "sizes_compared",
    "strips",
]
