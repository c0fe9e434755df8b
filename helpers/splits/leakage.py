"""What two parts of a split share."""

from __future__ import annotations

import pandas as pd

from helpers.datasets import DatasetError


def find_leakage(frame: pd.DataFrame, split: pd.Series, pairs: pd.DataFrame | None = None) -> list[str]:
    """What two parts of a split share; an empty list is a clean split.

    Args:
        frame: of a dataset.
        split: of every image, as :func:`group_folds` or :func:`group_train_val_test_split` give it.
        pairs: of :func:`find_near_duplicates`, if they are to be looked for as well.

    Raises:
        DataError: images without a part, or parts without an image.
    """
    if set(split.index) != set(frame.index):
        odd = sorted(set(split.index) ^ set(frame.index))
        raise DatasetError("the split and the table do not hold the same images", odd)
    parts_of_group = split.groupby(frame["group"].reindex(split.index)).unique()
    leaks = [
        f"group {group} is in {' and '.join(map(str, sorted(parts)))}"
        for group, parts in parts_of_group.items()
        if len(parts) > 1
    ]
    for row in () if pairs is None else pairs.itertuples(index=False):
        if split[row.image_a] != split[row.image_b]:
            leaks.append(
                f"{row.image_a} ({split[row.image_a]}) and {row.image_b} ({split[row.image_b]}) show the same thing, "
                f"similarity {row.similarity}"
            )
    return leaks
