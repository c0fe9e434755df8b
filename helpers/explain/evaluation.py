"""Is a map right? Scores that can fail: each stands beside what a map that knows nothing reaches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid
from scipy.stats import rankdata

from helpers.backend import keras, layers
from helpers.explain.attribution import mean_colour_images
from helpers.models import predict_proba

STEPS = 16  # of deletion and insertion


def relevance_mass(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Share of what speaks for the class that lies within the mask, ``float (n,)``; 0 for an empty map.

    Chance, a map that is the same everywhere, reaches the share of the image that the mask covers.

    Args:
        maps: ``float32 (n, size, size)``; what speaks against the class does not count.
        masks: ``bool (n, size, size)``.
    """
    positive = np.maximum(maps, 0)
    whole = positive.sum((1, 2))
    return (positive * masks).sum((1, 2)) / np.where(whole > 0, whole, 1)


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Whether the map is largest within the mask, 0 or 1 (Zhang et al. 2018); of several largest places, their share.

    Arguments and chance as in :func:`relevance_mass`.
    """
    largest = maps == maps.max((1, 2), keepdims=True)
    return (largest & masks).sum((1, 2)) / largest.sum((1, 2))


def mask_coverage(masks: np.ndarray) -> np.ndarray:
    """Measure the share of each image that the mask covers, ``float (n,)``.

    It is the chance level of :func:`relevance_mass` and :func:`pointing_game`.
    """
    return masks.mean((1, 2))


def deletion(model: keras.Model, images: np.ndarray, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Mean probability of the class while the places of most relevance are taken away first (Petsiuk et al. 2018).

    A good map takes away early what counts, so less is better. What is taken away becomes the mean colour.

    Args:
        model: from images to probabilities.
        images: ``uint8 (n, size, size, 3)`` RGB.
        maps: ``float32 (n, size, size)``.
        classes: ``int (n,)``.

    Returns:
        ``float (n,)``, the area under the curve of 17 shares from nothing to all.
    """
    return _by_order(model, images, _plain(images), maps, classes)


def insertion(model: keras.Model, images: np.ndarray, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The same while those places come back to an image of one colour: more is better."""
    return _by_order(model, _plain(images), images, maps, classes)


def _plain(images: np.ndarray) -> np.ndarray:
    return mean_colour_images(images).round().astype(np.uint8)


def _by_order(
    model: keras.Model, begin: np.ndarray, end: np.ndarray, maps: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    n, places = len(maps), maps[0].size
    rank = np.stack([rankdata(-found, method="ordinal") for found in maps.reshape(n, places)]).reshape(maps.shape)
    said = []
    for share in np.linspace(0, 1, STEPS + 1):
        shown = np.where((rank <= share * places)[..., None], end, begin)
        said.append(predict_proba(model, shown)[np.arange(n), np.asarray(classes, int)])
    return trapezoid(said, dx=1 / STEPS, axis=0)


def rank_correlation(attributions: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of two maps of each image, ``float (n,)``; NaN where a map is the same everywhere."""
    ranks = [np.stack([rankdata(found) for found in maps.reshape(len(maps), -1)]) for maps in (attributions, reference)]
    first, second = (rank - rank.mean(1, keepdims=True) for rank in ranks)
    with np.errstate(invalid="ignore"):
        return (first * second).sum(1) / np.sqrt((first**2).sum(1) * (second**2).sum(1))


def cascading_randomization(model: keras.Model, seed: int) -> Iterator[tuple[str, keras.Model]]:
    """The model with more and more of its layers drawn anew, from the last to the first (Adebayo et al. 2018).

    A map that hardly changes meanwhile shows the image, not what the model has learnt.

    Args:
        model: from :func:`helpers.explain.logits_model`; it is left as it is.
        seed: of the weights.

    Yields:
        The name of the layer whose weights were drawn last, and the model, the same one in every step.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    keras.utils.set_random_seed(seed)
    for layer in reversed(copy.layers):
        if not layer.weights:
            continue
        fresh = type(layer).from_config(layer.get_config())
        fresh.build(layer.input.shape)
        layer.set_weights(fresh.get_weights())
        if not isinstance(layer, layers.BatchNormalization):
            yield layer.name, copy


def evaluate_attributions(
    ids: pd.Index,
    maps: dict[str, np.ndarray],
    images: np.ndarray,
    masks: dict[str, np.ndarray],
    model: keras.Model,
    classes: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """Every score of every method and image, and of chance.

    Args:
        ids: of the images.
        maps: by the name of the method.
        images: ``uint8 (n, size, size, 3)`` RGB.
        masks: ``bool (n, size, size)`` by the name of what they cover, such as ``nucleus``.
        model: from images to probabilities.
        classes: ``int (n,)`` that the maps speak of.
        seed: of the map of noise, which is the chance of deletion and insertion.

    Returns:
        Rows ``image_id, method, score, value``: ``energy in …`` and ``pointing to …`` every mask, ``deletion`` and
        ``insertion``. The method ``chance`` has the area of the mask for the first two, and a map of noise for the
        others.
    """
    noise = np.random.default_rng(seed).random(images.shape[:3], np.float32)
    rows = []
    for name, found in {**maps, "chance": noise}.items():
        values = {}
        for what, mask in masks.items():
            values[f"energy in {what}"] = mask_coverage(mask) if name == "chance" else relevance_mass(found, mask)
            values[f"pointing to {what}"] = mask_coverage(mask) if name == "chance" else pointing_game(found, mask)
        values["deletion"] = deletion(model, images, found, classes)
        values["insertion"] = insertion(model, images, found, classes)
        rows += [
            pd.DataFrame({"image_id": ids, "method": name, "score": score, "value": value})
            for score, value in values.items()
        ]
    return pd.concat(rows, ignore_index=True)
