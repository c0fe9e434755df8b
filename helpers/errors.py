"""The one error that all errors of this package are kinds of: what was given cannot be used, and why."""

from __future__ import annotations


class LeukobookError(ValueError):
    """Something given that cannot be used, or work that cannot be done here.

    The message says value, constraint and remedy. The command line prints it and exits with 1; anything else that
    reaches the command line is a fault of this package.
    """
