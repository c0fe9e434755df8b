"""What chance alone does to a count of cells: limits, differences of two counts, and the number of cells needed."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from helpers.metrics.bootstrap import ENDS, LEVEL


def chance_of_none(share: float, n: int) -> float:
    """Compute the chance that none of ``n`` cells is of a type, (1 − share)ⁿ.

    Args:
        share: share of the type in the blood, 0 to 1.
        n: number of cells counted, at least 1.

    Raises:
        ValueError: the share is not between 0 and 1, or there is no cell.

    Example:
        >>> from helpers import metrics
        >>> round(metrics.chance_of_none(0.01, 100), 3)  # 1 % blasts are missed
        0.366
    """
    _require(share, n)
    return (1 - share) ** n


def cells_needed(share: float, half_width: float) -> int:
    """Compute how many independent cells make the 95 % interval of a share as narrow as wanted.

    It is z² p (1 − p) / h² with z = 1.96, the normal approximation; with overdispersion between fields, that many more.

    Args:
        share: expected share p of the type, 0 to 1.
        half_width: half the width h of the interval, above 0, such as 0.05 for ± 5 %.

    Raises:
        ValueError: the share is not between 0 and 1, or the half-width is not above 0.

    Example:
        >>> from helpers import metrics
        >>> metrics.cells_needed(0.05, 0.01)  # eosinophils to ± 1 %
        1825
    """
    _require(share, 1)
    if half_width <= 0:
        raise ValueError(f"half_width must be above 0, got {half_width}; ± 5 % is 0.05")
    return max(1, math.ceil(NormalDist().inv_cdf(ENDS[1]) ** 2 * share * (1 - share) / half_width**2))


def rumke_limits(share: float, n: int) -> tuple[float, float]:
    """Compute the 95 % limits of the true share when a count of ``n`` cells gives a share, Rümke's yardstick (1985).

    The limits are exact (Clopper and Pearson 1934). His table, which CLSI H20 repeats, has them rounded outwards to
    whole per cent. They hold the error of counting alone, in cells that are independent.

    Args:
        share: share that was counted, 0 to 1, of a whole number of cells.
        n: number of cells counted, at least 1.

    Returns:
        Lower and upper limit, 0 to 1.

    Raises:
        ValueError: the share is not between 0 and 1 or not of a whole number of cells, or there is no cell.

    Example:
        >>> from helpers import metrics
        >>> [round(limit, 3) for limit in metrics.rumke_limits(0.10, 100)]
        [0.049, 0.176]
    """
    from scipy.stats import beta  # here, because predictions need none of it and it takes long

    _require(share, n)
    n_events = round(share * n)
    if abs(n_events - share * n) > 1e-6 * n:
        raise ValueError(f"share must be of a whole number of cells, got {share} of {n}; divide the count by n")
    low = beta.ppf(ENDS[0], n_events, n - n_events + 1) if n_events else 0.0
    high = beta.ppf(ENDS[1], n_events + 1, n - n_events) if n_events < n else 1.0
    return float(low), float(high)


def count_limits(share: float, n: int) -> tuple[int, int]:
    """Compute between which numbers of cells 95 % of all counts of ``n`` cells are, for a true share.

    Args:
        share: true share, 0 to 1.
        n: number of cells counted, at least 1.

    Returns:
        The 2.5 % and 97.5 % quantile of the binomial distribution; at most 2.5 % of counts are below, and above.

    Raises:
        ValueError: the share is not between 0 and 1, or there is no cell.

    Example:
        >>> from helpers import metrics
        >>> metrics.count_limits(0.10, 100)
        (5, 16)
    """
    from scipy.stats import binom

    _require(share, n)
    low, high = binom.ppf(ENDS, n, share)
    return int(low), int(high)


def difference_limit(share: float, n_a: int, n_b: int) -> float:
    """Compute how far two counts of the same blood are apart at most in 95 % of cases, by chance alone.

    It is exact: the smallest d for which the shares of two independent binomial counts differ by at most d in at least
    95 % of cases. What two observers differ by beyond it is not chance.

    Args:
        share: true share, 0 to 1.
        n_a: number of cells of the first count, at least 1.
        n_b: number of cells of the second count, at least 1.

    Returns:
        Difference of the shares, 0 to 1.

    Raises:
        ValueError: the share is not between 0 and 1, or there is no cell.

    Example:
        >>> from helpers import metrics
        >>> round(metrics.difference_limit(0.50, 100, 100), 2)
        0.14
    """
    from scipy.stats import binom

    _require(share, min(n_a, n_b))
    a, b = np.arange(n_a + 1), np.arange(n_b + 1)
    chance = np.outer(binom.pmf(a, n_a, share), binom.pmf(b, n_b, share)).ravel()
    differences, place = np.unique(np.abs(a[:, None] * n_b - b * n_a).ravel(), return_inverse=True)
    held = np.cumsum(np.bincount(place, chance))
    return float(differences[np.searchsorted(held, LEVEL)] / (n_a * n_b))


def difference_p_value(n_events_a: int, n_a: int, n_events_b: int, n_b: int) -> float:
    """Test whether two counts of a type differ by more than chance, with Fisher's exact test (1935).

    It takes all pairs of counts with the same sum as these that are no more likely, in both directions. It is exact
    for any numbers, and careful: where nothing but chance differs, fewer than 5 % of pairs have a value below 0.05, and
    far fewer for rare types.

    Args:
        n_events_a: cells of the type in the first count.
        n_a: all cells of the first count.
        n_events_b: cells of the type in the second count.
        n_b: all cells of the second count.

    Returns:
        Two-sided p-value, 0 to 1.

    Raises:
        ValueError: there is no cell, or there are more cells of the type than cells.

    Example:
        >>> from helpers import metrics
        >>> round(metrics.difference_p_value(5, 100, 12, 100), 3)
        0.126
    """
    from scipy.stats import fisher_exact

    for n_events, n in ((n_events_a, n_a), (n_events_b, n_b)):
        if n < 1 or not 0 <= n_events <= n:
            raise ValueError(f"n must be at least 1 and n_events from 0 to n, got {n_events} of {n}")
    return float(fisher_exact([[n_events_a, n_a - n_events_a], [n_events_b, n_b - n_events_b]]).pvalue)


def _require(share: float, n: int) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, got {share}; divide a percentage by 100")
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}; count at least one cell")
