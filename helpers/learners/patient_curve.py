"""Learning curve over patients: what more patients add, and what more cells of the same patients add."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import roc_auc_score

from helpers import splits


def patient_curve(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    frame: pd.DataFrame,
    fold: pd.Series,
    *,
    positive: str,
    n_patients: Sequence[int],
    seed: int,
    draws: int = 5,
) -> pd.DataFrame:
    """Compute the AUC by number of training patients: with all of their cells, and with the same number of cells.

    The same number of cells is that of the smallest number of patients, spread over all patients drawn. Every fold is
    tested once; the predictions of all folds make one AUC for each draw of patients.

    Args:
        estimator: scikit-learn classifier with ``predict_proba``; a fresh copy is trained each time.
        features: a row per image, by ``image_id``.
        frame: table of the dataset, with ``group`` and ``label``.
        fold: fold of every image, from :func:`helpers.splits.group_folds`.
        positive: positive class.
        n_patients: numbers of training patients; those above the number of training patients are left out.
        seed: random seed of the draws.
        draws: number of random draws of patients.

    Returns:
        Columns ``learner`` (which cells), ``images`` (number of patients), ``AUC`` (mean over draws), ``low`` and
        ``high`` (lowest and highest draw); empty where no number is possible.
    """
    pools = [frame.drop(index=splits.split_for_fold(fold, k).test) for k in range(int(fold.max()) + 1)]
    possible = [n for n in sorted(n_patients) if all(n <= pool["group"].nunique() for pool in pools)]
    if not possible:
        return pd.DataFrame(columns=["learner", "images", "AUC", "low", "high"])
    rows = []
    for draw_seed in splits.spawn_seeds(seed, draws):
        orders = [_shuffled_groups(pool, draw_seed) for pool in pools]
        few = [_cells(pool, order[: possible[0]]) for pool, order in zip(pools, orders, strict=True)]
        for n in possible:
            wide = [_cells(pool, order[:n]) for pool, order in zip(pools, orders, strict=True)]
            same = [_evenly(frame, ids, len(small), draw_seed) for ids, small in zip(wide, few, strict=True)]
            for name, chosen in (("all cells of the patients", wide), ("the same number of cells", same)):
                auc = _pooled_auc(estimator, features, frame["label"] == positive, fold, chosen)
                rows.append({"learner": name, "images": n, "AUC": auc})
    by_size = pd.DataFrame(rows).dropna().groupby(["learner", "images"])["AUC"]
    return by_size.agg(AUC="mean", low="min", high="max").reset_index()


def _shuffled_groups(pool: pd.DataFrame, seed: int) -> list[str]:
    """Shuffle groups such that classes alternate, so that every beginning of the list holds both."""
    shuffled = pool.groupby("group")["label"].agg(lambda labels: labels.mode()[0]).sample(frac=1, random_state=seed)
    return shuffled.groupby(shuffled).cumcount().sort_values(kind="stable").index.tolist()


def _cells(pool: pd.DataFrame, groups: list[str]) -> pd.Index:
    return pool.index[pool["group"].isin(groups)]


def _evenly(frame: pd.DataFrame, ids: pd.Index, n: int, seed: int) -> pd.Index:
    """Choose ``n`` of the cells, as evenly over their groups as possible, in random order within a group."""
    shuffled = frame.loc[ids].sample(frac=1, random_state=seed)
    turn = shuffled.groupby("group").cumcount()
    return turn.sort_values(kind="stable").index[:n]


def _pooled_auc(
    estimator: BaseEstimator, features: pd.DataFrame, is_positive: pd.Series, fold: pd.Series, chosen: list[pd.Index]
) -> float:
    """Train on the chosen cells of each fold; return the AUC of all folds together, NaN if a training lacks a class."""
    scores = pd.Series(np.nan, features.index)
    for k, ids in enumerate(chosen):
        if is_positive.loc[ids].nunique() < 2:
            return float("nan")
        model = clone(estimator).fit(features.loc[ids].to_numpy(), is_positive.loc[ids])
        tested = fold.index[fold == k]
        scores.loc[tested] = model.predict_proba(features.loc[tested].to_numpy())[:, 1]
    return float(roc_auc_score(is_positive.loc[scores.index], scores))
