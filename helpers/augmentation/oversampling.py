"""Oversampling of rare classes with augmented copies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.augmentation.transforms import FLIP_ROTATE, Augmentation, augment_images


def oversample_with_augmentation(
    images: np.ndarray, labels: pd.Series, n_per_class: int, seed: int, augmentation: Augmentation = FLIP_ROTATE
) -> tuple[np.ndarray, pd.Index]:
    """Oversample the smaller classes to ``n_per_class`` images with augmented copies (Schouten et al. 2021).

    Apply it to the training set, after the split: an augmented copy of a training image in the test set is leakage.

    Args:
        images: ``uint8 (n, size, size, 3)`` RGB.
        labels: label of every image in the same order, indexed by ``image_id``.
        n_per_class: target number of images per class; a class with more keeps all and gets no copies.
        seed: random seed of sampling and augmentation.
        augmentation: strength of the augmentation.

    Returns:
        The copies ``uint8 (m, size, size, 3)``, and the id of the original of each. Numbers of copies differ by at most
        one between the originals of a class.
    """
    random, chosen = np.random.default_rng(seed), []
    for label in sorted(labels.unique()):
        members = np.flatnonzero(labels == label)
        chosen.append(np.resize(random.permutation(members), max(0, n_per_class - len(members))))
    positions = np.concatenate(chosen)
    return augment_images(images[positions], augmentation, seed), labels.index[positions]
