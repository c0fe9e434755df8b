"""One split into training, validation and test images, as their ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.datasets import DatasetError


@dataclass(frozen=True, eq=False)
class Fold:
    """Ids of the images to train on, to choose by and to test.

    Attributes:
        train, val, test: ``image_id`` of each, in the order of their dataset; no id is in two of them.

    Raises:
        DataError: an id is in two of them, or twice in one.
    """

    train: pd.Index
    val: pd.Index
    test: pd.Index

    def __post_init__(self):
        ids = self.ids
        if ids.has_duplicates:
            raise DatasetError(
                f"{ids[ids.duplicated()][0]}: is in a fold twice; an image is in one of its splits, once"
            )

    @property
    def ids(self) -> pd.Index:
        """All ids: of the training, then of the validation, then of the test images."""
        return self.train.append([self.val, self.test])

    def split_of(self, ids: pd.Index) -> pd.Series:
        """Give the split of every image, ``train``, ``validation`` or ``test``, and ``unused`` of those in none.

        Args:
            ids: of the images, in the order wanted, such as the index of a dataset's frame.

        Raises:
            DataError: the fold has an image that is not among them.
        """
        if len(unknown := self.ids.difference(ids)):
            raise DatasetError(f"a fold has {len(unknown)} images that the dataset has not, such as {unknown[0]}")
        names = np.repeat(["train", "validation", "test"], [len(self.train), len(self.val), len(self.test)])
        return pd.Series(names, self.ids, name="split").reindex(ids, fill_value="unused")
