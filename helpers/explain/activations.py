"""Layer activations of a model, and t-SNE embeddings of features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from helpers.backend import keras


def layer_activations(model: keras.Model, images: np.ndarray, layer: str) -> np.ndarray:
    """Compute the activations of a layer.

    Args:
        model: flat graph from :func:`helpers.explain.flatten_model` or :func:`helpers.explain.logits_model`.
        images: ``uint8 (n, size, size, 3)`` RGB, in the size that the model was trained on.
        layer: name of the layer.

    Returns:
        ``float32 (n, height, width, channels)``, or ``(n, features)`` of a dense layer.

    Raises:
        ValueError: the model has no such layer.
    """
    return np.asarray(keras.Model(model.inputs[0], model.get_layer(layer).output)(images, training=False))


def penultimate_features(model: keras.Model, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Compute the inputs of the last dense layer, the features that the classification layer uses.

    Args:
        model, images: as in :func:`layer_activations`.
        batch_size: number of images per batch.

    Returns:
        ``float32 (n, features)``.
    """
    dense = next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Dense))
    extractor = keras.Model(model.inputs[0], dense.input)
    features = [
        np.asarray(extractor(images[k : k + batch_size], training=False)) for k in range(0, len(images), batch_size)
    ]
    return np.concatenate(features)


def tsne_embedding(features: np.ndarray, ids: pd.Index, seed: int) -> pd.DataFrame:
    """Embed image features in two dimensions by t-SNE (van der Maaten 2008).

    Features are first standardised and reduced to 30 principal components. Distances between clusters and cluster sizes
    have no meaning.

    Args:
        features: ``float (n, features)``.
        ids: ``image_id`` of each row.
        seed: random seed of PCA and t-SNE.

    Returns:
        Coordinates ``across`` and ``down``, by ``image_id``.
    """
    scaled = StandardScaler().fit_transform(features)
    components = PCA(min(30, *scaled.shape), random_state=seed).fit_transform(scaled)
    perplexity = min(30, (len(ids) - 1) / 3)
    points = TSNE(perplexity=perplexity, random_state=seed, init="pca").fit_transform(components)
    return pd.DataFrame(points, ids, columns=["across", "down"])
