"""The diagram of frozen and trained stages is that of the models."""

import pytest
from layout import misplaced

from helpers.backend import keras, layers
from helpers.diagrams import transfer


def network(seed, trained, head_seed=0):
    """A network of two stages and a head; ``trained`` are the numbers of the trained layers with weights."""
    keras.utils.set_random_seed(seed)
    body = [layers.Conv2D(4, 3, padding="same"), layers.MaxPooling2D(), layers.Conv2D(6, 3, padding="same")]
    model = keras.Sequential([keras.Input((8, 8, 3)), *body, layers.GlobalAveragePooling2D(), layers.Dense(2)])
    weighted = [layer for layer in model.layers if layer.weights]
    for number, layer in enumerate(weighted):
        layer.trainable = number in trained
    return model


@pytest.fixture(scope="module")
def diagram():
    models = {"frozen": network(1, {2}), "last block": network(1, {1, 2}), "from scratch": network(2, {0, 1, 2})}
    return transfer.frozen_and_trained(models, models["frozen"])


def test_states_and_starts_are_those_of_the_models(diagram):
    assert "frozen: frozen from pretrained, frozen from pretrained, trained from random." in diagram.alt
    assert "last block: frozen from pretrained, trained from pretrained, trained from random." in diagram.alt
    assert "from scratch: trained from random, trained from random, trained from random." in diagram.alt


def test_sizes_and_parameters_are_counted(diagram):
    shown = {text.get_text() for text in diagram.figure.axes[0].texts}
    assert {"8 × 8 × 4\n112 parameters", "4 × 4 × 6\n222 parameters", "head: 2\n14 parameters"} <= shown
    assert {"14", "236", "348"} <= shown  # trained parameters of the three


def test_nothing_overlaps(diagram):
    assert misplaced(diagram.figure) == []
