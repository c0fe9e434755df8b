"""Detection of leakage: groups and near-duplicates shared between splits."""

from __future__ import annotations

import pandas as pd

from helpers.datasets import DatasetError


def find_leakage(frame: pd.DataFrame, split: pd.Series, pairs: pd.DataFrame | None = None) -> list[str]:
    """List the groups, and the near-duplicate pairs, that are shared between splits.

    Args:
        frame: table of the dataset (``Dataset.frame``), with the column ``group``.
        split: split of every image by ``image_id``, from :func:`group_folds` or :func:`group_train_val_test_split`.
        pairs: near-duplicates from :func:`find_near_duplicates`; ``None`` checks groups only.

    Returns:
        One message per shared group or pair; empty if there is no leakage.

    Raises:
        DatasetError: ``frame`` and ``split`` do not contain the same images.
    """
    if set(split.index) != set(frame.index):
        odd = sorted(set(split.index) ^ set(frame.index))
        raise DatasetError("the split and the table must contain the same images; split this table", odd)
    splits_of_group = split.groupby(frame["group"].reindex(split.index)).unique()
    leaks = [
        f"group {group} is in {' and '.join(map(str, sorted(names)))}"
        for group, names in splits_of_group.items()
        if len(names) > 1
    ]
    if pairs is not None:
        for a, b, similarity in zip(pairs["image_a"], pairs["image_b"], pairs["similarity"], strict=True):
            if split[a] != split[b]:
                leaks.append(f"{a} ({split[a]}) and {b} ({split[b]}) show the same thing, similarity {similarity}")
    return leaks


def select_unlike(pairs: pd.DataFrame, value: pd.Series) -> pd.DataFrame:
    """Select the pairs whose images have different values, such as labels or groups; a missing value differs from none.

    Args:
        pairs: near-duplicates from :func:`find_near_duplicates`.
        value: value of every image, by ``image_id``.
    """
    first, second = (value.reindex(pairs[end]).to_numpy() for end in ("image_a", "image_b"))
    return pairs[(first != second) & pd.notna(first) & pd.notna(second)]
