"""The error of a dataset, with a line for every file that is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from helpers.errors import LeukobookError, printable


class DatasetError(LeukobookError):
    """A dataset that cannot be used as it is: what is wrong, in which files, and what to do.

    ``problems`` holds one line per file; ``missing`` tells that the dataset is not there at all.
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
    """Warn of what is used nevertheless, or left out, with a line for every file, as in :class:`DatasetError`."""
    warnings.warn(str(DatasetError(message, problems)), stacklevel=3)
