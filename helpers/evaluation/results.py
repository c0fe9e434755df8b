"""Tables of an evaluation: metrics with intervals over groups, differences, groups, proportions and learning curves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from helpers import metrics, splits
from helpers.datasets import Dataset, DatasetError
from helpers.learners import cross_validation
from helpers.learners.cross_validation import Learner
from helpers.metrics import Estimate
from helpers.metrics.resampling import MIN_GROUPS
from helpers.splits import Fold

SHARES = (0.25, 0.5, 0.75, 1.0)  # of the training groups, or of the images of each


def metric_table(tables: dict[str, pd.DataFrame], positive: str, seed: int) -> pd.DataFrame:
    """Tabulate the metrics of every model.

    Args:
        tables: test predictions by model.
        positive: positive class; empty for the metrics over all classes.
        seed: random seed of the resamples.

    Returns:
        Columns ``model, measure, value, low, high, interval, n, groups``.
    """
    rows = []
    for model, table in tables.items():
        for measure, estimate in _estimates(table, positive, seed).items():
            rows.append({"model": model, "measure": measure, **estimate.row("value")})
    return pd.DataFrame(rows)


def difference_table(tables: dict[str, pd.DataFrame], positive: str, seed: int) -> pd.DataFrame:
    """Tabulate the paired difference of every model to the first on the same images, as :func:`metric_table`."""
    first, *others = tables
    rows = []
    for model in others:
        pair = tables[model], tables[first]
        measured = {"balanced accuracy": _difference(*pair, metric="balanced accuracy", seed=seed)}
        if positive:
            measured = {"AUC": metrics.auc_difference(*pair, positive, seed=seed)} | measured
        rows += [{"model": model, "measure": name, **value.row("value")} for name, value in measured.items()]
    return pd.DataFrame(rows, columns=["model", "measure", "value", "low", "high", "interval", "n", "groups"])


def group_metrics(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """Tabulate the metrics of predictions averaged over each group; empty where a group has several classes."""
    if table.groupby("group")["label"].nunique().max() > 1 or table["group"].is_unique:
        return pd.DataFrame()
    return metric_table({"per group": metrics.aggregate_by_group(table)}, positive, seed).drop(columns="model")


def proportions(table: pd.DataFrame, positive: str) -> pd.DataFrame:
    """Compare the true share of positive images of every group with the mean predicted probability.

    Returns:
        Columns ``group, true, predicted``; empty if no group has images of several classes, or without a positive
        class.
    """
    if not positive or table.groupby("group")["label"].nunique().max() < 2:
        return pd.DataFrame(columns=["group", "true", "predicted"])
    shares = table.assign(true=(table["label"] == positive).astype(float), predicted=table[metrics.PREFIX + positive])
    return shares.groupby("group")[["true", "predicted"]].mean().reset_index()


def learning_curve(dataset: Dataset, fold: pd.Series, learner: Learner, *, positive: str, seed: int) -> pd.DataFrame:
    """Compute how the score grows with training groups, and with training images of all groups, on nested subsets.

    Args:
        dataset, fold: as in :func:`helpers.learners.cross_validation.cross_validate`.
        learner: the model; it trains on validation images too.
        positive: positive class; empty for balanced accuracy.
        seed: random seed of the subsets.

    Returns:
        Columns ``counted`` (``groups`` or ``images``), ``size`` (mean number of them that a fold trains on), ``value,
        low, high, interval, n, groups``; sizes with which a fold cannot be trained are left out.
    """
    rows = []
    folds = [splits.split_for_fold(fold, k) for k in sorted(fold.unique())]
    for counted, subset in (("groups", _some_groups), ("images", _some_images)):
        for share in SHARES:
            choose = partial(subset, dataset.frame, share=share, seed=seed)
            try:
                test, _ = cross_validation.cross_validate(dataset, fold, _restricted(learner, choose))
            except DatasetError:  # too few groups of a class for inner folds
                continue
            chosen = [choose(one.train.append(one.val)) for one in folds]
            sizes = [dataset.frame.loc[ids, "group"].nunique() if counted == "groups" else len(ids) for ids in chosen]
            estimate = main_estimate(test, positive, seed)
            rows.append({"counted": counted, "size": float(np.mean(sizes)), **estimate.row("value")})
    return pd.DataFrame(rows, columns=["counted", "size", "value", "low", "high", "interval", "n", "groups"])


def main_estimate(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Estimate the measure by which models are compared: AUC, or balanced accuracy without a positive class."""
    return (
        metrics.roc_auc(table, positive, seed) if positive else metrics.mean_score([table], "balanced accuracy", seed)
    )


def projection(estimate: Estimate, unit: str) -> str:
    """State how many more groups would halve an interval, whose width falls with the square root of their number."""
    if estimate.interval != metrics.INTERVAL:
        return f"With {estimate.groups} {unit}s there is no interval; at least {MIN_GROUPS} are needed for one."
    width = estimate.high - estimate.low
    return (
        f"The interval is {width:.3f} wide with {estimate.groups} {unit}s; {3 * estimate.groups} more, four times as "
        "many in all, would about halve it, if they resemble these."
    )


def _estimates(table: pd.DataFrame, positive: str, seed: int) -> dict[str, Estimate]:
    over_classes = {name: metrics.mean_score([table], name, seed) for name in ("balanced accuracy", "accuracy")}
    if not positive:
        return over_classes | {"macro F1": metrics.mean_score([table], "macro F1", seed)}
    return {
        "AUC": metrics.roc_auc(table, positive, seed),
        "average precision": metrics.average_precision(table, positive, seed),
        "Brier score": metrics.brier_score(table, positive, seed),
        **over_classes,
    }


def _difference(table: pd.DataFrame, baseline: pd.DataFrame, *, metric: str, seed: int) -> Estimate:
    return metrics.score_difference([table], [baseline], metric, seed=seed)


def _some_groups(frame: pd.DataFrame, known: pd.Index, *, share: float, seed: int) -> pd.Index:
    """Choose the images of a random share of the groups of every class, by the commonest class of each group."""
    rows = frame.loc[known]
    label = rows.groupby("group")["label"].agg(lambda labels: labels.mode().iloc[0])
    chosen: list[str] = []
    for _, groups in label.groupby(label):
        order = np.random.default_rng(seed).permutation(sorted(groups.index))
        chosen += list(order[: max(1, round(share * len(order)))])
    return rows.index[rows["group"].isin(chosen)]


def _some_images(frame: pd.DataFrame, known: pd.Index, *, share: float, seed: int) -> pd.Index:
    """Choose a random share of the images of every group and class, at least one."""
    rows = frame.loc[known].sample(frac=1, random_state=seed)
    of_kind = rows.groupby(["group", "label"])
    limit = (share * of_kind["label"].transform("size")).round().clip(lower=1)
    return known[known.isin(rows.index[of_kind.cumcount() < limit])]


def _restricted(learner: Learner, choose: Callable[[pd.Index], pd.Index]) -> Learner:
    """Restrict a learner to a subset of the images that it may train on."""

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        chosen = choose(fold.train.append(fold.val))
        known = Fold(fold.train[fold.train.isin(chosen)], fold.val[fold.val.isin(chosen)], fold.test)
        return learner(dataset, known, ids)

    return learn
