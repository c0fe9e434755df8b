"""Train a classifier in one laboratory and test it in another, with and without help from the other."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import metrics, splits
from helpers.datasets import Dataset, DatasetError
from helpers.datasets.combined import combine
from helpers.learners.cross_validation import cross_validate, lda_learner
from helpers.learners.lda import ShrinkageLDA, fill_missing_classes

COLUMN = "laboratory"
PREFIX = "external/"
METRIC = "balanced accuracy"
Alignment = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Laboratories:
    """Hold the images of two laboratories, which have the same classes.

    Attributes:
        data: images of both; ``laboratory`` of its frame has the name of one of them.
        source: laboratory that trains.
        target: the other one.
    """

    data: Dataset
    source: str
    target: str

    def rows(self, laboratory: str) -> pd.DataFrame:
        """Return the table of the images of a laboratory."""
        return self.data.frame[self.data.frame[COLUMN] == laboratory]

    def positions(self, ids: pd.Index) -> np.ndarray:
        """Return the row numbers of images, ``int (n,)``."""
        return self.data.frame.index.get_indexer(ids)

    def counts(self) -> pd.DataFrame:
        """Count images and groups of every class in both laboratories."""
        return self.data.frame.groupby([COLUMN, "label"])["group"].agg(images="size", groups="nunique").reset_index()


def choose_laboratories(data: Dataset, external: Dataset | None = None, names: Sequence[str] = ()) -> Laboratories:
    """Take two laboratories of a dataset, or two datasets, and keep the classes that both have.

    Args:
        data: dataset with a column ``source`` or ``stain_batch``, or the dataset of the source.
        external: dataset of the target, if ``data`` holds one laboratory only.
        names: the two laboratories of the dataset, that which trains first; by default those with the most images.

    Raises:
        DatasetError: there are not two laboratories of these names, or they share fewer than two classes.
    """
    if external is not None:
        first, second = data.public_name, f"external {external.public_name}"
        shared = [name for name in data.classes if name in external.classes]
        _need_classes(shared, data, external)
        both = combine(data.select_classes(shared), external.select_classes(shared), PREFIX)
        laboratory = np.where(both.frame.index.str.startswith(PREFIX), second, first)
    else:
        by_image = laboratory_names(data)
        first, second = _two(by_image, names, data.public_name)
        by_image = by_image[by_image.isin([first, second])]
        both, laboratory = data.select(by_image.index), by_image.to_numpy()
    both = replace(both, frame=both.frame.assign(**{COLUMN: laboratory}))
    images = pd.crosstab(both.frame["label"], both.frame[COLUMN])
    kept = [name for name in both.classes if name in images.index and (images.loc[name] > 0).all()]
    _need_classes(kept, data, external)
    known = dict.fromkeys([*data.classes, *(external.classes if external is not None else ())])
    if dropped := [name for name in known if name not in kept]:
        print(f"left out, because only one laboratory has them: {', '.join(dropped)}")
    return Laboratories(both.select_classes(kept), first, second)


def laboratory_names(data: Dataset) -> pd.Series:
    """Return the laboratory of every image: its ``source``, or its ``stain_batch`` as in ``stain 0``.

    Args:
        data: images of several laboratories.

    Raises:
        DatasetError: all are of one.
    """
    frame = data.frame
    if "source" in frame and frame["source"].nunique() > 1:
        return frame["source"].astype(str)
    if "stain_batch" in frame and frame["stain_batch"].nunique() > 1:
        return "stain " + frame["stain_batch"].astype(str)
    raise DatasetError(
        f"{data.public_name}: images of one laboratory only; set external_dataset to a dataset of another one with "
        "the same classes"
    )


def _two(by_image: pd.Series, names: Sequence[str], dataset: str) -> tuple[str, str]:
    counts = by_image.value_counts().sort_index()
    wanted = [*names] or sorted(counts.nlargest(2).index)
    if len(set(wanted)) != 2 or not set(wanted) <= set(counts.index):
        raise DatasetError(f"{dataset}: laboratories must be two of {', '.join(counts.index)}, got {wanted}")
    if left_out := [name for name in counts.index if name not in wanted]:
        print(f"not used: {', '.join(left_out)}")
    return wanted[0], wanted[1]


def _need_classes(shared: Sequence[str], data: Dataset, external: Dataset | None) -> None:
    if len(shared) < 2:
        other = external.classes if external is not None else data.classes
        raise DatasetError(
            f"{data.public_name}: two laboratories must share at least 2 classes, got {list(shared)} of "
            f"{', '.join(data.classes)} and {', '.join(other)}; rename classes so that they agree"
        )


def laboratory_folds(frame: pd.DataFrame, n_splits: int, seed: int, *, by: str) -> pd.Series:
    """Assign the images of a laboratory to folds, by group or by image.

    By group, a class of fewer groups than folds is missing from some training sets, and cannot be predicted there.

    Args:
        frame: table of the laboratory.
        n_splits: number of folds.
        seed: random seed.
        by: ``"group"`` or ``"image"``, the unit that stays whole.
    """
    if by == "image":
        return splits.image_folds(frame, n_splits, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of such classes; the chapter counts them
        return splits.group_folds(frame, n_splits, seed)


def cross_laboratories(labs: Laboratories, features: pd.DataFrame, n_splits: int, seed: int) -> dict[str, pd.DataFrame]:
    """Train on one laboratory, on the other and on both, and test every training on both.

    Within a laboratory, images are predicted by models of the other folds, by group. Where one of its classes has fewer
    groups than folds, folds by image are tried as well.

    Args:
        labs: the two laboratories.
        features: a row per image.
        n_splits: number of folds.
        seed: random seed of the folds.

    Returns:
        Tables of predictions by ``<trained on> → <tested on>``, with ``, by image`` where folds ignore groups.
    """
    names = (labs.source, labs.target)
    learner = lda_learner(features)
    folds = {name: laboratory_folds(labs.rows(name), n_splits, seed, by="group") for name in names}
    tables = {}
    for name in names:
        own = labs.data.select(labs.rows(name).index)
        tables[f"{name} → {name}"] = cross_validate(own, folds[name], learner)[0]
        if own.frame.groupby("label")["group"].nunique().min() < n_splits:
            by_image = laboratory_folds(own.frame, n_splits, seed, by="image")
            tables[f"{name} → {name}, by image"] = cross_validate(own, by_image, learner)[0]
    for trained, tested in (names, names[::-1]):
        method = Method(features.to_numpy()[:, None])
        there = Laboratories(labs.data, trained, tested)
        tables[f"{trained} → {tested}"] = predict_target(there, method, folds[trained])
    together = cross_validate(labs.data, pd.concat(folds.values()).loc[labs.data.frame.index], learner)[0]
    for name in names:
        tables[f"both → {name}"] = together.loc[labs.rows(name).index]
    return tables


@dataclass(frozen=True)
class Method:
    """Describe what a classifier is trained on.

    Attributes:
        views: features of every image ``float (n, views, features)``, in the order of the laboratories' data. All views
            are used in training, and their predictions are averaged.
        copies: features of augmented copies for training only, of the same shape but for the number of views.
        alignment: aligns the features of the target domain without its labels; see :mod:`helpers.learners.alignment`.
        n_labelled: labelled images of each class of the target that join the training images.
        source_labels: whether the images of the source are in the training at all.
    """

    views: np.ndarray
    copies: np.ndarray | None = None
    alignment: Alignment | None = None
    n_labelled: int = 0
    source_labels: bool = True


def cross_test(
    labs: Laboratories, method: Method, fold: pd.Series, target_fold: pd.Series | None = None, *, seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predict the source and the target, see :func:`predict_source` and :func:`predict_target`."""
    return (
        predict_source(labs, method, fold, seed=seed),
        predict_target(labs, method, fold, target_fold, seed=seed),
    )


def predict_source(labs: Laboratories, method: Method, fold: pd.Series, *, seed: int = 0) -> pd.DataFrame:
    """Predict every fold of the source by a model of its other folds.

    Args:
        labs: the two laboratories.
        method: features and how they are used.
        fold: fold of every image of the source.
        seed: random seed of the draw of labelled images of the target.

    Returns:
        Table of predictions.
    """
    source, target, parts = labs.rows(labs.source), labs.rows(labs.target), []
    for number in range(int(fold.max()) + 1):
        train, tested = fold.index[fold != number], source.loc[fold.index[fold == number]]
        model = _Model(labs, method, train, _draw(target, method.n_labelled, seed))
        parts.append(metrics.prediction_table(tested, model.predict(tested.index), labs.data.classes, fold=number))
    return pd.concat(parts).loc[source.index]


def predict_target(
    labs: Laboratories, method: Method, fold: pd.Series, target_fold: pd.Series | None = None, *, seed: int = 0
) -> pd.DataFrame:
    """Predict the target by the model that leaves out fold 0 of the source.

    So the model has seen as many images as those of the source, and other ones in every partition.

    Args:
        labs, method, fold, seed: as in :func:`predict_source`.
        target_fold: fold of every image of the target, if the method uses labelled ones: those of a fold are predicted
            by a model that has labels from the other folds only.

    Returns:
        Table of predictions.

    Raises:
        ValueError: the method needs labelled images, and there are no folds of the target.
    """
    if method.n_labelled and target_fold is None:
        raise ValueError("labelled images of the target need target_fold, so that they are not tested themselves")
    target, train, parts = labs.rows(labs.target), fold.index[fold != 0], []
    folds = pd.Series(0, target.index) if target_fold is None or not method.n_labelled else target_fold
    for number in range(int(folds.max()) + 1):
        tested, others = target.loc[folds.index[folds == number]], target.loc[folds.index[folds != number]]
        model = _Model(labs, method, train, _draw(others, method.n_labelled, seed))
        parts.append(metrics.prediction_table(tested, model.predict(tested.index), labs.data.classes, fold=number))
    return pd.concat(parts).loc[target.index]


def _draw(frame: pd.DataFrame, n_per_class: int, seed: int) -> pd.Index:
    """Draw up to a number of images of every class."""
    shuffled = frame.sort_index().sample(frac=1, random_state=seed)
    return shuffled.groupby("label").head(n_per_class).index


class _Model:
    """Train on images of the source and labelled ones of the target, and predict."""

    def __init__(self, labs: Laboratories, method: Method, train: pd.Index, labelled: pd.Index):
        self._labs, self._method = labs, method
        if not method.source_labels:
            train = train[:0]
        self._source = self._rows(method.views, train)
        parts, labels = [self._source], [self._labels(train, method.views.shape[1])]
        if method.copies is not None:
            parts.append(self._rows(method.copies, train))
            labels.append(self._labels(train, method.copies.shape[1]))
        if len(labelled):
            parts.append(self._aligned(labelled))
            labels.append(self._labels(labelled, method.views.shape[1]))
        self._classifier = make_pipeline(StandardScaler(), ShrinkageLDA())
        self._classifier.fit(np.concatenate(parts), np.concatenate(labels))

    def predict(self, ids: pd.Index) -> np.ndarray:
        """Predict class probabilities, averaged over the views, ``float (n, classes)``; 0 for classes not trained."""
        values = self._aligned(ids)
        by_view = self._classifier.predict_proba(values).reshape(len(ids), self._method.views.shape[1], -1)
        return fill_missing_classes(by_view.mean(axis=1), self._classifier.classes_, self._labs.data.classes)

    def _aligned(self, ids: pd.Index) -> np.ndarray:
        """Return the features of images of one laboratory, aligned if it is the target."""
        values, align = self._rows(self._method.views, ids), self._method.alignment
        target = self._labs.rows(self._labs.target).index
        if align is None or not ids.isin(target).all():
            return values
        return align(values, self._rows(self._method.views, target), self._source)

    def _rows(self, features: np.ndarray, ids: pd.Index) -> np.ndarray:
        return features[self._labs.positions(ids)].reshape(-1, features.shape[2]).astype(np.float64)

    def _labels(self, ids: pd.Index, views: int) -> np.ndarray:
        return np.repeat(self._labs.data.frame.loc[ids, "label"].to_numpy(), views)
