"""Evaluation of attribution maps: metrics of localisation and faithfulness, each with its chance level."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy.integrate import trapezoid
from scipy.stats import rankdata

from helpers.backend import keras, layers
from helpers.explain.attribution import mean_colour_images
from helpers.models import predict_proba

STEPS = 16  # number of steps of deletion and insertion


def relevance_mass(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Compute the share of positive relevance within the mask.

    The chance level, that of a constant map, is :func:`mask_coverage`.

    Args:
        maps: ``float32 (n, size, size)``; negative relevance is ignored.
        masks: ``bool (n, size, size)``.

    Returns:
        ``float (n,)``, 0 to 1; 0 for a map without positive relevance.
    """
    positive = np.maximum(maps, 0)
    total = positive.sum((1, 2))
    return (positive * masks).sum((1, 2)) / np.where(total > 0, total, 1)


def pointing_game(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Test whether the maximum of a map lies within the mask (pointing game, Zhang et al. 2018).

    Arguments and chance level as for :func:`relevance_mass`.

    Returns:
        ``float (n,)``, 0 or 1; for several equal maxima, the share of them within the mask.
    """
    largest = maps == maps.max((1, 2), keepdims=True)
    return (largest & masks).sum((1, 2)) / largest.sum((1, 2))


def mask_coverage(masks: np.ndarray) -> np.ndarray:
    """Compute the share of each image that the mask covers, ``float (n,)``.

    It is the chance level of :func:`relevance_mass` and :func:`pointing_game`.
    """
    return masks.mean((1, 2))


def deletion(model: keras.Model, images: np.ndarray, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute the deletion score: mean probability of the class as the most relevant pixels are removed first.

    Removed pixels get the mean colour; lower is better. Source: Petsiuk et al. 2018.

    Args:
        model: classifier, or a function, from images to probabilities ``(n, classes)``.
        images: ``uint8 (n, size, size, 3)`` RGB.
        maps: ``float32 (n, size, size)``.
        classes: ``int (n,)``, class of each map.

    Returns:
        ``float (n,)``, area under the curve of the probability at 17 shares of removed pixels, from 0 to 1.
    """
    return _perturbation_score(model, images, _baseline(images), maps, classes)


def insertion(model: keras.Model, images: np.ndarray, maps: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Compute the insertion score: mean probability of the class as the most relevant pixels are restored first.

    Pixels are restored on an image of the mean colour; higher is better. Arguments and result as for :func:`deletion`.
    """
    return _perturbation_score(model, _baseline(images), images, maps, classes)


def _baseline(images: np.ndarray) -> np.ndarray:
    return mean_colour_images(images).round().astype(np.uint8)


def _perturbation_score(
    model: keras.Model, begin: np.ndarray, end: np.ndarray, maps: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    n, n_pixels = len(maps), maps[0].size
    rank = np.stack([rankdata(-one, method="ordinal") for one in maps.reshape(n, n_pixels)]).reshape(maps.shape)
    probabilities = []
    for share in np.linspace(0, 1, STEPS + 1):
        mixed = np.where((rank <= share * n_pixels)[..., None], end, begin)
        probabilities.append(_probabilities(model, mixed)[np.arange(n), np.asarray(classes, int)])
    return trapezoid(probabilities, dx=1 / STEPS, axis=0)


def _probabilities(model: keras.Model | Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    return predict_proba(model, images) if isinstance(model, keras.Model) else model(images)


def rank_correlation(attributions: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Compute Spearman's rank correlation of two maps of each image, ``float (n,)``; NaN for a constant map."""
    ranks = [np.stack([rankdata(one) for one in maps.reshape(len(maps), -1)]) for maps in (attributions, reference)]
    first, second = (rank - rank.mean(1, keepdims=True) for rank in ranks)
    with np.errstate(invalid="ignore"):
        return (first * second).sum(1) / np.sqrt((first**2).sum(1) * (second**2).sum(1))


def cascading_randomization(model: keras.Model, seed: int) -> Iterator[tuple[str, keras.Model]]:
    """Randomise the weights of a model layer by layer, from the last to the first (Adebayo et al. 2018).

    A map that hardly changes depends on the image, not on the trained weights.

    Args:
        model: from :func:`helpers.explain.logits_model`; it is not modified.
        seed: random seed of the weights.

    Yields:
        Name of the layer randomised last, and the randomised copy, which is the same object in every step. Batch
        normalisation layers are reset to their initial weights, but yield no step of their own.
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


def cascade_agreement(
    model: keras.Model,
    images: np.ndarray,
    classes: np.ndarray,
    methods: dict[str, Callable[[keras.Model, np.ndarray, np.ndarray], np.ndarray]],
    seed: int,
) -> pd.DataFrame:
    """Compare the maps of a model, without signs, with those after each step of :func:`cascading_randomization`.

    Args:
        model: from :func:`helpers.explain.logits_model`.
        images: ``uint8 (n, size, size, 3)`` RGB.
        classes: ``int (n,)``, class of each map.
        methods: attribution methods by name, such as those of :data:`helpers.explain.METHODS`.
        seed: random seed of the weights.

    Returns:
        Columns ``layers drawn anew``, ``method``, ``agreement`` (mean rank correlation; NaN where all maps are
        constant) and ``empty maps``, the number of images without a rank correlation.
    """
    trained = {name: np.abs(method(model, images, classes)) for name, method in methods.items()}
    rows = []
    for n_layers, (_, network) in enumerate(cascading_randomization(model, seed), 1):
        for name, method in methods.items():
            correlations = rank_correlation(trained[name], np.abs(method(network, images, classes)))
            defined = correlations[~np.isnan(correlations)]
            agreement = float(defined.mean()) if len(defined) else np.nan
            rows.append((n_layers, name, agreement, len(correlations) - len(defined)))
    return pd.DataFrame(rows, columns=["layers drawn anew", "method", "agreement", "empty maps"])


def evaluate_attributions(
    ids: pd.Index,
    maps: dict[str, np.ndarray],
    images: np.ndarray,
    masks: dict[str, np.ndarray],
    model: keras.Model,
    classes: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """Evaluate the attribution maps of several methods, and their chance level.

    Args:
        ids: ``image_id`` of each image.
        maps: attribution maps ``float32 (n, size, size)`` by method.
        images: ``uint8 (n, size, size, 3)`` RGB.
        masks: ``bool (n, size, size)`` by the name of the masked region, such as ``nucleus``.
        model: classifier, or a function, from images to probabilities ``(n, classes)``.
        classes: ``int (n,)``, class of each map.
        seed: random seed of the noise maps, the chance level of deletion and insertion.

    Returns:
        Columns ``image_id, method, score, value``. Scores are ``energy in …`` (:func:`relevance_mass`) and
        ``pointing to …`` of every mask, ``deletion`` and ``insertion``. The method ``chance`` has the mask coverage for
        the first two, and the results of noise maps for the others.
    """
    noise = np.random.default_rng(seed).random(images.shape[:3], np.float32)
    rows = []
    for name, attributions in {**maps, "chance": noise}.items():
        values = {}
        for region, mask in masks.items():
            values[f"energy in {region}"] = (
                mask_coverage(mask) if name == "chance" else relevance_mass(attributions, mask)
            )
            values[f"pointing to {region}"] = (
                mask_coverage(mask) if name == "chance" else pointing_game(attributions, mask)
            )
        values["deletion"] = deletion(model, images, attributions, classes)
        values["insertion"] = insertion(model, images, attributions, classes)
        rows += [
            pd.DataFrame({"image_id": ids, "method": name, "score": score, "value": value})
            for score, value in values.items()
        ]
    return pd.concat(rows, ignore_index=True)
