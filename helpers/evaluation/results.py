"""Tables of an evaluation: metrics with intervals over groups, differences, groups and proportions."""

from __future__ import annotations

import pandas as pd

from helpers import metrics
from helpers.metrics import PREFIX, Estimate, prediction_classes
from helpers.metrics.resampling import MIN_GROUPS


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
    """Compare the true share of a class in the images of every group with its mean predicted probability.

    Args:
        table: table of predictions.
        positive: positive class; empty for all classes.

    Returns:
        Columns ``class, group, true, predicted``; empty if no group has images of several classes.
    """
    if table.groupby("group")["label"].nunique().max() < 2:
        return pd.DataFrame(columns=["class", "group", "true", "predicted"])
    parts = []
    for name in [positive] if positive else prediction_classes(table):
        shares = table.assign(true=(table["label"] == name).astype(float), predicted=table[PREFIX + name])
        means = shares.groupby("group")[["true", "predicted"]].mean().reset_index()
        parts.append(means.assign(**{"class": name})[["class", "group", "true", "predicted"]])
    return pd.concat(parts, ignore_index=True)


def agreement(shares: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate how predicted shares agree with true ones: mean difference and limits of agreement by class.

    Args:
        shares: from :func:`proportions`.
        seed: random seed of the resamples.

    Returns:
        Columns ``class, groups, mean difference, lower limit, upper limit``.
    """
    rows = []
    for name, of_class in shares.groupby("class", sort=False):
        limits = metrics.limits_of_agreement(of_class["predicted"], of_class["true"], of_class["group"], seed=seed)
        estimates = {"mean difference": limits.bias, "lower limit": limits.lower, "upper limit": limits.upper}
        rows.append({"class": name, "groups": limits.bias.groups} | {key: e.value for key, e in estimates.items()})
    return pd.DataFrame(rows)


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
