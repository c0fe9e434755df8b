"""Every figure of the book, in one look; each comes with its alt text and its caption.

A function here returns a :class:`AccessibleFigure`. In a notebook it shows as an image; its text form is the alt text,
which is what a screen reader says, what the committed notebook keeps, and what nbval compares when the image is not
stored.
Where a figure would show nothing, such as bars of one class or a curve of one epoch, a function returns a
:class:`NoFigure` instead: a sentence that says what cannot be shown, and why.
"""

from helpers.plots.data import (
    colour_plot,
    count_plot,
    embedding_plot,
    group_count_plot,
    histogram_plot,
    size_plot,
    strip_plot,
)
from helpers.plots.notice import NoFigure
from helpers.plots.scores import (
    bland_altman_plot,
    calibration_plot,
    confusion_plot,
    forest_plot,
    patient_scores,
    roc_plot,
)
from helpers.plots.style import (
    COLOURS,
    AccessibleFigure,
    contour_grid,
    draw_contours,
    image_grid,
    montage,
    resolution_grid,
)
from helpers.plots.trends import learning_curve_plot, line_plot, loss_curves, seed_comparison

__all__ = [
    "COLOURS",
    "AccessibleFigure",
    "NoFigure",
    "bland_altman_plot",
    "calibration_plot",
    "colour_plot",
    "confusion_plot",
    "contour_grid",
    "count_plot",
    "draw_contours",
    "embedding_plot",
    "forest_plot",
    "group_count_plot",
    "histogram_plot",
    "image_grid",
    "learning_curve_plot",
    "line_plot",
    "loss_curves",
    "montage",
    "patient_scores",
    "resolution_grid",
    "roc_plot",
    "seed_comparison",
    "size_plot",
    "strip_plot",
]
