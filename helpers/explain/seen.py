"""What a model sees: the maps of its layers, the picture that a filter likes most, and where images lie."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from helpers.backend import keras
from helpers.explain.maps import _library


def layer_maps(model: keras.Model, images: np.ndarray, layer: str) -> np.ndarray:
    """What a layer makes of images ``uint8 (n, size, size, 3)``: ``float32 (n, height, width, channels)``.

    Args:
        model: from :func:`helpers.explain.unrolled` or :func:`helpers.explain.scores`.
        images: as the model takes them.
        layer: its name.

    Raises:
        ValueError: no such layer.
    """
    return np.asarray(keras.Model(model.inputs[0], model.get_layer(layer).output)(images, training=False))


def liked_most(
    model: keras.Model, layer: str, channels: list[int], size: int, seed: int, steps: int = 64
) -> np.ndarray:
    """Pictures that a layer's channels answer to most strongly, found by going uphill from noise (Erhan et al. 2009).

    Args:
        model: as in :func:`layer_maps`.
        layer: its name.
        channels: numbers of its channels.
        size: side of the pictures, pixels.
        seed: of the noise.
        steps: uphill.

    Returns:
        ``uint8 (len(channels), size, size, 3)`` RGB.
    """
    keras.utils.set_random_seed(seed)  # the library's jitter draws from the global stream
    part = keras.Model(model.inputs[0], model.get_layer(layer).output)
    begin = np.random.default_rng(seed).uniform(96, 160, (len(channels), size, size, 3)).astype(np.float32)
    with _library():
        from tf_keras_vis.activation_maximization import ActivationMaximization
        from tf_keras_vis.activation_maximization.input_modifiers import Jitter, Rotate2D
        from tf_keras_vis.activation_maximization.regularizers import TotalVariation2D
        from tf_keras_vis.utils.scores import CategoricalScore

        smooth, uphill = [TotalVariation2D(weight=0.1)], keras.optimizers.RMSprop(20.0)  # pixels go from 0 to 255
        rotation = Rotate2D(degree=1)
        rotation.random_generator = np.random.default_rng(seed)  # its own has no seed
        found = ActivationMaximization(part)(
            CategoricalScore(channels),
            begin,
            steps=steps,
            input_modifiers=[Jitter(jitter=4), rotation],
            regularizers=smooth,
            optimizer=uphill,
        )
    return np.asarray(found).clip(0, 255).astype(np.uint8)


def penultimate(model: keras.Model, images: np.ndarray, batch: int = 32) -> np.ndarray:
    """What the last layer is given: ``float32 (n, features)``. Arguments as :func:`layer_maps`."""
    dense = next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Dense))
    part = keras.Model(model.inputs[0], dense.input)
    said = [np.asarray(part(images[k : k + batch], training=False)) for k in range(0, len(images), batch)]
    return np.concatenate(said)


def laid_flat(features: np.ndarray, ids: pd.Index, seed: int) -> pd.DataFrame:
    """Images as points of a plane, near each other where their features are alike (t-SNE, van der Maaten 2008).

    Distances between clusters, and their sizes, mean nothing.

    Args:
        features: ``float (n, features)``.
        ids: of the images.
        seed: of the layout.

    Returns:
        Columns ``across`` and ``down``, by ``image_id``.
    """
    scaled = StandardScaler().fit_transform(features)
    fewer = PCA(min(30, *scaled.shape), random_state=seed).fit_transform(scaled)
    perplexity = min(30, (len(ids) - 1) / 3)
    points = TSNE(perplexity=perplexity, random_state=seed, init="pca").fit_transform(fewer)
    return pd.DataFrame(points, ids, columns=["across", "down"])
