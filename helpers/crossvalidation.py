"""Every image is tested once, by a model that has seen neither it nor its group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import ParameterGrid, PredefinedSplit, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helpers import metrics, models, splits, training
from helpers.augmentation import Augmentation, balanced_copies
from helpers.datasets import DataError, Dataset
from helpers.discriminant import shrunken_discriminant

# Learns from the images whose part is "train", may choose by those of "validation", and gives the probability of every
# class for all images, (n, classes); what learns from features gives 0 for a class that it has seen no image of.
Learner = Callable[[pd.Series], np.ndarray]
INNER_FOLDS = 4
# By name: what learns from features, and the settings to choose from.
MACHINES = {
    "logistic regression": (
        LogisticRegression(class_weight="balanced", max_iter=5000),
        {"machine__C": [0.003, 0.01, 0.03, 0.1, 1.0]},
    ),
    "support vector machine": (
        SVC(class_weight="balanced"),
        {"machine__C": [0.3, 1.0, 3.0, 10.0], "machine__gamma": [0.001, 0.003, 0.01]},
    ),
}


def cross_validate(
    dataset: Dataset, fold: pd.Series, learn: Learner, tested: Iterable[int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predictions for the images of the tested folds, and for those of the validation folds beside them.

    Args:
        dataset: whose images are told apart.
        fold: of every image, from :func:`helpers.splits.folds`.
        learn: see :data:`Learner`.
        tested: folds to test, each with the next one as validation.

    Returns:
        Two tables of predictions (see :func:`helpers.metrics.predictions`): of the test, each image once, and of the
        validation, where thresholds and temperatures are chosen. ``fold`` is the tested fold in both.

    Raises:
        DataError: no fold is tested, or there is no such fold.
    """
    test, validation = [], []
    for k in tested:
        part = splits.rotation(fold, k)
        said = learn(part)
        for name, tables in (("test", test), ("validation", validation)):
            at = (part == name).to_numpy()
            tables.append(metrics.predictions(dataset.frame[at], said[at], dataset.classes, k))
    if not test:
        raise DataError("no fold is tested; name one or more")
    return pd.concat(test), pd.concat(validation)


def codes(dataset: Dataset) -> np.ndarray:
    """The number of each image's class, ``int (n,)``."""
    return dataset.frame["label"].map(dataset.classes.index).to_numpy()


def with_network(
    dataset: Dataset,
    build: partial,
    size: int,
    settings: training.Settings,
    how: Augmentation,
    folder: Path,
    start: list[np.ndarray] | None = None,
    balance: bool = True,
    loss: Callable = models.cross_entropy,
    copies: int = 0,
) -> Learner:
    """Learns with a network of :mod:`helpers.models`; what it says is the mean over eight views.

    Args:
        dataset: to learn.
        build: see :func:`helpers.training.fit_classifier`.
        size: side of the images, pixels.
        settings, how, folder, start, balance, loss: as there.
        copies: images of every class to learn from, at least, see :func:`helpers.augmentation.balanced_copies`.
    """
    pictures, labels = dataset.images(size), codes(dataset)

    def learn(part: pd.Series) -> np.ndarray:
        x, y, parts = pictures, labels, part.to_numpy()
        if copies:
            train = parts == "train"
            extra, of = balanced_copies(pictures[train], dataset.frame["label"][train], copies, settings.seed)
            x, y = np.concatenate([x, extra]), np.concatenate([y, pd.Series(labels, dataset.frame.index)[of]])
            parts = np.concatenate([parts, np.full(len(of), "train")])
        model, _ = training.fit_classifier(build, x, y, parts, settings, how, folder, balance, start, loss)
        asked = part.isin(["validation", "test"]).to_numpy()
        said = np.zeros((len(pictures), len(dataset.classes)), np.float32)
        said[asked] = models.predict_classes(model, pictures[asked], eight_views=True)
        return said

    return learn


def with_head(dataset: Dataset, seen: np.ndarray, build: partial, settings: training.Settings, folder: Path) -> Learner:
    """Learns with a head on a frozen backbone; classes count alike, and what it says is the mean over the views.

    Args:
        dataset: to learn.
        seen: ``float16 (n, views, channels)``, see :func:`helpers.backbones.features`.
        build: a head of :mod:`helpers.models`, such as ``partial(models.beato_head, 1280, 8)``.
        settings, folder: see :func:`helpers.training.fit_head`.
    """
    labels = codes(dataset)

    def learn(part: pd.Series) -> np.ndarray:
        model, _ = training.fit_head(build, seen, labels, part.to_numpy(), settings, folder)
        said = [np.asarray(model(np.asarray(seen[:, k], np.float32), training=False)) for k in range(seen.shape[1])]
        return np.mean(said, axis=0)

    return learn


def with_features(
    dataset: Dataset, features: pd.DataFrame, machine: str, seed: int, parts: tuple[str, ...] = ("train", "validation")
) -> Learner:
    """Learns from features, with nothing left to choose by hand; classes count alike.

    A machine needs no validation images to stop by, so it learns from those too. Its settings are chosen by folds of
    groups within what it learns from, and its scores become probabilities by a sigmoid fitted on the scores of the same
    inner folds (Platt 1999). What it says of images that it has learnt from is likewise from the inner folds.

    Args:
        dataset: to learn.
        features: a row per image of the dataset, see :mod:`helpers.features`.
        machine: one of :data:`MACHINES`.
        seed: of the inner folds.
        parts: that are learnt from; ``("train",)`` for a learning curve, whose sizes then mean what they say.

    Raises:
        DataError: when learning, there is one class only, or a class of one group.
    """
    values, labels = features.loc[dataset.frame.index].to_numpy(), codes(dataset)
    groups = dataset.frame["group"].to_numpy()
    estimator, grid = MACHINES[machine]

    def column(scores: np.ndarray) -> np.ndarray:
        return scores[:, None] if scores.ndim == 1 else scores

    def learn(part: pd.Series) -> np.ndarray:
        known = part.isin(parts).to_numpy()
        learnt, y = np.unique(labels[known], return_inverse=True)
        x, g, two = values[known], groups[known], len(learnt) == 2
        if len(learnt) < 2:
            raise DataError(f"{dataset.name}: {len(learnt)} class to learn from, and at least 2 are needed")
        fewest = min(len(np.unique(g[y == label])) for label in np.unique(y))
        if fewest < 2:
            raise DataError(f"a class has {fewest} group to learn from; inner folds need at least 2")
        count = min(INNER_FOLDS, fewest)
        inner = PredefinedSplit(splits.assign_groups(dataset.frame[known], [1 / count] * count, seed))
        pipeline, tried = Pipeline([("scale", StandardScaler()), ("machine", estimator)]), []
        for setting in ParameterGrid(grid):
            machine = clone(pipeline).set_params(**setting)
            scores = cross_val_predict(machine, x, y, cv=inner, method="decision_function")
            tried.append((_rank(scores, y), machine, scores))
        _, machine, held_out = max(tried, key=lambda t: t[0])
        # Scores of many classes may tell all of them apart; without a penalty there would be no end to the fit.
        sigmoid = LogisticRegression(C=1e3 if two else 1.0, max_iter=5000).fit(column(held_out), y)
        if two and sigmoid.coef_[0, 0] <= 0:  # few images: the inner folds did worse than chance, by chance
            sigmoid.coef_[:], sigmoid.intercept_[:] = 1, 0
        said = np.zeros((len(values), len(dataset.classes)))
        said[:, learnt] = sigmoid.predict_proba(column(machine.fit(x, y).decision_function(values)))
        said[np.ix_(known, learnt)] = sigmoid.predict_proba(column(held_out))
        return said

    return learn


def with_discriminant_analysis(
    dataset: Dataset, features: pd.DataFrame, parts: tuple[str, ...] = ("train", "validation")
) -> Learner:
    """Learns from features, of which there may be far more than images; classes count alike.

    Every feature is brought to deviation 1. The covariance within classes is shrunk by a share that is worked out from
    the data (see :mod:`helpers.discriminant`), so nothing is left to choose and no inner folds are needed. What it says
    of images that it has learnt from is no test, and no place to choose a threshold.

    Args:
        dataset, features, parts: as in :func:`with_features`.
    """
    values, labels = features.loc[dataset.frame.index].to_numpy(np.float64), codes(dataset)

    def learn(part: pd.Series) -> np.ndarray:
        known = part.isin(parts).to_numpy()
        scaled = StandardScaler().fit(values[known]).transform(values)
        weights, offsets = shrunken_discriminant(scaled[known], labels[known])
        said = np.zeros((len(values), len(dataset.classes)))
        said[:, np.unique(labels[known])] = softmax(scaled @ weights + offsets, axis=1)
        return said

    return learn


def _rank(scores: np.ndarray, y: np.ndarray) -> float:
    """Area under the ROC curve of two classes, balanced accuracy of more."""
    return roc_auc_score(y, scores) if scores.ndim == 1 else balanced_accuracy_score(y, scores.argmax(1))


def learning_curve(
    dataset: Dataset,
    fold: pd.Series,
    learn: Learner,
    sizes: Iterable[int],
    tested: Iterable[int],
    score: Callable[..., metrics.Estimate],
    seed: int,
    drawn: tuple[str, ...] = ("train",),
    draws: int = 1,
) -> pd.DataFrame:
    """A score by number of training images: balanced subsets, each within the next larger one.

    The protocol of Schouten et al. 2021.

    Args:
        dataset, fold, learn, tested: as in :func:`cross_validate`.
        sizes: numbers of training images.
        score: from tables of predictions, one for every draw, such as the area under the ROC curve.
        seed: of the draws of subsets.
        drawn: parts that subsets are drawn from; with ``("train", "validation")`` for what learns from both.
        draws: how often subsets are drawn anew.

    Returns:
        Rows ``images, score, low, high, n, groups``.

    Raises:
        DataError: a size is more than a balanced draw can give.
    """
    rows = []
    for size in sorted(sizes):

        def learn_less(own: int, part: pd.Series, size: int = size) -> np.ndarray:
            pool = part.isin(drawn)
            subset = splits.nested_subsets(dataset.frame[pool], [size], own)[size]
            return learn(part.where(~pool | part.index.isin(subset), "left out"))

        seeds = splits.further_seeds(seed, draws)  # the same for every size, so that subsets are nested
        tests = [cross_validate(dataset, fold, partial(learn_less, own), tested)[0] for own in seeds]
        rows.append({"images": size} | score(*tests).row("score"))
    return pd.DataFrame(rows)
