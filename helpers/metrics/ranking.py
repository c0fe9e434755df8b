"""Scores of how a classifier ranks images, whatever the threshold: areas under curves, and the curves."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import ENDS, Bootstrap, Estimate, Statistic, min_groups_per_class
from helpers.metrics.classification import PREFIX, true_labels
from helpers.metrics.resampling import FEWEST, GroupsByClass


def roc_auc(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the area under the ROC curve: how often a positive image has a higher probability than a negative one.

    A tie counts a half. The interval resamples groups.

    Raises:
        ValueError: only one class is there.
    """
    area = area_under_roc(table, positive)
    return Bootstrap(area, table, seed, width=len(table)).estimate(rests_on=min_groups_per_class(table))


def auc_difference(table: pd.DataFrame, baseline: pd.DataFrame, positive: str, *, seed: int) -> Estimate:
    """Estimate the difference of two areas under ROC curves, ``table`` minus ``baseline``, on the same images.

    Both are resampled together, group by group, so that what both models find hard does not widen the interval.

    Raises:
        ValueError: the tables are not of the same images.
    """
    require_same_images(table, baseline)
    first, second = area_under_roc(table, positive), area_under_roc(baseline.loc[table.index], positive)
    bootstrap = Bootstrap(lambda weights: first(weights) - second(weights), table, seed, width=len(table))
    return bootstrap.estimate(rests_on=min_groups_per_class(table), proportion=False)


def require_same_images(*tables: pd.DataFrame) -> None:
    """Refuse tables of predictions that cannot be compared.

    Raises:
        ValueError: the tables are not of the same images.
    """
    if any(not table.index.sort_values().equals(tables[0].index.sort_values()) for table in tables):
        raise ValueError("models are compared on the same images; these tables have different ids")


def average_precision(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the area under the precision-recall curve, as scikit-learn's ``average_precision_score``.

    A model that knows nothing reaches the share of positive images, not one half.
    """
    area = area_under_precision_recall(table, positive)
    return Bootstrap(area, table, seed, width=len(table)).estimate(rests_on=min_groups_per_class(table))


def roc_curve(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """Trace the ROC curve with a pointwise 95 % band over groups.

    The columns are ``false_positive_rate``, ``sensitivity``, ``low`` and ``high``.

    The band is missing (NaN) where there are fewer than ten groups.
    """
    grid = np.linspace(0, 1, 101)
    order = np.argsort(-table[PREFIX + positive].to_numpy(), kind="stable")
    score, true = table[PREFIX + positive].to_numpy()[order], true_labels(table, positive)[order]
    code = GroupsByClass(table).code[order]
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # of each score; those are called positive together

    def curves(weights: np.ndarray) -> np.ndarray:
        weight = np.take(weights, code, axis=1)
        hits, alarms = (np.cumsum(weight * of, axis=1)[:, last] for of in (true, ~true))
        found = np.full((len(weights), len(grid)), np.nan)
        for row, hit, alarm in zip(found, hits, alarms, strict=True):
            if hit[-1] and alarm[-1]:
                row[:] = np.interp(grid, np.append(0, alarm / alarm[-1]), np.append(0, hit / hit[-1]))
        return found

    bootstrap = Bootstrap(curves, table, seed, width=len(table))
    low = high = np.full(len(grid), np.nan)
    if table["group"].nunique() >= FEWEST:
        low, high = np.nanquantile(bootstrap.resampled, ENDS, axis=0)
        low, high = np.minimum(low, bootstrap.value), np.maximum(high, bootstrap.value)
    return pd.DataFrame({"false_positive_rate": grid, "sensitivity": bootstrap.value, "low": low, "high": high})


class _Ranking:
    """Images in the order of their scores, and where the scores of positive images lie among the negative ones.

    Images are sorted once; of every resample a cumulative sum then tells what lies above each score. So time and memory
    grow with the number of images. Images of one score are called positive together.
    """

    def __init__(self, table: pd.DataFrame, positive: str):
        true, score = true_labels(table, positive), table[PREFIX + positive].to_numpy()
        if true.all() or not true.any():
            raise ValueError(f"an ROC curve needs images that are {positive} and images that are not")
        code, order = GroupsByClass(table).code, np.argsort(score, kind="stable")
        ill, well = order[true[order]], order[~true[order]]
        self.ill, self.well = code[ill], code[well]  # the pair of group and class of every image, lowest score first
        self.below = np.searchsorted(score[well], score[ill], "left")  # negative images below each positive one
        self.up_to = np.searchsorted(score[well], score[ill], "right")  # and those that are no higher
        self.first = np.searchsorted(score[ill], score[ill], "left")  # positive images below it
        self.tied = not np.array_equal(self.below, self.up_to)

    def lower(self, weights: np.ndarray, code: np.ndarray) -> np.ndarray:
        """How much lies below each place of a row of images, ``(resamples, images + 1)``."""
        found = np.zeros((len(weights), len(code) + 1))
        np.cumsum(np.take(weights, code, axis=1), axis=1, out=found[:, 1:])
        return found

    def reached(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positive and negative images that have at least the score of each positive one."""
        hits, alarms = self.lower(weights, self.ill), self.lower(weights, self.well)
        return hits[:, -1:] - hits[:, self.first], alarms[:, -1:] - alarms[:, self.below]


def area_under_roc(table: pd.DataFrame, positive: str) -> Statistic:
    """Give the area under the ROC curve as a function of weights, ``(resamples, pairs)`` to ``(resamples,)``.

    Raises:
        ValueError: only one class is there.
    """
    ranking = _Ranking(table, positive)

    def area(weights: np.ndarray) -> np.ndarray:
        lower, weight = ranking.lower(weights, ranking.well), np.take(weights, ranking.ill, axis=1)
        won = np.take(lower, ranking.below, axis=1)
        if ranking.tied:  # a tie counts a half
            won = (won + np.take(lower, ranking.up_to, axis=1)) / 2
        return np.einsum("rn,rn->r", weight, won) / (weight.sum(1) * lower[:, -1])

    return area


def area_under_precision_recall(table: pd.DataFrame, positive: str) -> Statistic:
    """Give the area under the precision-recall curve as a function of weights, as :func:`area_under_roc`."""
    ranking = _Ranking(table, positive)

    def area(weights: np.ndarray) -> np.ndarray:
        hits, alarms = ranking.reached(weights)
        weight = np.take(weights, ranking.ill, axis=1)
        precision = hits / np.maximum(hits + alarms, 1e-12)
        return np.einsum("rn,rn->r", weight, precision) / weight.sum(1)

    return area
