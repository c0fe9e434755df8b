"""Paired differences between methods that were scored on the same images."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from helpers.metrics.bootstrap import cluster_mean


def summarise_differences(
    table: pd.DataFrame, value: str, pairs: Iterable[tuple[str, str]], *, groups: pd.Series, seed: int
) -> pd.DataFrame:
    """Tabulate mean differences (A − B) of two methods on the same images, for every score.

    Args:
        table: long table with the columns ``image_id``, ``method`` and ``score``, and the values.
        value: name of the column with the values.
        pairs: names of the methods A and B.
        groups: group of every image, by ``image_id``.
        seed: random seed of the resamples, which draw the same groups for both methods.

    Returns:
        Columns ``method`` (``A − B``), ``score``, ``value``, ``low``, ``high``, ``interval``, ``n`` and ``groups``.

    Raises:
        ValueError: the two methods do not have values of the same images.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> scores = pd.DataFrame({
        ...     "image_id": ["a", "b", "a", "b"],
        ...     "method": ["occlusion", "occlusion", "chance", "chance"],
        ...     "score": "deletion", "value": [0.5, 0.7, 0.6, 0.9],
        ... })
        >>> groups = pd.Series({"a": "P1", "b": "P2"})
        >>> pairs = [("occlusion", "chance")]
        >>> differences = metrics.summarise_differences(
        ...     scores, "value", pairs, groups=groups, seed=20
        ... )
        >>> differences[["method", "value", "low", "high"]].round(2)
                       method  value  low  high
        0  occlusion − chance  -0.15 -0.2  -0.1
    """
    rows = []
    for score, of_score in table.groupby("score", sort=False):
        by_method = of_score.pivot(index="image_id", columns="method", values=value)
        for first, second in pairs:
            mean = cluster_mean(by_method[first] - by_method[second], groups, seed)
            rows.append({"method": f"{first} − {second}", "score": score} | mean.row(value))
    return pd.DataFrame(rows)
