"""Mistakes of published evaluations, reproduced on purpose to show their effect on a metric."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import splits
from helpers.augmentation import oversample_with_augmentation
from helpers.datasets import Dataset, DatasetError
from helpers.datasets.readers import ArrayReader
from helpers.learners.cross_validation import cross_validate, lda_learner
from helpers.learners.lda import ShrinkageLDA
from helpers.metrics import PREFIX, prediction_classes
from helpers.splits import Fold

MAX_DRAWS = 1000  # permutations that are tried until every split has all classes


@dataclass(frozen=True)
class Training:
    """Data, features and folds of a linear discriminant analysis that is cross-validated.

    Attributes:
        data: images of two classes.
        features: a row per image.
        fold: test fold of every image.
    """

    data: Dataset
    features: pd.DataFrame
    fold: pd.Series

    def predict(self, test_features: pd.DataFrame | None = None) -> pd.DataFrame:
        """Predict every image once, by a model that was not trained on its fold.

        Args:
            test_features: features of the images as they are tested, if they differ from those of the training.

        Returns:
            Table of predictions.
        """
        if test_features is None:
            return cross_validate(self.data, self.fold, lda_learner(self.features))[0]
        tables = []
        for k in range(int(self.fold.max()) + 1):
            mixed = self.features.where(self.fold != k, test_features)
            tables.append(cross_validate(self.data, self.fold, lda_learner(mixed), test_folds=[k])[0])
        return pd.concat(tables)


def pixel_table(dataset: Dataset, side: int = 16) -> pd.DataFrame:
    """Return the pixels of reduced images as features, ``float (n, side * side * 3)``."""
    pixels = dataset.load_images(side).reshape(len(dataset), -1).astype(float)
    return pd.DataFrame(pixels, dataset.frame.index)


def oversample_before_split(dataset: Dataset, n_per_class: int, *, size: int, seed: int) -> Dataset:
    """Oversample every class of a dataset to ``n_per_class`` images with augmented copies, before any split.

    If the result is split by image, the test set contains copies of training images.

    Args:
        dataset: images with labels.
        n_per_class: as in :func:`helpers.augmentation.oversample_with_augmentation`.
        size: side of the images, pixels.
        seed: random seed of the copies.

    Returns:
        Dataset of the originals, then the copies with ids ``<image_id>#<k>`` and the label and group of their original;
        the column ``original`` has the id of the original.
    """
    frame, pictures = dataset.frame, dataset.load_images(size)
    copies, originals = oversample_with_augmentation(pictures, frame["label"], n_per_class, seed)
    number = pd.Series(originals).groupby(originals).cumcount().to_numpy() + 1
    ids = [*frame.index, *(f"{name}#{k}" for name, k in zip(originals, number, strict=True))]
    more = pd.concat([frame, frame.loc[originals]]).set_axis(pd.Index(ids, name="image_id"))
    more = more.assign(original=[*frame.index, *originals], array_index=np.arange(len(ids)), path="", mask_path="")
    return replace(dataset, frame=more, reader=ArrayReader(np.concatenate([pictures, copies])), has_masks=False)


def labels_by_position(frame: pd.DataFrame, seed: int) -> pd.Series:
    """Match labels of a table with image files of a folder by position instead of by name.

    The table is sorted by name; the folder lists its files in arbitrary order, here drawn at random. Two published
    systems did this; sensitivity then equals the false positive rate.

    Args:
        frame: table of a dataset.
        seed: random seed of the order of files.

    Returns:
        Labels by ``image_id``.
    """
    listed = np.random.default_rng(seed).permutation(frame.index.to_numpy())
    return pd.Series(frame["label"].sort_index().to_numpy(), pd.Index(listed, name="image_id"), name="label")


def hard_predictions(table: pd.DataFrame, positive: str, threshold: float) -> pd.DataFrame:
    """Replace predicted probabilities of two classes by 0 or 1, which leaves an ROC curve with a single point.

    Args:
        table: table of predictions of two classes.
        positive: positive class.
        threshold: 0 to 1; images with at least this probability are predicted positive.
    """
    above = (table[PREFIX + positive] >= threshold).astype(float)
    (other,) = (name for name in prediction_classes(table) if name != positive)
    return table.assign(**{PREFIX + positive: above, PREFIX + other: 1 - above})


def duplicate_predictions(table: pd.DataFrame, n_copies: int) -> pd.DataFrame:
    """Repeat the predictions of every image ``n_copies`` times, and count every copy as an independent group."""
    more = pd.concat([table.set_axis(table.index + f"#{k}") for k in range(n_copies)])
    return more.assign(group=more.index)


def permute_labels(dataset: Dataset, fold: pd.Series, seed: int) -> Dataset:
    """Permute labels between patients: all images of a patient get one label, drawn with replacement.

    The training set then says nothing about other patients.

    Args:
        dataset: images with labels.
        fold: test fold of every image; each part of its first split gets every class.
        seed: random seed.

    Raises:
        DatasetError: no permutation has every class in training, validation and test set.
    """
    frame, split = dataset.frame, splits.split_for_fold(fold, 0)
    groups = frame["group"].unique()
    pool = frame.drop_duplicates(["group", "label"])["label"]  # one label per patient, or all that its images have
    random = np.random.default_rng(seed)
    for _ in range(MAX_DRAWS):
        by_group = dict(zip(groups, random.choice(pool, len(groups)), strict=True))
        label = frame["group"].map(by_group)
        if all(label[ids].nunique() == len(dataset.classes) for ids in (split.train, split.val, split.test)):
            return replace(dataset, frame=frame.assign(label=label))
    raise DatasetError(f"{dataset.name}: no permutation of {len(groups)} groups has every class in every split")


def auc_by_epoch(training: Training, positive: str, seed: int, n_epochs: int = 40) -> pd.DataFrame:
    """Train a logistic regression by gradient descent, and measure it after every epoch.

    Args:
        training: data, features and folds; the first split is used.
        positive: positive class.
        seed: random seed of the order of images.
        n_epochs: number of epochs.

    Returns:
        AUC of ``validation`` and ``test`` by epoch, from 1.
    """
    split = splits.split_for_fold(training.fold, 0)
    table, is_positive = training.features, training.data.frame["label"] == positive
    train, parts = table.index.get_indexer(split.train), _parts(table.index, split)
    values, y = table.to_numpy(), is_positive[table.index].to_numpy()
    x = StandardScaler().fit(values[train]).transform(values)
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=1e-3, random_state=seed)
    rows = []
    for _ in range(n_epochs):
        model.partial_fit(x[train], y[train], classes=[False, True])
        rows.append(_auc_of_parts(y, model.decision_function(x), parts))
    return pd.DataFrame(rows, pd.RangeIndex(1, n_epochs + 1, name="epoch"))


def auc_by_model(training: Training, positive: str, seed: int, n_models: int = 30) -> pd.DataFrame:
    """Train models on random subsets of eight features, and measure each.

    Args:
        training, positive: as in :func:`auc_by_epoch`.
        seed: random seed of the subsets.
        n_models: number of models.

    Returns:
        AUC of ``validation`` and ``test`` by model, from 1.
    """
    split, table = splits.split_for_fold(training.fold, 0), training.features
    train, parts = table.index.get_indexer(split.train), _parts(table.index, split)
    y = (training.data.frame.loc[table.index, "label"] == positive).to_numpy()
    random, rows = np.random.default_rng(seed), []
    for _ in range(n_models):
        x = table[random.choice(table.columns, 8, replace=False)].to_numpy()
        model = make_pipeline(StandardScaler(), ShrinkageLDA()).fit(x[train], y[train])
        rows.append(_auc_of_parts(y, model.predict_proba(x)[:, 1], parts))
    return pd.DataFrame(rows, pd.RangeIndex(1, n_models + 1, name="model"))


def _parts(ids: pd.Index, split: Fold) -> dict[str, np.ndarray]:
    """Return the positions of the validation and of the test images."""
    return {"validation": ids.get_indexer(split.val), "test": ids.get_indexer(split.test)}


def _auc_of_parts(y: np.ndarray, score: np.ndarray, parts: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(roc_auc_score(y[rows], score[rows])) for name, rows in parts.items()}


def choose(trials: pd.DataFrame) -> dict[str, float]:
    """Return the test AUC of the trial that is best on the test set, and of that best on the validation set.

    Args:
        trials: columns ``validation`` and ``test``; of equals the first is chosen.
    """
    tested = trials["test"].to_numpy()
    return {part: float(tested[trials[part].to_numpy().argmax()]) for part in ("test", "validation")}
