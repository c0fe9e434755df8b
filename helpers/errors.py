"""The one error that all errors of this package are kinds of: what was given cannot be used, and why; and its text."""

from __future__ import annotations


class LeukobookError(ValueError):
    """Something given that cannot be used, or work that cannot be done here.

    The message says value, constraint and remedy. The command line prints it and exits with 1; anything else that
    reaches the command line is a fault of this package.
    """


def printable(text: str) -> str:
    r"""Write a name as it can be printed: bytes of a file name that are not UTF-8 as ``\xNN``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
