"""Mistakes of published evaluations, reproduced on purpose to show their effect on a metric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.augmentation import oversample_with_augmentation
from helpers.datasets import Dataset
from helpers.datasets.readers import ArrayReader
from helpers.metrics import PREFIX, prediction_classes


def oversample_before_split(dataset: Dataset, n_per_class: int, *, size: int, seed: int) -> Dataset:
    """Oversample every class of a dataset to ``n_per_class`` images with augmented copies, before any split.

    If the result is split by image, the test set contains copies of training images.

    Args:
        dataset: images with labels.
        n_per_class: as in :func:`helpers.augmentation.oversample_with_augmentation`.
        size: side of the images, pixels.
        seed: random seed of the copies.

    Returns:
        Dataset of the originals, then the copies with ids ``<image_id>#<k>`` and the label and group of their original;
        the column ``original`` has the id of the original.
    """
    frame, pictures = dataset.frame, dataset.load_images(size)
    copies, originals = oversample_with_augmentation(pictures, frame["label"], n_per_class, seed)
    number = pd.Series(originals).groupby(originals).cumcount().to_numpy() + 1
    ids = [*frame.index, *(f"{name}#{k}" for name, k in zip(originals, number, strict=True))]
    more = pd.concat([frame, frame.loc[originals]]).set_axis(pd.Index(ids, name="image_id"))
    more = more.assign(original=[*frame.index, *originals], array_index=np.arange(len(ids)), path="", mask_path="")
    return replace(dataset, frame=more, reader=ArrayReader(np.concatenate([pictures, copies])), has_masks=False)


def labels_by_position(frame: pd.DataFrame, seed: int) -> pd.Series:
    """Match labels of a table with image files of a folder by position instead of by name.

    The table is sorted by name; the folder lists its files in arbitrary order, here drawn at random. Two published
    systems did this; sensitivity then equals the false positive rate.

    Args:
        frame: table of a dataset.
        seed: random seed of the order of files.

    Returns:
        Labels by ``image_id``.
    """
    listed = np.random.default_rng(seed).permutation(frame.index.to_numpy())
    return pd.Series(frame["label"].sort_index().to_numpy(), pd.Index(listed, name="image_id"), name="label")


def hard_predictions(table: pd.DataFrame, positive: str, threshold: float) -> pd.DataFrame:
    """Replace predicted probabilities of two classes by 0 or 1, which leaves an ROC curve with a single point.

    Args:
        table: table of predictions of two classes.
        positive: positive class.
        threshold: 0 to 1; images with at least this probability are predicted positive.
    """
    above = (table[PREFIX + positive] >= threshold).astype(float)
    (other,) = (name for name in prediction_classes(table) if name != positive)
    return table.assign(**{PREFIX + positive: above, PREFIX + other: 1 - above})


def duplicate_predictions(table: pd.DataFrame, n_copies: int) -> pd.DataFrame:
    """Repeat the predictions of every image ``n_copies`` times, and count every copy as an independent group."""
    more = pd.concat([table.set_axis(table.index + f"#{k}") for k in range(n_copies)])
    return more.assign(group=more.index)
