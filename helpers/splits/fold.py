"""A split into training, validation and test set, stored as image ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.datasets import DatasetError


@dataclass(frozen=True, eq=False)
class Fold:
    """Hold the image ids of a training, a validation and a test set.

    Attributes:
        train: ``image_id`` of the training images, in the order of the dataset.
        val: ``image_id`` of the validation images, in the same order.
        test: ``image_id`` of the test images, in the same order.

    Raises:
        DatasetError: an id occurs twice, in one set or in two.
    """

    train: pd.Index
    val: pd.Index
    test: pd.Index

    def __post_init__(self):
        ids = self.ids
        if ids.has_duplicates:
            raise DatasetError(
                f"image ids of a fold must be unique, got {ids[ids.duplicated()][0]} twice; put it in one split, once"
            )

    @property
    def ids(self) -> pd.Index:
        """Image ids of the training, then the validation, then the test set."""
        return self.train.append([self.val, self.test])

    def split_of(self, ids: pd.Index) -> pd.Series:
        """Return the split of every image: ``train``, ``validation``, ``test``, or ``unused`` if it is in none.

        Args:
            ids: image ids, such as the index of a dataset's frame.

        Returns:
            Split names indexed by image id, in the order of ``ids``.

        Raises:
            DatasetError: the fold contains an image that is missing from ``ids``.
        """
        if len(unknown := self.ids.difference(ids)):
            raise DatasetError(
                f"{len(unknown)} images of a fold are missing from the dataset, such as {unknown[0]}; "
                "split this dataset"
            )
        names = np.repeat(["train", "validation", "test"], [len(self.train), len(self.val), len(self.test)])
        return pd.Series(names, self.ids, name="split").reindex(ids, fill_value="unused")
