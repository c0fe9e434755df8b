"""Perturbation needs probabilities only, and finds the pixels that they rest on."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from helpers import explain, models

SIZE = 28


def red_share(images):
    """A classifier without a graph: the probability of the second class is the share of red pixels, up to a tenth."""
    red = (images[..., 0] > 200).mean((1, 2)) * 10
    return np.column_stack([1 - red, red]).clip(0, 1)


@pytest.fixture(scope="module")
def spots():
    """Grey images with a red square of 64 pixels, of 784, in different places, and where it is."""
    images = np.full((3, SIZE, SIZE, 3), 120, np.uint8)
    masks = np.zeros((3, SIZE, SIZE), bool)
    for k, (top, left) in enumerate([(2, 3), (18, 4), (10, 16)]):
        masks[k, top : top + 8, left : left + 8] = True
    images[masks] = (230, 40, 40)
    return images, masks


@pytest.mark.parametrize("method", [explain.METHODS["occlusion"], explain.rise])
def test_maps_of_any_classifier_lie_on_what_it_looks_at(spots, method):
    images, masks = spots
    maps = method(explain.LogProbabilities(red_share), images, np.array([1, 1, 1]))
    assert maps.shape == masks.shape
    assert maps.dtype == np.float32
    assert (explain.relevance_mass(maps, masks) > 3 * explain.mask_coverage(masks)).all()
    assert (explain.pointing_game(maps, masks) == 1).all()
    for image, mask in zip(maps, masks, strict=True):
        assert image[mask].mean() > 0


def test_rise_of_the_other_class_is_the_opposite_and_of_a_constant_nothing(spots):
    images, _ = spots
    scores = explain.LogProbabilities(red_share)
    first, second = (explain.rise(scores, images, np.full(3, k), n_masks=16) for k in (0, 1))
    np.testing.assert_allclose(first, -second, atol=1e-5)
    assert np.abs(second).max() > 0.01
    constant = explain.LogProbabilities(lambda batch: np.full((len(batch), 2), 0.5))
    assert np.abs(explain.rise(constant, images, np.zeros(3, int), n_masks=16)).max() < 1e-6


def test_rise_repeats_with_its_seed_and_changes_with_another(spots):
    images, _ = spots
    scores, classes = explain.LogProbabilities(red_share), np.array([1, 1, 1])
    one, again, other = (explain.rise(scores, images, classes, n_masks=8, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


def test_log_probabilities_are_logits_of_the_same_softmax():
    model, images = models.unet_encoder_classifier(4, 3), np.full((2, 32, 32, 3), 90, np.uint8)
    scores = explain.LogProbabilities(lambda batch: models.predict_proba(model, batch))(images + 0.4)
    np.testing.assert_allclose(keras.ops.softmax(scores), models.predict_proba(model, images), atol=1e-6)


class TwoViews(layers.Layer):
    """An image and its mirror image in one batch, of which a model may average the features."""

    def call(self, images):
        return ops.concatenate([images, ops.flip(images, axis=2)], axis=0)

    def compute_output_shape(self, input_shape):
        return (None, *input_shape[1:])


class MeanOfTwo(layers.Layer):
    def call(self, values):
        return ops.mean(ops.reshape(values, (2, -1, values.shape[-1])), axis=0)

    def compute_output_shape(self, input_shape):
        return (None, *input_shape[1:])


def model_of_views(size=32):
    """A network with a backbone within that sees two views of an image."""
    inputs = keras.Input((size, size, 3))
    backbone = keras.Sequential([keras.Input((size, size, 3)), layers.Conv2D(4, 3, strides=2, activation="relu")])
    features = layers.GlobalAveragePooling2D()(backbone(layers.Rescaling(1 / 255)(TwoViews()(inputs))))
    return keras.Model(inputs, layers.Dense(2, activation="softmax")(MeanOfTwo()(features)))


@pytest.mark.parametrize("name", ["Grad-CAM", "Grad-CAM++", "Score-CAM"])
def test_feature_maps_of_several_views_are_refused_with_the_reason(name):
    network = explain.logits_model(model_of_views())
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    with pytest.raises(explain.ExplainError, match="6 feature maps of 3 images, as it sees several views of each"):
        explain.METHODS[name](network, images, np.array([0, 1, 1]))
    assert explain.METHODS["gradient"](network, images, np.array([0, 1, 1])).shape == (3, 32, 32)
