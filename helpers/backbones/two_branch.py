"""Two-branch classifier: one backbone for the original image, another for the image without its background.

After Ghaderzadeh et al. 2022 (github.com/MehradAria/ALL-Subtype-Classification, which has no training code).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers import preprocessing
from helpers.backbones.extraction import extract_features, feature_extractor
from helpers.backend import keras, layers
from helpers.datasets import Dataset


def segment_foreground(image: np.ndarray) -> np.ndarray:
    """Segment the cell by Otsu's thresholds and set its background to black.

    Args:
        image: RGB image ``uint8 (height, width, 3)``.

    Returns:
        Image ``uint8 (height, width, 3)``; unchanged if no cell is segmented.
    """
    cell = preprocessing.segment_cell_otsu(image) > 0
    return preprocessing.remove_background(image, cell) if cell.any() else image


def extract_two_branch_features(dataset: Dataset, name: str, cache_dir: Path, *, views: int = 8) -> np.ndarray:
    """Extract and concatenate the features of the original images and of the images without background.

    Args:
        dataset, name, cache_dir, views: As in :func:`helpers.backbones.extract_features`.

    Returns:
        Features ``float16 (n, views, 2 channels)``: original image first, then segmented image.

    Raises:
        ValueError, helpers.backbones.BackboneError: As :func:`helpers.backbones.extract_features`.
    """
    features = [
        extract_features(dataset, name, cache_dir, views=views, transform=transform)
        for transform in (None, segment_foreground)
    ]
    return np.concatenate(features, axis=2)


def two_branch_model(name: str, head: keras.Model) -> keras.Model:
    """Build the full two-branch network from a backbone and a classification head.

    Args:
        name: Backbone of both branches; they share no layers.
        head: Classification head trained on :func:`extract_two_branch_features`, from ``(n, 2 channels)`` to
            ``(n, classes)``.

    Returns:
        Model from two inputs ``original`` and ``segmented``, images ``(n, size, size, 3)``, 0 to 255, to probabilities
        ``(n, classes)``.

    Raises:
        helpers.backbones.BackboneError: As :func:`helpers.backbones.build_backbone`.
    """
    branches = [feature_extractor(name), feature_extractor(name)]
    inputs = [keras.Input(branches[0].input_shape[1:], name=kind) for kind in ("original", "segmented")]
    features = []
    for kind, image, branch in zip(("original", "segmented"), inputs, branches, strict=True):
        branch.name = f"{kind}_{name}"
        features.append(branch(image))
    return keras.Model(inputs, head(layers.Concatenate()(features)), name=f"two_branches_{name}")


def predict_two_branch(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict class probabilities with a two-branch model from one view of each image, removing the background first.

    Args:
        model: Model of :func:`two_branch_model`.
        images: RGB images ``uint8 (n, size, size, 3)``.

    Returns:
        Probabilities ``float32 (n, classes)``.
    """
    segmented = np.stack([segment_foreground(image) for image in images])
    return np.asarray(model({"original": images, "segmented": segmented}, training=False))
