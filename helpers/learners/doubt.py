"""Measure what a classifier should say nothing about: prediction sets, distances and confidence of every test image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from helpers import metrics
from helpers.learners.laboratories import Laboratories
from helpers.learners.lda import ShrinkageLDA, fill_missing_classes
from helpers.learners.outliers import distance_quantiles, fit_distance, neighbour_distance

COVERAGE = 0.9
REFERRED = 0.1
NO_RULE = "no rule"
SCORES = {"uncertainty": "1 − largest probability", "distance": "Mahalanobis distance", "neighbours": "5th neighbour"}


def measure_doubt(
    labs: Laboratories,
    features: pd.DataFrame,
    fold: pd.Series,
    *,
    strange: dict[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Train on some folds of the source, calibrate on others, and measure the doubt about the images of the last.

    Every image of the source is tested once; the target and strange images are tested by the model that leaves out
    fold 0. With five folds, one is tested, two calibrate thresholds and distances, and two train.

    Args:
        labs: the two laboratories.
        features: a row per image of both.
        fold: fold of every image of the source, at least 3 folds.
        strange: features of other images, by kind; each is a group of its own and has no right class.

    Returns:
        A row per tested image, with ``where`` (a laboratory or a kind), ``group``, ``label``, the probabilities,
        ``wrong`` (1 or 0), ``uncertainty`` (1 − largest probability), ``covered``, ``size`` and ``empty`` of its
        prediction set at 90 %, the same with ``_by_class`` for a threshold of every class, ``distance`` and
        ``neighbours`` as quantiles among calibration images, and ``referred``: whether the confidence is below that of
        the least confident tenth of the calibration images.
    """
    source, target = labs.rows(labs.source), labs.rows(labs.target)
    n_folds, tested = int(fold.max()) + 1, []
    for number in range(n_folds):
        is_test = fold == number
        calibrates = fold.isin([(number + step) % n_folds for step in range(1, 1 + n_folds // 2)])
        model = _Doubt(labs, features, train=fold.index[~is_test & ~calibrates], calibration=fold.index[calibrates])
        tested.append(model.measure(source.loc[is_test], features.loc[fold.index[is_test]], where=labs.source))
        if number == 0:
            tested.append(model.measure(target, features.loc[target.index], where=labs.target))
            for kind, values in (strange or {}).items():
                ids = pd.Index([f"{kind} {k}" for k in range(len(values))], name="image_id")
                rows = pd.DataFrame({"group": ids, "label": ""}, ids)
                tested.append(model.measure(rows, values.set_axis(ids), where=kind))
    return pd.concat(tested)


class _Doubt:
    """Train a classifier, and calibrate its doubt."""

    def __init__(self, labs: Laboratories, features: pd.DataFrame, *, train: pd.Index, calibration: pd.Index):
        frame = labs.data.frame
        self._classes = labs.data.classes
        self._scaler = StandardScaler().fit(features.loc[train])
        self._train = self._scaler.transform(features.loc[train])
        labels = frame.loc[train, "label"].to_numpy()
        self._classifier = ShrinkageLDA().fit(self._train, labels)
        self._distance = fit_distance(self._train, labels)
        rows, values = frame.loc[calibration], features.loc[calibration]
        self._groups = rows["group"].to_numpy()
        predicted = self._predict(rows, values)
        self._thresholds = metrics.conformal_thresholds(predicted, COVERAGE, by_class=False)
        self._by_class = metrics.conformal_thresholds(predicted, COVERAGE, by_class=True)
        confidence = metrics.class_probabilities(predicted).max(axis=1)
        self._least_confidence = metrics.referral_threshold(confidence, REFERRED)
        self._calibrated = {"distance": self._far(values), "neighbours": self._apart(values)}

    def measure(self, rows: pd.DataFrame, values: pd.DataFrame, *, where: str) -> pd.DataFrame:
        """Measure the doubt about images; those without a label are covered by no set."""
        predicted, labelled = self._predict(rows, values), rows["label"].isin(self._classes)
        confidence = metrics.class_probabilities(predicted).max(axis=1)
        columns: dict[str, Any] = {
            "wrong": (metrics.predicted_classes(predicted) != rows["label"]).astype(float),
            "uncertainty": 1 - confidence,
            "referred": (confidence < self._least_confidence).astype(float),
        }
        for thresholds, ending in ((self._thresholds, ""), (self._by_class, "_by_class")):
            sets = metrics.prediction_sets(predicted, thresholds)
            columns["size" + ending] = sets.sum(axis=1)
            columns["empty" + ending] = (~sets.any(axis=1)).astype(float)
            covered = metrics.set_coverage(predicted[labelled], sets[labelled])["covered"]
            columns["covered" + ending] = covered.reindex(predicted.index, fill_value=0.0)
        for name, distances in {"distance": self._far(values), "neighbours": self._apart(values)}.items():
            columns[name] = distance_quantiles(self._calibrated[name], self._groups, distances)
            columns[name + "_raw"] = distances
            columns[name + "_far"] = (columns[name] > COVERAGE).astype(float)
        return predicted.assign(where=where, **columns)

    def _predict(self, rows: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
        by_class = self._classifier.predict_proba(self._scaler.transform(values))
        probabilities = fill_missing_classes(by_class, self._classifier.classes_, self._classes)
        return metrics.prediction_table(rows, probabilities, self._classes, fold=0)

    def _far(self, values: pd.DataFrame) -> np.ndarray:
        return self._distance.measure(self._scaler.transform(values))

    def _apart(self, values: pd.DataFrame) -> np.ndarray:
        return neighbour_distance(self._train, self._scaler.transform(values))


def average_runs(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the measured columns of every image over runs of other seeds; ``where``, group and label stay."""
    joined = pd.concat(runs)
    fixed = joined[["where", "group", "label"]].groupby(level=0).first()
    numbers = joined.drop(columns=["where", "group", "label", "fold"]).groupby(level=0).mean()
    return fixed.join(numbers).loc[runs[0].index]


def coverage_table(doubt: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Tabulate coverage and size of the prediction sets wherever images were tested.

    Args:
        doubt: from :func:`average_runs`.
        seed: random seed of the resamples.

    Returns:
        Columns ``where, threshold, measure, value, low, high, interval, n, groups``. ``threshold`` is ``common`` or
        ``by class``; ``measure`` is the coverage (of images with a label), the mean size, or the share of empty sets.
    """
    rows = []
    for where, tested in doubt.groupby("where", sort=False):
        for threshold, ending in (("common", ""), ("by class", "_by_class")):
            measured = {
                "classes in a set": tested["size" + ending].astype(float),
                "empty sets": tested["empty" + ending],
            }
            if (tested["label"] != "").all():
                measured = {"coverage": tested["covered" + ending], **measured}
            for measure, values in measured.items():
                estimate = metrics.cluster_mean(values, tested["group"], seed, proportion=measure != "classes in a set")
                rows.append({"where": where, "threshold": threshold, "measure": measure, **estimate.row("value")})
    return pd.DataFrame(rows)


def noticing_table(doubt: pd.DataFrame, source: str, seed: int) -> pd.DataFrame:
    """Tabulate how well every score of doubt tells other images from those of the source.

    Args:
        doubt: from :func:`average_runs`.
        source: name of the source.
        seed: random seed of the resamples.

    Returns:
        Columns ``images, score, AUC, low, high, interval, n, groups`` and ``share beyond 90 %``: how many images of
        that kind lie beyond the 90 % quantile of the source (missing for the uncertainty, which has no quantile).
    """
    own, rows = doubt[doubt["where"] == source], []
    for where, others in doubt[doubt["where"] != source].groupby("where", sort=False):
        both = pd.concat([own, others])
        for score, title in SCORES.items():
            column = score if score == "uncertainty" else score + "_raw"
            ranks = both[column].rank(pct=True)
            label = np.where(both["where"] == source, "source", "other")
            table = pd.DataFrame({"group": both["group"], "label": label, "p_other": ranks, "p_source": 1 - ranks})
            beyond = np.nan if score == "uncertainty" else float(others[score + "_far"].mean())
            auc = metrics.roc_auc(table, "other", seed)
            rows.append({"images": where, "score": title, **auc.row("AUC"), "share beyond 90 %": beyond})
    return pd.DataFrame(rows)


def referral_table(doubt: pd.DataFrame, laboratories: Sequence[str], seed: int) -> pd.DataFrame:
    """Tabulate the share of images that is referred, and the error of all and of those that are kept.

    Args:
        doubt: from :func:`average_runs`; an image is referred if most runs refer it.
        laboratories: names of the places whose images have a class.
        seed: random seed of the resamples.

    Returns:
        Columns ``where, rule, measure, value, low, high, interval, n, groups``. Rules: the confidence, tuned to refer a
        tenth of the calibration images; the distance beyond 90 % of them; either; a set without exactly one class.
    """
    rows = []
    for where in laboratories:
        tested = doubt[doubt["where"] == where]
        far, unsure = tested["distance_far"] > 0.5, tested["referred"] > 0.5
        rules = {
            NO_RULE: unsure & False,
            "least confident tenth": unsure,
            "beyond 90 % in distance": far,
            "either": far | unsure,
            "not exactly one class": tested["size"] != 1,
        }
        for rule, referred in rules.items():
            measured = {"referred": referred.astype(float), "wrong among the kept": tested.loc[~referred, "wrong"]}
            if rule == NO_RULE:
                del measured["referred"]
            for measure, values in measured.items():
                if len(values):
                    estimate = metrics.cluster_mean(values, tested["group"], seed, proportion=True)
                    rows.append({"where": where, "rule": rule, "measure": measure, **estimate.row("value")})
    return pd.DataFrame(rows)
