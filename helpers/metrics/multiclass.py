"""Multiclass metrics from tables of predictions (see :mod:`helpers.metrics.classification`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import Bootstrap, Estimate, Statistic, cluster_mean, min_groups_per_class, weighted_sums
from helpers.metrics.classification import PREFIX, predicted_classes, prediction_classes
from helpers.metrics.ranking import area_under_roc, require_same_images

# Maps confusion matrices (resamples, true class, predicted class) and the classes with images to (resamples,).
_Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


def confusion_matrix(table: pd.DataFrame, predicted: pd.Series | None = None) -> pd.DataFrame:
    """Count images by true class (rows) and predicted class (columns).

    Args:
        table: table of predictions.
        predicted: predicted class of every image, such as at a threshold; by default the most probable one.
    """
    classes, predicted = prediction_classes(table), predicted_classes(table) if predicted is None else predicted
    counts = pd.crosstab(table["label"], predicted).reindex(index=classes, columns=classes, fill_value=0)
    return counts.rename_axis(index="true", columns="predicted")


def confusion_pairs(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate the confused pairs of true and predicted class, most frequent first.

    Args:
        table: table of predictions.
        seed: random seed of the resamples.

    Returns:
        Columns ``true, predicted, images, rate, low, high, interval, n, groups``, a row per pair that occurs; ``rate``
        is the share of the ``n`` images of the true class, with a bootstrap interval over groups.
    """
    counts = confusion_matrix(table)
    rows = []
    for true, predicted in [(t, p) for t in counts.index for p in counts.columns if t != p and counts.at[t, p]]:
        of_true = table[table["label"] == true]
        hit = (predicted_classes(of_true) == predicted).astype(float)
        rate = cluster_mean(hit, of_true["group"], seed, proportion=True)
        rows.append({"true": true, "predicted": predicted, "images": int(hit.sum()), **rate.row("rate")})
    columns = ["true", "predicted", "images", "rate", "low", "high", "interval", "n", "groups"]
    return pd.DataFrame(rows, columns=columns).sort_values("images", ascending=False, kind="stable", ignore_index=True)


def surest_ids(table: pd.DataFrame, true: str, predicted: str, *, n: int) -> pd.Index:
    """Return the ids of images of one class that were given one class, the highest probability of it first.

    Args:
        table: table of predictions.
        true: class of the images.
        predicted: class that they were given; the same as ``true`` for images with the right one.
        n: maximum number of ids.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> table = pd.DataFrame({
        ...     "label": ["blast", "blast", "normal"],
        ...     "p_blast": [0.9, 0.3, 0.4],
        ...     "p_normal": [0.1, 0.7, 0.6],
        ... }, index=pd.Index(["a1", "a2", "b1"], name="image_id"))
        >>> list(metrics.surest_ids(table, "blast", "normal", n=2))
        ['a2']
    """
    is_kind = (table["label"] == true) & (predicted_classes(table) == predicted)
    return table.loc[is_kind, PREFIX + predicted].nlargest(n).index


def classification_report(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate precision, recall and F1 of every class and their averages, with the most probable class predicted.

    Args:
        table: table of predictions.
        seed: random seed of the resamples.

    Returns:
        Columns ``class, measure, value, low, high, interval, n, groups``. Averages are the classes ``macro`` (equal
        weight of all classes with images), ``weighted`` (by number of images) and ``all`` (accuracy; balanced accuracy
        is the macro recall). ``n`` and ``groups`` are those of the denominator: the images of the class for a recall,
        the images predicted as the class for a precision, and both for an F1. The precision of a class that is never
        predicted is 0, as in scikit-learn, and NaN for a class without images.
    """
    classes, sums, predicted = prediction_classes(table), _confusions([table]), predicted_classes(table)
    present, rests_on = _present(table), min_groups_per_class(table)
    measures = {"precision": _precision, "recall": _recall, "F1": _f1}

    def values(weights: np.ndarray) -> np.ndarray:
        counts, columns = sums(weights)[:, 0], []
        for of_classes in measures.values():
            columns += [of_classes(counts), _macro(of_classes, counts, present), _weighted(of_classes, counts, present)]
        return np.column_stack([*columns, _accuracy(counts, present)])

    bootstrap = Bootstrap(values, table, seed)
    rows: list[dict[str, float | int | str]] = []
    for measure in measures:
        for name in classes:
            true, positive = (table["label"] == name).to_numpy(), (predicted == name).to_numpy()
            counted = {"precision": positive, "recall": true, "F1": true | positive}[measure]
            estimate = bootstrap.estimate(len(rows), counted=counted)
            rows.append({"class": name, "measure": measure, **estimate.row("value")})
        for name in ("macro", "weighted"):
            estimate = bootstrap.estimate(len(rows), rests_on=rests_on)
            rows.append({"class": name, "measure": measure, **estimate.row("value")})
    accuracy = bootstrap.estimate(len(rows), mean_over_images=True)
    rows.append({"class": "all", "measure": "accuracy", **accuracy.row("value")})
    return pd.DataFrame(rows)


def mean_score(runs: Sequence[pd.DataFrame], metric: str, seed: int) -> Estimate:
    """Estimate a metric over all classes, averaged over runs on the same images, such as several seeds.

    Args:
        runs: tables of predictions, one or more.
        metric: a name of :data:`METRICS`.
        seed: random seed of the resamples, which draw the same groups in all runs.

    Raises:
        ValueError: the runs do not hold the same images.

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
        >>> print(metrics.mean_score([table], "accuracy", seed=20))
        0.750, groups from 0.500 to 1.000 (n=4, groups=2)
    """
    bootstrap = _bootstrap(runs, metric, lambda by_run: by_run.mean(1), seed=seed)
    return bootstrap.estimate(rests_on=_rests_on(runs, metric), mean_over_images=metric == "accuracy")


def score_difference(
    predictions: Sequence[pd.DataFrame], baseline: Sequence[pd.DataFrame], metric: str, *, seed: int
) -> Estimate:
    """Estimate the difference of :func:`mean_score`, ``predictions`` − ``baseline``, by a paired bootstrap over groups.

    Args:
        predictions, baseline: tables of predictions of the runs of each model.
        metric, seed: as in :func:`mean_score`.

    Raises:
        ValueError: the runs do not hold the same images.
    """
    runs, first = [*predictions, *baseline], len(predictions)

    def difference(by_run: np.ndarray) -> np.ndarray:
        return by_run[:, :first].mean(1) - by_run[:, first:].mean(1)

    bootstrap = _bootstrap(runs, metric, difference, seed=seed)
    return bootstrap.estimate(rests_on=_rests_on(runs, metric), proportion=False, mean_over_images=metric == "accuracy")


def roc_auc_by_class(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate the area under the ROC curve of each class against all others (one vs rest), and the mean.

    Args:
        table: table of predictions.
        seed: random seed of the resamples.

    Returns:
        Columns ``class, AUC, low, high, interval, n, groups``; the last row, ``macro``, is the mean.

    Raises:
        ValueError: a class has no image.
    """
    rests_on, areas = (
        min_groups_per_class(table),
        {name: area_under_roc(table, name) for name in prediction_classes(table)},
    )

    def values(weights: np.ndarray) -> np.ndarray:
        by_class = [area(weights) for area in areas.values()]
        return np.stack([*by_class, np.mean(by_class, axis=0)], axis=1)

    bootstrap = Bootstrap(values, table, seed, width=len(table))
    return pd.DataFrame(
        {"class": name, **bootstrap.estimate(number, rests_on=rests_on).row("AUC")}
        for number, name in enumerate([*areas, "macro"])
    )


def _confusions(runs: Sequence[pd.DataFrame]) -> Statistic:
    """Return confusion matrices ``(resamples, runs, true class, predicted class)`` as a function of weights.

    Raises:
        ValueError: the runs do not hold the same images.
    """
    require_same_images(*runs)
    classes = prediction_classes(runs[0])
    k, cells = len(classes), []
    for run in runs:
        run = run.loc[runs[0].index]
        cell = run["label"].map(classes.index).to_numpy() * k + predicted_classes(run).map(classes.index).to_numpy()
        cells.append(np.eye(k * k)[cell])
    sums = weighted_sums(np.concatenate(cells, axis=1), runs[0])
    return lambda weights: sums(weights).reshape(-1, len(runs), k, k)


def _bootstrap(runs: Sequence[pd.DataFrame], measure: str, combine: Statistic, *, seed: int) -> Bootstrap:
    """Resample a metric of every run; ``combine`` reduces the values ``(resamples, runs)`` to ``(resamples,)``."""
    counts, present = _confusions(runs), _present(runs[0])

    def value(weights: np.ndarray) -> np.ndarray:
        return combine(np.stack([METRICS[measure](run, present) for run in counts(weights).swapaxes(0, 1)], axis=1))

    return Bootstrap(value, runs[0], seed)


def _rests_on(runs: Sequence[pd.DataFrame], measure: str) -> int | None:
    return None if measure == "accuracy" else min_groups_per_class(runs[0])


def _present(table: pd.DataFrame) -> np.ndarray:
    """Return which classes have images, ``bool (classes,)``."""
    return np.isin(prediction_classes(table), table["label"].unique())


def _hit(counts: np.ndarray) -> np.ndarray:
    return np.diagonal(counts, axis1=1, axis2=2)


# Precision, recall and F1 are NaN for a class without images, as in a resample that draws none of its groups.
def _precision(counts: np.ndarray) -> np.ndarray:
    true, predicted = counts.sum(2), counts.sum(1)
    return np.where(true > 0, np.where(predicted > 0, _hit(counts) / predicted, 0), np.nan)


def _recall(counts: np.ndarray) -> np.ndarray:
    true = counts.sum(2)
    return np.where(true > 0, _hit(counts) / true, np.nan)


def _f1(counts: np.ndarray) -> np.ndarray:
    true, predicted = counts.sum(2), counts.sum(1)
    return np.where(true > 0, 2 * _hit(counts) / (true + predicted), np.nan)


def _one_class(of_classes: Callable[[np.ndarray], np.ndarray], j: int, counts: np.ndarray) -> np.ndarray:
    return of_classes(counts)[:, j]


def _macro(of_classes: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Average over the classes with images; NaN for a resample that lacks one of them, as its mean would differ."""
    return of_classes(counts)[:, present].mean(1)


def _weighted(of_classes: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    share = counts.sum(2) / counts.sum((1, 2))[:, None]
    return np.nansum(of_classes(counts) * share, axis=1)


def _accuracy(counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    return _hit(counts).sum(1) / counts.sum((1, 2))


# Metrics by name; averages are over the classes with images, and weights are their numbers of images.
METRICS: dict[str, _Measure] = {
    "accuracy": _accuracy,
    "balanced accuracy": partial(_macro, _recall),
    "macro F1": partial(_macro, _f1),
    "weighted F1": partial(_weighted, _f1),
}
