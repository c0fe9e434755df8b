"""Read the parameters of a chapter, and adapt them to the data: folds and sizes that a dataset is too small for.

Functions that change a value print one sentence, so that a page shows with which values it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import pandas as pd

from helpers import splits, yamlfile
from helpers.datasets import Dataset, DatasetError, refuse_single_class
from helpers.errors import LeukobookError

MAX_COMPARED = 2_000  # images on which kinds of splits are compared


class ParameterError(LeukobookError):
    """A parameter of a chapter has a value of another type; the message shows how to pass it."""


def read_list(name: str, value: Any, example: str, kind: type) -> list[Any]:
    """Return a parameter that is a list, also where ``papermill -p`` has passed it as text or as a single value.

    Args:
        name: name of the parameter, for the message.
        value: list, text of a list such as ``"[0, 1]"``, or a single value.
        example: a valid value in YAML, for the message.
        kind: type of the items.

    Raises:
        ParameterError: the value is neither, the list is empty, or an item is of another type.

    Example:
        >>> from helpers import parameters
        >>> parameters.read_list("tested_folds", "[0, 1]", "[0, 1]", int)
        [0, 1]
    """
    parsed = _parsed(name, value, example)
    items = parsed if isinstance(parsed, list) else [parsed]
    if not items or any(type(item) is not kind for item in items):
        _refuse(name, value, f"a list of {kind.__name__}", example)
    return items


def read_mapping(name: str, value: Any, example: str) -> dict[str, Any]:
    """Return a parameter that is a mapping, also where ``papermill -p`` has passed it as text.

    Args:
        name: name of the parameter, for the message.
        value: mapping, or its text in YAML.
        example: a valid value in YAML, for the message.

    Raises:
        ParameterError: the value is no mapping.
    """
    parsed = _parsed(name, value, example)
    if not isinstance(parsed, dict):
        _refuse(name, value, "a mapping", example)
    return parsed


def _parsed(name: str, value: Any, example: str) -> Any:
    if not isinstance(value, str):
        return list(value) if isinstance(value, tuple) else value
    try:
        return yamlfile.parse(value, name).value
    except yamlfile.YamlError:
        _refuse(name, value, "YAML", example)


def _refuse(name: str, value: Any, kind: str, example: str) -> NoReturn:
    raise ParameterError(f"{name} must be {kind}, got {value!r}; with papermill pass -y '{name}: {example}'")


def adapt_n_splits(frame: pd.DataFrame, n_splits: int, *, groups_per_fold: int = 1, min_classes: int = 0) -> int:
    """Return the number of folds, or the largest one for which the classes have enough groups, and print a change.

    Args:
        frame: table of the dataset (``Dataset.frame``).
        n_splits: number of folds that the chapter wants.
        groups_per_fold: groups that a class needs for each fold.
        min_classes: number of classes that need them; 0 for all.

    Returns:
        At least 3: one fold to test, one to validate, the others to train.

    Raises:
        DatasetError: there are too few groups for three folds.

    Example:
        >>> from helpers import datasets, parameters
        >>> data = datasets.load(
        ...     "synthetic", n_images=40, n_patients=8, task="leukaemia", size=64
        ... )
        >>> parameters.adapt_n_splits(data.frame, 5)
        4 folds in place of 5: a class has images of 4 groups
        4
    """
    groups = frame.groupby("label")["group"].nunique().sort_values(ascending=False)
    fewest = int(groups.iloc[(min_classes or len(groups)) - 1]) if len(groups) >= min_classes else 0
    adapted = min(n_splits, fewest // groups_per_fold)
    if adapted < splits.MIN_SPLITS:
        counted = ", ".join(f"{label} {count}" for label, count in groups.items())
        needed = splits.MIN_SPLITS * groups_per_fold
        raise DatasetError(
            f"{min_classes or 'all'} classes need images of at least {needed} groups (patients), got {counted}; add "
            "groups, or leave a class out"
        )
    if adapted < n_splits:
        print(f"{adapted} folds in place of {n_splits}: a class has images of {fewest} groups")
    return adapted


def select_classes_for_folds(dataset: Dataset, n_splits: int) -> Dataset | None:
    """Return the classes with images of at least ``n_splits`` groups, 2,000 images at most, and print what is left out.

    Args:
        dataset: dataset with labels and groups.
        n_splits: number of folds.

    Returns:
        None, with a printed reason, if a comparison of splits by image and by group would show nothing: fewer than two
        such classes, or no group with two images.
    """
    groups = dataset.frame.groupby("label")["group"].nunique()
    kept, rare = groups.index[groups >= n_splits], groups[groups < n_splits]
    name = dataset.public_name
    if len(kept) < 2:
        print(f"{name} has {len(kept)} classes with images of {n_splits} groups or more; two are needed")
        return None
    if dataset.frame["group"].value_counts().max() < 2:
        print(f"{name} has no group (patient) with two images, as far as is known")
        return None
    if len(rare):
        listed = ", ".join(f"{label} ({count})" for label, count in rare.items())
        print(f"left out: classes with images of fewer than {n_splits} groups: {listed}")
    chosen = dataset.select_classes(kept)
    if len(chosen) <= MAX_COMPARED:
        return chosen
    print(f"splits are compared on {MAX_COMPARED:,} of {len(chosen):,} images, drawn at random")
    return chosen.select(chosen.frame.index.to_series().sample(MAX_COMPARED, random_state=0).sort_index())


def adapt_test_folds(tested_folds: Any, n_splits: int, wanted_splits: int = 5) -> list[int]:
    """Return the folds to test that exist, and print which are left out because there are fewer folds than wanted.

    Args:
        tested_folds: fold numbers, as a list or as :func:`read_list` reads them.
        n_splits: number of folds, from :func:`adapt_n_splits`.
        wanted_splits: number of folds without adaptation, to which ``tested_folds`` refers.

    Raises:
        ParameterError: a value is no fold number from 0 to ``wanted_splits - 1``.
    """
    folds = read_list("tested_folds", tested_folds, "[0, 1]", int)
    for fold in folds:
        if not 0 <= fold < wanted_splits:
            raise ParameterError(
                f"tested_folds must hold numbers from 0 to {wanted_splits - 1}, got {fold!r}; "
                "with papermill pass -y 'tested_folds: [0, 1]'"
            )
    kept = list(dict.fromkeys(fold for fold in folds if fold < n_splits)) or [0]
    if dropped := sorted(set(folds) - set(kept)):
        print(f"folds {', '.join(map(str, dropped))} do not exist; tested: {', '.join(map(str, kept))}")
    return kept


def adapt_sizes(
    dataset: Dataset,
    fold: pd.Series,
    sizes: Iterable[int],
    *,
    test_folds: Sequence[int],
    seed: int,
    train_on_val: bool = False,
    draws: int = 1,
    min_groups: int = 1,
) -> list[int]:
    """Return the sizes of a learning curve that the training images of every tested fold allow, and print a change.

    A size above the largest balanced subset becomes that of the subset. A size is left out if, in some draw, a class
    has images of too few groups, which inner folds would need.

    Args:
        dataset, fold, sizes, test_folds, seed, train_on_val, draws: as in
            :func:`helpers.learners.cross_validation.learning_curve`.
        min_groups: groups that a class needs in a subset.

    Returns:
        Sizes in ascending order; empty if none is possible.
    """
    pools = []
    for k in test_folds:
        parts = splits.split_for_fold(fold, k)
        ids = parts.train.append(parts.val) if train_on_val else parts.train
        pools.append(dataset.frame.loc[dataset.frame.index[dataset.frame.index.isin(ids)]])
    largest = min(int(pool["label"].value_counts().min()) * pool["label"].nunique() for pool in pools)
    wanted = sorted(set(sizes))
    possible = sorted({min(size, largest) for size in wanted})
    seeds = splits.spawn_seeds(seed, draws)
    kept = [size for size in possible if all(_groups(p, size, s) >= min_groups for p in pools for s in seeds)]
    if kept != wanted:
        shown = ", ".join(map(str, kept)) or "none"
        needed = f", and a class needs {min_groups} groups" if min_groups > 1 else ""
        print(
            f"training images of the learning curve: {shown} in place of {', '.join(map(str, wanted))}; the largest "
            f"balanced subset has {largest}{needed}"
        )
    return kept


def _groups(pool: pd.DataFrame, size: int, seed: int) -> int:
    """Return the number of groups of the class that has the fewest in a balanced subset."""
    subset = pool.loc[splits.nested_subsets(pool, [size], seed)[size]]
    return int(subset.groupby("label")["group"].nunique().reindex(pool["label"].unique(), fill_value=0).min())


def adapt_two_classes(dataset: Dataset, classes: Any) -> Dataset:
    """Select two classes; where the dataset lacks one of them, the two with the most images, and print a change.

    Args:
        dataset: dataset of a chapter that tells two classes apart.
        classes: the two classes that the chapter wants, as a list or as :func:`read_list` reads them.

    Raises:
        ParameterError: ``classes`` are not two different names.
        DatasetError: the dataset has fewer than two classes.

    Example:
        >>> from helpers import datasets, parameters
        >>> data = datasets.load(
        ...     "synthetic", n_images=40, n_patients=8, task="leukaemia", size=64
        ... )
        >>> names = ["lymphocyte", "lymphoblast"]
        >>> parameters.adapt_two_classes(data, names).classes
        ('lymphocyte', 'lymphoblast')
    """
    wanted = read_list("classes", classes, "[neutrophil, eosinophil]", str)
    if len(set(wanted)) != 2:
        _refuse("classes", classes, "two different names", "[neutrophil, eosinophil]")
    refuse_single_class(dataset.name, dataset.frame)
    counts = dataset.frame["label"].value_counts()
    if set(wanted) <= set(counts.index):
        return dataset.select_classes(wanted)
    largest = sorted(counts.index, key=lambda name: (-counts[name], name))[:2]
    print(f"{' and '.join(largest)} in place of {' and '.join(wanted)}: the classes with the most images")
    return dataset.select_classes(largest)


def comparable_images(dataset: Dataset, seed: int, limit: int = splits.MAX_COMPARED) -> Dataset:
    """Return the dataset for a search for near-duplicates, or a random sample of a large one, and print its size.

    Args:
        dataset: images.
        seed: random seed of the sample.
        limit: largest number of images.
    """
    if len(dataset) <= limit:
        return dataset
    print(
        f"near-duplicates are looked for among {limit:,} of {len(dataset):,} images, drawn at random, not among the "
        "others; the command duplicates compares all"
    )
    sample = dataset.frame.index.to_series().sample(limit, random_state=seed)
    return dataset.select(dataset.frame.index[dataset.frame.index.isin(sample)])


def single_label_groups(frame: pd.DataFrame) -> bool:
    """Return whether all images of every group have one label, and print a sentence if not.

    Metrics per patient need one label per patient.

    Args:
        frame: table with the columns ``group`` and ``label``.
    """
    labels = frame.groupby("group")["label"].nunique()
    mixed = int((labels > 1).sum())
    if mixed:
        print(
            f"left out: {mixed} of {len(labels)} groups (patients) have images of several classes, and so no label of "
            "their own; `leukobook evaluate` compares the share of each class per patient"
        )
    return not mixed


def end_chapter(reason: str) -> NoReturn:
    """Print why the rest of a chapter is left out and end its run; papermill counts it as finished.

    Raises:
        SystemExit: always, with exit status 0.
    """
    print(reason)
    raise SystemExit(0)


def need_masks(dataset: Dataset) -> None:
    """End a chapter that measures by ground-truth masks if the dataset has none, see :func:`end_chapter`."""
    if not dataset.has_masks:
        end_chapter(
            f"left out: this chapter measures by masks, and {dataset.public_name} has none (wbc1, wbc2 and synthetic "
            "have); put masks into its folder masks/"
        )
