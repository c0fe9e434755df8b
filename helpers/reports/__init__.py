"""Render result tables uniformly in JupyterLab, on book pages and in reports."""

from helpers.reports.result_table import ResultTable, format_estimate, show_table

__all__ = ["ResultTable", "format_estimate", "show_table"]
