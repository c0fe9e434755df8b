"""Cross-validation by group, learners of networks and of tabular classifiers, and learning curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import metrics, models, splits, training
from helpers.augmentation import Augmentation, oversample_with_augmentation
from helpers.backend import keras
from helpers.datasets import Dataset, DatasetError
from helpers.learners.lda import ShrinkageLDA, fill_missing_classes
from helpers.learners.tabular import fit_calibrated
from helpers.splits import Fold

# Trains on the ``train`` images of a fold, may select a model on its ``val`` images, and predicts the class
# probabilities of the images ``ids``, ``(len(ids), classes)``. Learners on tabular features predict 0 for a class
# without training images.
Learner = Callable[[Dataset, Fold, pd.Index], np.ndarray]


def cross_validate(
    dataset: Dataset, fold: pd.Series, learner: Learner, *, test_folds: Iterable[int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cross-validate a learner: train once per test fold, and predict its test and validation images.

    Args:
        dataset: images with labels.
        fold: fold number of every image, from :func:`helpers.splits.group_folds`.
        learner: see :data:`Learner`.
        test_folds: folds to test, each with the next fold as validation set; all by default.

    Returns:
        Two tables of predictions (see :func:`helpers.metrics.prediction_table`): of the test images, each once, and of
        the validation images, for the choice of thresholds and temperatures. ``fold`` is the test fold in both.

    Raises:
        DatasetError: no or an unknown fold to test, or folds and dataset hold different images.

    Example:
        >>> from helpers import datasets, features, splits
        >>> from helpers.learners import cross_validation
        >>> data = datasets.load("synthetic", n_images=60, task="leukaemia", size=64)
        >>> images, masks = data.load_images(64), data.load_masks(64)
        >>> table = features.extract_feature_table(images, data.frame.index, masks)
        >>> fold = splits.group_folds(data.frame, n_splits=3, seed=20)
        >>> learner = cross_validation.lda_learner(table)
        >>> test, validation = cross_validation.cross_validate(data, fold, learner)
        >>> len(test), list(test.columns)
        (60, ['group', 'label', 'fold', 'p_lymphocyte', 'p_lymphoblast'])
    """
    if unlike := sorted(set(fold.index) ^ set(dataset.frame.index)):
        raise DatasetError(f"{dataset.name}: the folds and the dataset do not hold the same images", unlike)
    folds = {
        k: splits.split_for_fold(fold, k) for k in (range(int(fold.max()) + 1) if test_folds is None else test_folds)
    }
    if not folds:
        raise DatasetError("test_folds is empty; give at least one fold")
    test: list[pd.DataFrame] = []
    validation: list[pd.DataFrame] = []
    for k, tested in folds.items():
        ids = _in_order(dataset, tested.val, tested.test)
        probabilities = pd.DataFrame(learner(dataset, tested, ids), ids)
        for rows_of, tables in ((tested.test, test), (tested.val, validation)):
            rows = dataset.frame.loc[rows_of]
            tables.append(
                metrics.prediction_table(rows, probabilities.loc[rows_of].to_numpy(), dataset.classes, fold=k)
            )
    return pd.concat(test), pd.concat(validation)


def encode_labels(dataset: Dataset, ids: pd.Index | None = None) -> np.ndarray:
    """Encode the labels of images, by default all, as class numbers, ``int (n,)``."""
    labels = dataset.frame["label"]
    return (labels if ids is None else labels.loc[ids]).map(dataset.classes.index).to_numpy()


def fit_cnn(
    dataset: Dataset,
    fold: Fold,
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
) -> tuple[keras.Model, pd.DataFrame]:
    """Train a network on the training images of a fold and choose the epoch on its validation images.

    Args:
        dataset: images with labels.
        fold: ids of the training and validation images.
        size: side of the images, pixels.
        build, config, augmentation, checkpoint_dir, initial_weights, class_weight, loss: as in
            :func:`helpers.training.fit_classifier`, which loads a training that has finished.
        copies: minimum number of training images per class, reached by oversampling with
            :func:`helpers.augmentation.oversample_with_augmentation`; 0 for no oversampling.

    Returns:
        Model and history, as :func:`helpers.training.fit`.
    """
    known = dataset.select([*fold.train, *fold.val])
    images, labels = known.load_images(size), encode_labels(known)
    split = np.repeat(["train", "validation"], [len(fold.train), len(fold.val)])
    if copies:
        train = dataset.select(fold.train)
        more, originals = oversample_with_augmentation(images[: len(train)], train.frame["label"], copies, config.seed)
        images = np.concatenate([images[: len(train)], more, images[len(train) :]])
        labels = np.concatenate([labels[: len(train)], encode_labels(train, originals), labels[len(train) :]])
        split = np.repeat(["train", "validation"], [len(train) + len(more), len(fold.val)])
    return training.fit_classifier(
        build,
        images,
        labels,
        split=split,
        config=config,
        augmentation=augmentation,
        checkpoint_dir=checkpoint_dir,
        class_weight=class_weight,
        initial_weights=initial_weights,
        loss=loss,
    )


def cnn_learner(build: partial, size: int, **options: Any) -> Learner:
    """Create a learner that trains a network of :mod:`helpers.models` and predicts with test-time augmentation.

    Predictions are averaged over the eight dihedral views (TTA).

    Args:
        build, size, options: as in :func:`fit_cnn`.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        model, _ = fit_cnn(dataset, fold, build, size, **options)
        return models.predict_proba(model, dataset.select(ids).load_images(size), tta=True)

    return learn


def feature_head_learner(
    cached: np.ndarray, build: partial, *, config: training.TrainingConfig, checkpoint_dir: Path
) -> Learner:
    """Create a learner that trains a classification head on cached features with balanced class weights.

    Predictions are averaged over the views.

    Args:
        cached: features of a frozen backbone, ``float16 (n, views, channels)`` of all images in the order of the
            dataset, see :func:`helpers.backbones.extract_features`.
        build: a head of :mod:`helpers.models`, such as ``partial(models.dense_head, 1280, 8)``.
        config, checkpoint_dir: see :func:`helpers.training.fit_head`.

    Raises:
        DatasetError: in training, the numbers of images and of cached features differ.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        if len(cached) != len(dataset):
            raise DatasetError(
                f"{dataset.name}: {len(dataset)} images, but cached features of {len(cached)}; extract them again"
            )
        split = fold.split_of(dataset.frame.index).to_numpy()
        model, _ = training.fit_head(
            build, cached, encode_labels(dataset), split=split, config=config, checkpoint_dir=checkpoint_dir
        )
        features = cached[dataset.frame.index.get_indexer(ids)].astype(np.float32)
        return np.mean([np.asarray(model(view, training=False)) for view in features.swapaxes(0, 1)], axis=0)

    return learn


def tabular_learner(features: pd.DataFrame, classifier: str, *, seed: int, train_on_val: bool = True) -> Learner:
    """Create a learner that tunes, trains and calibrates a classifier on tabular features, with balanced classes.

    The classifier needs no early stopping, so it may be trained on the validation images too. Hyperparameters are
    selected by inner group folds of the training images, and scores are mapped to probabilities by a sigmoid fitted on
    the scores of the same inner folds (Platt 1999), or by a temperature for more than two classes (Guo et al. 2017).
    Predictions for training images are also those of the inner folds.

    Args:
        features: a row per image, by ``image_id``, see :mod:`helpers.features`.
        classifier: a name of :data:`helpers.learners.tabular.CLASSIFIERS`.
        seed: random seed of the inner folds.
        train_on_val: train on the validation images too; not for learning curves, where sizes count training images.

    Raises:
        DatasetError: in training, there is only one class, or a class has only one group.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        known = _known(dataset, fold, train_on_val)
        calibrated = fit_calibrated(
            dataset.select(known),
            encode_labels(dataset, known),
            features.loc[known].to_numpy(),
            classifier=classifier,
            seed=seed,
        )
        probabilities = np.zeros((len(ids), len(dataset.classes)))
        probabilities[:, calibrated.classes] = calibrated.predict_proba(features.loc[ids].to_numpy())
        row = known.get_indexer(ids)
        probabilities[np.ix_(row >= 0, calibrated.classes)] = calibrated.held_out[row[row >= 0]]
        return probabilities

    return learn


def lda_learner(features: pd.DataFrame, *, train_on_val: bool = True) -> Learner:
    """Create a learner that trains :class:`helpers.learners.lda.ShrinkageLDA` on tabular features.

    There may be far more features than images; classes have equal priors. The scales of the features do not matter.
    Shrinkage is estimated from the data, so there are no hyperparameters and no inner folds. Predictions for training
    images are not held out: do not use them for evaluation or to choose a threshold.

    Args:
        features, train_on_val: as in :func:`tabular_learner`.
    """

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        known = _known(dataset, fold, train_on_val)
        model = ShrinkageLDA().fit(features.loc[known].to_numpy(), encode_labels(dataset, known))
        probabilities = model.predict_proba(features.loc[ids].to_numpy())
        return fill_missing_classes(probabilities, model.classes_, range(len(dataset.classes)))

    return learn


def _in_order(dataset: Dataset, *ids: pd.Index) -> pd.Index:
    """Merge ids, in the order of the dataset."""
    return dataset.frame.index[dataset.frame.index.isin(ids[0].append(list(ids[1:])))]


def _known(dataset: Dataset, fold: Fold, train_on_val: bool) -> pd.Index:
    return _in_order(dataset, fold.train, fold.val) if train_on_val else fold.train


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
    """Compute a learning curve: a test metric by number of training images, on nested balanced subsets.

    Protocol of Schouten et al. 2021.

    Args:
        dataset, fold, learner, test_folds: as in :func:`cross_validate`.
        sizes: numbers of training images.
        score: function that estimates a metric, such as the AUC, from tables of predictions, one per draw.
        seed: random seed of the subsets.
        train_on_val: draw subsets from the validation images too, for a learner that trains on both.
        draws: number of random draws of subsets.

    Returns:
        Columns ``images, score, low, high, interval, n, groups``, a row per size.

    Raises:
        DatasetError: a size exceeds the largest balanced subset.
    """
    rows, seeds = [], splits.spawn_seeds(seed, draws)  # the same seeds for every size, so that subsets are nested
    for size in sorted(sizes):
        restricted = [_on_subset(learner, size, draw_seed, train_on_val=train_on_val) for draw_seed in seeds]
        tests = [cross_validate(dataset, fold, one, test_folds=test_folds)[0] for one in restricted]
        rows.append({"images": size} | score(*tests).row("score"))
    return pd.DataFrame(rows, columns=["images", "score", "low", "high", "interval", "n", "groups"])


def _on_subset(learner: Learner, size: int, seed: int, *, train_on_val: bool) -> Learner:
    """Restrict a learner to a balanced subset of ``size`` training images."""

    def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
        pool = dataset.frame.loc[_known(dataset, fold, train_on_val)]
        subset = splits.nested_subsets(pool, [size], seed)[size]
        validation = fold.val[fold.val.isin(subset)] if train_on_val else fold.val
        return learner(dataset, Fold(fold.train[fold.train.isin(subset)], validation, fold.test), ids)

    return learn
