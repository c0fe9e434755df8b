"""Bootstrap resamples of groups, as weights of the groups and of their images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

RESAMPLES = 2000
MIN_GROUPS = 10  # minimum number of groups for an interval
_AT_ONCE = 2**19  # values in a block of resamples, which then fits in the processor's cache


def bootstrap_weights(strata: np.ndarray, seed: int, width: int = 0) -> Iterator[np.ndarray]:
    """Draw the group weights of 2,000 stratified bootstrap resamples, in blocks that fit in memory.

    Of the m groups of a stratum, m − 1 are drawn with weight m / (m − 1) (Rao and Wu 1988): drawing m would
    underestimate the variance between groups, by half for two patients.

    Args:
        strata: ``int (groups,)``, the stratum of every group; the weights of a stratum add up to its number of groups.
        seed: random seed of the draws.
        width: number of values that the caller computes per resample, where it exceeds the number of groups.

    Yields:
        Weights ``float (resamples in the block, groups)``.
    """
    groups, random = len(strata), np.random.default_rng(seed)
    members = [np.flatnonzero(strata == number) for number in np.unique(strata)]
    block = max(1, _AT_ONCE // max(groups, width))
    for start in range(0, RESAMPLES, block):
        weights = np.ones((min(block, RESAMPLES - start), groups))
        for stratum in members:
            m = len(stratum)
            if m > 1:
                drawn = random.integers(0, m, (len(weights), m - 1))
                for row, positions in zip(weights, drawn, strict=True):
                    row[stratum] = np.bincount(positions, minlength=m) * (m / (m - 1))
        yield weights


class GroupsByClass:
    """Index the pairs of a group and a class that have images; all images of a pair have the same weight.

    Attributes:
        code: ``int (n,)``, the index of the pair of every image.
        group: ``int (pairs,)``, the index of the group of every pair, in the order of group names.
        label: ``int (pairs,)``, the index of the class of every pair.
        strata: ``int (groups,)``, the class of every group; all 0 if any group has several classes.
    """

    def __init__(self, table: pd.DataFrame):
        """Index the pairs of a table with the columns ``group`` and ``label``."""
        group, label = (pd.factorize(table[name], sort=True)[0] for name in ("group", "label"))
        classes = label.max() + 1
        numbers, self.code = np.unique(group * classes + label, return_inverse=True)
        self.group, self.label = numbers // classes, numbers % classes
        groups = int(group.max()) + 1
        self.strata = self.label if len(numbers) == groups else np.zeros(groups, np.int64)

    def bootstrap_weights(self, seed: int, width: int) -> Iterator[np.ndarray]:
        """Draw resamples as :func:`bootstrap_weights`, as weights of pairs ``(resamples in the block, pairs)``."""
        for weights in bootstrap_weights(self.strata, seed, width):
            yield weights if len(self.group) == len(self.strata) else np.take(weights, self.group, axis=1)

    def alone(self, counted: np.ndarray, *, other_classes: bool = True) -> np.ndarray:
        """Return weights with which one group at a time is the only group of its classes.

        Each counted group has its turn; if there are ten or more, only those with a class of fewer than ten groups,
        the classes that rule out an interval.

        Args:
            counted: ``bool (groups,)``, the groups to use.
            other_classes: whether all groups of the classes that the group lacks keep their weight.

        Returns:
            ``int (chosen groups, pairs)``, 0 or 1.
        """
        chosen, rows = np.flatnonzero(counted), []
        if len(chosen) >= MIN_GROUPS:
            rare = np.bincount(self.label)[self.label] < MIN_GROUPS
            chosen = np.intersect1d(chosen, self.group[rare])
        for group in chosen:
            of_group = self.group == group
            rows.append(of_group | (other_classes & ~np.isin(self.label, self.label[of_group])))
        return np.array(rows, np.int64).reshape(len(chosen), len(self.group))
