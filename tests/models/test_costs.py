"""Multiply-adds of networks, counted by hand and as published."""

import pytest

from helpers import backbones, models
from helpers.backend import keras, layers


@pytest.mark.parametrize(
    ("layer", "count"),
    [
        (layers.Conv2D(16, 3), 6 * 6 * 3 * 3 * 4 * 16),
        (layers.Conv2D(16, 3, strides=2, padding="same"), 4 * 4 * 3 * 3 * 4 * 16),
        (layers.DepthwiseConv2D(3, padding="same"), 8 * 8 * 3 * 3 * 4),
        (layers.SeparableConv2D(6, 3, padding="same"), 8 * 8 * (3 * 3 * 4 + 4 * 6)),
        (layers.BatchNormalization(), 0),
    ],
)
def test_a_layer_costs_its_kernel_at_every_place(layer, count):
    assert models.multiply_adds(keras.Sequential([keras.Input((8, 8, 4)), layer])) == count


def test_layers_of_a_model_within_a_model_count():
    inner = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(2, 1), layers.Flatten()])
    outer = keras.Sequential([keras.Input((8, 8, 4)), inner, layers.Dense(3)])
    assert models.multiply_adds(outer) == 8 * 8 * 4 * 2 + 128 * 3


def test_mobilenet_v2_costs_what_its_authors_count():
    """300 million with the classification head (Sandler et al. 2018), which has 1,280 × 1,000."""
    network = backbones.build_backbone("mobilenetv2", pretrained=False)
    assert models.multiply_adds(network) + 1280 * 1000 == pytest.approx(300e6, rel=0.01)
