"""Interval of a proportion of independent cases."""

from __future__ import annotations

import math
from statistics import NormalDist

from helpers.metrics.bootstrap import LEVEL


def wilson_interval(n_events: float, n: float, *, level: float = LEVEL) -> tuple[float, float]:
    """Compute the interval of Wilson (1927) for a proportion.

    It is meant for few events, of which a bootstrap makes too much: a resample without the only event has a proportion
    of 0. It takes the cases as independent; for images of the same patients it is too narrow.

    Args:
        n_events: number of cases with the event, 0 to ``n``.
        n: number of cases, at least 1; for dependent cases the number of independent ones that they are worth, with
            ``n_events`` in proportion.
        level: share of such intervals that hold the true proportion, 0 to 1.

    Returns:
        Lower and upper end, 0 to 1.

    Raises:
        ValueError: there is no case, or more events than cases.

    Example:
        >>> from helpers import metrics
        >>> [round(end, 3) for end in metrics.wilson_interval(1, 120)]
        [0.001, 0.046]
    """
    if n < 1 or not 0 <= n_events <= n:
        raise ValueError(f"n must be at least 1 and n_events from 0 to n, got {n_events} of {n}")
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = n_events + z**2 / 2
    half = z * math.sqrt(n_events * (n - n_events) / n + z**2 / 4)
    return max(0.0, (centre - half) / (n + z**2)), min(1.0, (centre + half) / (n + z**2))
