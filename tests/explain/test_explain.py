"""Maps are of the model and of the class, relevance adds up, and scores know a map from noise."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from helpers import backbones, explain, models

SIZE = 32


@pytest.fixture(scope="module")
def red():
    """Two classes; the second is as probable as there is red in the picture, and nothing else counts."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    excess = layers.Conv2D(1, 1, activation="relu", name="excess")
    mean = layers.GlobalAveragePooling2D()(excess(layers.Rescaling(1.0)(image)))
    last = layers.Dense(2, activation="softmax", name="probability")
    model = keras.Model(image, last(mean), name="red")
    excess.set_weights([np.array([1.0, -1.0, 0.0]).reshape(1, 1, 3, 1), np.array([-60.0])])
    last.set_weights([np.array([[-0.5, 0.5]]), np.zeros(2)])
    return model


@pytest.fixture(scope="module")
def spots():
    """Grey pictures with a red square in different places, and where it is."""
    random = np.random.default_rng(0)
    images = random.integers(118, 138, (4, SIZE, SIZE, 3)).astype(np.uint8)
    masks = np.zeros((4, SIZE, SIZE), bool)
    for k, (top, left) in enumerate([(2, 3), (20, 4), (12, 18), (6, 22)]):
        masks[k, top : top + 8, left : left + 8] = True
    images[masks] = (230, 40, 40)
    return images, masks


def some_images(size, n=3):
    return np.random.default_rng(1).integers(0, 256, (n, size, size, 3)).astype(np.uint8)


def nested():
    """As in Keras's guide to transfer learning: a backbone within the model, with statistics of its own."""
    base = keras.applications.MobileNet(
        input_shape=(SIZE, SIZE, 3), alpha=0.25, include_top=False, weights=None, pooling=None
    )
    random = np.random.default_rng(0)
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([w + random.uniform(0.1, 0.4, w.shape) for w in layer.get_weights()])
    image = keras.Input((SIZE, SIZE, 3))
    x = base(layers.Rescaling(1 / 127.5, -1)(image), training=False)
    return keras.Model(image, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


MODELS = {
    "schouten": (lambda: models.schouten(6), 257),
    "schouten with one output": (lambda: models.schouten(sigmoid=True), 257),
    "encoder": (lambda: models.unet_encoder_classifier(4, 3), SIZE),
    "anna": (models.anna, 128),
    "a backbone within": (nested, SIZE),
    "a flat backbone": (lambda: backbones.fine_tuning_model("mobilenetv2", "scratch", SIZE, classes=3), SIZE),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_unrolled_model_says_what_the_model_says_and_scores_are_before_the_softmax(name):
    build, size = MODELS[name]
    model, images = build(), some_images(size)
    said = np.asarray(model(images, training=False))
    assert np.allclose(np.asarray(explain.flatten_model(model)(images, training=False)), said, atol=1e-6)
    scores = np.asarray(explain.logits_model(model)(images, training=False))
    if said.shape[1] == 1:
        assert np.allclose(1 / (1 + np.exp(-scores[:, 1])), said[:, 0], atol=1e-6)
        assert np.array_equal(scores[:, 0], -scores[:, 1])
    else:
        share = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        assert np.allclose(share, said, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("epsilon", [0.0, 0.05])
def test_relevance_and_what_biases_and_epsilon_kept_add_up_to_the_score(name, epsilon):
    build, size = MODELS[name]
    keras.utils.set_random_seed(3)
    model, images = explain.logits_model(build()), some_images(size)
    random = np.random.default_rng(0)
    for layer in model.layers:  # fresh biases are all zero, which would prove little
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(random.normal(0, 0.05, layer.bias.shape))
    classes = np.array([0, 1, 1])
    found, kept = explain.relevance(model, images, classes, epsilon)
    said = explain.class_scores(model, images, classes)
    assert np.abs(kept).max() > 1e-6
    assert np.allclose(found.sum((1, 2, 3)) + kept, said, atol=2e-3 * np.abs(found).sum((1, 2, 3)).max() + 1e-6)


def test_without_biases_relevance_is_conserved_in_every_layer_so_that_the_map_is_the_score():
    image = keras.Input((16, 16, 3))
    x = layers.MaxPooling2D()(layers.Conv2D(6, 3, use_bias=False, activation="relu")(image))
    x = layers.Dense(8, use_bias=False, activation="relu")(layers.Flatten()(x))
    model = explain.logits_model(keras.Model(image, layers.Dense(2, use_bias=False, activation="softmax")(x)))
    images, classes = some_images(16), np.array([0, 1, 0])
    found, kept = explain.relevance(model, images, classes, 0.0)
    assert np.allclose(kept, 0, atol=1e-5)
    assert found.sum((1, 2, 3)) == pytest.approx(explain.class_scores(model, images, classes), rel=1e-3)


def test_relevance_of_a_linear_model_is_value_times_weight():
    image = keras.Input((4, 4, 3))
    model = explain.logits_model(keras.Model(image, layers.Dense(2, activation="softmax")(layers.Flatten()(image))))
    images = some_images(4)
    found, _ = explain.relevance(model, images, np.array([1, 1, 1]), 0.0)
    weight = model.layers[-1].get_weights()[0][:, 1].reshape(4, 4, 3)
    assert np.allclose(found, images * weight, rtol=1e-4, atol=1e-4)


def test_integrated_gradients_add_up_to_the_score_less_that_of_a_plain_image(red, spots):
    images, _ = spots
    model, classes = explain.logits_model(red), np.ones(4, int)
    found = explain.METHODS["integrated gradients"](model, images, classes)
    gain = explain.class_scores(model, images, classes) - explain.class_scores(
        model, explain.mean_colour_images(images), classes
    )
    assert found.sum((1, 2)) == pytest.approx(gain, rel=0.05)
    assert (gain > 1).all()


@pytest.mark.parametrize("method", explain.METHODS)
def test_every_method_finds_the_only_thing_that_counts(red, spots, method):
    images, masks = spots
    found = explain.METHODS[method](explain.logits_model(red), images, np.ones(4, int))
    assert found.shape == masks.shape
    assert found.dtype == np.float32
    assert explain.pointing_game(found, masks).mean() == 1
    assert (explain.relevance_mass(found, masks) > 6 * explain.mask_coverage(masks)).all()
    assert explain.mask_coverage(masks) == pytest.approx(64 / SIZE**2)


def test_signed_methods_say_of_the_other_class_the_opposite(red, spots):
    images, masks = spots
    model = explain.logits_model(red)
    for method in ("integrated gradients", "occlusion", "LRP-0"):
        found = explain.METHODS[method](model, images, np.zeros(4, int))
        assert (found[masks].mean() < 0) and found[masks].mean() < found[~masks].mean()


def test_a_good_map_deletes_quickly_and_brings_back_quickly(red, spots):
    images, masks = spots
    table = explain.evaluate_attributions(
        pd.Index(list("abcd"), name="image_id"), {"truth": masks.astype(np.float32)}, images, {"spot": masks}, red,
        np.ones(4, int), seed=0,
    )  # fmt: skip
    mean = table.pivot_table(index="method", columns="score", values="value")
    assert mean.at["truth", "energy in spot"] == mean.at["truth", "pointing to spot"] == 1
    assert mean.at["chance", "energy in spot"] == pytest.approx(64 / SIZE**2)
    assert mean.at["truth", "deletion"] < mean.at["chance", "deletion"] - 0.1
    assert mean.at["truth", "insertion"] > mean.at["chance", "insertion"] + 0.05


def test_an_empty_map_has_no_energy_and_a_flat_one_points_by_chance():
    masks = np.zeros((1, 4, 4), bool)
    masks[0, :2, :2] = True
    assert explain.relevance_mass(np.zeros((1, 4, 4)), masks) == 0
    assert explain.pointing_game(np.ones((1, 4, 4)), masks) == pytest.approx(0.25)
    assert explain.relevance_mass(np.ones((1, 4, 4)), masks) == pytest.approx(0.25)


def test_maps_agree_with_themselves_and_not_with_their_opposite():
    maps = np.random.default_rng(0).random((2, 8, 8))
    assert explain.rank_correlation(maps, 3 * maps + 1) == pytest.approx(1)
    assert explain.rank_correlation(maps, -maps) == pytest.approx(-1)
    assert np.abs(explain.rank_correlation(maps, maps[::-1])).max() < 0.5
    assert np.isnan(explain.rank_correlation(maps, np.ones((2, 8, 8)))).all()


def test_layers_are_drawn_anew_from_the_last_to_the_first_and_the_model_is_left_as_it_is():
    model, images = explain.logits_model(models.unet_encoder_classifier(4, 3)), some_images(SIZE)
    before, said = [w.copy() for w in model.get_weights()], []
    names = []
    for name, other in explain.cascading_randomization(model, seed=1):
        names.append(name)
        said.append(np.asarray(other(images, training=False)))
        kernel = model.get_layer(name).get_weights()[0]
        assert not np.allclose(other.get_layer(name).get_weights()[0], kernel)
    assert names[0] == "probability"
    assert names[-1] == next(layer.name for layer in model.layers if isinstance(layer, layers.Conv2D))
    assert not np.allclose(said[0], said[-1])
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_what_cannot_be_explained_is_refused_with_the_reason():
    with pytest.raises(explain.ExplainError, match="not in class probabilities"):
        explain.logits_model(models.unet(4))
    pictures = [keras.Input((8, 8, 3), name=name) for name in ("original", "segmented")]
    x = layers.Flatten()(layers.Concatenate()(pictures))
    with pytest.raises(explain.ExplainError, match="takes 2 images"):
        explain.logits_model(keras.Model(pictures, layers.Dense(2, activation="softmax")(x)))
    image, twice = keras.Input((8, 8, 3)), layers.Conv2D(3, 1)
    with pytest.raises(explain.ExplainError, match="used twice"):
        explain.flatten_model(keras.Model(image, layers.Dense(2)(layers.Flatten()(twice(twice(image))))))
    product = layers.Multiply()([layers.Conv2D(3, 1)(image), image])
    odd = explain.logits_model(keras.Model(image, layers.Dense(2, activation="softmax")(layers.Flatten()(product))))
    with pytest.raises(explain.ExplainError, match="no rule for Multiply"):
        explain.relevance(odd, some_images(8), np.zeros(3, int), 0.0)
    with pytest.raises(explain.ExplainError, match="has no layer with a feature map"):
        explain.last_conv_layer(explain.logits_model(models.dense_head(10, 2)))


def test_what_layers_see_can_be_shown(red, spots):
    images, masks = spots
    model = explain.flatten_model(red)
    seen = explain.layer_activations(model, images, "excess_activation")
    assert seen.shape == (4, SIZE, SIZE, 1)
    assert np.array_equal(seen[..., 0] > 0, masks)
    assert explain.overlay_maps(images, masks.astype(np.float32)).shape == images.shape


def test_images_that_are_alike_lie_near_each_other_and_the_layout_repeats(red, spots):
    assert explain.penultimate_features(explain.flatten_model(red), spots[0]).shape == (4, 1)
    random = np.random.default_rng(0)
    features = np.concatenate([random.normal(0, 1, (20, 8)), random.normal(9, 1, (20, 8))])
    ids = pd.Index([f"i{k}" for k in range(40)], name="image_id")
    points = explain.tsne_embedding(features, ids, seed=1)
    assert points.equals(explain.tsne_embedding(features, ids, seed=1))
    first, second = points.iloc[:20].to_numpy(), points.iloc[20:].to_numpy()
    spread = max(first.std(0).max(), second.std(0).max())
    assert np.linalg.norm(first.mean(0) - second.mean(0)) > 2 * spread
