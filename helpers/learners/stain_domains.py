"""Train and test segmentation across two stains: a source and a target domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import metrics, preprocessing, splits
from helpers.backend import keras
from helpers.datasets import Dataset, load
from helpers.models import predict_masks

SOURCE, TARGET = "source", "target"


@dataclass(frozen=True)
class StainDomains:
    """Images and masks of two domains, each split by group into training, validation and test set.

    Attributes:
        frame: tables of both datasets, source first.
        domain: ``source`` or ``target`` for each image ``(n,)``.
        split: ``train``, ``validation`` or ``test`` for each image ``(n,)``.
        images: ``uint8 (n, size, size, 3)`` RGB.
        masks: ground-truth masks ``uint8 (n, size, size)``.
    """

    frame: pd.DataFrame
    domain: np.ndarray
    split: np.ndarray
    images: np.ndarray
    masks: np.ndarray

    def counts(self) -> pd.DataFrame:
        """Count the images of each domain and split."""
        return pd.crosstab(pd.Series(self.domain, name="domain"), self.split, colnames=["split"])

    def split_within(self, domains: Sequence[str]) -> np.ndarray:
        """Return the split of each image, empty outside ``domains``, for a training on these domains alone."""
        return np.where(np.isin(self.domain, domains), self.split, "")

    def normalised_images(self) -> np.ndarray:
        """Return the images with the colours of the target domain moved to those of the source domain (Reinhard).

        The statistics of the target domain are those of all its images, those of the source domain of its training set.
        """
        is_target = self.domain == TARGET
        is_reference = (self.domain == SOURCE) & (self.split == "train")
        statistics = [preprocessing.fit_reinhard(self.images[chosen]) for chosen in (is_target, is_reference)]
        images = self.images.copy()
        images[is_target] = [preprocessing.normalize_reinhard(image, *statistics) for image in self.images[is_target]]
        return images

    def test_scores(self, model: keras.Model, domain: str, images: np.ndarray | None = None) -> pd.DataFrame:
        """Score a model on the test images of a domain.

        Args:
            model: model from images to class probabilities per pixel.
            domain: ``source`` or ``target``.
            images: other versions of all images, such as :meth:`normalised_images`; the original ones by default.

        Returns:
            Table of :func:`helpers.metrics.segmentation_scores` without the mean of classes.
        """
        is_test = (self.domain == domain) & (self.split == "test")
        predicted = predict_masks(model, (self.images if images is None else images)[is_test])
        return metrics.segmentation_scores(self.masks[is_test], predicted, self.frame.index[is_test]).dropna(
            subset="dice"
        )


def choose_domains(data: Dataset, external_dataset: str) -> tuple[Dataset, Dataset | None]:
    """Choose a source and a target domain, and print a line where there is no second stain.

    Args:
        data: dataset of the chapter.
        external_dataset: name of a dataset of another stain; if empty, the first stain batch of ``data`` is the source
            domain and the others are the target domain.

    Returns:
        Source and target domain; the whole of ``data`` and None if it has no stain batches.
    """
    if external_dataset:
        return data, load(external_dataset)
    if "stain_batch" not in data.frame:
        print(
            "left out, here and in the next section: no second stain; set external_dataset in the first code cell to a "
            "dataset with masks (with papermill: -p external_dataset wbc2)"
        )
        return data, None
    in_first_batch = data.frame["stain_batch"] == data.frame["stain_batch"].min()
    return data.select(data.frame.index[in_first_batch]), data.select(data.frame.index[~in_first_batch])


def combine_domains(source: Dataset, target: Dataset, *, size: int, seed: int) -> StainDomains:
    """Load two datasets with masks and split each by group: 55 % training, 20 % validation, 25 % test.

    Args:
        source: dataset of one stain.
        target: dataset of another.
        size: side of the images in pixels.
        seed: random seed of the splits.
    """
    both = (source, target)
    split = [splits.group_train_val_test_split(data.frame, val_size=0.2, test_size=0.25, seed=seed) for data in both]
    return StainDomains(
        frame=pd.concat([data.frame for data in both]),
        domain=np.repeat([SOURCE, TARGET], [len(data) for data in both]),
        split=np.concatenate(split),
        images=np.concatenate([data.load_images(size) for data in both]),
        masks=np.concatenate([data.load_masks(size) for data in both]),
    )
