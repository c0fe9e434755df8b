"""Every image is tested once, by a model that has seen neither it nor its group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import ParameterGrid, PredefinedSplit, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from helpers import metrics, models, splits, training
from helpers.augmentation import Augmentation, oversample_with_augmentation
from helpers.datasets import Dataset, DatasetError
from helpers.learners.lda import ShrinkageLDA
from helpers.splits import Fold

# Trains on the images of a fold's ``train``, may choose by those of its ``val``, and predicts the images that it is
# asked for by their ids: the probability of every class, ``(len(ids), classes)``. What learns from features gives 0 for
# a class of which it was trained on no image.
Learner = Callable[[Dataset, Fold, pd.Index], np.ndarray]
INNER_FOLDS = 4
# By name: what learns from features, and the settings to choose from.
CLASSIFIERS = {
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
    dataset: Dataset, fold: pd.Series, learner: Learner, *, test_folds: Iterable[int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train once for every tested fold, and predict its test and its validation images.

    Args:
        dataset: of images with labels.
        fold: number of the fold of every image, from :func:`helpers.splits.group_folds`.
        learner: see :data:`Learner`.
        test_folds: folds to test, each with the next one as validation; all where not given.

    Returns:
        Two tables of predictions (see :func:`helpers.metrics.prediction_table`): of the test, each image once, and of
        the validation, where thresholds and temperatures are chosen. ``fold`` is the tested fold in both.

    Raises:
        DataError: no fold is tested, there is no such fold, or the folds and the dataset hold other images.
    """
    if unlike := sorted(set(fold.index) ^ set(dataset.frame.index)):
        raise DatasetError(f"{dataset.name}: the folds and the dataset do not hold the same images", unlike)
    rounds = {
        k: splits.split_for_fold(fold, k) for k in (range(int(fold.max()) + 1) if test_folds is None else test_folds)
    }
    if not rounds:
        raise DatasetError("no fold is tested; name one or more")
    test, validation = [], []
    for k, one in rounds.items():
        ids = _in_order(dataset, one.val, one.test)
        probabilities = pd.DataFrame(learner(dataset, one, ids), ids)
        for own, tables in ((one.test, test), (one.val, validation)):
            rows = dataset.frame.loc[own]
            tables.append(metrics.prediction_table(rows, probabilities.loc[own].to_numpy(), dataset.classes, fold=k))
    return pd.concat(test), pd.concat(validation)


def encode_labels(dataset: Dataset, ids: pd.Index | None = None) -> np.ndarray:
    """Give the number of the class of these images, or of all, ``int (n,)``."""
    labels = dataset.frame["label"]
    return (labels if ids is None else labels.loc[ids]).map(dataset.classes.index).to_numpy()


def cnn_learner(
    build: partial,
    size: int,
    *,
    config: training.TrainingConfig,
    augmentation: Augmentation,
    checkpoint_dir: Path,
    initial_weights: list[np.ndarray] | None = None,
    class_weight: str | None = "balanced",
    loss: Callable = models.cross_entropy,
    copies: int = 0,
) -> Learner:
    """Train a network of :mod:`helpers.models`, and average its predictions over eight views.

    Args:
        build: see :func:`helpers.training.fit_classifier`.
        size: side of the images, pixels.
        settings, how, folder, start, balance, loss: as there.
        copies: images of every class to train on, at least, see
            :func:`helpers.augmentation.oversample_with_augmentation`.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        train, validation = dataset.select(fold.train), dataset.select(fold.val)
        images, labels = train.load_images(size), encode_labels(train)
        if copies:
            more, originals = oversample_with_augmentation(images, train.frame["label"], copies, config.seed)
            images = np.concatenate([images, more])
            labels = np.append(labels, labels[train.frame.index.get_indexer(originals)])
        model, _ = training.fit_classifier(
            build,
            np.concatenate([images, validation.load_images(size)]),
            np.append(labels, encode_labels(validation)),
            split=np.repeat(["train", "validation"], [len(images), len(validation)]),
            config=config,
            augmentation=augmentation,
            checkpoint_dir=checkpoint_dir,
            class_weight=class_weight,
            initial_weights=initial_weights,
            loss=loss,
        )
        return models.predict_proba(model, dataset.select(ids).load_images(size), tta=True)

    return learn


def feature_head_learner(
    cached: np.ndarray, build: partial, *, config: training.TrainingConfig, checkpoint_dir: Path
) -> Learner:
    """Train a head on a frozen backbone, classes counting alike, and average its predictions over the views.

    Args:
        cached: ``float16 (n, views, channels)`` of all images of the dataset, in its order, see
            :func:`helpers.backbones.extract_features`.
        build: a head of :mod:`helpers.models`, such as ``partial(models.dense_head, 1280, 8)``.
        config, checkpoint_dir: see :func:`helpers.training.fit_head`.

    Raises:
        DataError: when learning, the dataset has more or fewer images than there are features.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        if len(cached) != len(dataset):
            raise DatasetError(
                f"{dataset.name}: {len(dataset)} images, but features of {len(cached)}; extract them anew"
            )
        part = fold.split_of(dataset.frame.index).to_numpy()
        model, _ = training.fit_head(
            build, cached, encode_labels(dataset), split=part, config=config, checkpoint_dir=checkpoint_dir
        )
        features = cached[dataset.frame.index.get_indexer(ids)].astype(np.float32)
        return np.mean([np.asarray(model(view, training=False)) for view in features.swapaxes(0, 1)], axis=0)

    return learn


def tabular_learner(features: pd.DataFrame, classifier: str, *, seed: int, train_on_val: bool = True) -> Learner:
    """Train a classifier on features, with nothing left to choose by hand; classes count alike.

    A machine needs no validation images to stop by, so it may be trained on those too. Its settings are chosen by folds
    of groups within what it is trained on, and its scores become probabilities by a sigmoid fitted on the scores of the
    same inner folds (Platt 1999). What it predicts for images that it was trained on is likewise from the inner folds.

    Args:
        features: a row per image, by ``image_id``, see :mod:`helpers.features`.
        classifier: one of :data:`CLASSIFIERS`.
        seed: of the inner folds.
        train_on_val: train on the validation images too; not for a learning curve, whose sizes then mean what they say.

    Raises:
        DataError: when learning, there is one class only, or a class of one group.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        known = _known(dataset, fold, train_on_val)
        calibrated = _calibrated(dataset.select(known), features.loc[known].to_numpy(), classifier, seed=seed)
        probabilities = np.zeros((len(ids), len(dataset.classes)))
        probabilities[:, calibrated.classes] = calibrated.predict_proba(features.loc[ids].to_numpy())
        row = known.get_indexer(ids)
        probabilities[np.ix_(row >= 0, calibrated.classes)] = calibrated.held_out[row[row >= 0]]
        return probabilities

    return learn


def lda_learner(features: pd.DataFrame, *, train_on_val: bool = True) -> Learner:
    """Train a discriminant analysis on features, of which there may be far more than images; classes count alike.

    Every feature is brought to deviation 1. The covariance within classes is shrunk by a share that is worked out from
    the data (see :mod:`helpers.learners.lda`), so nothing is left to choose and no inner folds are needed. What it
    predicts for images that it was trained on is no test, and no place to choose a threshold.

    Args:
        features, train_on_val: as in :func:`tabular_learner`.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        known = _known(dataset, fold, train_on_val)
        model = make_pipeline(StandardScaler(), ShrinkageLDA())
        model.fit(features.loc[known].to_numpy(np.float64), encode_labels(dataset, known))
        probabilities = np.zeros((len(ids), len(dataset.classes)))
        probabilities[:, model.classes_] = model.predict_proba(features.loc[ids].to_numpy(np.float64))
        return probabilities

    return learn


def _in_order(dataset: Dataset, *ids: pd.Index) -> pd.Index:
    """All of these ids, in the order of the dataset."""
    return dataset.frame.index[dataset.frame.index.isin(ids[0].append(list(ids[1:])))]


def _known(dataset: Dataset, fold: Fold, train_on_val: bool) -> pd.Index:
    return _in_order(dataset, fold.train, fold.val) if train_on_val else fold.train


class _Calibrated(NamedTuple):
    """A trained classifier, and what gives its scores a probability.

    Attributes:
        classes: ``int``, the numbers of the classes that it was trained on, in the order of its probabilities.
        model: gives scores.
        sigmoid: from scores to probabilities.
        held_out: ``(n, classes)``, the probabilities of the training images, from inner folds that held them out.
    """

    classes: np.ndarray
    model: BaseEstimator
    sigmoid: LogisticRegression
    held_out: np.ndarray

    def predict_proba(self, values: np.ndarray) -> np.ndarray:
        return self.sigmoid.predict_proba(_columns(self.model.decision_function(values)))


def _calibrated(dataset: Dataset, values: np.ndarray, machine: str, *, seed: int) -> _Calibrated:
    """Choose settings, train and calibrate on all images of a dataset, see :func:`tabular_learner`."""
    classes, y = np.unique(encode_labels(dataset), return_inverse=True)
    inner = _inner_folds(dataset, y, seed)
    estimator, grid = CLASSIFIERS[machine]
    pipeline, tried = Pipeline([("scale", StandardScaler()), ("machine", estimator)]), []
    for setting in ParameterGrid(grid):
        model = clone(pipeline).set_params(**setting)
        scores = cross_val_predict(model, values, y, cv=inner, method="decision_function")
        tried.append((_rank(scores, y), model, scores))
    _, model, scores = max(tried, key=lambda one: one[0])
    # Scores of many classes may tell all of them apart; without a penalty there would be no end to the fit.
    two, scores = len(classes) == 2, _columns(scores)
    sigmoid = LogisticRegression(C=1e3 if two else 1.0, max_iter=5000).fit(scores, y)
    if two and sigmoid.coef_[0, 0] <= 0:  # few images: the inner folds did worse than chance, by chance
        sigmoid.coef_[:], sigmoid.intercept_[:] = 1, 0
    return _Calibrated(classes, model.fit(values, y), sigmoid, sigmoid.predict_proba(scores))


def _inner_folds(dataset: Dataset, y: np.ndarray, seed: int) -> PredefinedSplit:
    """Folds of groups, at most :data:`INNER_FOLDS` and as many as every class has groups."""
    if len(present := np.unique(y)) < 2:
        raise DatasetError(f"{dataset.name}: {len(present)} class to learn from, and at least 2 are needed")
    group = dataset.frame["group"].to_numpy()
    fewest = min(len(np.unique(group[y == label])) for label in present)
    if fewest < 2:
        raise DatasetError(f"a class has {fewest} group to learn from; inner folds need at least 2")
    count = min(INNER_FOLDS, fewest)
    return PredefinedSplit(splits.assign_groups(dataset.frame, [1 / count] * count, seed))


def _columns(scores: np.ndarray) -> np.ndarray:
    return scores[:, None] if scores.ndim == 1 else scores


def _rank(scores: np.ndarray, y: np.ndarray) -> float:
    """Area under the ROC curve of two classes, balanced accuracy of more."""
    return roc_auc_score(y, scores) if scores.ndim == 1 else balanced_accuracy_score(y, scores.argmax(1))


def learning_curve(
    dataset: Dataset,
    fold: pd.Series,
    learner: Learner,
    *,
    sizes: Iterable[int],
    test_folds: Iterable[int],
    score: Callable[..., metrics.Estimate],
    seed: int,
    train_on_val: bool = False,
    draws: int = 1,
) -> pd.DataFrame:
    """Tabulate a score by number of training images: balanced subsets, each within the next larger one.

    The protocol of Schouten et al. 2021.

    Args:
        dataset, fold, learn, tested: as in :func:`cross_validate`.
        sizes: numbers of training images.
        score: from tables of predictions, one for every draw, such as the area under the ROC curve.
        seed: of the draws of subsets.
        train_on_val: draw from the validation images too, for what is trained on both.
        draws: how often subsets are drawn anew.

    Returns:
        Rows ``images, score, low, high, n, groups``.

    Raises:
        DataError: a size is more than a balanced draw can give.
    """
    rows, seeds = [], splits.spawn_seeds(seed, draws)  # the same for every size, so that subsets are nested
    for size in sorted(sizes):
        fewer = [_on_subset(learner, size, own, train_on_val=train_on_val) for own in seeds]
        tests = [cross_validate(dataset, fold, one, test_folds=test_folds)[0] for one in fewer]
        rows.append({"images": size} | score(*tests).row("score"))
    return pd.DataFrame(rows)


def _on_subset(learner: Learner, size: int, seed: int, *, train_on_val: bool) -> Learner:
    """The same learner, which trains on a balanced subset of so many images."""

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        pool = dataset.frame.loc[_known(dataset, fold, train_on_val)]
        subset = splits.nested_subsets(pool, [size], seed)[size]
        validation = fold.val[fold.val.isin(subset)] if train_on_val else fold.val
        return learner(dataset, Fold(fold.train[fold.train.isin(subset)], validation, fold.test), ids)

    return learn
