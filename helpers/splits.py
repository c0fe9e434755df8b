"""Splits by group, nested training subsets, and the audits that find a leak.

Every split is a column of ids: a :class:`pandas.Series` indexed by ``image_id``. No position is ever used.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import cv2
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from helpers.datasets import DataError, Dataset
from helpers.images import eight_views

PARTS = ("train", "validation", "test")
_THUMBNAIL = 32
_SMOOTH = 1.5


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


def rotation(fold: pd.Series, test: int) -> pd.Series:
    """``train``, ``validation`` and ``test`` in one round of cross-validation: validation is the fold after test."""
    validation = (test + 1) % (int(fold.max()) + 1)
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


def near_duplicates(dataset: Dataset, threshold: float = 0.9) -> pd.DataFrame:
    """Pairs of images that show the same thing: byte-alike, re-photographed, turned by quarter turns or mirrored.

    Each image becomes a grey thumbnail of 32×32 with slow changes of brightness removed; two images are alike when
    their thumbnails correlate in any of the eight flips and quarter turns. On wbc1 a threshold of 0.9 finds four pairs,
    which are all the same cell; 0.82 is the next pair, and it is not.

    Args:
        dataset: at most some ten thousand images: time grows with the square of their number.
        threshold: least correlation, -1 to 1.

    Returns:
        Columns ``image_a, image_b, similarity, exact``, most alike first; ``exact`` when all pixels agree.
    """
    thumbs, keys = [], []
    for _, pictures in dataset.batches(2 * _THUMBNAIL, 512):
        thumbs.extend(_thumbnail(picture) for picture in pictures)
        keys.extend(picture.tobytes() for picture in pictures)
    thumbs = np.stack(thumbs)
    flat = _unit(thumbs)
    orbit = _orbit(thumbs)
    rows = []
    for start in range(0, len(flat), 1024):
        alike = np.max([flat[start : start + 1024] @ turned.T for turned in orbit], axis=0)
        for a, b in zip(*np.nonzero(np.triu(alike, start + 1) >= threshold), strict=True):
            rows.append((start + a, b, float(alike[a, b])))
    ids = dataset.frame.index
    pairs = [
        (ids[a], ids[b], round(s, 3), keys[a] == keys[b] and _same_pixels(dataset, ids[a], ids[b])) for a, b, s in rows
    ]
    found = pd.DataFrame(pairs, columns=["image_a", "image_b", "similarity", "exact"])
    return found.sort_values(["similarity", "image_a", "image_b"], ascending=[False, True, True], ignore_index=True)


def _same_pixels(dataset: Dataset, a: str, b: str) -> bool:
    return np.array_equal(dataset.image(a), dataset.image(b))


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.resize(grey, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    return grey - cv2.GaussianBlur(grey, (0, 0), _SMOOTH, borderType=cv2.BORDER_REFLECT)


def _orbit(thumbs: np.ndarray) -> list[np.ndarray]:
    """The eight flips and quarter turns of every thumbnail, as unit vectors."""
    return [_unit(view) for view in eight_views(thumbs)]


def _unit(thumbs: np.ndarray) -> np.ndarray:
    flat = thumbs.reshape(len(thumbs), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def merge_groups(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series:
    """Groups in which both images of every pair lie together, named by the ids they join (``a+b``)."""
    group, names = pd.factorize(frame["group"])
    position = pd.Series(group, index=frame.index)
    a, b = position[pairs["image_a"]].to_numpy(), position[pairs["image_b"]].to_numpy()
    _, joined = connected_components(
        coo_matrix((np.ones(len(a)), (a, b)), shape=(len(names), len(names))), directed=False
    )
    title = pd.Series(names).groupby(joined).agg(lambda members: "+".join(sorted(map(str, members))))
    return pd.Series(title[joined[group]].to_numpy(), index=frame.index, name="group")


def audit(frame: pd.DataFrame, part: pd.Series, pairs: pd.DataFrame | None = None) -> list[str]:
    """What two parts of a split share; an empty list is a clean split.

    Args:
        frame: of a dataset.
        part: of every image, as :func:`folds` or :func:`holdout` give it.
        pairs: of :func:`near_duplicates`, if they are to be looked for as well.

    Raises:
        DataError: images without a part, or parts without an image.
    """
    if set(part.index) != set(frame.index):
        odd = sorted(set(part.index) ^ set(frame.index))
        raise DataError("the split and the table do not hold the same images", odd)
    parts_of_group = part.groupby(frame["group"].reindex(part.index)).unique()
    leaks = [
        f"group {group} is in {' and '.join(map(str, sorted(parts)))}"
        for group, parts in parts_of_group.items()
        if len(parts) > 1
    ]
    for row in () if pairs is None else pairs.itertuples(index=False):
        if part[row.image_a] != part[row.image_b]:
            leaks.append(
                f"{row.image_a} ({part[row.image_a]}) and {row.image_b} ({part[row.image_b]}) show the same thing, "
                f"similarity {row.similarity}"
            )
    return leaks


def thumbnail_similarity(a: np.ndarray, b: np.ndarray) -> float:
    """How alike two images are by the measure of :func:`near_duplicates`, -1 to 1.

    Args:
        a: ``uint8 (height, width, 3)`` RGB.
        b: the same, of any size.
    """
    first, second = _thumbnail(a)[None], _thumbnail(b)[None]
    return float(np.max([_unit(first) @ turned.T for turned in _orbit(second)]))
