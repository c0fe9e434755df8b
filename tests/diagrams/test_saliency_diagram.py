"""The diagram of attribution methods shows the maps of the model and whether its head reads more than the last."""

import numpy as np
import pytest
from layout import misplaced

from helpers import explain, models
from helpers.backend import keras, layers
from helpers.diagrams import saliency


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def last_map_only():
    encoder = models.unet_encoder_classifier(4, 2, depth=2)
    last = [layer for layer in encoder.layers if isinstance(layer, layers.ReLU)][-1]
    pooled = layers.GlobalAveragePooling2D()(last.output)
    return keras.Model(encoder.input, layers.Dense(2, activation="softmax")(pooled))


def test_a_head_that_reads_all_levels_has_a_way_past_the_last_map(image):
    picture = saliency.where_methods_read(explain.logits_model(models.unet_encoder_classifier(4, 2, depth=2)), image)
    assert {"32 × 32 × 3", "32 × 32 × 4", "8 × 8 × 16"} <= set(texts(picture))
    assert "finer maps reach this head too" in texts(picture)
    assert "The head reads 3 maps, finer ones past the last one." in picture.alt
    assert misplaced(picture.figure) == []


def test_a_head_that_reads_the_last_map_has_none(image):
    picture = saliency.where_methods_read(explain.logits_model(last_map_only()), image)
    assert "finer maps reach this head too" not in texts(picture)
    assert "The head reads the last map alone." in picture.alt
    assert misplaced(picture.figure) == []
