"""Sentences beside a figure or table of a chapter, computed with what they describe.

A sentence that states a number or a comparative is made in the cell that computed it, so that text and value agree on
every dataset, seed and machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from helpers.metrics import INTERVAL, Estimate
from helpers.metrics.resampling import MIN_GROUPS
from helpers.reports.result_table import UNDEFINED, digits_beside_zero, format_estimate


@dataclass(frozen=True)
class Statement:
    """A computed paragraph, displayed as prose in a notebook and on a page.

    Attributes:
        markdown: the paragraph in Markdown.
    """

    markdown: str

    def __repr__(self) -> str:
        return self.markdown

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/markdown": self.markdown, "text/plain": self.markdown}


def show_text(markdown: str) -> Statement:
    """Show a computed paragraph beside an output: what to see, what it means, what follows.

    Args:
        markdown: one paragraph in Markdown; line breaks within it become spaces. Class names and other text of the data
            are escaped with :func:`helpers.markup.escape_markdown`.

    Raises:
        ValueError: the paragraph is empty.

    Example:
        >>> from helpers import reports
        >>> n_images, n_patients = 240, 12
        >>> reports.show_text(f"{n_images} images of {n_patients} patients.")
        240 images of 12 patients.
    """
    paragraph = re.sub(r"\s+", " ", markdown).strip()
    if not paragraph:
        raise ValueError("a statement needs a sentence; the text is empty")
    return Statement(paragraph)


def shown_direction(estimate: Estimate) -> int:
    """Return the sign of a difference (A − B) where its 95 % interval excludes 0, else 0, also without an interval."""
    if estimate.interval != INTERVAL or estimate.low <= 0 <= estimate.high:
        return 0
    return 1 if estimate.value > 0 else -1


def difference_words(estimate: Estimate, more: str = "higher", less: str = "lower", digits: int = 3) -> str:
    """Describe a difference (A − B) as far as its interval allows.

    Args:
        estimate: difference with its interval.
        more: comparative for a positive difference.
        less: comparative for a negative difference.
        digits: decimals; more where the end of an interval that excludes 0 would be rounded to 0.

    Returns:
        A clause: the comparative with the size of the difference where the 95 % interval excludes 0, "no difference
        shown" where it includes 0, and no generalisation where there are too few groups for an interval.

    Example:
        >>> from helpers import reports
        >>> from helpers.metrics import Estimate
        >>> reports.difference_words(Estimate(0.12, 0.05, 0.19, n=90, groups=30))
        'higher by 0.120 [0.050, 0.190]'
        >>> reports.difference_words(Estimate(0.12, 0.0004, 0.19, n=90, groups=30))
        'higher by 0.1200 [0.0004, 0.1900]'
        >>> unclear = Estimate(-0.01, -0.04, 0.02, n=90, groups=30)
        >>> reports.difference_words(unclear, "better", "worse")
        'no difference shown (-0.010 [-0.040, 0.020])'
    """
    if estimate.value != estimate.value:  # NaN, such as the AUC of one class
        return f"the difference is {UNDEFINED}"
    comparative = more if estimate.value > 0 else less
    size, low, high = abs(estimate.value), *sorted((abs(estimate.low), abs(estimate.high)))
    if estimate.interval != INTERVAL:
        if estimate.value == 0:
            return f"equal in {_groups(estimate)}"
        return f"{comparative} by {size:.{digits}f} in {_groups(estimate)}"
    if not shown_direction(estimate):
        ends = format_estimate(estimate.value, estimate.low, estimate.high, INTERVAL, digits)
        return f"no difference shown ({ends})"
    return f"{comparative} by {format_estimate(size, low, high, INTERVAL, digits_beside_zero(low, high, digits))}"


def _groups(estimate: Estimate) -> str:
    """Name the groups of an estimate without an interval, and the reason."""
    if estimate.groups == 1:
        return "this one group, too few for an interval"
    few = "too few" if estimate.groups < MIN_GROUPS else "too few of some class"
    return f"these {estimate.groups} groups, {few} for an interval"
