"""Repeat a grouped cross-validation over many partitions, with every choice inside, and set groups aside for one look.

One partition gives one number. Another one gives another number, of the same model on the same images; and a model that
was chosen by its number on all folds has seen its own test. Here the choice is made again within every training set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from helpers import metrics, splits
from helpers.datasets import Dataset

N_INNER = 3  # folds in which the choice is made


@dataclass(frozen=True)
class Candidate:
    """Name a classifier and the features that it sees.

    Attributes:
        parts: one or more pairs of a table of features, a row per image, and a function that builds a classifier with a
            decision function; the decisions of several are averaged.
    """

    parts: tuple[tuple[pd.DataFrame, Callable[[], BaseEstimator]], ...]

    def decision_values(self, labels: pd.Series, ids: pd.Index) -> np.ndarray:
        """Train on labelled images and score others, ``float (n,)``, high for the positive class.

        Args:
            labels: ``bool`` by image, of the training images.
            ids: images to score.
        """
        decisions = []
        for features, build in self.parts:
            model = build().fit(features.loc[labels.index].to_numpy(), labels.to_numpy())
            decisions.append(model.decision_function(features.loc[ids].to_numpy()))
        return np.mean(decisions, axis=0)


def set_aside(frame: pd.DataFrame, n_by_class: Mapping[str, int]) -> list[str]:
    """Choose groups for a last test by a rule without a choice: the smallest SHA-256 of their names in each class.

    Args:
        frame: table of the dataset; every group has one class.
        n_by_class: number of groups by class.
    """
    label = frame.groupby("group")["label"].first()
    chosen: list[str] = []
    for name, number in n_by_class.items():
        groups = [str(group) for group in label.index[label == name]]
        chosen += sorted(groups, key=lambda group: hashlib.sha256(group.encode()).hexdigest())[:number]
    return chosen


def choose(candidates: Mapping[str, Candidate], frame: pd.DataFrame, positive: str, seed: int) -> str:
    """Return the candidate with the highest AUC in grouped folds of some training images.

    Args:
        candidates: classifiers by name.
        frame: table of the training images.
        positive: positive class.
        seed: random seed of the folds.
    """
    fold = splits.group_folds(frame, N_INNER, seed)
    is_positive = frame["label"] == positive
    aucs = {}
    for name, candidate in candidates.items():
        decisions = out_of_fold(candidate, is_positive, fold)
        aucs[name] = roc_auc_score(is_positive, decisions.loc[frame.index])
    return max(aucs, key=lambda name: aucs[name])


def cross_validate_partitions(
    dataset: Dataset, candidates: Mapping[str, Candidate], positive: str, *, n_splits: int, seeds: Sequence[int]
) -> tuple[dict[str, list[pd.DataFrame]], pd.DataFrame]:
    """Predict all images in several partitions, by every candidate and by that chosen within each training set.

    Args:
        dataset: images of two classes, without the groups that were set aside.
        candidates: classifiers by name.
        positive: positive class.
        n_splits: folds of a partition.
        seeds: random seeds, one for each partition.

    Returns:
        Tables of predictions by candidate, and ``chosen inside``, one for each seed; and which candidate was chosen,
        columns ``seed``, ``fold`` and ``candidate``.
    """
    frame = dataset.frame
    is_positive = frame["label"] == positive
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in (*candidates, "chosen inside")}
    choices = []
    for seed in tqdm(seeds, desc="partitions", unit="partition", delay=2, leave=False):
        fold = splits.group_folds(frame, n_splits, seed)
        decisions = {name: out_of_fold(candidate, is_positive, fold) for name, candidate in candidates.items()}
        inside = pd.Series(0.0, frame.index)
        for number in range(n_splits):
            name = choose(candidates, frame[fold != number], positive, seed)
            tested = fold.index[fold == number]
            inside[tested] = decisions[name][tested]
            choices.append({"seed": seed, "fold": number, "candidate": name})
        for name, values in {**decisions, "chosen inside": inside}.items():
            tables[name].append(decision_table(dataset, values.loc[frame.index], positive))
    return tables, pd.DataFrame(choices)


def predict_aside(dataset: Dataset, aside: Sequence[str], candidate: Candidate, positive: str) -> pd.DataFrame:
    """Train on all groups but those set aside, and predict these.

    Args:
        dataset: all images.
        aside: groups from :func:`set_aside`.
        candidate: the one that was chosen without them.
        positive: positive class.
    """
    is_aside = dataset.frame["group"].isin(aside)
    known, tested = dataset.frame[~is_aside], dataset.frame.index[is_aside]
    decisions = pd.Series(candidate.decision_values(known["label"] == positive, tested), tested)
    return decision_table(dataset.select(tested), decisions, positive)


def out_of_fold(candidate: Candidate, is_positive: pd.Series, fold: pd.Series) -> pd.Series:
    """Score every image by a classifier that was trained on the other folds.

    Args:
        candidate: classifier.
        is_positive: ``bool`` by image.
        fold: fold of every image, from 0.

    Returns:
        Decision values by image, fold after fold.
    """
    parts = []
    for number in range(int(fold.max()) + 1):
        train, tested = fold.index[fold != number], fold.index[fold == number]
        parts.append(pd.Series(candidate.decision_values(is_positive[train], tested), tested))
    return pd.concat(parts)


def decision_table(dataset: Dataset, decisions: pd.Series, positive: str) -> pd.DataFrame:
    """Return decisions as a table of predictions, whose order is theirs; the values are no calibrated probabilities.

    Args:
        dataset: images of two classes.
        decisions: a value per image, high for the positive class.
        positive: positive class.
    """
    values = expit(decisions.to_numpy())
    columns = [values if name == positive else 1 - values for name in dataset.classes]
    return metrics.prediction_table(dataset.frame, np.stack(columns, axis=1), dataset.classes, fold=0)
