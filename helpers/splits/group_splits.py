"""Splits by group, and nested training subsets."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from helpers.datasets import Dataset, DatasetError
from helpers.splits.fold import Fold

SPLITS = ("train", "validation", "test")
# Random assignments from which the best one is taken. More would be more even, and with few groups ever the same one.
DRAWS = 100


def spawn_seeds(seed: int, n: int) -> list[int]:
    """Seeds for what a run repeats, which no other seed gives.

    ``seed + 1``, ``seed + 2`` would be those of the next runs as well: a sweep over seeds would meet the same draws
    again and again, and its interval would be too narrow.
    """
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(n)]


def group_folds(frame: pd.DataFrame, n_splits: int, seed: int) -> pd.Series:
    """Draw a test fold, 0 to k-1, for every image; no group is in two folds.

    Args:
        frame: of a dataset.
        n_splits: number of folds: one to test, one to validate, the others to train.
        seed: of the draw; see :func:`assign_groups`, and :func:`split_summary` for how even the folds are.

    Raises:
        DataError: fewer than three folds, fewer groups than folds, or no class with as many images as folds.
    """
    if n_splits < 3:
        raise DatasetError(f"k must be at least 3 (training, validation and test), got {n_splits}")
    _enough_images(frame, n_splits)
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
    """Draw a part for every image, 0 to ``len(shares) - 1``, so that whole groups stay together.

    Of :data:`DRAWS` random assignments the best one is taken (of ten times as many, where all of these leave a part
    without a class that has a group for each part): first the one in which fewest parts lack such a class, then the one
    whose shares of every class and of all images are nearest to the wanted ones.
    Every draw gives each part its share of the groups, also among groups of one commonest class. Scikit-learn's
    ``StratifiedGroupKFold`` sorts groups by the spread of their classes before it deals them out, so that with few
    groups all seeds give one partition; these differ (both are compared on every dataset in ``tests/test_splits.py``).

    Args:
        frame: of a dataset; missing labels count as a class of their own.
        shares: wanted share of each part, above 0, with sum 1.
        seed: of the draws. The order of the frame does not matter.

    Raises:
        DataError: fewer groups than parts.
    """
    table = _counts(frame)
    wanted, groups = np.asarray(shares, float)[:, None], len(table)
    if groups < len(wanted):
        raise DatasetError(f"{len(wanted)} parts need as many groups, and there are {groups}")
    counts = table.to_numpy(float)
    commonest, everywhere = counts.argmax(1), (counts > 0).sum(0) >= len(wanted)
    share_of_group = np.column_stack([counts / counts.sum(0), counts.sum(1) / counts.sum()])
    quota, random = _evenly(groups, wanted[:, 0]), np.random.default_rng(seed)
    best, chosen = (np.inf, np.inf), quota
    for draw in range(10 * DRAWS):
        if draw >= DRAWS and not best[0]:
            break
        stratum = random.permutation(counts.shape[1])[commonest]
        order, part = np.lexsort((random.random(groups), stratum)), np.empty(groups, int)
        part[order] = np.roll(quota, random.integers(groups))
        found = np.stack([np.bincount(part, share, len(wanted)) for share in share_of_group.T], axis=1)
        lacking = np.count_nonzero(found[:, :-1][:, everywhere] == 0)
        badness = (lacking, ((found - wanted) ** 2).sum())
        if badness < best:
            best, chosen = badness, part
    return frame["group"].map(pd.Series(chosen, table.index)).rename("split")


def split_summary(frame: pd.DataFrame, split: pd.Series) -> pd.DataFrame:
    """Show how evenly a split spreads the images: a row per part.

    Args:
        frame: of a dataset.
        split: of every image, as :func:`group_folds` or :func:`group_train_val_test_split` give it.

    Returns:
        ``images`` and ``groups`` (numbers), ``share`` (of all images), and for every class its share in that part, 0
        to 1: in a perfectly balanced split each column of a class equals ``share``.
    """
    split = split.reindex(frame.index)
    by_class = pd.crosstab(split, frame["label"], normalize="columns")
    images = split.value_counts()
    table = pd.DataFrame({"images": images, "groups": frame["group"].groupby(split).nunique()})
    return table.assign(share=images / len(frame)).join(by_class).sort_index()


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Number of images by group (rows) and class (columns)."""
    label = frame["label"].astype(object).where(frame["label"].notna(), "")
    return pd.crosstab(frame["group"], label)


def _evenly(groups: int, shares: np.ndarray) -> np.ndarray:
    """Part of each of some places in a row, so that any stretch of it has about its share of every part."""
    wanted = groups * shares
    quota = np.maximum(1, np.floor(wanted + 1e-9).astype(int))
    while quota.sum() < groups:
        quota[(wanted - quota).argmax()] += 1
    while quota.sum() > groups:  # a part that would have had none got one
        quota[np.where(quota > 1, quota - wanted, -np.inf).argmax()] -= 1
    given, places = np.zeros(len(shares), int), np.empty(groups, int)
    for place in range(groups):
        places[place] = (quota * (place + 1) / groups - given).argmax()
        given[places[place]] += 1
    return places


def _enough_images(frame: pd.DataFrame, k: int) -> None:
    if frame["label"].value_counts().max() < k:
        raise DatasetError(f"{k} folds need a class of at least {k} images; use fewer folds")


def drop_rare_classes(dataset: Dataset, n_splits: int = 5) -> Dataset:
    """The dataset without the classes that have fewer than two groups for each of ``n_splits`` folds or parts.

    A score of such a class says more about one patient than about the class.

    Raises:
        DataError: fewer than two classes have as many.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    kept = groups.index[groups >= 2 * n_splits]
    if len(kept) < 2:
        counted = ", ".join(f"{label} {n}" for label, n in groups.items())
        raise DatasetError(
            f"{dataset.name}: {n_splits} parts need two classes of {2 * n_splits} groups, and there are: {counted}"
        )
    return dataset.select_classes(kept)


def sample_across_groups(frame: pd.DataFrame, n: int) -> pd.Index:
    """Ids of ``n`` images, or of all where there are fewer, from as many groups as possible: one of each in turn."""
    turn = frame.groupby("group", sort=False).cumcount()
    return turn.sort_values(kind="stable").index[:n]


def split_for_fold(fold: pd.Series, test_fold: int) -> Fold:
    """Give the images of one round of cross-validation; those of the fold after the tested one are for validation.

    Args:
        fold: of every image, as :func:`group_folds` gives it.
        test_fold: the fold to test.

    Raises:
        DataError: there is no such fold, or there are too few to train on one.
    """
    last = int(fold.max())
    if last < 2:
        raise DatasetError(f"a round needs at least 3 folds (training, validation and test), got {last + 1}")
    if test_fold not in range(last + 1):
        raise DatasetError(f"{test_fold!r} is no fold; there are 0 to {last}")
    validation = (test_fold + 1) % (last + 1)
    train = fold.index[~fold.isin([test_fold, validation])]
    return Fold(train, fold.index[fold == validation], fold.index[fold == test_fold])


def image_folds(frame: pd.DataFrame, n_splits: int, seed: int) -> pd.Series:
    """Draw folds by image, groups ignored: only to show the effect on a metric. Arguments as :func:`group_folds`."""
    _enough_images(frame, n_splits)
    # In the order of ids, so that the same images give the same folds however the frame is sorted.
    ordered = frame.sort_index()
    fold = pd.Series(-1, index=ordered.index, name="fold")
    splitter = StratifiedKFold(n_splits, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for number, (_, test) in enumerate(splitter.split(ordered, ordered["label"])):
            fold.iloc[test] = number
    return fold.loc[frame.index]


def group_train_val_test_split(frame: pd.DataFrame, val_size: float, test_size: float, *, seed: int) -> pd.Series:
    """Draw one split by group into ``train``, ``val_size`` and ``test_size``.

    Args:
        frame: of a dataset.
        val_size: wanted share of images, 0 for none.
        test_size: wanted share of images. Groups are kept whole, so the shares come as near as groups allow; every part
            has every class that has a group for each part, where any of the draws of :func:`assign_groups` finds such
            one.
        seed: of the draw.

    Raises:
        DataError: the shares leave nothing to train on, or there are fewer groups than parts.
    """
    if test_size <= 0 or val_size < 0 or test_size + val_size >= 1:
        raise DatasetError(f"test {test_size} and validation {val_size} must leave something to train on")
    wanted = {"train": 1 - val_size - test_size, "validation": val_size, "test": test_size}
    names = [name for name in SPLITS if wanted[name] > 0]
    return assign_groups(frame, [wanted[name] for name in names], seed).map(dict(enumerate(names)))


def nested_subsets(frame: pd.DataFrame, sizes: Iterable[int], seed: int) -> dict[int, pd.Index]:
    """Balanced training subsets, each contained in the next larger one (Schouten et al. 2021).

    Args:
        frame: the training images.
        sizes: wanted numbers of images.
        seed: of the draw.

    Returns:
        Ids by size. Classes take turns, so their counts differ by at most one until the smallest class is used up.

    Raises:
        DataError: no size, one below 1, or more images wanted than a balanced draw can give.
    """
    random = np.random.default_rng(seed)
    ordered = frame.sort_index()
    shuffled = [random.permutation(ids.to_numpy()) for _, ids in ordered.groupby("label").groups.items()]
    turns = [ids[k] for k in range(min(map(len, shuffled))) for ids in shuffled]
    sizes = sorted(sizes)
    if not sizes or sizes[0] < 1:
        raise DatasetError(f"sizes must be one or more numbers of images, each at least 1, got {sizes}")
    if sizes[-1] > len(turns):
        raise DatasetError(
            f"a balanced subset of {sizes[-1]} images is more than the {len(turns)} that the classes allow"
        )
    return {size: pd.Index(turns[:size], name="image_id") for size in sizes}
