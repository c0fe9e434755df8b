"""Error of a dataset, with one line per affected file."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from helpers.errors import LeukobookError, printable


class DatasetError(LeukobookError):
    """Unusable dataset; the message gives the problem, the affected files and a remedy.

    Args:
        message: the problem and the remedy.
        problems: one line per affected file; the message shows the first ``SHOWN``.
        missing: whether the dataset is absent.

    Attributes:
        problems: all lines, also those that the message does not show.
        missing: whether the dataset is absent.
    """

    SHOWN = 20

    def __init__(self, message: str, problems: Iterable[str] = (), missing: bool = False):
        self.problems = [printable(str(problem)) for problem in problems]
        self.missing = missing
        lines = [printable(message), *(f"  - {line}" for line in self.problems[: self.SHOWN])]
        if len(self.problems) > self.SHOWN:
            lines.append(f"  … and {len(self.problems) - self.SHOWN} more")
        super().__init__("\n".join(lines))


def warn_problems(message: str, problems: Iterable[str]) -> None:
    """Warn of files that are used despite a problem or left out, one line per file, as in a :class:`DatasetError`."""
    warnings.warn(str(DatasetError(message, problems)), stacklevel=3)
