"""Scores of maps, worked out by hand."""

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers
from scipy.stats import spearmanr

from helpers import explain


@pytest.fixture(scope="module")
def brightness():
    """Two probabilities of an image of 4×4 pixels: the second is the mean of red, as a share of 255."""
    image = keras.Input((4, 4, 3))
    last = layers.Dense(2, activation="linear")
    model = keras.Model(image, last(layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))))
    last.set_weights([np.array([[-1.0, 1.0], [0, 0], [0, 0]]), np.array([1.0, 0.0])])
    return model


@pytest.fixture(scope="module")
def half():
    """Four white pixels of sixteen, and a map that ranks these first; of the plain image red is 64."""
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[0, 0] = 255
    return image, np.arange(16, 0, -1, dtype=np.float32).reshape(1, 4, 4)


def test_deletion_is_the_area_under_the_probability_while_the_best_pixels_go_first(brightness, half):
    image, ranked = half
    # 17 shares of pixels: the four white ones become 64, and then the twelve black ones do.
    red = [(4 - k) * 255 + k * 64 if k <= 4 else k * 64 for k in range(17)]
    curve = np.array(red) / 16 / 255
    area = (curve[:-1] + curve[1:]).sum() / 2 / 16
    assert explain.deletion(brightness, image, ranked, np.array([1])) == pytest.approx(area, abs=1e-6)
    assert explain.deletion(brightness, image, ranked, [0]) == pytest.approx(1 - area, abs=1e-6)


def test_insertion_is_the_area_while_the_best_pixels_come_back_first(brightness, half):
    image, ranked = half
    red = [k * 255 + (16 - k) * 64 if k <= 4 else 4 * 255 + (16 - k) * 64 for k in range(17)]
    curve = np.array(red) / 16 / 255
    area = (curve[:-1] + curve[1:]).sum() / 2 / 16
    assert explain.insertion(brightness, image, ranked, np.array([1])) == pytest.approx(area, abs=1e-6)


def test_worst_pixels_first_is_the_other_end_of_both_curves(brightness, half):
    image, ranked = half
    best, worst = (explain.deletion(brightness, image, m, [1])[0] for m in (ranked, -ranked))
    assert worst > best + 0.1
    # Taking away from the last pixel on is bringing back from the first on, read backwards.
    assert worst == pytest.approx(explain.insertion(brightness, image, ranked, [1])[0], abs=1e-6)


def test_each_image_is_judged_by_its_own_map_and_class(brightness, half):
    image, ranked = half
    images, maps = np.concatenate([image, image[:, ::-1]]), np.concatenate([ranked, ranked])
    both = explain.deletion(brightness, images, maps, np.array([1, 0]))
    alone = [explain.deletion(brightness, images[k : k + 1], maps[k : k + 1], [1 - k])[0] for k in (0, 1)]
    assert both == pytest.approx(alone)


def test_what_is_taken_away_becomes_the_mean_colour_rounded(brightness):
    image = np.zeros((1, 4, 4, 3), np.uint8)
    image[0, 0, :2] = 255  # a mean of 31.875, so 32
    ranked = np.zeros((1, 4, 4))
    red = [(32 * k + 255 * max(2 - k, 0)) / 16 / 255 for k in range(17)]
    curve = np.array(red)
    area = (curve[:-1] + curve[1:]).sum() / 2 / 16
    assert explain.deletion(brightness, image, ranked, [1]) == pytest.approx(area, abs=1e-6)  # ties go by place


def test_curves_need_no_name_that_the_lowest_numpy_lacks(monkeypatch, brightness, half):
    image, ranked = half
    monkeypatch.delattr(np, "trapezoid", raising=False)  # from NumPy 2.0 on; 1.26 is allowed
    assert 0 < explain.deletion(brightness, image, ranked, [1])[0] < 1


def test_energy_is_the_share_of_what_speaks_for_the_class():
    maps = np.array([[[2, -5], [1, 1]], [[-1, -1], [-1, -3]], [[0.1, 0], [0, 0.3]]], np.float32)
    masks = np.array([[[True, True], [False, False]]] * 3)
    assert explain.relevance_mass(maps, masks) == pytest.approx([0.5, 0, 0.25])


def test_pointing_shares_a_tie_among_the_largest_places():
    maps = np.array([[[3, 1], [1, 1]], [[3, 1], [3, 3]], [[-1, -2], [-2, -1]], [[1, 0], [0, 2]]])
    masks = np.array([[[True, True], [False, False]]] * 4)
    assert explain.pointing_game(maps, masks) == pytest.approx([1, 1 / 3, 1 / 2, 0])


def test_what_a_mask_covers_is_its_share_of_each_image():
    masks = np.array([[[True, True], [False, False]], [[True, False], [False, False]]])
    assert explain.mask_coverage(masks).tolist() == [0.5, 0.25]


def test_agreement_is_spearmans_correlation_of_each_pair_with_ties():
    random = np.random.default_rng(0)
    one, other = random.integers(0, 5, (2, 3, 6, 6))
    expected = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in zip(one, other, strict=True)]
    assert explain.rank_correlation(one, other) == pytest.approx(expected)
    assert explain.rank_correlation(one, one**3 + 7) == pytest.approx(1)
    assert np.isnan(explain.rank_correlation(one[:1], np.ones((1, 6, 6)))).all()


def cascade():
    image = keras.Input((4, 4, 3))
    x = layers.Conv2D(2, 1, name="first")(image)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    model = keras.Model(image, layers.Dense(2, name="last")(x))
    random = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([w + random.uniform(0.5, 1, w.shape) for w in layer.get_weights()])
    return model


def test_layers_are_drawn_anew_one_by_one_from_the_last_on_and_keep_what_was_drawn():
    model = cascade()
    before = {layer.name: layer.get_weights() for layer in model.layers}

    def same(other, name):
        return all(np.array_equal(a, b) for a, b in zip(other.get_layer(name).get_weights(), before[name], strict=True))

    steps, drawn, models = [], [], set()
    for name, other in explain.cascading_randomization(model, seed=1):
        steps.append((name, [same(other, each) for each in ("first", "norm", "last")]))
        drawn.append(other.get_layer("last").get_weights()[0])
        models.add(id(other))
    # The statistics of a normalisation are drawn on the way, which is not a step of its own.
    assert steps == [("last", [True, True, False]), ("first", [False, False, False])]
    assert np.array_equal(*drawn)
    assert len(models) == 1
    assert [w.tolist() for w in other.get_layer("norm").get_weights()] == [[1, 1], [0, 0], [0, 0], [1, 1]]
    assert other.get_layer("first").get_weights()[1].tolist() == [0, 0]
    assert all(same(model, name) for name in before)


def test_what_is_drawn_depends_on_the_seed_alone():
    def kernels(seed):
        *_, (_, other) = explain.cascading_randomization(cascade(), seed)
        return [other.get_layer(name).get_weights()[0].tolist() for name in ("first", "last")]

    once = kernels(1)
    keras.utils.set_random_seed(99)
    assert kernels(1) == once
    assert kernels(2) != once


def test_maps_are_compared_with_those_after_each_layer_without_signs():
    """One map ignores the network, one is that of its last weights, one is constant and has no rank correlation."""
    model, images = cascade(), np.zeros((2, 4, 4, 3), np.uint8)
    ranked = np.arange(16, dtype=np.float32).reshape(1, 4, 4) - 20
    trained = model.get_layer("last").get_weights()[0].tolist()

    def of_last_layer(network, pictures, classes):
        is_trained = network.get_layer("last").get_weights()[0].tolist() == trained
        return np.repeat(ranked if is_trained else -30 - ranked, 2, axis=0)

    methods = {
        "picture": lambda network, pictures, classes: np.repeat(ranked, 2, axis=0),
        "weights": of_last_layer,
        "nothing": lambda network, pictures, classes: np.ones((2, 4, 4), np.float32),
    }
    table = explain.cascade_agreement(model, images, np.array([0, 1]), methods, seed=1)
    assert table["layers drawn anew"].tolist() == [1, 1, 1, 2, 2, 2]
    assert table["method"].tolist() == ["picture", "weights", "nothing"] * 2
    assert table["agreement"].iloc[[0, 1, 3, 4]].tolist() == pytest.approx([1, -1, 1, -1])
    assert table["agreement"].isna().tolist() == [False, False, True] * 2
    assert table["empty maps"].tolist() == [0, 0, 2] * 2


def test_a_table_has_every_score_of_every_method_and_of_chance(brightness, half):
    image, ranked = half
    images, maps = np.concatenate([image, image]), np.concatenate([ranked, -ranked])
    masks = np.zeros((2, 4, 4), bool)
    masks[0, :2], masks[1, 0, 0] = True, True
    ids, classes = pd.Index(["a", "b"], name="image_id"), np.array([1, 1])
    table = explain.evaluate_attributions(ids, {"map": maps}, images, {"cell": masks}, brightness, classes, seed=4)
    names = ["energy in cell", "pointing to cell", "deletion", "insertion"]
    assert table.columns.tolist() == ["image_id", "method", "score", "value"]
    assert table.index.tolist() == list(range(16))
    assert table["method"].tolist() == ["map"] * 8 + ["chance"] * 8
    assert table["score"].tolist() == [name for name in names for _ in "ab"] * 2
    assert table["image_id"].tolist() == ["a", "b"] * 8
    noise = np.random.default_rng(4).random((2, 4, 4), np.float32)
    expected = [
        *explain.relevance_mass(maps, masks), *explain.pointing_game(maps, masks),
        *explain.deletion(brightness, images, maps, classes), *explain.insertion(brightness, images, maps, classes),
        0.5, 1 / 16, 0.5, 1 / 16,
        *explain.deletion(brightness, images, noise, classes), *explain.insertion(brightness, images, noise, classes),
    ]  # fmt: skip
    assert table["value"].to_numpy() == pytest.approx(expected)
