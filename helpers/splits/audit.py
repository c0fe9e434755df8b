"""What two parts of a split share, and groups that leave nothing to share."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from helpers.datasets import DataError


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
