"""Base class of all errors of this package, and printable text for error messages."""

from __future__ import annotations


class LeukobookError(ValueError):
    """Invalid input, or a task that cannot be done on this machine.

    The message states value, constraint and remedy. The command line prints it and exits with 1; any other exception
    that reaches the command line is a bug of this package.
    """


def printable(text: str) -> str:
    r"""Make a file name printable: escape bytes that are not UTF-8 as ``\xNN``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
