"""Models as flat graphs before their softmax, and what their layers see."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.preprocessing import StandardScaler

from helpers import explain


def images_of(n, side=4):
    return np.random.default_rng(0).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


def body(name="body"):
    image = keras.Input((4, 4, 3))
    x = layers.Conv2D(2, 1, activation="relu", name="conv")(image)
    x = layers.Activation("tanh", name="bend")(x)
    return keras.Model(image, layers.GlobalAveragePooling2D(name="mean")(x), name=name)


def nested(head):
    image = keras.Input((4, 4, 3), name="picture")
    inner = keras.Input((4, 4, 3))
    middle = keras.Model(inner, body()(layers.Rescaling(1 / 255, name="scale")(inner)), name="middle")
    x = head(middle(image))
    return keras.Model(image, x, name="whole")


def test_layers_of_models_within_are_named_after_them_and_activations_are_layers():
    flat = explain.flatten_model(nested(layers.Dense(2, activation="softmax", name="last")))
    assert [layer.name for layer in flat.layers] == [
        "picture", "middle_scale", "middle_body_conv", "middle_body_conv_activation", "middle_body_bend",
        "middle_body_mean", "last", "last_activation",
    ]  # fmt: skip
    assert flat.name == "whole"
    assert flat.get_layer("middle_body_conv").activation is keras.activations.linear
    assert flat.get_layer("middle_body_bend").activation is keras.activations.tanh


def test_a_flat_copy_has_the_weights_of_the_model_but_not_its_layers():
    model = nested(layers.Dense(2, activation="softmax", name="last"))
    flat, images = explain.flatten_model(model), images_of(3)
    before = np.asarray(model(images))
    assert np.allclose(flat(images), before, atol=1e-6)
    flat.get_layer("last").set_weights([np.zeros((2, 2)), np.zeros(2)])
    assert np.array_equal(model(images), before)


@pytest.mark.parametrize("last", [layers.Activation("softmax"), layers.Softmax()])
def test_scores_are_what_the_softmax_is_given(last):
    dense = layers.Dense(3)
    model = nested(lambda x: last(dense(x)))
    scores = np.asarray(explain.logits_model(model)(images_of(3)))
    inner = np.asarray(keras.Model(model.inputs[0], dense.output)(images_of(3)))
    assert scores == pytest.approx(inner, abs=1e-5)
    assert explain.logits_model(model).name == "whole"


def test_one_output_becomes_two_scores_of_which_the_first_is_the_others_negative():
    dense = layers.Dense(1, activation="sigmoid")
    model = nested(dense)
    dense.set_weights([np.array([[2.0], [1.0]]), np.array([0.5])])
    hidden = np.asarray(keras.Model(model.inputs[0], dense.input)(images_of(3)))
    score = hidden @ [2.0, 1.0] + 0.5
    assert np.asarray(explain.logits_model(model)(images_of(3))) == pytest.approx(
        np.stack([-score, score], 1), abs=1e-5
    )


def test_a_model_of_several_inputs_can_be_flat_but_has_no_scores():
    pictures = [keras.Input((4, 4, 3), name=name) for name in ("one", "other")]
    x = layers.Flatten()(layers.Subtract()(pictures))
    model = keras.Model(pictures, layers.Dense(2, activation="softmax")(x), name="pair")
    flat, (a, b) = explain.flatten_model(model), (images_of(2), images_of(2)[::-1])
    assert [each.name for each in flat.inputs] == ["one", "other"]
    assert np.allclose(flat([a, b]), model([a, b]), atol=1e-6)
    with pytest.raises(explain.ExplainError, match="pair takes 2 images"):
        explain.logits_model(model)


def test_what_is_no_classifier_is_refused_by_its_last_layers():
    image = keras.Input((4, 4, 3))
    for last in (lambda x: x, lambda x: layers.Softmax(name="end")(layers.Dropout(0.1, name="drop")(x))):
        x = layers.Dense(2, name="scores")(layers.Flatten(name="flat")(image))
        with pytest.raises(explain.ExplainError, match="not in class probabilities"):
            explain.logits_model(keras.Model(image, last(x), name="odd"))


def test_a_model_that_is_no_graph_is_refused():
    class Own(keras.Model):
        def call(self, x):
            return x

    for model in (nested(lambda x: Own(name="own")(x)), Own(name="own"), keras.Sequential(name="own")):
        with pytest.raises(explain.ExplainError, match="own is not a functional model"):
            explain.flatten_model(model)


def test_a_layer_that_is_used_twice_is_refused_by_its_follower():
    image, twice = keras.Input((4, 4, 3)), layers.Conv2D(3, 1, name="twice")
    x = layers.Flatten(name="after")(twice(twice(image)))
    with pytest.raises(explain.ExplainError, match=r"^model: a layer before after is used twice$"):
        explain.flatten_model(keras.Model(image, layers.Dense(2)(x), name="model"))


def test_a_layer_map_is_what_the_layer_gives():
    flat, images = explain.flatten_model(nested(layers.Dense(2, activation="softmax"))), images_of(2)
    kernel, bias = flat.get_layer("middle_body_conv").get_weights()
    seen = explain.layer_activations(flat, images, "middle_body_conv_activation")
    assert seen == pytest.approx(np.maximum(images / 255 @ kernel[0, 0] + bias, 0), abs=1e-5)
    with pytest.raises(ValueError, match="nowhere"):
        explain.layer_activations(flat, images, "nowhere")


@pytest.mark.parametrize("batch", [1, 2, 5, 32])
def test_what_the_last_dense_layer_is_given_does_not_depend_on_the_batch(batch):
    image = keras.Input((4, 4, 3))
    x = layers.Dense(5, name="hidden")(layers.Flatten()(image))
    hidden = keras.Model(image, x)
    model = keras.Model(image, layers.Softmax()(layers.Dense(2)(x)))
    images = images_of(5)
    seen = explain.penultimate_features(model, images, batch)
    assert seen == pytest.approx(np.asarray(hidden(images)), rel=1e-4, abs=1e-3)
    assert seen.shape == (5, 5)


def test_a_layout_is_tsne_of_30_components_of_scaled_features():
    features = np.random.default_rng(0).normal(size=(95, 40)) * np.arange(1, 41)
    ids = pd.Index([f"i{k}" for k in range(95)], name="image_id")
    points = explain.tsne_embedding(features, ids, seed=2)
    fewer = PCA(30, random_state=2).fit_transform(StandardScaler().fit_transform(features))
    expected = TSNE(perplexity=30, random_state=2, init="pca").fit_transform(fewer)
    assert points.index.equals(ids)
    assert points.columns.tolist() == ["across", "down"]
    assert np.array_equal(points.to_numpy(), expected)


def test_a_layout_does_not_depend_on_the_unit_of_a_feature_and_works_for_few_images():
    features, ids = np.random.default_rng(0).normal(size=(7, 3)), pd.RangeIndex(7)
    points = explain.tsne_embedding(features, ids, seed=0)
    assert np.allclose(points, explain.tsne_embedding(features * [1, 64, 1 / 8], ids, seed=0), atol=1e-3)
    fewer = PCA(3, random_state=0).fit_transform(StandardScaler().fit_transform(features))
    assert np.array_equal(points, TSNE(perplexity=2, random_state=0, init="pca").fit_transform(fewer))
