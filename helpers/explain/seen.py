"""What a model sees: the maps of its layers, the picture that a filter likes most, and where images lie."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.ndimage import rotate
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from helpers.backend import keras, tf


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
    model: keras.Model, layer: str, channels: list[int], size: int, *, seed: int, steps: int = 64
) -> np.ndarray:
    """Find images that maximise the mean activation of a layer's channels (Erhan et al. 2009).

    Gradient ascent (RMSprop) from grey noise on the activation less a tenth of the total variation. Before every step
    the image is shifted by up to 4 pixels and rotated by up to 1°, so that no pattern of single pixels builds up.

    Args:
        model: as in :func:`layer_maps`.
        layer: its name.
        channels: numbers of its channels, one for each image.
        size: side of the images, pixels.
        seed: of noise, shifts and rotations.
        steps: of the ascent.

    Returns:
        ``uint8 (len(channels), size, size, 3)`` RGB.

    Raises:
        ValueError: no such layer.
    """
    activations = keras.Model(model.inputs[0], model.get_layer(layer).output)
    noise = np.random.default_rng(seed).uniform(96, 160, (len(channels), size, size, 3))
    images, optimizer = tf.Variable(noise, dtype=tf.float32), keras.optimizers.RMSprop(20.0)  # pixels go from 0 to 255
    shifts, angles = np.random.RandomState(seed), np.random.default_rng(seed)
    for _ in range(steps):
        moved = np.roll(images.numpy(), shifts.randint(-4, 4, 2), axis=(1, 2))
        moved = rotate(moved, angles.uniform(-1, 1), axes=(1, 2), reshape=False, order=1, mode="reflect")
        images.assign(moved)
        optimizer.apply_gradients([(_loss_gradient(activations, images.value(), channels), images)])
    return images.numpy().clip(0, 255).astype(np.uint8)


def _loss_gradient(activations: keras.Model, images: tf.Tensor, channels: list[int]) -> tf.Tensor:
    """Differentiate a tenth of the mean total variation, less the mean activation of each image's channel."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        outputs = tf.gather(activations(images, training=False), channels, axis=-1, batch_dims=1)
        variation = tf.image.total_variation(images) / np.prod(images.shape[1:])
        loss = 0.1 * variation - tf.reduce_mean(outputs, tuple(range(1, outputs.shape.rank)))
    return tape.gradient(loss, images)


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
