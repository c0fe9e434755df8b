"""Relevance of small graphs, handed back by hand."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import explain


def image_of(values):
    """An image of one row of grey pixels: only red is not 0."""
    image = np.zeros((1, 1, len(values), 3), np.uint8)
    image[0, 0, :, 0] = values
    return image


def red_of(found):
    return found[0, 0, :, 0]


def model_of(width, build):
    image = keras.Input((1, width, 3))
    return keras.Model(image, build(image))


def dense(kernel, bias=None, **options):
    """A dense layer on the red values of a flattened image, of which every third counts."""
    spread = np.zeros((3 * len(kernel), np.shape(kernel)[1]))
    spread[::3] = kernel
    return layers.Dense(
        np.shape(kernel)[1],
        kernel_initializer=lambda shape, dtype=None: spread.astype(np.float32),
        bias_initializer=lambda shape, dtype=None: np.array(bias if bias else np.zeros(shape), np.float32),
        **options,
    )


def follows(kernel, bias=None):
    """A dense layer on all that it is given."""
    return layers.Dense(
        np.shape(kernel)[1],
        kernel_initializer=lambda shape, dtype=None: np.array(kernel, np.float32),
        bias_initializer=lambda shape, dtype=None: np.array(bias if bias else np.zeros(shape), np.float32),
    )


def test_epsilon_damps_by_its_share_of_the_root_mean_square_and_bias_keeps_its_part():
    kernel, bias = [[2.0, -1.0], [1.0, 3.0]], [10.0, -20.0]
    model = model_of(2, lambda image: dense(kernel, bias)(layers.Flatten()(image)))
    # Of pixels 5 and 10 the scores are 10 + 10 + 10 = 30 and -5 + 30 - 20 = 5.
    size = np.sqrt((30**2 + 5**2) / 2)
    for k, (score, parts) in enumerate(((30, (10, 10, 10)), (5, (-5, 30, -20)))):
        for epsilon in (0, 0.25):
            found, kept = explain.relevance(model, image_of([5, 10]), np.array([k]), epsilon)
            ratio = score / (score + epsilon * size)
            assert red_of(found) == pytest.approx([parts[0] * ratio, parts[1] * ratio], rel=1e-5)
            assert kept == pytest.approx([parts[2] * ratio + score * (1 - ratio)], rel=1e-4, abs=1e-4)
            assert not found[..., 1:].any()


def test_a_negative_score_is_damped_towards_nought_too():
    model = model_of(1, lambda image: dense([[-3.0, 1.0]])(layers.Flatten()(image)))
    found, kept = explain.relevance(model, image_of([2]), np.array([0]), 0.5)
    size = np.sqrt((6**2 + 2**2) / 2)
    assert red_of(found) == pytest.approx([-6 * 6 / (6 + 0.5 * size)], rel=1e-5)
    assert kept == pytest.approx([-6 + 6 * 6 / (6 + 0.5 * size)], rel=1e-4)


def test_a_score_between_nought_and_one_is_damped_not_raised():
    model = model_of(1, lambda image: dense([[0.05, 0.05]])(layers.Flatten()(image)))
    found, _ = explain.relevance(model, image_of([10]), np.array([0]), 0.25)
    assert red_of(found) == pytest.approx([0.5 / 1.25], rel=1e-5)


def test_a_score_of_nought_has_no_relevance_and_is_not_divided_by():
    model = model_of(2, lambda image: dense([[1.0, 1.0], [-1.0, 1.0]])(layers.Flatten()(image)))
    found, kept = explain.relevance(model, image_of([4, 4]), np.array([0]), 0.0)
    assert (red_of(found).tolist(), kept.tolist()) == ([0, 0], [0])


def test_a_hidden_unit_that_is_off_passes_nothing_back():
    hidden, last = [[1.0, -1.0], [1.0, 0.5]], [[2.0, 0.0], [7.0, 1.0]]
    model = model_of(2, lambda image: follows(last)(layers.ReLU()(dense(hidden)(layers.Flatten()(image)))))
    # Pixels 6 and 4: units 10 and -4, so the score of class 0 is 2 · 10, of which 12 is pixel 0's.
    found, kept = explain.relevance(model, image_of([6, 4]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([12, 8], rel=1e-5)
    assert kept == pytest.approx([0], abs=1e-4)


def test_the_largest_of_a_pool_takes_all_and_a_mean_is_shared_out():
    best = model_of(4, lambda image: dense([[1.0, 0], [2.0, 0]])(layers.Flatten()(layers.MaxPooling2D((1, 2))(image))))
    found, _ = explain.relevance(best, image_of([3, 9, 8, 1]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([0, 9, 16, 0], rel=1e-5)
    mean = model_of(
        4, lambda image: dense([[1.0, 0], [2.0, 0]])(layers.Flatten()(layers.AveragePooling2D((1, 2))(image)))
    )
    found, _ = explain.relevance(mean, image_of([3, 9, 8, 1]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([1.5, 4.5, 8, 1], rel=1e-5)


def test_padding_gets_nothing_and_paths_that_meet_are_added_up():
    def build(image):
        padded = layers.ZeroPadding2D(((0, 0), (1, 0)))(image)
        both = layers.Concatenate()([layers.Flatten()(padded), layers.Flatten()(layers.Add()([image, image]))])
        return dense([[100.0, 0], [1.0, 0], [2.0, 0], [3.0, 0], [4.0, 0]])(both)

    found, kept = explain.relevance(model_of(2, build), image_of([5, 7]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([5 * (1 + 2 * 3), 7 * (2 + 2 * 4)], rel=1e-4)
    assert kept == pytest.approx([0], abs=1e-3)


def with_statistics(gamma, beta, mean, variance):
    def initial(value):
        return lambda shape, dtype=None: np.array(value, np.float32)

    return layers.BatchNormalization(
        epsilon=0.0, gamma_initializer=initial(gamma), beta_initializer=initial(beta),
        moving_mean_initializer=initial(mean), moving_variance_initializer=initial(variance),
    )  # fmt: skip


def test_a_normalisation_is_one_with_the_layer_before_it():
    def build(image):
        x = dense([[1.0, 1.0], [1.0, -1.0]], [4.0, 0.0])(layers.Flatten()(image))
        return with_statistics([3.0, 1.0], [1.0, 0.0], [2.0, 0.0], [4.0, 1.0])(x)

    # Folded: (x0 + x1 + 4 - 2) · 3 / 2 + 1, so every pixel counts 1.5 times, and 4 is the biases'.
    found, kept = explain.relevance(model_of(2, build), image_of([6, 2]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([9, 3], rel=1e-5)
    assert kept == pytest.approx([4], rel=1e-4)
    # Epsilon damps the folded layer once: its outputs are 16 and 4.
    found, _ = explain.relevance(model_of(2, build), image_of([6, 2]), np.array([0]), 0.25)
    ratio = 16 / (16 + 0.25 * np.sqrt((16**2 + 4**2) / 2))
    assert red_of(found) == pytest.approx([9 * ratio, 3 * ratio], rel=1e-5)


def test_a_normalisation_of_what_others_use_too_stands_alone():
    def build(image):
        x = dense([[1.0, 1.0], [1.0, -1.0]])(layers.Flatten()(image))
        y = with_statistics([2.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0])(x)
        return layers.Add()([x, y])

    found, _ = explain.relevance(model_of(2, build), image_of([6, 2]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([18, 6], rel=1e-5)
    # With epsilon three layers damp in turn: the sum, the normalisation of one of its parts, and the dense layer.
    found, _ = explain.relevance(model_of(2, build), image_of([6, 2]), np.array([0]), 0.25)

    def damped(one, other):
        return one / (one + 0.25 * np.sqrt((one**2 + other**2) / 2))

    total = damped(24, 8) * (8 + 16 * damped(16, 4)) * damped(8, 4)
    assert red_of(found) == pytest.approx([total * 6 / 8, total * 2 / 8], rel=1e-5)


def test_a_normalisation_after_an_activation_stands_alone():
    def build(image):
        x = layers.ReLU()(dense([[1.0, 1.0], [1.0, -1.0]])(layers.Flatten()(image)))
        return with_statistics([2.0, 1.0], [1.0, 0.0], [3.0, 0.0], [1.0, 1.0])(x)

    # (8 - 3) · 2 + 1 = 11: 16 from the unit, -5 from statistics and bias.
    found, kept = explain.relevance(model_of(2, build), image_of([6, 2]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([12, 4], rel=1e-5)
    assert kept == pytest.approx([-5], rel=1e-4)


def test_scaling_of_the_input_passes_on_what_it_gets():
    model = model_of(
        2, lambda image: dense([[1.0, 0.0], [3.0, 0.0]])(layers.Flatten()(layers.Rescaling(0.5, offset=-1.0)(image)))
    )
    # Pixels 6 and 4 are 2 and 1 after scaling, which add 2 and 3.
    found, kept = explain.relevance(model, image_of([6, 4]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([2, 3], rel=1e-5)
    assert kept == pytest.approx([0], abs=1e-4)


def test_every_image_is_asked_for_its_own_class():
    model = model_of(1, lambda image: dense([[2.0, -1.0]], [0.5, 0.25])(layers.Flatten()(image)))
    images = np.concatenate([image_of([3]), image_of([8])])
    found, kept = explain.relevance(model, images, np.array([1, 0]), 0.0)
    assert found.shape == (2, 1, 1, 3)
    assert found[:, 0, 0, 0] == pytest.approx([-3, 16], rel=1e-5)
    assert kept == pytest.approx([0.25, 0.5], rel=1e-4)


def test_a_turned_image_gets_its_relevance_where_its_pixels_were():
    def build(image):
        return dense([[1.0, 0], [10.0, 0]])(layers.Flatten()(keras.ops.flip(image, axis=2)))

    found, _ = explain.relevance(model_of(2, build), image_of([3, 5]), np.array([0]), 0.0)
    assert red_of(found) == pytest.approx([30, 5], rel=1e-5)
    # Epsilon damps the dense layer, whose outputs are 35 and 0, and not the turn.
    found, _ = explain.relevance(model_of(2, build), image_of([3, 5]), np.array([0]), 0.25)
    ratio = 1 / (1 + 0.25 * np.sqrt(1 / 2))
    assert red_of(found) == pytest.approx([30 * ratio, 5 * ratio], rel=1e-5)


def test_a_product_of_two_maps_has_no_rule():
    def build(image):
        return dense([[1.0, 0]])(layers.Flatten()(layers.Multiply(name="product")([image, image])))

    with pytest.raises(explain.ExplainError, match="no rule for Multiply product"):
        explain.relevance(model_of(1, build), image_of([3]), np.array([0]), 0.0)
