"""Numbers with intervals. Everything is imported from here: ``from helpers import metrics``."""

from helpers.metrics.alarms import Alarm, all_alarms, another_input, knows_nothing, one_class, seen_in_training
from helpers.metrics.bootstrap import Estimate, estimate, mean_over_groups, table_of_means
from helpers.metrics.calibration import brier, ece, reliability, temperature, with_temperature
from helpers.metrics.classification import (
    PREFIX,
    average_precision,
    by_group,
    classes_of,
    compare_auc,
    confusion,
    per_class,
    predicted,
    predictions,
    rates,
    roc_auc,
    roc_curve,
    threshold_for,
)
from helpers.metrics.masks import PARTS, hausdorff95, overlap, pooled_iou, segmentation_scores, surface_dice

__all__ = [
    "PARTS",
    "PREFIX",
    "Alarm",
    "Estimate",
    "all_alarms",
    "another_input",
    "average_precision",
    "brier",
    "by_group",
    "classes_of",
    "compare_auc",
    "confusion",
    "ece",
    "estimate",
    "hausdorff95",
    "knows_nothing",
    "mean_over_groups",
    "one_class",
    "overlap",
    "per_class",
    "pooled_iou",
    "predicted",
    "predictions",
    "rates",
    "reliability",
    "roc_auc",
    "roc_curve",
    "seen_in_training",
    "segmentation_scores",
    "surface_dice",
    "table_of_means",
    "temperature",
    "threshold_for",
    "with_temperature",
]
