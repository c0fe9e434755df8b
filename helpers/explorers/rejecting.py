"""Explorer of a threshold on the confidence below which a classifier says nothing, in two laboratories.

The reader sets the share of the source that is referred, since confidences crowd near 1.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.explorers.explorer import Explorer, render
from helpers.explorers.inputs import MAX_PREDICTIONS

MIN_IMAGES = 4


def rejection(table: pd.DataFrame, source: str, target: str) -> Explorer:
    """Show the share of images that is kept and the error among them, in two laboratories, at a threshold that moves.

    Both curves are those of :func:`helpers.metrics.risk_coverage_curve`.

    Args:
        table: columns ``where``, ``uncertainty`` (1 − largest probability) and ``wrong`` (0 or 1), a row per image.
        source, target: the two values of ``where`` to show, each of 4 to 5,000 images.

    Raises:
        ValueError: a place has too few or too many images, or a confidence is not from 0 to 1.

    Example:
        >>> import pandas as pd
        >>> from helpers import explorers
        >>> table = pd.DataFrame({
        ...     "where": ["here"] * 4 + ["there"] * 4,
        ...     "uncertainty": [0.1, 0.2, 0.3, 0.6] * 2,
        ...     "wrong": [0, 0, 0, 1, 0, 1, 0, 1],
        ... })
        >>> print(repr(explorers.rejection(table, "here", "there"))[:50])
        Explorer: a threshold on the confidence below whic
    """
    places = []
    for name in (source, target):
        rows = table[table["where"] == name]
        confidence = 1 - rows["uncertainty"].to_numpy(float)
        if not MIN_IMAGES <= len(rows) <= MAX_PREDICTIONS:
            raise ValueError(f"{name}: an explorer shows {MIN_IMAGES} to {MAX_PREDICTIONS} images, got {len(rows)}")
        if not ((confidence >= 0) & (confidence <= 1)).all():
            raise ValueError(f"{name}: the uncertainty must be a number from 0 to 1 in every row")
        places.append(
            {"name": name, "confidence": np.round(confidence, 8).tolist(), "wrong": rows["wrong"].round(4).tolist()}
        )
    return render(
        "rejection",
        "When to say nothing: a threshold on the confidence",
        f"a threshold on the confidence below which images are referred, and the error among those kept, of "
        f"{len(places[0]['confidence'])} images of {source} and {len(places[1]['confidence'])} of {target}.",
        {"places": places},
    )
