"""Figures of the book in one style, each with alt text and caption.

Each function returns an :class:`AccessibleFigure`. A notebook displays it as an image; its ``repr`` is the alt text,
which screen readers read, committed notebooks keep, and nbval compares when the image is not stored.
Where a figure would show nothing, such as bars of one class or a curve of one epoch, the function returns a
:class:`NoFigure`: a sentence with the reason.
"""

from helpers.plots.agreement import bland_altman_plot
from helpers.plots.confusion import confused_grid, confusion_plot, error_plot
from helpers.plots.counts import differential_plot, interval_width_plot
from helpers.plots.data import (
    colour_plot,
    count_plot,
    embedding_plot,
    group_count_plot,
    strip_plot,
)
from helpers.plots.doubt import conformal_plot, risk_coverage_plot, suspicion_grid
from helpers.plots.exploration import display_range_plot, ordered_contours, rule_scatter
from helpers.plots.fields import draw_boxes, field_grid
from helpers.plots.intensity import channel_grid, criterion_plot, histogram_panels, threshold_plot, triangle_plot
from helpers.plots.mistakes import mistake_plot
from helpers.plots.notice import NoFigure
from helpers.plots.scores import (
    calibration_plot,
    forest_plot,
    patient_scores,
    precision_recall_plot,
    roc_plot,
)
from helpers.plots.stored import stored_detector_plot, stored_forest_plot, stored_learning_curve, stored_method_plot
from helpers.plots.style import (
    COLOURS,
    AccessibleFigure,
    contour_grid,
    draw_contours,
    image_grid,
    montage,
    resolution_grid,
    titled_grid,
)
from helpers.plots.trends import cost_plot, learning_curve_plot, line_plot, loss_curves, seed_comparison

__all__ = [
    "COLOURS",
    "AccessibleFigure",
    "NoFigure",
    "bland_altman_plot",
    "calibration_plot",
    "channel_grid",
    "colour_plot",
    "conformal_plot",
    "confused_grid",
    "confusion_plot",
    "contour_grid",
    "cost_plot",
    "count_plot",
    "criterion_plot",
    "differential_plot",
    "display_range_plot",
    "draw_boxes",
    "draw_contours",
    "embedding_plot",
    "error_plot",
    "field_grid",
    "forest_plot",
    "group_count_plot",
    "histogram_panels",
    "image_grid",
    "interval_width_plot",
    "learning_curve_plot",
    "line_plot",
    "loss_curves",
    "mistake_plot",
    "montage",
    "ordered_contours",
    "patient_scores",
    "precision_recall_plot",
    "resolution_grid",
    "risk_coverage_plot",
    "roc_plot",
    "rule_scatter",
    "seed_comparison",
    "stored_detector_plot",
    "stored_forest_plot",
    "stored_learning_curve",
    "stored_method_plot",
    "strip_plot",
    "suspicion_grid",
    "threshold_plot",
    "titled_grid",
    "triangle_plot",
]
