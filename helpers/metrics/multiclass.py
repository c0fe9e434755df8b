"""Scores of any number of classes, from tables of predictions (see :mod:`helpers.metrics.classification`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import (
    Estimate,
    GroupSums,
    estimate_weighted,
    fewest_groups,
    mean_over_groups,
)
from helpers.metrics.classification import classes_of, predicted
from helpers.metrics.ranking import area_under_roc, of_same_images

# From counts (resamples, true class, predicted class), and which classes have images at all, to (resamples,).
_Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]


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
        hit = (predicted(own) == said).astype(float)
        rate = mean_over_groups(hit, own["group"], seed, proportion=True)
        rows.append({"true": true, "predicted": said, "images": int(hit.sum())} | rate.row("rate"))
    columns = ["true", "predicted", "images", "rate", "low", "high", "interval", "n", "groups"]
    return pd.DataFrame(rows, columns=columns).sort_values("images", ascending=False, kind="stable", ignore_index=True)


def per_class(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate precision, recall and F1 of every class, and their means, when the most probable class counts.

    Returns:
        Rows ``class, measure, value, low, high, interval, n, groups``; the classes ``macro`` (every class that has
        images counts alike), ``weighted`` (by its number of images) and ``all`` (accuracy; balanced accuracy is the
        macro recall). ``n`` and ``groups`` are those of the denominator: of a recall the images of the class, of a
        precision those that are called so, of an F1 both. The precision of a class that is never predicted is 0, as in
        scikit-learn; a class without an image has none.
    """
    classes, sums = classes_of(table), _sums([table], seed)
    k, rows = len(classes), []
    of_group = sums.by_group.reshape(-1, k, k)
    predicted_so, of_class = of_group.sum(1), of_group.sum(2)
    both = predicted_so + of_class - np.diagonal(of_group, axis1=1, axis2=2)
    for measure, of_classes, counted in (
        ("precision", _precision, predicted_so), ("recall", _recall, of_class), ("F1", _f1, both)
    ):  # fmt: skip
        for j, name in enumerate(classes):
            own = partial(_one_class, of_classes, j)
            images = counted[:, j]
            found = sums.estimate(lambda s, own=own: own(s.reshape(-1, k, k)), int(images.sum()), counted=images > 0)
            rows.append({"class": name, "measure": measure} | found.row("value"))
        for name, mean in (("macro", _macro), ("weighted", _weighted)):
            found = _estimate(sums, partial(mean, of_classes), [table])
            rows.append({"class": name, "measure": measure} | found.row("value"))
    right = _estimate(sums, _accuracy, [table])
    return pd.DataFrame([*rows, {"class": "all", "measure": "accuracy"} | right.row("value")])


def score(runs: Sequence[pd.DataFrame], measure: str, seed: int) -> Estimate:
    """Estimate one number for all classes, averaged over runs on the same images, such as several seeds.

    Args:
        runs: tables of predictions, one or more.
        measure: one of :data:`MEASURES`.
        seed: of the resamples, which draw the same groups in all runs.

    Raises:
        ValueError: the runs are not of the same images.
    """
    return _estimate(_sums(runs, seed), MEASURES[measure], runs)


def compare(ones: Sequence[pd.DataFrame], others: Sequence[pd.DataFrame], measure: str, seed: int) -> Estimate:
    """Estimate the difference of :func:`score`, ``ones`` minus ``others``; both are resampled together, by group.

    Raises:
        ValueError: the runs are not of the same images.
    """
    runs, first = [*ones, *others], len(ones)

    def difference(by_run: np.ndarray) -> np.ndarray:
        return by_run[:, :first].mean(1) - by_run[:, first:].mean(1)

    return _estimate(_sums(runs, seed), MEASURES[measure], runs, difference)


def roc_auc_by_class(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate the area under the ROC curve of each class against all others, and their mean.

    Returns:
        Rows ``class, AUC, low, high, interval, n, groups``; the last class is ``macro``.

    Raises:
        ValueError: a class has no image.
    """
    rests_on = fewest_groups(table)
    areas = {name: area_under_roc(table, name) for name in classes_of(table)}
    every = {**areas, "macro": lambda w: np.mean([area(w) for area in areas.values()], axis=0)}
    rows = []
    for name, area in every.items():
        found = estimate_weighted(area, table, seed, rests_on=rests_on)
        rows.append({"class": name} | found.row("AUC"))
    return pd.DataFrame(rows)


def _sums(runs: Sequence[pd.DataFrame], seed: int) -> GroupSums:
    """Numbers of images by run, true class and predicted class, ``(groups, runs · classes · classes)``."""
    of_same_images(*runs)
    classes = classes_of(runs[0])
    k, found = len(classes), []
    for run in runs:
        run = run.loc[runs[0].index]
        cell = run["label"].map(classes.index).to_numpy() * k + predicted(run).map(classes.index).to_numpy()
        found.append(np.eye(k * k)[cell])
    return GroupSums(np.concatenate(found, axis=1), runs[0]["group"], seed, runs[0]["label"])


def _estimate(
    sums: GroupSums,
    measure: _Measure,
    runs: Sequence[pd.DataFrame],
    difference: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Estimate:
    """A measure of every run, and of their ``(resamples, runs)`` values the mean, or else a difference."""
    k = len(classes_of(runs[0]))
    present = sums.by_group.sum(0).reshape(-1, k, k)[0].sum(1) > 0
    together = difference or (lambda by_run: by_run.mean(1))

    def statistic(s: np.ndarray) -> np.ndarray:
        return together(measure(s.reshape(-1, k, k), present).reshape(-1, len(runs)))

    rests_on = None if measure is _accuracy else fewest_groups(runs[0])
    return sums.estimate(statistic, len(runs[0]), rests_on=rests_on, proportion=difference is None)


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


def _one_class(of_classes: Callable[[np.ndarray], np.ndarray], j: int, counts: np.ndarray) -> np.ndarray:
    return of_classes(counts)[:, j]


def _macro(of_classes: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The mean over the classes of the data; not defined where a resample lacks one, or it would be another mean."""
    return of_classes(counts)[:, present].mean(1)


def _weighted(of_classes: Callable[[np.ndarray], np.ndarray], counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    share = counts.sum(2) / counts.sum((1, 2))[:, None]
    return np.nansum(of_classes(counts) * share, axis=1)


def _accuracy(counts: np.ndarray, present: np.ndarray) -> np.ndarray:
    return _hit(counts).sum(1) / counts.sum((1, 2))


# By name: means are over the classes that have images; weights are the numbers of images.
MEASURES: dict[str, _Measure] = {
    "accuracy": _accuracy,
    "balanced accuracy": partial(_macro, _recall),
    "macro F1": partial(_macro, _f1),
    "weighted F1": partial(_weighted, _f1),
}
