"""Which groups a resample draws, and how much the images of each then count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

RESAMPLES = 2000
FEWEST = 10  # groups from which on there is an interval
_AT_ONCE = 2**19  # numbers of one block of resamples, which then stay in the processor's cache


def draws(strata: np.ndarray, seed: int, width: int = 0) -> Iterator[np.ndarray]:
    """Draw 2,000 resamples: how much each group counts in each, ``float (some, groups)``, in blocks that fit in memory.

    Of the m groups of a stratum m - 1 are drawn, and count m / (m - 1) (Rao and Wu 1988): m would show too little of
    how groups differ, of two patients with a disease half.

    Args:
        strata: ``int (groups,)``; the weights of each add up to its number of groups.
        seed: of the draws.
        width: numbers that the caller makes of every resample, where these are more than there are groups.
    """
    groups, random = len(strata), np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    block = max(1, _AT_ONCE // max(groups, width))
    for start in range(0, RESAMPLES, block):
        weights = np.ones((min(block, RESAMPLES - start), groups))
        for own in members:
            m = len(own)
            if m > 1:
                drawn = random.integers(0, m, (len(weights), m - 1))
                for row, places in zip(weights, drawn, strict=True):
                    row[own] = np.bincount(places, minlength=m) * (m / (m - 1))
        yield weights


class GroupsByClass:
    """Pairs of a group and a class that have images; the images of a pair are weighed together.

    Attributes:
        code: ``int (n,)``, the pair of every image.
        group: ``int (pairs,)``, the number of its group, sorted by name.
        label: ``int (pairs,)``, the number of its class.
        strata: ``int (groups,)``, the class of every group; all 0 where a group has several classes.
    """

    def __init__(self, table: pd.DataFrame):
        """Number the pairs of a table with ``group`` and ``label``."""
        group, label = (pd.factorize(table[name], sort=True)[0] for name in ("group", "label"))
        classes = label.max() + 1
        numbers, self.code = np.unique(group * classes + label, return_inverse=True)
        self.group, self.label = numbers // classes, numbers % classes
        groups = int(group.max()) + 1
        self.strata = self.label if len(numbers) == groups else np.zeros(groups, np.int64)

    def draws(self, seed: int, width: int) -> Iterator[np.ndarray]:
        """:func:`draws` of groups, as weights of pairs ``(some, pairs)``."""
        for weights in draws(self.strata, seed, width):
            yield weights if len(self.group) == len(self.strata) else np.take(weights, self.group, axis=1)

    def alone(self, counted: np.ndarray) -> np.ndarray:
        """Give weights ``int (some, pairs)`` with which groups in turn stand alone for the classes that they have.

        These are the counted groups; of ten or more only those with a class that fewer than ten groups have, which
        keeps an interval from being known.

        Args:
            counted: ``bool (groups,)``.
        """
        chosen, rows = np.flatnonzero(counted), []
        if len(chosen) >= FEWEST:
            rare = np.bincount(self.label)[self.label] < FEWEST
            chosen = np.intersect1d(chosen, self.group[rare])
        for group in chosen:
            own = self.group == group
            rows.append(own | ~np.isin(self.label, self.label[own]))
        return np.array(rows, np.int64).reshape(len(chosen), len(self.group))
