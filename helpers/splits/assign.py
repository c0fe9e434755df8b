"""Splits by group, and nested training subsets."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from helpers.datasets import DataError, Dataset

PARTS = ("train", "validation", "test")


def further_seeds(seed: int, n: int) -> list[int]:
    """Seeds for what a run repeats, which no other seed gives.

    ``seed + 1``, ``seed + 2`` would be those of the next runs as well: a sweep over seeds would meet the same draws
    again and again, and its interval would be too narrow.
    """
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(n)]


def folds(frame: pd.DataFrame, k: int, seed: int) -> pd.Series:
    """Test fold 0 to k-1 of every image; no group is in two folds, classes are spread as evenly as groups allow.

    Raises:
        DataError: fewer groups than folds, or no class with as many images as folds.
    """
    fold = _by_group(frame, k, seed)
    groups_of_class = frame.groupby("label")["group"].nunique()
    rare = groups_of_class[groups_of_class < k]
    if len(rare):
        listed = ", ".join(f"{label} ({n})" for label, n in rare.items())
        warnings.warn(f"classes with fewer groups than the {k} folds, so absent from some: {listed}", stacklevel=2)
    return fold


def testable(dataset: Dataset, k: int = 5) -> Dataset:
    """The dataset without the classes that have fewer than two groups for each of ``k`` folds or parts.

    A score of such a class says more about one patient than about the class.

    Raises:
        DataError: fewer than two classes have as many.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    kept = groups.index[groups >= 2 * k]
    if len(kept) < 2:
        counted = ", ".join(f"{label} {n}" for label, n in groups.items())
        raise DataError(f"{dataset.name}: {k} parts need two classes of {2 * k} groups, and there are: {counted}")
    return dataset.only(kept)


def spread(frame: pd.DataFrame, n: int) -> pd.Index:
    """Ids of ``n`` images, or of all where there are fewer, from as many groups as possible: one of each in turn."""
    turn = frame.groupby("group", sort=False).cumcount()
    return turn.sort_values(kind="stable").index[:n]


def rotation(fold: pd.Series, test: int) -> pd.Series:
    """``train``, ``validation`` and ``test`` in one round of cross-validation: validation is the fold after test.

    Raises:
        DataError: there is no such fold.
    """
    last = int(fold.max())
    if test not in range(last + 1):
        raise DataError(f"{test!r} is no fold; there are 0 to {last}")
    validation = (test + 1) % (last + 1)
    return fold.map(lambda number: {test: "test", validation: "validation"}.get(number, "train")).rename("part")


def _by_group(frame: pd.DataFrame, k: int, seed: int) -> pd.Series:
    if k < 2 or frame["group"].nunique() < k:
        raise DataError(f"{k} folds need at least 2 and at most {frame['group'].nunique()} (the number of groups)")
    return _assign(StratifiedGroupKFold(k, shuffle=True, random_state=seed), frame)


def random_folds(frame: pd.DataFrame, k: int, seed: int) -> pd.Series:
    """Folds by image, groups ignored: only to show what that does to a number."""
    return _assign(StratifiedKFold(k, shuffle=True, random_state=seed), frame)


def _assign(splitter: StratifiedGroupKFold | StratifiedKFold, frame: pd.DataFrame) -> pd.Series:
    k = splitter.get_n_splits()
    if frame["label"].value_counts().max() < k:
        raise DataError(f"{k} folds need a class of at least {k} images; use fewer folds")
    # In the order of ids, so that the same images give the same folds however the frame is sorted.
    ordered = frame.sort_index()
    fold = pd.Series(-1, index=ordered.index, name="fold")
    group = ordered["group"] if isinstance(splitter, StratifiedGroupKFold) else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for number, (_, test) in enumerate(splitter.split(ordered, ordered["label"], group)):
            fold.iloc[test] = number
    return fold.loc[frame.index]


def holdout(frame: pd.DataFrame, validation: float, test: float, seed: int) -> pd.Series:
    """One split by group into ``train``, ``validation`` and ``test``; a class of one group is in one part only.

    Args:
        frame: of a dataset.
        validation: wanted share of images, 0 for none; groups are kept whole, so the true share differs somewhat.
        test: wanted share of images.
        seed: of the draw.

    Raises:
        DataError: the shares leave nothing to train on, or there are too few groups.
    """
    if test <= 0 or validation < 0 or test + validation >= 1:
        raise DataError(f"test {test} and validation {validation} must leave something to train on")
    part = pd.Series("train", index=frame.index, name="part")
    fold = _by_group(frame, max(2, round(1 / test)), seed)
    part[fold == 0] = "test"
    if validation > 0:
        rest = frame[part == "train"]
        fold = _by_group(rest, max(2, round((1 - test) / validation)), seed)
        part[fold.index[fold == 0]] = "validation"
    return part


def nested_subsets(frame: pd.DataFrame, sizes: Iterable[int], seed: int) -> dict[int, pd.Index]:
    """Balanced training subsets, each contained in the next larger one (Schouten et al. 2021).

    Args:
        frame: the training images.
        sizes: wanted numbers of images.
        seed: of the draw.

    Returns:
        Ids by size. Classes take turns, so their counts differ by at most one until the smallest class is used up.

    Raises:
        DataError: more images wanted than a balanced draw can give.
    """
    random = np.random.default_rng(seed)
    ordered = frame.sort_index()
    shuffled = [random.permutation(ids.to_numpy()) for _, ids in ordered.groupby("label").groups.items()]
    turns = [ids[k] for k in range(min(map(len, shuffled))) for ids in shuffled]
    sizes = sorted(sizes)
    if sizes[-1] > len(turns):
        raise DataError(f"a balanced subset of {sizes[-1]} images is more than the {len(turns)} that the classes allow")
    return {size: pd.Index(turns[:size], name="image_id") for size in sizes}
