"""Values that others have published, to stand beside our own; each with its source."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class PublishedCurve:
    """A learning curve from a paper.

    Attributes:
        name: name of the series.
        citation: key in ``book/references.bib``.
        frame: columns ``images`` (per class), ``balanced accuracy``, ``low``, ``high`` (NaN) and ``learner``.
    """

    name: str
    citation: str
    frame: pd.DataFrame


def _curve(name: str, citation: str, values: dict[int, float]) -> PublishedCurve:
    frame = pd.DataFrame({"images": list(values), "balanced accuracy": list(values.values())})
    return PublishedCurve(name, citation, frame.assign(low=float("nan"), high=float("nan"), learner=name))


# Dataset PBC; features of a network trained without labels on bone marrow cells, logistic regression; split by image.
# Read from the authors' figure, to two decimals.
WENDEROTH = _curve(
    "Wenderoth et al. 2025",
    "wenderoth2025",
    {5: 0.78, 10: 0.84, 25: 0.89, 50: 0.91, 100: 0.93, 250: 0.95},
)
