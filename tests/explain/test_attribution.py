"""Maps of models small enough to work their maps out by hand, and those of tf-keras-vis."""

import cv2
import keras
import numpy as np
import pytest
from keras import layers
from reference import attribution
from scipy.ndimage import zoom

from helpers import explain

CLASSES = np.array([1, 0])


METHODS = ["gradient", "SmoothGrad", "Grad-CAM", "Grad-CAM++", "Score-CAM"]  # of those that tf-keras-vis has


def images_of(side, n=2, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def expected():
    with np.load(attribution.PATH) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module", params=attribution.SIZES)
def network(request):
    return request.param, attribution.logits_model(request.param)


def assert_equals_library(method, model, images, arrays, prefix):
    logits = np.asarray(model(images, training=False))
    assert logits == pytest.approx(arrays[f"{prefix}/logits"], abs=1e-5), "other models or images; remake the file"
    values, reference = explain.METHODS[method](model, images, attribution.CLASSES), arrays[f"{prefix}/{method}"]
    assert reference.max() > 0
    assert np.abs(values - reference).max() <= 1e-5 * reference.max()


@pytest.mark.parametrize("method", METHODS)
def test_maps_of_flat_models_equal_those_of_tf_keras_vis(method, network, expected):
    name, model = network
    assert_equals_library(method, model, attribution.noise_images(attribution.SIZES[name]), expected, f"{name}/noise")


@pytest.mark.parametrize("method", METHODS)
def test_maps_of_real_cells_equal_those_of_tf_keras_vis(method, network, expected, real):
    name, model = network
    images = attribution.real_images(real("wbc1"), attribution.SIZES[name])
    assert_equals_library(method, model, images, expected, f"{name}/wbc1")


def test_the_file_of_reference_says_what_made_it(expected):
    assert expected["versions"][0] == "tf-keras-vis 0.8.7"
    assert attribution.PATH.stat().st_size < 200_000


def body():
    return [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Conv2D(5, 3, activation="relu")]


def head():
    return [layers.GlobalAveragePooling2D(), layers.Dense(2, activation="softmax")]


def image():
    return keras.Input((12, 12, 3))


def in_turn(x, functions):
    for function in functions:
        x = function(x)
    return x


def functional(functions):
    start = image()
    return keras.Model(start, in_turn(start, functions))


BUILDS = {
    "sequential": lambda: keras.Sequential([image(), *body(), *head()]),
    "sequential in sequential": lambda: keras.Sequential([image(), keras.Sequential(body()), *head()]),
    "functional in functional": lambda: functional([functional(body()), *head()]),
    "sequential in functional in functional": lambda: functional([functional([keras.Sequential(body())]), *head()]),
}


@pytest.mark.parametrize("name", BUILDS)
def test_nested_and_sequential_models_have_the_maps_of_a_flat_model_of_their_layers(name):
    flat, model, images = functional([*body(), *head()]), BUILDS[name](), images_of(12)
    attribution.draw_weights(flat)
    attribution.draw_weights(model)
    for method in map(explain.METHODS.get, ("gradient", "Grad-CAM", "Grad-CAM++", "Score-CAM", "LRP-ε")):
        expected = method(explain.logits_model(flat), images, CLASSES)
        assert np.ptp(expected) > 0
        values = method(explain.logits_model(model), images, CLASSES)
        assert np.allclose(values, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_maps_leave_the_random_streams_of_the_process_alone(linear):
    np.random.seed(4)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for method in METHODS[:2]:
        explain.METHODS[method](linear[0], images_of(4), CLASSES)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.fixture(scope="module")
def linear():
    """Two scores of an image of 4×4 pixels, linear in its values; the weights are returned as well."""
    image = keras.Input((4, 4, 3))
    last = layers.Dense(2, activation="softmax")
    model = explain.logits_model(keras.Model(image, last(layers.Flatten()(image))))
    weights = np.random.default_rng(1).normal(size=(48, 2)).astype(np.float32)
    model.layers[-1].set_weights([weights, np.array([0.3, -0.2])])
    return model, weights.T.reshape(2, 4, 4, 3)


def channels_of(kernel, bias, weights, side=4):
    """A map of 1×1 convolutions cut off at 0, its means, and scores that are sums of those."""
    image = keras.Input((side, side, 3))
    convolution, last = (
        layers.Conv2D(len(bias), 1, activation="relu", name="map"),
        layers.Dense(2, activation="softmax"),
    )
    model = explain.logits_model(keras.Model(image, last(layers.GlobalAveragePooling2D()(convolution(image)))))
    model.get_layer("map").set_weights([np.reshape(kernel, (1, 1, 3, -1)), np.array(bias)])
    model.layers[-1].set_weights([np.array(weights), np.zeros(2)])
    return model


KERNEL = np.array([[0.01, 0.0, 0.004], [0.0, 0.01, 0.004], [0.0, 0.0, -0.006]])  # from red, green, blue to 3 channels
WEIGHTS = np.array([[1.0, -0.5], [-2.0, 1.5], [0.5, 0.75]])


def activations(images):
    return np.maximum(images.astype(np.float32) @ KERNEL - [0.5, 0.2, 0.1], 0)


@pytest.fixture(scope="module")
def mapped():
    return channels_of(KERNEL, [-0.5, -0.2, -0.1], WEIGHTS)


def test_the_gradient_of_a_linear_model_is_the_weight_of_its_strongest_channel(linear):
    model, weights = linear
    found = explain.METHODS["gradient"](model, images_of(4), CLASSES)
    assert found.dtype == np.float32
    assert np.allclose(found, np.abs(weights[CLASSES]).max(-1), atol=1e-6)


def test_smoothing_does_not_change_the_gradient_of_a_linear_model(linear):
    model, weights = linear
    found = explain.METHODS["SmoothGrad"](model, images_of(4), CLASSES)
    assert np.allclose(found, np.abs(weights[CLASSES]).max(-1), atol=1e-5)


def test_smoothgrad_is_the_share_of_16_copies_with_noise_of_a_tenth_of_the_range_in_which_a_pixel_counts():
    image = np.full((1, 4, 4, 3), 100, np.uint8)
    image[0, 0] = 120
    image[0, 3] = 70
    model = channels_of([[1.0], [0.0], [0.0]], [-101.0], [[1.0, -3.0]])
    for seed in (0, 5):
        found = explain.attribution.smooth_gradient(model, image, np.array([1]), seed=seed)
        noisy = image + np.random.RandomState(seed).normal(0, 0.1 * 50, (16, *image.shape))
        assert found == pytest.approx(3 / 16 * (noisy[..., 0] > 101).mean(0), abs=1e-5)
    default = explain.METHODS["SmoothGrad"](model, image, np.array([1]))
    assert np.array_equal(default, explain.attribution.smooth_gradient(model, image, np.array([1]), seed=0))


def test_integrated_gradients_of_a_threshold_count_the_middles_of_32_steps_above_it():
    image = np.full((1, 4, 4, 3), 50, np.uint8)
    image[0, 0, 0, 0] = 210  # the plain image is (60, 50, 50)
    model = channels_of([[1.0], [0.0], [0.0]], [-140.0], [[1.0, -2.0]])
    found = explain.METHODS["integrated gradients"](model, image, np.array([1]))
    above = np.sum(60 + (np.arange(32) + 0.5) / 32 * 150 > 140)
    assert above == 15
    assert found[0, 0, 0] == pytest.approx(-2 / 16 * 150 * above / 32)
    assert np.count_nonzero(found) == 1
    few = explain.attribution.integrated_gradients(model, image, np.array([1]), n_steps=2)
    assert few[0, 0, 0] == pytest.approx(-2 / 16 * 150 / 2)


def test_integrated_gradients_of_a_linear_model_are_weight_times_distance_from_the_mean_colour(linear):
    model, weights = linear
    images = images_of(4)
    found = explain.METHODS["integrated gradients"](model, images, CLASSES)
    plain = images.mean((1, 2), keepdims=True)
    assert np.allclose(found, (weights[CLASSES] * (images - plain)).sum(-1), rtol=1e-4, atol=1e-2)


def test_a_plain_image_has_the_mean_of_each_image_everywhere():
    images = images_of(4)
    plain = explain.mean_colour_images(images)
    assert (plain.shape, plain.dtype) == (images.shape, np.float32)
    for image, one in zip(images, plain, strict=True):
        assert np.allclose(one, image.reshape(-1, 3).mean(0))


def test_grad_cam_weighs_channels_by_their_mean_gradient(mapped):
    images = images_of(4)
    found = explain.METHODS["Grad-CAM"](mapped, images, CLASSES)
    weighed = activations(images) * WEIGHTS.T[CLASSES][:, None, None] / 16
    assert found == pytest.approx(np.maximum(weighed.sum(-1), 0), rel=1e-4, abs=1e-6)
    assert (found == 0).any() and found.max() > 0.01


def test_grad_cam_plus_plus_leaves_out_channels_that_speak_against_the_class(mapped):
    images = images_of(4)
    found = explain.METHODS["Grad-CAM++"](mapped, images, CLASSES)
    # With the same gradient g everywhere its weights add up to exp(score) · max(g, 0).
    maps, weight = activations(images), np.maximum(WEIGHTS, 0).T[CLASSES] / 16
    score = np.exp(explain.class_scores(mapped, images, CLASSES))[:, None, None]
    assert found == pytest.approx(score * (maps * weight[:, None, None]).sum(-1), rel=1e-4, abs=1e-6)


def test_grad_cam_plus_plus_stays_finite_where_the_exponential_of_the_score_does_not(mapped):
    images, model = images_of(4), channels_of(KERNEL, [-0.5, -0.2, -0.1], WEIGHTS * 1e3)
    logits = explain.class_scores(model, images, CLASSES)
    assert logits.max() > 90 and logits.min() < -110  # exp is inf, and 0
    values, expected = (explain.METHODS["Grad-CAM++"](m, images, CLASSES) for m in (model, mapped))
    assert np.isfinite(values).all()
    assert explain.rank_correlation(values, expected) == pytest.approx(1, abs=1e-3)


def masked_probability(model, image, mask, k):
    """The probability of class k of an image of which a mask is shown; the mask goes from 0 to 1."""
    mask = (mask - mask.min()) / (mask.max() - mask.min() + 1e-7)
    score = np.asarray(model((image * mask[..., None])[None].astype(np.float32)))[0]
    return np.exp(score[k]) / np.exp(score).sum()


def test_score_cam_weighs_channels_by_the_probability_of_what_is_seen_through_them(mapped):
    images = images_of(4)
    found = explain.METHODS["Score-CAM"](mapped, images, CLASSES)
    for image, maps, k, one in zip(images, activations(images), CLASSES, found, strict=True):
        weights = [masked_probability(mapped, image, maps[..., c], k) for c in range(3)]
        assert one == pytest.approx(maps @ np.array(weights), rel=1e-3)


def test_score_cam_tries_the_16_channels_that_vary_most():
    kernel = np.zeros((3, 18))
    kernel[0] = np.arange(1, 19) / 1000  # the last channel varies most
    model = channels_of(kernel, np.zeros(18), np.linspace(-1, 1, 36).reshape(18, 2))
    image, k = images_of(4, 1), np.array([1])
    found = explain.METHODS["Score-CAM"](model, image, k)
    maps = image[0].astype(np.float32) @ kernel
    weight = masked_probability(model, image[0], maps[..., 0], 1)  # the same for all: they are one map, scaled
    assert found[0] == pytest.approx(weight * maps[..., 2:].sum(-1), rel=1e-3)
    assert explain.attribution.score_cam(model, image, k, n_channels=1)[0] == pytest.approx(
        weight * maps[..., 17], rel=1e-3
    )


def test_a_coarse_map_is_brought_to_the_size_of_the_image():
    image = keras.Input((8, 8, 3))
    x = layers.AveragePooling2D(4, name="coarse")(image)
    last = layers.Dense(2, activation="softmax")
    model = explain.logits_model(keras.Model(image, last(layers.GlobalAveragePooling2D()(x))))
    model.layers[-1].set_weights([np.array([[0.0, 4.0], [0.0, 0.0], [0.0, 0.0]]), np.zeros(2)])
    given = images_of(8, 1)
    coarse = given[0, ..., 0].reshape(2, 4, 2, 4).mean((1, 3))
    found = explain.METHODS["Grad-CAM"](model, given, np.array([1]))
    assert found[0] == pytest.approx(zoom(coarse, 4, order=1), rel=1e-4)


def test_rounding_does_not_blacken_the_last_row_of_a_coarse_map():
    image = keras.Input((26, 26, 3))
    x = layers.AveragePooling2D(3)(image)  # 8 by 8, of which tf-keras-vis 0.8.7 makes 25 rows and an empty one
    model = explain.logits_model(keras.Model(image, layers.Dense(2, activation="softmax")(layers.Flatten()(x))))
    model.layers[-1].set_weights([np.ones((192, 2)), np.zeros(2)])
    images = np.full((1, 26, 26, 3), 50, np.uint8)
    for method in ("Grad-CAM", "Grad-CAM++"):
        values = explain.METHODS[method](model, images, np.array([1]))
        assert values.max() > 0
        assert values == pytest.approx(np.full_like(values, values.max()), rel=1e-4)


def test_the_last_map_is_the_last_layer_with_more_than_one_place():
    image = keras.Input((4, 4, 3))
    x = layers.Conv2D(2, 3, name="two_by_two")(image)
    x = layers.Conv2D(2, 2, name="one_place")(x)
    model = keras.Model(image, layers.Dense(2, name="scores")(layers.Flatten()(x)))
    assert explain.last_conv_layer(model) == "two_by_two"
    for name, size in (("column", (2, 4)), ("row", (4, 2))):
        thin = keras.Model(image, layers.Flatten()(layers.AveragePooling2D(size, name=name)(image)))
        assert explain.last_conv_layer(thin) == name
    anything = keras.Input((None, None, 3))
    mean = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 1, name="any_size")(anything))
    assert explain.last_conv_layer(keras.Model(anything, mean)) == "any_size"
    flat = keras.Model(image, layers.Dense(2)(layers.Flatten()(image)), name="flat")
    with pytest.raises(explain.ExplainError, match="flat has no layer with a feature map"):
        explain.last_conv_layer(flat)


def mean_fall(weights, image, side, places):
    """For each pixel the mean fall of a linear score over the patches that hold it; a patch gets the mean colour."""
    size = len(image)
    fall = weights * (image - image.mean((0, 1)))
    total, times = np.zeros((size, size)), np.zeros((size, size))
    for top in places:
        for left in places:
            total[top : top + side, left : left + side] += fall[top : top + side, left : left + side].sum()
            times[top : top + side, left : left + side] += 1
    return total / times


@pytest.mark.parametrize(
    ("size", "patch", "side", "places"),
    [
        (4, 0.5, 2, [0, 1, 2]),
        (4, 0.1, 1, [0, 1, 2, 3]),
        (8, 0.5, 4, [0, 2, 4]),
        (11, 0.36, 4, [0, 2, 4, 6, 7]),  # the last patch ends with the image
        (10, None, 2, list(range(9))),
    ],
)
def test_occlusion_of_a_linear_model_is_the_mean_fall_over_patches_of_the_mean_colour(size, patch, side, places):
    image = keras.Input((size, size, 3))
    last = layers.Dense(2, activation="softmax")
    model = explain.logits_model(keras.Model(image, last(layers.Flatten()(image))))
    weights = np.random.default_rng(2).normal(size=(size * size * 3, 2))
    model.layers[-1].set_weights([weights, np.zeros(2)])
    images = images_of(size)
    found = explain.attribution.occlusion(model, images, CLASSES, **({"patch": patch} if patch else {}))
    assert found.dtype == np.float32
    for one, picture, k in zip(found, images, CLASSES, strict=True):
        expected = mean_fall(weights.T.reshape(2, size, size, 3)[k], picture, side, places)
        assert np.allclose(one, expected, atol=1e-3 * np.abs(expected).max())


def test_the_score_of_each_image_is_that_of_its_own_class(linear):
    model, weights = linear
    images = images_of(4)
    both = np.add((images[:, None] * weights).sum((2, 3, 4)), [0.3, -0.2])
    assert explain.class_scores(model, images, CLASSES) == pytest.approx([both[0, 1], both[1, 0]], rel=1e-4)


def test_the_methods_of_relevance_differ_by_their_epsilon(mapped):
    images = images_of(4)
    for name, epsilon in (("LRP-0", 0.0), ("LRP-ε", 0.25)):
        found, _ = explain.relevance(mapped, images, CLASSES, epsilon)
        assert np.array_equal(explain.METHODS[name](mapped, images, CLASSES), found.sum(-1))
    assert list(explain.METHODS) == [
        "gradient", "SmoothGrad", "integrated gradients", "Grad-CAM", "Grad-CAM++", "Score-CAM", "occlusion", "LRP-0",
        "LRP-ε",
    ]  # fmt: skip


def test_an_overlay_goes_from_dark_blue_to_yellow_over_the_grey_of_each_image():
    images = np.full((2, 20, 20, 3), 100, np.uint8)
    images[1] = (200, 0, 0)  # of this red, 0.299 is grey: 60
    maps = np.zeros((2, 20, 20), np.float32)
    maps[0, 0, :3], maps[0, 1, 0], maps[0, 2, 0] = 8.0, 4.0, -9.0
    maps[1] = 0.001
    shown = explain.overlay_maps(images, maps)
    heat = cv2.applyColorMap(np.array([[0, 127, 255]], np.uint8), cv2.COLORMAP_CIVIDIS)[0, :, ::-1].astype(float)
    assert (shown.shape, shown.dtype) == (images.shape, np.uint8)
    assert heat[0][2] > heat[0][0] and heat[2][0] > heat[2][2]  # blue and yellow
    assert shown[0, 0, 0] == pytest.approx(0.4 * 100 + 0.6 * heat[2], abs=0.51)
    assert shown[0, 1, 0] == pytest.approx(0.4 * 100 + 0.6 * heat[1], abs=0.51)
    assert shown[0, 2, 0] == pytest.approx(0.4 * 100 + 0.6 * heat[0], abs=0.51)
    assert np.array_equal(shown[0, 2, 0], shown[0, 9, 9])
    assert shown[1, 5, 5] == pytest.approx(0.4 * 60 + 0.6 * heat[2], abs=0.51)
    assert np.array_equal(explain.overlay_maps(images[:1], np.zeros((1, 20, 20)))[0, 0, 0], shown[0, 9, 9])


def test_one_place_much_stronger_than_all_others_does_not_darken_them():
    maps = np.full((1, 20, 20), 1.0)
    maps[0, 0, 0] = 1000  # one of 400 places, less than the 0.5 % that are cut off
    shown = explain.overlay_maps(np.zeros((1, 20, 20, 3), np.uint8), maps)
    assert np.array_equal(shown[0, 0, 0], shown[0, 9, 9])
    maps[0, 0, :4] = 1000
    shown = explain.overlay_maps(np.zeros((1, 20, 20, 3), np.uint8), maps)
    assert not np.array_equal(shown[0, 0, 0], shown[0, 9, 9])
