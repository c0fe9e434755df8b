"""Threshold-free metrics of a classifier: ROC and precision-recall curves and the areas under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import ENDS, Bootstrap, Estimate, Statistic, min_groups_per_class
from helpers.metrics.classification import PREFIX, true_labels
from helpers.metrics.resampling import MIN_GROUPS, GroupsByClass


def roc_auc(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the area under the ROC curve: how often a positive image has a higher probability than a negative one.

    A tie counts as one half. The interval comes from a bootstrap over groups.

    Args:
        table: table of predictions, see :mod:`helpers.metrics.classification`.
        positive: positive class.
        seed: random seed of the resamples.

    Raises:
        ValueError: the table has only positive or only negative images.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> table = pd.DataFrame({
        ...     "group": ["A", "A", "B", "B"],
        ...     "label": ["blast", "normal", "blast", "normal"],
        ...     "fold": 0,
        ...     "p_blast": [0.9, 0.2, 0.6, 0.7],
        ...     "p_normal": [0.1, 0.8, 0.4, 0.3],
        ... }, index=pd.Index(["a1", "a2", "b1", "b2"], name="image_id"))
        >>> print(metrics.roc_auc(table, "blast", seed=20))
        0.750, groups from 0.000 to 1.000 (n=4, groups=2)
    """
    area = area_under_roc(table, positive)
    return Bootstrap(area, table, seed, width=len(table)).estimate(rests_on=min_groups_per_class(table))


def mean_roc_auc(runs: Sequence[pd.DataFrame], positive: str, seed: int) -> Estimate:
    """Estimate the area under the ROC curve, averaged over runs on the same images, such as several partitions.

    Args:
        runs: tables of predictions, one or more.
        positive, seed: as in :func:`roc_auc`; a resample draws the same groups in all runs.

    Raises:
        ValueError: the runs do not hold the same images.
    """
    require_same_images(*runs)
    areas = [area_under_roc(run.loc[runs[0].index], positive) for run in runs]
    bootstrap = Bootstrap(
        lambda weights: np.mean([area(weights) for area in areas], axis=0), runs[0], seed, width=len(runs[0])
    )
    return bootstrap.estimate(rests_on=min_groups_per_class(runs[0]))


def auc_difference(table: pd.DataFrame, baseline: pd.DataFrame, positive: str, *, seed: int) -> Estimate:
    """Estimate the difference of two areas under ROC curves, ``table`` − ``baseline``, on the same images.

    Both use the same resamples of groups (paired bootstrap), so that images that are hard for both models do not widen
    the interval.

    Args:
        table, baseline: tables of predictions of the two models.
        positive, seed: as in :func:`roc_auc`.

    Raises:
        ValueError: the tables do not hold the same images.
    """
    require_same_images(table, baseline)
    first, second = area_under_roc(table, positive), area_under_roc(baseline.loc[table.index], positive)
    bootstrap = Bootstrap(lambda weights: first(weights) - second(weights), table, seed, width=len(table))
    return bootstrap.estimate(rests_on=min_groups_per_class(table), proportion=False)


def require_same_images(*tables: pd.DataFrame) -> None:
    """Require that tables of predictions hold the same images.

    Raises:
        ValueError: the tables do not hold the same images.
    """
    if any(not table.index.sort_values().equals(tables[0].index.sort_values()) for table in tables):
        raise ValueError("tables to compare must have the same images; predict the same test set with each model")


def average_precision(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the area under the precision-recall curve, as scikit-learn's ``average_precision_score``.

    Its chance level is the share of positive images, not one half. Arguments and errors as for :func:`roc_auc`.
    """
    area = area_under_precision_recall(table, positive)
    return Bootstrap(area, table, seed, width=len(table)).estimate(rests_on=min_groups_per_class(table))


def roc_curve(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """Compute the ROC curve with a pointwise 95 % bootstrap band over groups.

    Arguments as for :func:`roc_auc`.

    Returns:
        Columns ``false_positive_rate``, ``sensitivity``, ``low`` and ``high``; the band is NaN for fewer than ten
        groups.
    """
    grid = np.linspace(0, 1, 101)

    def sensitivity(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
        return np.interp(grid, np.append(0, fp / fp[-1]), np.append(0, tp / tp[-1]))

    curve, low, high = _curve(table, positive, seed=seed, points=len(grid), read=sensitivity)
    return pd.DataFrame({"false_positive_rate": grid, "sensitivity": curve, "low": low, "high": high})


def precision_recall_curve(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """Compute the precision-recall curve with a pointwise 95 % bootstrap band over groups.

    The precision at a sensitivity is that of the highest threshold that reaches it: between two thresholds, a straight
    line would promise too much (Davis and Goadrich 2006). Arguments as for :func:`roc_auc`.

    Returns:
        Columns ``sensitivity`` (0.01 to 1), ``precision``, ``low`` and ``high``; the band is NaN for fewer than ten
        groups.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> table = pd.DataFrame({
        ...     "group": ["A", "A", "B", "B"],
        ...     "label": ["blast", "normal", "blast", "normal"],
        ...     "p_blast": [0.9, 0.2, 0.6, 0.7],
        ... })
        >>> curve = metrics.precision_recall_curve(table, "blast", seed=20)
        >>> curve.set_index("sensitivity")["precision"].loc[[0.5, 1]].round(2).tolist()
        [1.0, 0.67]
    """
    grid = np.arange(1, 101) / 100

    def precision(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
        reached = np.searchsorted(tp / tp[-1], grid - 1e-12)
        return tp[reached] / (tp[reached] + fp[reached])

    curve, low, high = _curve(table, positive, seed=seed, points=len(grid), read=precision)
    return pd.DataFrame({"sensitivity": grid, "precision": curve, "low": low, "high": high})


def _curve(
    table: pd.DataFrame,
    positive: str,
    *,
    seed: int,
    points: int,
    read: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute a curve over all thresholds and both ends of its band, ``float (points,)`` each.

    Args:
        table, positive, seed: as in :func:`roc_auc`.
        points: number of points of the curve.
        read: function from true and false positives at descending thresholds, ``(thresholds,)``, to the curve.
    """
    order = np.argsort(-table[PREFIX + positive].to_numpy(), kind="stable")
    score, true = table[PREFIX + positive].to_numpy()[order], true_labels(table, positive)[order]
    code = GroupsByClass(table).code[order]
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # last image of each distinct score (ties)

    def curves(weights: np.ndarray) -> np.ndarray:
        weight = np.take(weights, code, axis=1)
        true_positives, false_positives = (np.cumsum(weight * of, axis=1)[:, last] for of in (true, ~true))
        curve = np.full((len(weights), points), np.nan)
        for row, tp, fp in zip(curve, true_positives, false_positives, strict=True):
            if tp[-1] and fp[-1]:
                row[:] = read(tp, fp)
        return curve

    bootstrap = Bootstrap(curves, table, seed, width=len(table))
    low = high = np.full(points, np.nan)
    if table["group"].nunique() >= MIN_GROUPS:
        low, high = np.nanquantile(bootstrap.resampled, ENDS, axis=0)
        low, high = np.minimum(low, bootstrap.value), np.maximum(high, bootstrap.value)
    return bootstrap.value, low, high


class _Ranking:
    """Sort images by score, and locate the scores of positive images among those of negative images.

    Images are sorted once; a cumulative sum per resample then gives the weight above each score. So time and memory
    grow linearly with the number of images. Images with tied scores are predicted positive together.
    """

    def __init__(self, table: pd.DataFrame, positive: str):
        true, score = true_labels(table, positive), table[PREFIX + positive].to_numpy()
        if true.all() or not true.any():
            raise ValueError(f"an ROC curve needs images that are {positive} and images that are not")
        code, order = GroupsByClass(table).code, np.argsort(score, kind="stable")
        positive_rows, negative_rows = order[true[order]], order[~true[order]]
        # Pair of group and class of every image, by ascending score.
        self.positive, self.negative = code[positive_rows], code[negative_rows]
        positive_scores, negative_scores = score[positive_rows], score[negative_rows]
        # Per positive image: the negative images with a lower score, the same with ties, the positive images below.
        self.below = np.searchsorted(negative_scores, positive_scores, "left")
        self.up_to = np.searchsorted(negative_scores, positive_scores, "right")
        self.first = np.searchsorted(positive_scores, positive_scores, "left")
        self.tied = not np.array_equal(self.below, self.up_to)

    def lower(self, weights: np.ndarray, code: np.ndarray) -> np.ndarray:
        """Sum the weights of the images below each rank, ``(resamples, images + 1)``."""
        sums = np.zeros((len(weights), len(code) + 1))
        np.cumsum(np.take(weights, code, axis=1), axis=1, out=sums[:, 1:])
        return sums

    def counts_at_positives(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum the weights of positive and of negative images with at least the score of each positive image."""
        positive, negative = self.lower(weights, self.positive), self.lower(weights, self.negative)
        return positive[:, -1:] - positive[:, self.first], negative[:, -1:] - negative[:, self.below]


def area_under_roc(table: pd.DataFrame, positive: str) -> Statistic:
    """Return the area under the ROC curve as a function of weights, ``(resamples, pairs)`` to ``(resamples,)``.

    Raises:
        ValueError: the table has only positive or only negative images.
    """
    ranking = _Ranking(table, positive)

    def area(weights: np.ndarray) -> np.ndarray:
        lower, weight = ranking.lower(weights, ranking.negative), np.take(weights, ranking.positive, axis=1)
        won = np.take(lower, ranking.below, axis=1)
        if ranking.tied:  # a tie counts as one half
            won = (won + np.take(lower, ranking.up_to, axis=1)) / 2
        return np.einsum("rn,rn->r", weight, won) / (weight.sum(1) * lower[:, -1])

    return area


def area_under_precision_recall(table: pd.DataFrame, positive: str) -> Statistic:
    """Return the area under the precision-recall curve as a function of weights, as :func:`area_under_roc`."""
    ranking = _Ranking(table, positive)

    def area(weights: np.ndarray) -> np.ndarray:
        true_positives, false_positives = ranking.counts_at_positives(weights)
        weight = np.take(weights, ranking.positive, axis=1)
        precision = true_positives / np.maximum(true_positives + false_positives, 1e-12)
        return np.einsum("rn,rn->r", weight, precision) / weight.sum(1)

    return area
