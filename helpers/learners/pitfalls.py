"""Mistakes of published systems, made on purpose, so that a reader can see what they do to a number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.augmentation import oversample_with_augmentation
from helpers.datasets import Dataset
from helpers.datasets.readers import ArrayReader
from helpers.metrics import PREFIX, prediction_classes


def oversample_before_split(dataset: Dataset, n_per_class: int, *, size: int, seed: int) -> Dataset:
    """A dataset in which every class has been brought to ``n_per_class`` images by changed copies, before any split.

    Split by image, copies of what is learnt from are then in the test.

    Args:
        dataset: with images of every class.
        n_per_class: as in :func:`helpers.augmentation.oversample_with_augmentation`.
        size: side of the images, pixels.
        seed: of the copies.

    Returns:
        The originals, then the copies, which are called ``<image_id>#<k>`` and keep label and group; the column
        ``original`` has the id that a copy was made from.
    """
    frame, pictures = dataset.frame, dataset.load_images(size)
    copies, originals = oversample_with_augmentation(pictures, frame["label"], n_per_class, seed)
    number = pd.Series(originals).groupby(originals).cumcount().to_numpy() + 1
    ids = [*frame.index, *(f"{name}#{k}" for name, k in zip(originals, number, strict=True))]
    more = pd.concat([frame, frame.loc[originals]]).set_axis(pd.Index(ids, name="image_id"))
    more = more.assign(original=[*frame.index, *originals], position=np.arange(len(ids)), path="", mask_path="")
    return replace(dataset, frame=more, reader=ArrayReader(np.concatenate([pictures, copies])), has_masks=False)


def labels_by_position(frame: pd.DataFrame, seed: int) -> pd.Series:
    """The labels of images when labels come from a table and images from a folder, and both are paired by position.

    The table is sorted by name, a folder gives its files in an order of its own, here drawn at random. Two published
    systems did this; sensitivity then equals false positive rate.

    Args:
        frame: of a dataset.
        seed: of the order in which the folder gives its files.

    Returns:
        Labels by ``image_id``.
    """
    listed = np.random.default_rng(seed).permutation(frame.index.to_numpy())
    return pd.Series(frame["label"].sort_index().to_numpy(), pd.Index(listed, name="image_id"), name="label")


def hard_predictions(table: pd.DataFrame, positive: str, threshold: float) -> pd.DataFrame:
    """Predictions of two classes that say 0 or 1 where they said a probability: a ROC curve of one point."""
    above = (table[PREFIX + positive] >= threshold).astype(float)
    (other,) = (name for name in prediction_classes(table) if name != positive)
    return table.assign(**{PREFIX + positive: above, PREFIX + other: 1 - above})


def duplicate_predictions(table: pd.DataFrame, n_copies: int) -> pd.DataFrame:
    """Predictions in which every image is tested ``n_copies`` times, and every copy counts as independent."""
    more = pd.concat([table.set_axis(table.index + f"#{k}") for k in range(n_copies)])
    return more.assign(group=more.index)
