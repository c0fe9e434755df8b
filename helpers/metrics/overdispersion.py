"""Overdispersion of counts: classes that differ more between fields, or between patients, than chance makes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

MIN_FIELDS = 5  # minimum number of fields for an estimate
MAX_CORRELATION = 0.9  # of a draw; with 1 each patient would have cells of one class only


def field_dispersion(counts: np.ndarray) -> float:
    """Estimate by how much fields multiply the variance of a patient's class shares (McCullagh and Nelder 1989).

    Cells of one type lie together (large ones at the feathered edge), so that cells of one field are not independent.
    The factor is 1 + (m − 1) ρ, where m is the mean number of cells of the field of a cell, and ρ the correlation
    within fields, from Pearson's statistic over fields, pooled over classes. With fields of equal size it is Pearson's
    statistic over its degrees of freedom. Chance alone makes it vary by about √(2 / ((fields − 1) (classes − 1))): by
    0.35 with five fields of five classes, by 0.13 with thirty.

    Args:
        counts: ``int (fields, classes)``, cells of one patient.

    Returns:
        Factor, at least 1. NaN where it cannot be estimated: with fewer than five fields that have cells, with one cell
        in every field, or with cells of one class only.

    Raises:
        ValueError: the counts are not a table, or a count is negative.

    Example:
        >>> import numpy as np
        >>> from helpers import metrics
        >>> apart = np.array([[4, 0], [0, 4], [4, 0], [0, 4], [4, 0], [0, 4]])
        >>> metrics.field_dispersion(apart)  # as if each field were one cell
        4.0
        >>> metrics.field_dispersion(np.full((6, 2), 2))
        1.0
    """
    if counts.ndim != 2 or (counts < 0).any():
        raise ValueError(f"counts must be 0 or more, of shape (fields, classes), got shape {counts.shape}")
    sizes = counts.sum(axis=1)
    if np.count_nonzero(sizes) < MIN_FIELDS or sizes.max() < 2 or np.count_nonzero(counts.sum(axis=0)) < 2:
        return float("nan")
    return float(variance_factor(counts, np.array(intraclass_correlation([counts]))))


def dispersion_of_cells(cells: pd.DataFrame, predicted: pd.Series) -> float:
    """Estimate the overdispersion of a patient's cells between fields, see :func:`helpers.metrics.field_dispersion`.

    Args:
        cells: a row per cell, with the column ``image``; without it the result is NaN.
        predicted: predicted class of every cell, in the same order.
    """
    if "image" not in cells:
        return float("nan")
    return field_dispersion(pd.crosstab(cells["image"].to_numpy(), predicted.to_numpy()).to_numpy())


def intraclass_correlation(tables: Sequence[np.ndarray]) -> float:
    """Estimate how alike the classes of two cells of one unit (a field, a patient) are, by the method of moments.

    Args:
        tables: counts ``int (units, classes)``, one table for each population whose shares are their own, such as the
            predicted classes of the cells of one true class. The correlation is pooled over them.

    Returns:
        Correlation, 0 (independent) to 1 (all cells of a unit have the same class); 0 without a unit of two cells.
    """
    pearson, df, pairs = _pearson(tables)
    return float(np.clip((pearson - df) / pairs, 0, 1)) if pairs > 0 else 0.0


def draw_correlations(tables: Sequence[np.ndarray], n: int, random: np.random.Generator) -> np.ndarray:
    """Draw correlations that agree with the counts, since an estimate from few units is often 0 by chance.

    Pearson's statistic over its mean is taken for χ² over its degrees of freedom.

    Args:
        tables: as in :func:`intraclass_correlation`.
        n: number of draws.
        random: generator of the draws.

    Returns:
        Correlations ``float (n,)``, 0 to 0.9; 0 without a unit of two cells.
    """
    pearson, df, pairs = _pearson(tables)
    if pairs <= 0:
        return np.zeros(n)
    return np.clip((pearson * df / random.chisquare(df, n) - df) / pairs, 0, MAX_CORRELATION)


def _pearson(tables: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Sum Pearson's statistic over tables, its degrees of freedom, and what it gains with a correlation of 1."""
    pearson = df = pairs = 0.0
    for counts in tables:
        counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
        if min(counts.shape) < 2:
            continue
        sizes, n, (units, classes) = counts.sum(axis=1, keepdims=True), counts.sum(), counts.shape
        expected = sizes * counts.sum(axis=0) / n
        # With (n − 1) / n its mean is that of χ² also where fields have few cells.
        pearson += float(((counts - expected) ** 2 / expected).sum() * (n - 1) / n)
        df += (units - 1) * (classes - 1)
        pairs += float(n - (sizes**2).sum() / n - (units - 1)) * (classes - 1)
    return pearson, df, pairs


def variance_factor(counts: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Compute the factor of the variance of the class shares of all units, 1 + (m − 1) ρ.

    Args:
        counts: ``int (units, classes)``.
        correlation: correlations ρ within units, 0 to 1, of any shape.

    Returns:
        Factor for each correlation, at least 1; 1 without cells.
    """
    sizes = counts.sum(axis=1)
    cells_of_same_unit = (sizes**2).sum() / max(sizes.sum(), 1)  # of a cell, itself included
    return 1 + np.maximum(cells_of_same_unit - 1, 0) * correlation
