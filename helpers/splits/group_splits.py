"""Group-wise folds and splits, stratified by class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers.datasets import Dataset, DatasetError
from helpers.splits.fold import Fold

SPLITS = ("train", "validation", "test")
MIN_SPLITS = 3  # folds: one to test, one to validate, the rest to train
# Random assignments of which the best is kept. More would balance better, but with few groups all seeds would agree.
DRAWS = 100


def spawn_seeds(seed: int, n: int) -> list[int]:
    """Derive ``n`` seeds for the repetitions of a run that no run with another seed shares.

    With ``seed + 1``, ``seed + 2``, … the next runs would use the same seeds: a sweep over seeds would repeat the same
    random draws, and its interval would be too narrow.
    """
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(n)]


def group_folds(frame: pd.DataFrame, n_splits: int, seed: int) -> pd.Series:
    """Assign every image to a test fold such that no group is in two folds, stratified by class.

    :func:`assign_groups` describes the assignment; :func:`split_summary` shows how balanced the folds are. Warns of
    classes with fewer groups than folds.

    Args:
        frame: table of the dataset (``Dataset.frame``).
        n_splits: number of folds, at least 3: one for testing, one for validation, the others for training.
        seed: random seed of the assignment.

    Returns:
        Fold of every image, 0 to ``n_splits - 1``, by ``image_id``.

    Raises:
        DatasetError: fewer than three folds, fewer groups than folds, or no class with as many images as folds.

    Example:
        >>> from helpers import datasets, splits
        >>> data = datasets.load("synthetic", n_images=60, task="leukaemia")
        >>> fold = splits.group_folds(data.frame, n_splits=3, seed=20)
        >>> fold.value_counts().sort_index().to_dict()
        {0: 20, 1: 20, 2: 20}
        >>> int(fold.groupby(data.frame["group"]).nunique().max())  # per patient
        1
    """
    if n_splits < 3:
        raise DatasetError(f"n_splits must be at least 3 (training, validation and test), got {n_splits}")
    _require_images(frame, n_splits)
    fold = assign_groups(frame, [1 / n_splits] * n_splits, seed).rename("fold")
    groups_of_class = frame.groupby("label")["group"].nunique()
    rare = groups_of_class[groups_of_class < n_splits]
    if len(rare):
        listed = ", ".join(f"{label} ({n})" for label, n in rare.items())
        warnings.warn(
            f"classes with fewer groups than the {n_splits} folds, so absent from some: {listed}", stacklevel=2
        )
    return fold


def assign_groups(frame: pd.DataFrame, shares: Sequence[float], seed: int) -> pd.Series:
    """Assign whole groups to splits with target shares, stratified by class.

    The best of ``DRAWS`` random assignments is kept: first by the fewest splits that lack a class with at least as
    many groups as there are splits, then by the least squared deviation of the shares, of every class and of all
    images, from ``shares``. If all assignments leave such a gap, up to ten times as many are tried. Each assignment
    gives each split its share of the groups, also within groups whose most frequent class is the same.

    Scikit-learn's ``StratifiedGroupKFold`` sorts groups by the spread of their class counts before it assigns them, so
    that with few groups all seeds give the same partition; here they differ (``tests/splits/test_splits.py`` compares
    both on every dataset).

    Args:
        frame: table of the dataset (``Dataset.frame``); missing labels count as a class of their own.
        shares: target share of each split, above 0, with sum 1.
        seed: random seed of the assignments. The order of the rows of ``frame`` does not matter.

    Returns:
        Split of every image, 0 to ``len(shares) - 1``, by ``image_id``.

    Raises:
        DatasetError: fewer groups than splits.
    """
    table = _counts(frame)
    target, groups = np.asarray(shares, float)[:, None], len(table)
    if groups < len(target):
        raise DatasetError(f"{len(target)} splits need at least as many groups, got {groups}; use fewer splits")
    counts = table.to_numpy(float)
    commonest, everywhere = counts.argmax(1), (counts > 0).sum(0) >= len(target)
    share_of_group = np.column_stack([counts / counts.sum(0), counts.sum(1) / counts.sum()])
    quota, random = _evenly(groups, target[:, 0]), np.random.default_rng(seed)
    best, chosen = (np.inf, np.inf), quota  # splits that lack a class, and squared deviation of the shares
    for draw in range(10 * DRAWS):
        if draw >= DRAWS and not best[0]:
            break
        stratum = random.permutation(counts.shape[1])[commonest]
        order, assignment = np.lexsort((random.random(groups), stratum)), np.empty(groups, int)
        assignment[order] = np.roll(quota, random.integers(groups))
        split_shares = np.stack([np.bincount(assignment, share, len(target)) for share in share_of_group.T], axis=1)
        lacking = np.count_nonzero(split_shares[:, :-1][:, everywhere] == 0)
        badness = (float(lacking), float(((split_shares - target) ** 2).sum()))
        if badness < best:
            best, chosen = badness, assignment
    return frame["group"].map(pd.Series(chosen, table.index)).rename("split")


def split_summary(frame: pd.DataFrame, split: pd.Series) -> pd.DataFrame:
    """Tabulate images, groups and class shares of every split.

    Args:
        frame: table of the dataset (``Dataset.frame``).
        split: split of every image by ``image_id``, from :func:`group_folds` or :func:`group_train_val_test_split`.

    Returns:
        One row per split: ``images`` and ``groups`` (counts), ``share`` of all images, and one column per class with
        the share of its images in that split, 0 to 1. In a perfectly stratified split every class equals ``share``.
    """
    split = split.reindex(frame.index)
    by_class = pd.crosstab(split, frame["label"], normalize="columns")
    images = split.value_counts()
    table = pd.DataFrame({"images": images, "groups": frame["group"].groupby(split).nunique()})
    return table.assign(share=images / len(frame)).join(by_class).sort_index()


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Count images by group (rows) and class (columns); missing labels are the class ``""``."""
    label = frame["label"].astype(object).where(frame["label"].notna(), "")
    return pd.crosstab(frame["group"], label)


def _evenly(groups: int, shares: np.ndarray) -> np.ndarray:
    """Assign consecutive positions to splits so that every stretch of them has about the target shares."""
    target = groups * shares
    quota = np.maximum(1, np.floor(target + 1e-9).astype(int))
    while quota.sum() < groups:
        quota[(target - quota).argmax()] += 1
    while quota.sum() > groups:  # a split whose share rounds down to no group got one
        quota[np.where(quota > 1, quota - target, -np.inf).argmax()] -= 1
    assigned, splits = np.zeros(len(shares), int), np.empty(groups, int)
    for position in range(groups):
        splits[position] = (quota * (position + 1) / groups - assigned).argmax()
        assigned[splits[position]] += 1
    return splits


def _require_images(frame: pd.DataFrame, n_splits: int) -> None:
    largest = frame["label"].value_counts().max()
    if largest < n_splits:
        raise DatasetError(
            f"n_splits must be at most {largest}, the images of the largest class, got {n_splits}; use fewer folds"
        )


def drop_rare_classes(dataset: Dataset, n_splits: int = 5) -> Dataset:
    """Drop the classes with fewer than two groups per fold.

    A metric of such a class would depend more on one patient than on the class.

    Args:
        dataset: dataset with labels and groups.
        n_splits: number of folds; a class is kept if it has at least ``2 * n_splits`` groups.

    Returns:
        The dataset restricted to the remaining classes.

    Raises:
        DatasetError: fewer than two classes remain.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    kept = groups.index[groups >= 2 * n_splits]
    if len(kept) < 2:
        counted = ", ".join(f"{label} {n}" for label, n in groups.items())
        raise DatasetError(
            f"{dataset.name}: {n_splits} folds need two classes of at least {2 * n_splits} groups, got {counted}; "
            "add groups, or use fewer folds"
        )
    return dataset.select_classes(kept)


def sample_across_groups(frame: pd.DataFrame, n: int) -> pd.Index:
    """Select ``n`` image ids (all, if there are fewer) from as many groups as possible, one per group in turn.

    Groups and images come in the order of ``frame``; shuffle it first for a random sample.
    """
    turn = frame.groupby("group", sort=False).cumcount()
    return turn.sort_values(kind="stable").index[:n]


def split_for_fold(fold: pd.Series, test_fold: int) -> Fold:
    """Return the training, validation and test set for one test fold; the next fold is the validation set.

    Args:
        fold: fold of every image by ``image_id``, from :func:`group_folds`.
        test_fold: number of the test fold; the fold after the last one is fold 0.

    Raises:
        DatasetError: there is no such fold, or fewer than three folds.

    Example:
        >>> from helpers import datasets, splits
        >>> data = datasets.load("synthetic", n_images=60, task="leukaemia")
        >>> fold = splits.group_folds(data.frame, n_splits=3, seed=20)
        >>> split = splits.split_for_fold(fold, test_fold=0)
        >>> len(split.train), len(split.val), len(split.test)
        (20, 20, 20)
    """
    last = int(fold.max())
    if last + 1 < MIN_SPLITS:
        raise DatasetError(f"a split needs at least {MIN_SPLITS} folds (training, validation and test), got {last + 1}")
    if test_fold not in range(last + 1):
        raise DatasetError(f"test_fold must be from 0 to {last}, got {test_fold!r}")
    validation = (test_fold + 1) % (last + 1)
    train = fold.index[~fold.isin([test_fold, validation])]
    return Fold(train, fold.index[fold == validation], fold.index[fold == test_fold])


def image_folds(frame: pd.DataFrame, n_splits: int, seed: int) -> pd.Series:
    """Assign images to folds, stratified by class but ignoring groups, to show how leakage changes a metric.

    Args:
        frame: table of the dataset (``Dataset.frame``).
        n_splits: number of folds.
        seed: random seed of the shuffle.

    Returns:
        Fold of every image, 0 to ``n_splits - 1``, by ``image_id``.

    Raises:
        DatasetError: no class has as many images as there are folds.

    Example:
        >>> from helpers import datasets, splits
        >>> data = datasets.load("synthetic", n_images=60, task="leukaemia")
        >>> fold = splits.image_folds(data.frame, n_splits=3, seed=20)
        >>> int(fold.groupby(data.frame["group"]).nunique().max())  # per patient
        3
    """
    from sklearn.model_selection import StratifiedKFold  # here, because predictions need none of it and it takes long

    _require_images(frame, n_splits)
    # Sorted by id, so that the folds do not depend on the order of the frame.
    ordered = frame.sort_index()
    fold = pd.Series(-1, index=ordered.index, name="fold")
    splitter = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for number, (_, test) in enumerate(splitter.split(ordered, ordered["label"])):
            fold.iloc[test] = number
    return fold.loc[frame.index]


def group_train_val_test_split(frame: pd.DataFrame, val_size: float, test_size: float, *, seed: int) -> pd.Series:
    """Split a dataset by group into training, validation and test set, stratified by class.

    Groups stay whole, so the shares are met only as closely as the groups allow. Every split contains each class that
    has at least as many groups as there are splits, if :func:`assign_groups` finds such an assignment.

    Args:
        frame: table of the dataset (``Dataset.frame``).
        val_size: target share of the images in the validation set, 0 for none.
        test_size: target share of the images in the test set, above 0.
        seed: random seed of the assignment.

    Returns:
        ``train``, ``validation`` or ``test`` for every image, by ``image_id``.

    Raises:
        DatasetError: the shares leave no training set, or there are fewer groups than splits.
    """
    if test_size <= 0 or val_size < 0 or test_size + val_size >= 1:
        raise DatasetError(
            f"test_size must be above 0, val_size at least 0 and their sum below 1, got {test_size} and {val_size}"
        )
    target = {"train": 1 - val_size - test_size, "validation": val_size, "test": test_size}
    names = [name for name in SPLITS if target[name] > 0]
    return assign_groups(frame, [target[name] for name in names], seed).map(dict(enumerate(names)))
