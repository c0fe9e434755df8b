"""Test what a change of images does: to the names that a network gives them, and to the cells in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from skimage.measure import label as label_components

from helpers import models
from helpers.augmentation import Augmentation, augment
from helpers.backend import keras, tf
from helpers.datasets import Dataset


def changed_predictions(
    model: keras.Model, versions: Mapping[str, np.ndarray], classes: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the predicted classes of images with those of changed versions of the same images.

    Args:
        model: model from images to class probabilities.
        versions: images ``uint8 (n, size, size, 3)`` in the same order, by strength of the change, weakest first; the
            first version is the one compared with.
        classes: names of the classes in the order of the model's output.

    Returns:
        Two tables. Share of images that keep their predicted class, 0 to 1: a row for each class predicted for at least
        one image of the first version, a column for each version. Number of images by class predicted in the first
        (rows) and the last version (columns).
    """
    names = np.array(classes)
    predicted = {name: names[models.predict_proba(model, images).argmax(axis=1)] for name, images in versions.items()}
    first, last = next(iter(predicted.values())), list(predicted.values())[-1]
    kept = pd.DataFrame({name: predicted[name] == first for name in predicted}).groupby(first).mean()
    renamed = pd.crosstab(pd.Series(first, name="before"), pd.Series(last, name="after"))
    return kept.rename_axis("predicted"), renamed.reindex(columns=list(classes), fill_value=0)


def ghost_share(dataset: Dataset, augmentation: Augmentation, *, seed: int, size: int = 64) -> float:
    """Measure how often augmentation adds a white blood cell to an image, such as by reflection at the border.

    Args:
        dataset: images of single cells.
        augmentation: strength of the augmentation.
        seed: random seed of the augmentation.
        size: side of the images, pixels.

    Returns:
        Share of images, 0 to 1, whose annotated mask has more connected cells (at least 1 % of the image) afterwards;
        NaN for a dataset without masks.
    """
    if not dataset.has_masks:
        return float("nan")
    images, masks = dataset.load_images(size), dataset.load_masks(size)
    keys = tf.random.split((seed, 0), len(images))
    more = 0
    for image, mask, key in zip(images, masks, keys, strict=True):
        _, changed = augment(tf.constant(image), tf.constant(mask), augmentation, key)
        more += _count_cells(changed.numpy()) > _count_cells(mask)
    return more / len(images)


def _count_cells(mask: np.ndarray) -> int:
    """Count the connected cells of a mask that cover at least 1 % of it; the nucleus belongs to its cell."""
    sizes = np.bincount(label_components(mask > 0).ravel())[1:]
    return int((sizes >= mask.size / 100).sum())
