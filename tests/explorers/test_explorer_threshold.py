"""The threshold explorer: the browser's numbers are those of the package and of scikit-image."""

import re

import numpy as np
import pytest
from skimage.filters import threshold_otsu

from helpers import explorers, metrics


def set_slider(page, value):
    page.get_by_role("slider", name="Threshold").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", value
    )


def numbers(page):
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", page.get_by_role("status").inner_text())]


@pytest.mark.parametrize("level", [0, 60, 128, 181, 255])
def test_dice_and_iou_are_those_of_the_package(show, cell, level):
    image, mask = cell
    page = show(explorers.threshold(image, mask))
    set_slider(page, level)
    green, otsu = image[..., 1], threshold_otsu(image[..., 1])
    dice, iou = metrics.dice_and_iou(mask, green <= level)
    at_otsu, _ = metrics.dice_and_iou(mask, green <= otsu)
    assert numbers(page) == pytest.approx([level, dice, iou, otsu, at_otsu], abs=5e-4)


@pytest.mark.parametrize("seed", range(6))
def test_otsu_is_that_of_scikit_image(show, seed):
    random = np.random.default_rng(seed)
    image = random.normal(random.choice([60, 120, 200], (24, 24, 3)), 8 * seed).clip(0, 255).astype(np.uint8)
    page = show(explorers.threshold(image))
    page.get_by_role("button", name="Otsu").press("Enter")
    level, share, otsu, _ = numbers(page)
    assert level == otsu == threshold_otsu(image[..., 1])
    assert share == pytest.approx(100 * (image[..., 1] <= otsu).mean(), abs=0.05)


def test_an_image_of_one_colour_has_its_own_value_as_threshold(show):
    page = show(explorers.threshold(np.full((8, 8, 3), 77, np.uint8)))
    assert numbers(page) == [77, 100, 77, 100]


def test_the_keyboard_moves_the_threshold_and_one_explorer_does_not_move_another(show, cell):
    page = show(explorers.threshold(*cell), explorers.threshold(*cell))
    first, second = page.get_by_role("slider", name="Threshold").all()
    before = int(second.input_value())
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert [int(first.input_value()), int(second.input_value())] == [before + 2, before]
    assert page.get_by_role("status").first.inner_text().startswith(f"Threshold {before + 2}: ")
    assert first.evaluate("slider => getComputedStyle(slider).outlineStyle") == "solid"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Otsu"


def test_the_outline_encloses_the_marked_pixels(show):
    image = np.full((8, 8, 3), 200, np.uint8)
    image[2:4, 2:5] = 10
    page = show(explorers.threshold(image, image[..., 1] == 10))
    assert page.locator("[data-part=marked]").get_attribute("d") == ("M2 2L3 2L4 2L5 2L5 3L5 4L4 4L3 4L2 4L2 3Z")
    set_slider(page, 5)
    assert page.locator("[data-part=marked]").get_attribute("d") == ""
    assert numbers(page)[:3] == [5, 0, 0]


def test_the_canvas_shows_the_pixels(show, cell):
    image, mask = cell
    page = show(explorers.threshold(image, mask))
    shown = page.locator("canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"
    )
    assert (np.reshape(shown, (40, 48, 4))[..., :3] == image).all()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, cell, width, dark):
    accessible(explorers.threshold(*cell), width, dark)


IMAGE = np.zeros((16, 16, 3), np.uint8)


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (IMAGE[..., 0], None, r"image must be uint8 \(height, width, 3\), got uint8 \(16, 16\)"),
        (IMAGE / 255, None, r"image must be uint8 \(height, width, 3\), got float64 \(16, 16, 3\)"),
        ("cell.png", None, r"image must be uint8 \(height, width, 3\), got str \(\)"),
        (np.zeros((200, 16, 3), np.uint8), None, "must be 8 to 128 pixels, got 200 x 16; use images.resize_pad"),
        (IMAGE, np.ones((16, 16), np.uint8), r"mask must be bool \(16, 16\) like the image, got uint8 \(16, 16\)"),
        (IMAGE, np.ones((8, 16), bool), r"mask must be bool \(16, 16\) like the image, got bool \(8, 16\)"),
        (IMAGE, np.zeros((16, 16), bool), "mask has no pixel"),
    ],
)
def test_bad_input_is_refused_in_one_line(image, mask, message):
    with pytest.raises(ValueError, match=message) as error:
        explorers.threshold(image, mask)
    assert "\n" not in str(error.value)
