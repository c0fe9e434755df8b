"""Mistakes of published systems, made on purpose, so that a reader can see what they do to a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.augmentation import balanced_copies
from helpers.datasets import Dataset
from helpers.datasets.bloodmnist import ArrayReader


def copies_before_split(dataset: Dataset, n: int, size: int, seed: int) -> Dataset:
    """A dataset in which every class has been brought to ``n`` images by changed copies, before any split.

    Split by image, copies of what is learnt from are then in the test.

    Args:
        dataset: with images of every class.
        n: as in :func:`helpers.augmentation.balanced_copies`.
        size: side of the images, pixels.
        seed: of the copies.

    Returns:
        The originals, then the copies, which are called ``<image_id>#<k>`` and keep label and group; the column
        ``original`` has the id that a copy was made from.
    """
    frame, pictures = dataset.frame, dataset.images(size)
    copies, originals = balanced_copies(pictures, frame["label"], n, seed)
    number = pd.Series(originals).groupby(originals).cumcount().to_numpy() + 1
    ids = [*frame.index, *(f"{name}#{k}" for name, k in zip(originals, number, strict=True))]
    more = pd.concat([frame, frame.loc[originals]]).set_axis(pd.Index(ids, name="image_id"))
    more = more.assign(original=[*frame.index, *originals], position=np.arange(len(ids)), path="", mask_path="")
    return replace(dataset, frame=more, reader=ArrayReader(np.concatenate([pictures, copies])), has_masks=False)
