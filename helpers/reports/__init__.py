"""Render result tables and computed sentences uniformly in JupyterLab, on book pages and in reports."""

from helpers.reports.published import PublishedTable, ResultError, published_table
from helpers.reports.result_table import ResultTable, format_estimate, show_table
from helpers.reports.statements import Statement, difference_words, show_text

__all__ = [
    "PublishedTable",
    "ResultError",
    "ResultTable",
    "Statement",
    "difference_words",
    "format_estimate",
    "published_table",
    "show_table",
    "show_text",
]
