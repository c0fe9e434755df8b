"""The diagrams of chapter 04 are drawn from a model and from masks, and say what they show."""

import numpy as np
import pytest
from layout import misplaced
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from helpers import models
from helpers.diagrams import mask_scoring, unet


@pytest.fixture(scope="module")
def model():
    return models.unet(4, depth=3)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def test_the_unet_is_drawn_with_the_sizes_and_maps_of_the_model(model, image):
    picture = unet.unet_levels(model, image)
    for size in ("32 × 32 × 4", "16 × 16 × 8", "8 × 8 × 16", "4 × 4 × 32"):
        assert size in picture.alt and size in texts(picture)
    assert texts(picture).count("32 × 32 × 4") == 2  # in the encoder and in the decoder
    assert "3 arrows lead across" in picture.alt
    assert "to the bottleneck: 5, 14, 32 and 68 pixels" in picture.alt
    shown = [artist.get_array() for artist in picture.figure.axes[0].images]
    assert len(shown) == 7 * unet.SHOWN + 2  # levels, the image and its mask
    mask = np.asarray(model(image[None], training=False))[0].argmax(-1)
    assert any(array.shape == mask.shape and np.array_equal(array, mask) for array in shown)


def test_a_receptive_field_larger_than_the_image_is_named_but_not_drawn(model, image):
    picture = unet.receptive_fields(model, image)
    assert "bottleneck\n68 px: whole image" in texts(picture)
    assert "level 2\n14 × 14 px" in texts(picture)
    swatches, drawn = 4, 2  # 5 and 14 of 32 pixels; a field of 32 is the whole image
    assert len(picture.figure.axes[0].patches) == swatches + drawn


def test_a_mask_is_compared_pixel_by_pixel():
    truth = np.array([[True, True], [False, False]])
    predicted = np.array([[True, False], [True, False]])
    picture = mask_scoring.mask_outcomes(truth, predicted)
    grid = [text for text in texts(picture) if text in ("TP", "FP", "FN", "TN")]
    assert grid[:4] == ["TP", "FN", "FP", "TN"]
    assert "true positive: in both (1)" in texts(picture)
    assert picture.alt.startswith("A true and a predicted mask of 2 × 2 pixels")
    nothing = mask_scoring.mask_outcomes(truth, ~truth)
    assert "true positive: in both 0, false positive: too much 2" in nothing.alt


def test_a_transposed_convolution_shows_its_numbers():
    values, kernel = np.array([[1.0, 2.0], [0.0, 3.0]]), np.array([[1.0, 0.5], [0.5, 0.0]])
    outputs = {2: np.kron(values, kernel), 1: np.arange(9.0).reshape(3, 3) + 0.25}
    picture = mask_scoring.transposed_convolution(values, kernel, outputs)
    assert [text for text in texts(picture) if text == "1.5"] == ["1.5", "1.5"]
    assert {"0.25", "4.25", "8.25", "output, stride 1"} <= set(texts(picture))
    assert "the 4 values 1, 2, 0 and 3, times the kernel 1, 0.5, 0.5 and 0" in picture.alt
    assert "4 × 4 values with stride 2 and 3 × 3 values with stride 1" in picture.alt
    assert misplaced(picture.figure) == []


def test_sums_of_several_blocks_are_grey_and_the_others_have_the_colour_of_their_value():
    values, kernel = np.arange(4.0).reshape(2, 2), np.ones((2, 2))
    picture = mask_scoring.transposed_convolution(values, kernel, {2: np.ones((4, 4)), 1: np.ones((3, 3))})
    squares = [patch for patch in picture.figure.axes[0].patches if isinstance(patch, Rectangle)]
    colours = [to_hex(patch.get_edgecolor()).upper() for patch in squares]
    a, b, c, d = colours[:4]
    assert colours[8:24] == [a, a, b, b, a, a, b, b, c, c, d, d, c, c, d, d]  # stride 2, after input and kernel
    grey = mask_scoring.GREY.upper()
    assert colours[24:] == [a, grey, b, grey, grey, grey, c, grey, d]
