"""What a reader sees of results: tables that look the same in JupyterLab, on a page and in a report."""

from helpers.reports.result_table import ResultTable, format_estimate, show_table

__all__ = ["ResultTable", "format_estimate", "show_table"]
