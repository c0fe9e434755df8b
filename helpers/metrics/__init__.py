"""Classification, calibration, segmentation and detection metrics with intervals: ``from helpers import metrics``."""

from helpers.metrics.agreement import Agreement, limits_of_agreement
from helpers.metrics.annotators import annotator_agreement
from helpers.metrics.bootstrap import INTERVAL, NONE, RANGE, Estimate, cluster_mean, summarise
from helpers.metrics.calibration import (
    apply_temperature,
    brier_score,
    calibration_curve,
    expected_calibration_error,
    fit_temperature,
)
from helpers.metrics.classification import (
    PREFIX,
    aggregate_by_group,
    binary_metrics,
    class_probabilities,
    natural_frequency,
    plain_language_sentences,
    plain_language_summary,
    predicted_classes,
    prediction_classes,
    prediction_table,
)
from helpers.metrics.conformal import (
    conformal_threshold,
    conformal_thresholds,
    group_weights,
    nonconformity,
    prediction_sets,
    set_coverage,
)
from helpers.metrics.counting_error import (
    cells_needed,
    chance_of_none,
    count_limits,
    difference_limit,
    difference_p_value,
    rumke_limits,
)
from helpers.metrics.detection import (
    DetectionMatches,
    detection_average_precision,
    detection_metrics,
    detection_precision_recall_curve,
    match_detections,
)
from helpers.metrics.differential import differential_count
from helpers.metrics.independent import independent_difference
from helpers.metrics.label_shift import estimate_prevalence
from helpers.metrics.masks import (
    REGIONS,
    channel_dice,
    dice_and_iou,
    dice_by_threshold,
    dice_table,
    hausdorff95,
    pooled_iou,
    segmentation_scores,
    surface_dice,
)
from helpers.metrics.multiclass import (
    METRICS,
    classification_report,
    confusion_matrix,
    confusion_pairs,
    mean_score,
    roc_auc_by_class,
    score_difference,
    surest_ids,
)
from helpers.metrics.neighbours import chance_of_same_class, nearest_in_other_groups
from helpers.metrics.overdispersion import field_dispersion
from helpers.metrics.paired import summarise_differences
from helpers.metrics.patients import PatientEvaluation, evaluate_patients
from helpers.metrics.prevalence import ExpectedOutcomes, expected_outcomes, predictive_value
from helpers.metrics.proportions import wilson_interval
from helpers.metrics.quantification import corrected_shares
from helpers.metrics.ranking import (
    auc_difference,
    average_precision,
    mean_roc_auc,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from helpers.metrics.selective import referral_threshold, risk_coverage_curve
from helpers.metrics.thresholds import Threshold, sensitivity_of_least_cost, threshold_at_sensitivity

__all__ = [
    "INTERVAL",
    "METRICS",
    "NONE",
    "PREFIX",
    "RANGE",
    "REGIONS",
    "Agreement",
    "DetectionMatches",
    "Estimate",
    "ExpectedOutcomes",
    "PatientEvaluation",
    "Threshold",
    "aggregate_by_group",
    "annotator_agreement",
    "apply_temperature",
    "auc_difference",
    "average_precision",
    "binary_metrics",
    "brier_score",
    "calibration_curve",
    "cells_needed",
    "chance_of_none",
    "chance_of_same_class",
    "channel_dice",
    "class_probabilities",
    "classification_report",
    "cluster_mean",
    "conformal_threshold",
    "conformal_thresholds",
    "confusion_matrix",
    "confusion_pairs",
    "corrected_shares",
    "count_limits",
    "detection_average_precision",
    "detection_metrics",
    "detection_precision_recall_curve",
    "dice_and_iou",
    "dice_by_threshold",
    "dice_table",
    "difference_limit",
    "difference_p_value",
    "differential_count",
    "estimate_prevalence",
    "evaluate_patients",
    "expected_calibration_error",
    "expected_outcomes",
    "field_dispersion",
    "fit_temperature",
    "group_weights",
    "hausdorff95",
    "independent_difference",
    "limits_of_agreement",
    "match_detections",
    "mean_roc_auc",
    "mean_score",
    "natural_frequency",
    "nearest_in_other_groups",
    "nonconformity",
    "plain_language_sentences",
    "plain_language_summary",
    "pooled_iou",
    "precision_recall_curve",
    "predicted_classes",
    "prediction_classes",
    "prediction_sets",
    "prediction_table",
    "predictive_value",
    "referral_threshold",
    "risk_coverage_curve",
    "roc_auc",
    "roc_auc_by_class",
    "roc_curve",
    "rumke_limits",
    "score_difference",
    "segmentation_scores",
    "sensitivity_of_least_cost",
    "set_coverage",
    "summarise",
    "summarise_differences",
    "surest_ids",
    "surface_dice",
    "threshold_at_sensitivity",
    "wilson_interval",
]
