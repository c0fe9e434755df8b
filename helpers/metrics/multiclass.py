"""Scores of any number of classes, from tables of predictions (see :mod:`helpers.metrics.classification`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import Estimate, estimate, sums_by_group
from helpers.metrics.classification import area_under_roc, classes_of, of_same_images, predicted

# From counts (resamples, true class, predicted class) to (resamples,).
_Measure = Callable[[np.ndarray], np.ndarray]


def confusion(table: pd.DataFrame) -> pd.DataFrame:
    """Counts of images, a row per true class and a column per predicted one."""
    classes = classes_of(table)
    counts = pd.crosstab(table["label"], predicted(table)).reindex(index=classes, columns=classes, fill_value=0)
    return counts.rename_axis(index="true", columns="predicted")


def confused(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Which class is called which other one, most images first.

    Returns:
        Rows ``true, predicted, images, rate, low, high, n, groups`` of all pairs that occur; ``rate`` is the share of
        the images of the true class, of which there are ``n``, with its interval over groups.
    """
    counts, rows = confusion(table), []
    for true, said in [(t, p) for t in counts.index for p in counts.columns if t != p and counts.at[t, p]]:
        own = table[table["label"] == true]
        hit = (predicted(own) == said).to_numpy()
        sums = sums_by_group(np.stack([hit, np.ones(len(own))], axis=1), own["group"])
        rate = estimate(sums, lambda s: s[:, 0] / s[:, 1], len(own), seed)
        rows.append({"true": true, "predicted": said, "images": int(hit.sum())} | rate.row("rate"))
    columns = ["true", "predicted", "images", "rate", "low", "high", "n", "groups"]
    return pd.DataFrame(rows, columns=columns).sort_values("images", ascending=False, kind="stable", ignore_index=True)


def per_class(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Precision, recall and F1 of every class, and their means, when the most probable class counts.

    Returns:
        Rows ``class, measure, value, low, high, n, groups``; the classes ``macro`` (every class counts alike),
        ``weighted`` (by its number of images) and ``all`` (accuracy; balanced accuracy is the macro recall). ``n`` and
        ``groups`` are those of the class. The precision of a class that is never predicted is 0, as in scikit-learn; a
        class without an image has none.
    """
    of_class = table.groupby("label")["group"].agg(["size", "nunique"])
    sums, rows = _counts([table]), []
    for measure, of_classes in (("precision", _precision), ("recall", _recall), ("F1", _f1)):
        ways: dict[str, _Measure] = {
            name: lambda c, f=of_classes, j=j: f(c)[:, j] for j, name in enumerate(classes_of(table))
        }
        ways["macro"] = lambda c, f=of_classes: np.nanmean(f(c), axis=1)
        ways["weighted"] = lambda c, f=of_classes: np.nansum(f(c) * _share(c), axis=1)
        for name, way in ways.items():
            row = {"class": name, "measure": measure} | _estimate(sums, way, [table], seed).row("value")
            own = dict(zip(("n", "groups"), of_class.loc[name], strict=True)) if name in of_class.index else {}
            rows.append(row | own)
    right = _estimate(sums, _accuracy, [table], seed)
    return pd.DataFrame([*rows, {"class": "all", "measure": "accuracy"} | right.row("value")])


def score(runs: Sequence[pd.DataFrame], measure: str, seed: int) -> Estimate:
    """One number for all classes, averaged over runs on the same images, such as several seeds.

    Args:
        runs: tables of predictions, one or more.
        measure: one of :data:`MEASURES`.
        seed: of the resamples, which draw the same groups in all runs.

    Raises:
        ValueError: the runs are not of the same images.
    """
    return _estimate(_counts(runs), MEASURES[measure], runs, seed)


def compare(ones: Sequence[pd.DataFrame], others: Sequence[pd.DataFrame], measure: str, seed: int) -> Estimate:
    """Difference of :func:`score`, ``ones`` minus ``others``; both are resampled together, group by group.

    Raises:
        ValueError: the runs are not of the same images.
    """
    runs, first = [*ones, *others], len(ones)

    def difference(by_run: np.ndarray) -> np.ndarray:
        return by_run[:, :first].mean(1) - by_run[:, first:].mean(1)

    return _estimate(_counts(runs), MEASURES[measure], runs, seed, difference)


def roc_auc_by_class(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Area under the ROC curve of each class against all others, and their mean.

    Returns:
        Rows ``class, AUC, low, high, n, groups``; the last class is ``macro``.

    Raises:
        ValueError: a class has no image.
    """
    groups = np.eye(table["group"].nunique())
    areas = {name: area_under_roc(table, name) for name in classes_of(table)}
    every = {**areas, "macro": lambda w: np.nanmean([area(w) for area in areas.values()], axis=0)}
    return pd.DataFrame(
        [{"class": name} | estimate(groups, area, len(table), seed).row("AUC") for name, area in every.items()]
    )


def _counts(runs: Sequence[pd.DataFrame]) -> np.ndarray:
    """``(groups, runs, true class, predicted class)``: numbers of images."""
    of_same_images(*runs)
    classes = classes_of(runs[0])
    k, found = len(classes), []
    for run in runs:
        cell = run["label"].map(classes.index).to_numpy() * k + predicted(run).map(classes.index).to_numpy()
        found.append(sums_by_group(np.eye(k * k)[cell], run["group"]).reshape(-1, k, k))
    return np.stack(found, axis=1)


def _estimate(
    counts: np.ndarray,
    measure: _Measure,
    runs: Sequence[pd.DataFrame],
    seed: int,
    together: _Measure = lambda by_run: by_run.mean(1),
) -> Estimate:
    """A measure of every run, and what becomes of their ``(resamples, runs)`` values together."""
    shape = counts.shape[1:]

    def statistic(sums: np.ndarray) -> np.ndarray:
        each = measure(sums.reshape(-1, *shape[1:]))
        return together(each.reshape(-1, shape[0]))

    return estimate(counts.reshape(len(counts), -1), statistic, len(runs[0]), seed)


def _hit(counts: np.ndarray) -> np.ndarray:
    return np.diagonal(counts, axis1=1, axis2=2)


# A class without an image, as in a resample that draws none of its groups, has no precision, no recall and no F1.
def _precision(counts: np.ndarray) -> np.ndarray:
    true, said = counts.sum(2), counts.sum(1)
    return np.where(true > 0, np.where(said > 0, _hit(counts) / said, 0), np.nan)


def _recall(counts: np.ndarray) -> np.ndarray:
    true = counts.sum(2)
    return np.where(true > 0, _hit(counts) / true, np.nan)


def _f1(counts: np.ndarray) -> np.ndarray:
    true, said = counts.sum(2), counts.sum(1)
    return np.where(true > 0, 2 * _hit(counts) / (true + said), np.nan)


def _share(counts: np.ndarray) -> np.ndarray:
    return counts.sum(2) / counts.sum((1, 2))[:, None]


def _accuracy(counts: np.ndarray) -> np.ndarray:
    return _hit(counts).sum(1) / counts.sum((1, 2))


# By name: means are over the classes that have images; weights are the numbers of images.
MEASURES: dict[str, _Measure] = {
    "accuracy": _accuracy,
    "balanced accuracy": lambda c: np.nanmean(_recall(c), axis=1),
    "macro F1": lambda c: np.nanmean(_f1(c), axis=1),
    "weighted F1": lambda c: np.nansum(_f1(c) * _share(c), axis=1),
}
