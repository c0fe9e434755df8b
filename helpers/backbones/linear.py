"""Linear classifier on frozen backbones as one model: images in, probabilities out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.backbones.extraction import feature_extractor
from helpers.backend import keras, layers
from helpers.models.views import DihedralViews, ViewMean


def linear_classifier(names: Sequence[str], size: int, kernel: np.ndarray, bias: np.ndarray) -> keras.Model:
    """Build a classifier that is linear in the features of frozen backbones, averaged over eight views.

    The features are those of :func:`helpers.backbones.extract_features` with ``views=8``, averaged over the views, and
    concatenated in the order of ``names``. Everything is in the graph: views, input scaling, backbones and softmax.

    Args:
        names: backbones, see :data:`helpers.backbones.BACKBONES`.
        size: height and width of the images in pixels.
        kernel: ``float (channels, classes)``, weights of the logits; ``channels`` is the sum over the backbones.
        bias: ``float (classes,)``.

    Returns:
        Model from images ``(n, size, size, 3)``, 0 to 255, to probabilities ``float32 (n, classes)``.

    Raises:
        ValueError: ``kernel`` does not have as many rows as the backbones have channels.
        helpers.backbones.BackboneError: As :func:`helpers.backbones.build_backbone`.
    """
    image = keras.Input((size, size, 3), name="image")
    views = DihedralViews(name="views")(image)
    features = [ViewMean(name=f"{name}_mean")(feature_extractor(name, size)(views)) for name in names]
    joint = features[0] if len(features) == 1 else layers.Concatenate(name="features")(features)
    dense = layers.Dense(len(bias), activation="softmax", name="probability")
    probability = dense(joint)
    if kernel.shape != tuple(dense.kernel.shape):
        raise ValueError(f"{', '.join(names)} need a kernel {tuple(dense.kernel.shape)}, got {kernel.shape}")
    dense.set_weights([kernel, bias])
    return keras.Model(image, probability, name="linear_classifier")
