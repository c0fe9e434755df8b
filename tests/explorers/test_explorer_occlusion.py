"""The explorer of occlusion: its probabilities are those of the classifier for every place of the square."""

import re

import numpy as np
import pytest

from helpers import explorers

SIDE, STEP = 10, 3


def left_brightness(batch):
    """A classifier whose probability is the mean brightness of the left half."""
    return batch[:, :, :24].mean((1, 2, 3)) / 255


@pytest.fixture
def cells(cell):
    image, _ = cell
    return {"a cell": image, "its mirror image": np.ascontiguousarray(image[:, ::-1])}


@pytest.fixture
def explorer(cells):
    return explorers.occlusion(left_brightness, cells, "left", side=SIDE, step=STEP)


def covered(image, row, column):
    copy = image.copy()
    window = np.s_[STEP * row : STEP * row + SIDE, STEP * column : STEP * column + SIDE]
    copy[window] = image.mean((0, 1)).round()
    return copy


def set_place(page, row, column):
    for name, value in (("Down", row), ("To the right", column)):
        page.get_by_role("slider", name=name).evaluate(
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", value
        )


def readout(page):
    """Column, row, probability with the square and without it."""
    numbers = re.search(
        r"column (\d+), row (\d+).* is ([\d.]+), uncovered ([\d.]+)", page.get_by_role("status").inner_text()
    )
    return tuple(float(number) for number in numbers.groups())


@pytest.mark.parametrize("place", [(0, 0), (4, 2), (10, 12)], ids=str)
def test_the_probabilities_are_those_of_the_classifier(show, explorer, cells, place):
    page = show(explorer)
    for name, image in cells.items():
        page.get_by_role("button", name=name, exact=True).press("Enter")
        set_place(page, *place)
        column, row, probability, whole = readout(page)
        assert (row, column) == (STEP * place[0], STEP * place[1])
        expected = left_brightness(np.stack([covered(image, *place), image]))
        assert (probability, whole) == pytest.approx(tuple(expected), abs=6e-3)


def test_the_strongest_change_is_found(show, cells):
    """Covering the darkest place brightens the image; here it is a black corner."""
    image = np.full((40, 48, 3), 200, np.uint8)
    image[30:40, 0:10] = 0
    page = show(explorers.occlusion(left_brightness, {"corner": image}, "left", side=SIDE, step=STEP))
    page.get_by_role("button", name="Strongest change").press("Enter")
    assert readout(page)[:2] == (0, 30)
    assert page.get_by_role("button", name="corner").count() == 0  # nothing to choose from


def test_the_square_follows_the_pointer_and_the_arrow_keys(show, explorer):
    page = show(explorer)
    box = page.locator("canvas").first.bounding_box()
    page.mouse.click(box["x"] + 1, box["y"] + 1)
    assert readout(page)[:2] == (0, 0)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 1)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + box["height"] - 1)
    page.mouse.up()
    assert readout(page)[:2] == (36, 30)
    page.get_by_role("slider", name="Down").press("ArrowLeft")
    assert readout(page)[:2] == (36, 27)


def test_all_places_are_shown_as_colours(show, explorer, cells):
    page = show(explorer)
    page.get_by_role("button", name="All places").press("Enter")
    assert page.get_by_role("button", name="All places").get_attribute("aria-pressed") == "true"
    changes = page.locator("canvas[data-part=changes]")
    pixel = "canvas => [...canvas.getContext('2d').getImageData(2, 4, 1, 1).data]"
    red, _, blue, opacity = changes.evaluate(pixel)
    image = cells["a cell"]
    before, after = left_brightness(np.stack([image, covered(image, 4, 2)]))
    assert opacity == pytest.approx(255 * abs(after - before), abs=1)
    assert (red > blue) == (after < before)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, explorer, width, dark):
    accessible(explorer, width, dark)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        ({}, {}, "there is no image"),
        ({"a": np.zeros((40, 40, 3), np.uint8), "b": np.zeros((40, 48, 3), np.uint8)}, {}, "images must have one size"),
        ({"a": np.zeros((40, 40, 3), np.uint8)}, {"side": 41}, "a square of 41 pixels has 0 places"),
        ({"a": np.zeros((64, 64, 3), np.uint8)}, {"step": 1}, "has 3025 places in steps of 1, not 1 to 1600"),
    ],
)
def test_what_cannot_be_covered_is_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        explorers.occlusion(left_brightness, images, "left", **{"side": SIDE, **options})
