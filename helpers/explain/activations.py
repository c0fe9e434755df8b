"""Layer activations of a model, activation maximisation, and t-SNE embeddings of features."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.ndimage import rotate
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from helpers.backend import keras, tf


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


def maximize_activation(
    model: keras.Model, layer: str, channels: list[int], size: int, *, seed: int, n_steps: int = 64
) -> np.ndarray:
    """Find images that maximise the mean activation of a layer's channels (Erhan et al. 2009).

    Gradient ascent (RMSprop) starts from grey noise and maximises the activation − 0.1 × the mean total variation.
    Before every step the image is shifted by up to 4 pixels and rotated by up to 1°, to suppress high-frequency
    patterns.

    Args:
        model: as in :func:`layer_activations`.
        layer: name of the layer.
        channels: channel indices, one per image.
        size: side of the images, pixels.
        seed: random seed of noise, shifts and rotations.
        n_steps: number of gradient steps.

    Returns:
        ``uint8 (len(channels), size, size, 3)`` RGB.

    Raises:
        ValueError: the model has no such layer.
    """
    activations = keras.Model(model.inputs[0], model.get_layer(layer).output)
    noise = np.random.default_rng(seed).uniform(96, 160, (len(channels), size, size, 3))
    images, optimizer = tf.Variable(noise, dtype=tf.float32), keras.optimizers.RMSprop(20.0)  # pixels go from 0 to 255
    shifts, angles = np.random.RandomState(seed), np.random.default_rng(seed)
    for _ in range(n_steps):
        moved = np.roll(images.numpy(), shifts.randint(-4, 4, 2), axis=(1, 2))
        moved = rotate(moved, angles.uniform(-1, 1), axes=(1, 2), reshape=False, order=1, mode="reflect")
        images.assign(moved)
        optimizer.apply_gradients([(_loss_gradient(activations, images.value(), channels), images)])
    return images.numpy().clip(0, 255).astype(np.uint8)


def _loss_gradient(activations: keras.Model, images: tf.Tensor, channels: list[int]) -> tf.Tensor:
    """Compute the gradient of 0.1 × the mean total variation − the mean activation of each image's channel."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        outputs = tf.gather(activations(images, training=False), channels, axis=-1, batch_dims=1)
        variation = tf.image.total_variation(images) / np.prod(images.shape[1:])
        loss = 0.1 * variation - tf.reduce_mean(outputs, tuple(range(1, outputs.shape.rank)))
    return tape.gradient(loss, images)


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
