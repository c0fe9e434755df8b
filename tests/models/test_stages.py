"""The levels of a U-Net: their sizes, and the pixels that they really depend on."""

import keras
import numpy as np

from helpers import models
from helpers.backend import tf
from helpers.models.stages import encoder_receptive_fields


def test_the_levels_halve_and_double_and_come_back():
    image = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    stages = models.unet_stages(models.unet(4, depth=2), image)
    assert [stage.name for stage in stages] == ["encoder 1", "encoder 2", "bottleneck", "decoder 2", "decoder 1"]
    assert [stage.activations.shape for stage in stages] == [
        (32, 48, 4), (16, 24, 8), (8, 12, 16), (16, 24, 8), (32, 48, 4),
    ]  # fmt: skip
    assert [stage.receptive_field for stage in stages] == [5, 14, 32, None, None]
    assert all(stage.activations.min() >= 0 for stage in stages)  # after the ReLU


def test_the_last_level_is_what_the_probabilities_are_computed_from():
    model = models.unet(4, depth=2)
    image = np.random.default_rng(1).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    last = models.unet_stages(model, image)[-1].activations
    assert np.allclose(model.layers[-1](last[None]), model(image[None], training=False), atol=1e-5)


def test_a_receptive_field_is_the_square_of_pixels_that_change_a_value():
    model = models.unet(4, depth=2)
    bottleneck = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2DTranspose)).input
    encoder = keras.Model(model.input, bottleneck)
    image = tf.Variable(np.random.default_rng(2).uniform(0, 255, (1, 64, 64, 3)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(encoder(image, training=False)[0, 8, 8])
    reached = np.abs(tape.gradient(value, image)).sum(axis=(0, 3)) > 0
    sides = [np.ptp(np.flatnonzero(reached.any(axis=axis))) + 1 for axis in (0, 1)]
    assert max(sides) <= encoder_receptive_fields(model)[-1] == 32
    assert min(sides) > 24


def test_without_skip_connections_nothing_is_concatenated_and_the_decoder_is_smaller():
    whole, without = models.unet(4), models.unet(4, skip_connections=False)
    assert sum(isinstance(layer, keras.layers.Concatenate) for layer in whole.layers) == 4
    assert not any(isinstance(layer, keras.layers.Concatenate) for layer in without.layers)
    # the first convolution of a level then reads half the channels: 3 · 3 · f · f weights less, f = 4, 8, 16 and 32
    assert whole.count_params() - without.count_params() == 9 * (4**2 + 8**2 + 16**2 + 32**2)
    assert without.output_shape == whole.output_shape
