"""Designs of an evaluation: which images are tested, and by models that were trained on which others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import splits
from helpers.datasets import Dataset, DatasetError
from helpers.datasets.groups import read_image_column
from helpers.splits import Fold

N_SPLITS = 5
SHARES = {3: "a third", 4: "a quarter", 5: "a fifth"}  # of the groups in one fold, by the number of folds
TEST, VALIDATION, TRAIN = range(3)  # folds of a single split, as :func:`helpers.splits.split_for_fold` expects them
OWN_SPLIT = "dataset"  # stands for the split that the dataset has of its own
SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "test": TEST,
    "testing": TEST,
}


@dataclass(frozen=True)
class Design:
    """Hold which images are tested, and by models of which others.

    Attributes:
        dataset: all images: for training, validation and test.
        fold: fold of every image, by ``image_id``. A tested fold is validated on the next, and the others train.
        tested: numbers of the tested folds.
        description: folds, unit and seed in a clause, for the report.
    """

    dataset: Dataset
    fold: pd.Series
    tested: tuple[int, ...]
    description: str

    @property
    def training_images(self) -> Dataset:
        """Return the images on which the model for new images is trained, all or those that one test set leaves."""
        if len(self.tested) > 1:
            return self.dataset
        return self.dataset.select(self.fold.index[~self.fold.isin(self.tested)])

    def splits(self) -> list[Fold]:
        """Return training, validation and test images of every tested fold."""
        return [splits.split_for_fold(self.fold, number) for number in self.tested]


def labelled(dataset: Dataset) -> Dataset:
    """Drop images without a label, and classes without an image."""
    return dataset.select_classes(dataset.frame["label"].dropna().unique())


def unit_of(dataset: Dataset) -> str:
    """Return the independent unit of a dataset, such as ``patient``, without the dataset's remark on it."""
    return dataset.card.independent_unit.partition(" (")[0]


def cross_validation_design(dataset: Dataset, seed: int) -> Design:
    """Test all images, in five folds by group, or in fewer where a class has fewer groups.

    Args:
        dataset: labelled images.
        seed: random seed of the folds.

    Raises:
        DatasetError: a class has too few groups to train, validate and test.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    _refuse_rare(dataset, groups, splits.MIN_SPLITS + 1)
    fold = splits.group_folds(dataset.frame, min(N_SPLITS, int(groups.min())), seed)
    for number, labels in dataset.frame.groupby(fold)["label"]:
        if labels.nunique() < 2:
            raise DatasetError(
                f"{dataset.public_name}: all {len(labels)} images of fold {number} are {labels.iloc[0]}; add groups, "
                "or try another --seed"
            )
    count, unit = fold.nunique(), unit_of(dataset)
    description = f"{count} folds by {unit}, stratified by class, all tested, seed {seed}"
    return Design(dataset, fold, tuple(range(count)), description)


def split_design(dataset: Dataset, split: str, seed: int) -> Design:
    """Test the test images of a split that exists, such as a published one.

    Without validation images, a fifth of the training groups becomes the validation set.

    Args:
        dataset: labelled images.
        split: path of a table with the columns ``image`` and ``split`` (train, val or test); or ``dataset`` for the
            split that the dataset has of its own.
        seed: random seed of the validation set, where the split has none.

    Raises:
        DatasetError: the table does not match the images, a name of a split is unknown, or the training, validation or
            test set lacks a class.
    """
    names = _own_split(dataset) if split == OWN_SPLIT else _read_split(dataset, Path(split).expanduser())
    unknown = sorted({name for name in names if name.strip().casefold() not in SPLIT_NAMES})
    if unknown:
        raise DatasetError(f"{dataset.public_name}: splits are train, val and test, got {', '.join(unknown)}")
    fold = names.map(lambda name: SPLIT_NAMES[name.strip().casefold()])
    source = "the dataset's own split" if split == OWN_SPLIT else f"the split of {Path(split).name}"
    if not (fold == VALIDATION).any():
        train = dataset.select(fold.index[fold == TRAIN])
        known, share = _train_and_validation(train, seed)
        fold = fold.where(fold != TRAIN, known.reindex(fold.index)).astype(int)
        source += f", {share} of its training groups for validation, seed {seed}"
    return _single(dataset, fold, source)


def _single(dataset: Dataset, fold: pd.Series, description: str) -> Design:
    for number, name in ((TRAIN, "training"), (VALIDATION, "validation"), (TEST, "test")):
        labels = dataset.frame.loc[fold.index[fold == number], "label"]
        lacking = sorted(set(dataset.frame["label"]) - set(labels))
        if lacking:
            raise DatasetError(
                f"{dataset.public_name}: the {name} set, {len(labels)} images, has none of {', '.join(lacking)}; move "
                "images of the class there, or leave the class out (--without)"
            )
    return Design(dataset, fold, (TEST,), description)


def _train_and_validation(dataset: Dataset, seed: int) -> tuple[pd.Series, str]:
    """Choose a fifth of the groups of every class for validation, or more where a class has fewer; all others train.

    Returns:
        Fold of every image, and the share of the groups for validation in words.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    _refuse_rare(dataset, groups, splits.MIN_SPLITS)  # one to validate, two for inner folds
    n_splits = min(N_SPLITS, int(groups.min()))
    fold = splits.group_folds(dataset.frame, n_splits, seed)
    return fold.map(lambda number: VALIDATION if number == 0 else TRAIN), SHARES[n_splits]


def _refuse_rare(dataset: Dataset, groups: pd.Series, needed: int) -> None:
    if groups.min() < needed:
        few = ", ".join(f"{label} {number}" for label, number in groups[groups < needed].items())
        raise DatasetError(
            f"{dataset.public_name}: every class needs images of at least {needed} groups "
            f"({dataset.card.independent_unit}); too few: {few}. Add groups, or leave the class out (--without)"
        )


def _own_split(dataset: Dataset) -> pd.Series:
    if "split" not in dataset.frame:
        raise DatasetError(
            f"{dataset.public_name}: has no split of its own; pass a table with the columns image and split"
        )
    return dataset.frame["split"].astype(str)


def _read_split(dataset: Dataset, table: Path) -> pd.Series:
    ids: Iterable[str] = dataset.frame.index
    names = read_image_column(table, "split", ids)
    return pd.Series(names).loc[list(ids)].rename_axis("image_id")
