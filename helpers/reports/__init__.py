"""Render result tables and computed sentences uniformly in JupyterLab, on book pages and in reports."""

from helpers.reports.class_sentences import (
    describe_averages,
    describe_changed_predictions,
    describe_copies,
    describe_differences,
    describe_ghosts,
    describe_left_out,
    describe_memory,
    describe_pairs,
    describe_seeds,
    describe_stored_copies,
    describe_stored_methods,
    describe_training,
    describe_weakest_class,
)
from helpers.reports.contrast import contrast_words, describe_stored_split, stored_differences
from helpers.reports.exploration_sentences import (
    describe_classes,
    describe_clipping,
    describe_display_range,
    describe_misfits,
    describe_orders,
    describe_overlap,
    describe_rules,
    describe_second_cloud,
    describe_wrong_orders,
)
from helpers.reports.published import PublishedTable, ResultError, published_table
from helpers.reports.result_table import ResultTable, format_estimate, show_table
from helpers.reports.statements import Statement, difference_words, show_text
from helpers.reports.threshold_sentences import compare_with_stored, describe_normalisation, explain_threshold

__all__ = [
    "PublishedTable",
    "ResultError",
    "ResultTable",
    "Statement",
    "compare_with_stored",
    "contrast_words",
    "describe_averages",
    "describe_changed_predictions",
    "describe_classes",
    "describe_clipping",
    "describe_copies",
    "describe_differences",
    "describe_display_range",
    "describe_ghosts",
    "describe_left_out",
    "describe_memory",
    "describe_misfits",
    "describe_normalisation",
    "describe_orders",
    "describe_overlap",
    "describe_pairs",
    "describe_rules",
    "describe_second_cloud",
    "describe_seeds",
    "describe_stored_copies",
    "describe_stored_methods",
    "describe_stored_split",
    "describe_training",
    "describe_weakest_class",
    "describe_wrong_orders",
    "difference_words",
    "explain_threshold",
    "format_estimate",
    "published_table",
    "show_table",
    "show_text",
    "stored_differences",
]
