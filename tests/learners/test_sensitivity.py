"""What a change of images does to predictions, and to the cells in the images."""

import math
from dataclasses import replace

import numpy as np
import pytest

from helpers import datasets
from helpers.augmentation import NO_AUGMENTATION
from helpers.backend import keras, layers
from helpers.learners import sensitivity


def red_or_blue():
    """A network that predicts by the mean of red and blue."""
    inputs = keras.Input((8, 8, 3))
    means = layers.GlobalAveragePooling2D()(inputs)
    outputs = layers.Dense(2, activation="softmax", use_bias=False, name="output")(means)
    model = keras.Model(inputs, outputs)
    model.get_layer("output").set_weights([np.array([[1.0, 0], [0, 0], [0, 1.0]])])
    return model


def test_images_that_get_another_class_are_counted_by_their_first_class():
    red, blue = np.zeros((2, 8, 8, 3), np.uint8)
    red[..., 0], blue[..., 2] = 9, 9
    versions = {"weak": np.stack([red, red, blue]), "strong": np.stack([red, blue, blue])}
    kept, renamed = sensitivity.changed_predictions(red_or_blue(), versions, ("red", "blue"))
    assert kept.to_dict("index") == {"blue": {"weak": 1, "strong": 1}, "red": {"weak": 1, "strong": 0.5}}
    assert renamed.loc["red"].to_dict() == {"red": 1, "blue": 1}


def test_a_large_translation_mirrors_cells_and_none_does_not():
    data = datasets.load("synthetic", n_images=12, n_patients=3, size=64)
    assert sensitivity.ghost_share(data, NO_AUGMENTATION, seed=20) == 0
    far = replace(NO_AUGMENTATION, translation=0.6)
    assert sensitivity.ghost_share(data, far, seed=20) > 0
    assert math.isnan(sensitivity.ghost_share(replace(data, has_masks=False), far, seed=20))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_change_of_nothing_renames_nothing(seed):
    images = np.random.default_rng(seed).integers(0, 255, (5, 8, 8, 3), np.uint8)
    kept, _ = sensitivity.changed_predictions(red_or_blue(), {"a": images, "b": images}, ("red", "blue"))
    assert (kept == 1).all(axis=None)
