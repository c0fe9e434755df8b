"""Nested training subsets of a learning curve, balanced by class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from helpers.datasets import DatasetError


def nested_subsets(frame: pd.DataFrame, sizes: Iterable[int], seed: int) -> dict[int, pd.Index]:
    """Draw class-balanced training subsets, each contained in the next larger one (Schouten et al. 2021).

    Args:
        frame: table of the training images.
        sizes: numbers of images of the subsets, at least 1 each.
        seed: random seed of the draw.

    Returns:
        Image ids by size. Class counts within a subset differ by at most one.

    Raises:
        DatasetError: ``sizes`` is empty, has a size below 1, or one above the number of classes times the number of
            images in the smallest class.
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
            f"a class-balanced subset must have at most {len(turns)} images, got {sizes[-1]}; use smaller sizes"
        )
    return {size: pd.Index(turns[:size], name="image_id") for size in sizes}


def largest_subset(frame: pd.DataFrame, sizes: Sequence[int], seed: int) -> pd.Index:
    """Return the ids of the largest of several nested subsets, or of all images where there is no size.

    Args:
        frame: table of the training images.
        sizes: numbers of images, as in :func:`nested_subsets`; may be empty, as
            :func:`helpers.parameters.adapt_sizes` leaves it where no balanced subset is possible.
        seed: random seed of the draw.
    """
    return nested_subsets(frame, sizes, seed)[max(sizes)] if sizes else frame.index
