"""Two views of one cell: the image, and the image without its background, each through a backbone of its own.

The idea of Ghaderzadeh et al. 2022 (github.com/MehradAria/ALL-Subtype-Classification, which has no training code).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers import preprocessing
from helpers.backbones.extraction import extract_features, feature_extractor
from helpers.backend import keras, layers
from helpers.datasets import Dataset


def segment_foreground(image: np.ndarray) -> np.ndarray:
    """The cell that Otsu's threshold finds, on black, ``uint8 (height, width, 3)``; all of it where none is found."""
    cell = preprocessing.segment_cell_otsu(image) > 0
    return preprocessing.remove_background(image, cell) if cell.any() else image


def extract_two_branch_features(dataset: Dataset, name: str, cache_dir: Path, *, views: int = 8) -> np.ndarray:
    """What a backbone sees in the image, and then what it sees without background, ``float16 (n, views, 2 channels)``.

    Arguments as :func:`helpers.backbones.extract_features`.
    """
    parts = [
        extract_features(dataset, name, cache_dir, views=views, transform=change)
        for change in (None, segment_foreground)
    ]
    return np.concatenate(parts, axis=2)


def two_branch_model(name: str, head: keras.Model) -> keras.Model:
    """The whole network, from both pictures to probabilities, with a head that was trained on
    :func:`extract_two_branch_features`.

    Args:
        name: of the backbone, which both branches have, each with layers of its own.
        head: from ``(n, 2 channels)`` to ``(n, classes)``.

    Returns:
        Model of two inputs ``original`` and ``segmented``, images ``(n, size, size, 3)`` from 0 to 255.
    """
    branches = [feature_extractor(name), feature_extractor(name)]
    inputs = [keras.Input(branches[0].input_shape[1:], name=part) for part in ("original", "segmented")]
    seen = []
    for part, image, branch in zip(("original", "segmented"), inputs, branches, strict=True):
        branch.name = f"{part}_{name}"
        seen.append(branch(image))
    return keras.Model(inputs, head(layers.Concatenate()(seen)), name=f"two_branches_{name}")


def predict_two_branch(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities ``float32 (n, classes)`` from images alone ``uint8 (n, size, size, 3)``; the background is removed.

    One view of each image is shown.
    """
    segmented = np.stack([segment_foreground(image) for image in images])
    return np.asarray(model({"original": images, "segmented": segmented}, training=False))
