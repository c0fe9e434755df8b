"""The explorer of nearest neighbours: it shows those of the package, and goes from cell to cell."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers import explorers, metrics

N_CELLS, N_NEIGHBOURS = 24, 4


@pytest.fixture(scope="module")
def cells():
    """Thumbnails of one grey per class, labels, groups, and features that know the class and features that do not."""
    random = np.random.default_rng(0)
    labels = pd.Series(np.resize(["a <b>", "long name of a class", "c"], N_CELLS))
    codes = labels.map({"a <b>": 0, "long name of a class": 1, "c": 2}).to_numpy()
    images = np.repeat((40 + 80 * codes).astype(np.uint8), 16 * 16 * 3).reshape(N_CELLS, 16, 16, 3)
    representations = {
        "random": random.normal(size=(N_CELLS, 3)),
        "class": codes[:, None] + random.normal(0, 0.05, (N_CELLS, 1)),
    }
    return images, labels, pd.Series(np.arange(N_CELLS) // 2), representations


def explorer_of(cells):
    return explorers.neighbours(*cells, n_neighbours=N_NEIGHBOURS)


def choose(page, cell):
    page.get_by_role("slider", name="Cell").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", cell
    )


def shown_classes(page):
    return [re.sub("^[✓✗] ", "", text) for text in page.locator("[data-neighbour] .lbx-caption").all_inner_texts()]


@pytest.mark.parametrize("name", ["random", "class"])
def test_the_neighbours_and_shares_are_those_of_the_package(show, cells, name):
    _, labels, groups, representations = cells
    nearest = metrics.nearest_in_other_groups(representations[name], groups, N_NEIGHBOURS)
    same = (labels.to_numpy()[nearest[:, 0]] == labels).mean()
    chance = metrics.chance_of_same_class(labels, groups).mean()
    page = show(explorer_of(cells))
    page.get_by_role("button", name=name, exact=True).click()
    for cell in (0, 7, N_CELLS - 1):
        choose(page, cell + 1)
        assert shown_classes(page) == labels.to_numpy()[nearest[cell]].tolist()
    readout = page.get_by_role("status").inner_text()
    assert f"the same class in {100 * same:.0f} %; a random one in {100 * chance:.0f} %" in readout
    assert f"the class of this one, {labels.iloc[-1]}" in readout


def test_a_thumbnail_is_the_picture_of_its_cell(show, cells):
    page = show(explorer_of(cells))
    choose(page, 2)
    grey = "canvas => canvas.getContext('2d').getImageData(8, 8, 1, 1).data[0]"
    page.wait_for_function(f"({grey})(document.querySelector('[data-part=canvas]'))")
    assert page.locator("[data-part=canvas]").evaluate(grey) == pytest.approx(120, abs=3)
    for tile, label in zip(page.locator("[data-neighbour]").all(), shown_classes(page), strict=True):
        expected = {"a <b>": 40, "long name of a class": 120, "c": 200}[label]
        assert tile.locator("canvas").evaluate(grey) == pytest.approx(expected, abs=3)


def test_a_neighbour_becomes_the_cell_by_mouse_and_keyboard(show, cells):
    _, _, groups, representations = cells
    nearest = metrics.nearest_in_other_groups(representations["class"], groups, N_NEIGHBOURS)
    page = show(explorer_of(cells))
    slider = page.get_by_role("slider", name="Cell")
    page.locator("[data-neighbour]").nth(1).press("Enter")
    assert slider.input_value() == str(nearest[0][1] + 1)
    page.locator("[data-neighbour]").first.click()
    assert slider.input_value() == str(nearest[nearest[0][1]][0] + 1)
    choose(page, 5)
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext").startswith("cell 6, ")
    assert page.get_by_role("button", name="class", exact=True).get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, cells, width, dark):
    accessible(explorer_of(cells), width, dark)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((N_CELLS, 16, 16), np.uint8)}, r"images must be uint8 \(n, side, side, 3\), got uint8"),
        ({"labels": pd.Series(["a"])}, "labels has 1 rows for 24 images"),
        ({"representations": {}}, "representations is empty"),
        ({"representations": {"x": np.zeros((2, 1))}}, "x has 2 rows for 24 images"),
        ({"groups": pd.Series(["one"] * N_CELLS)}, "k must be at most 0"),
    ],
)
def test_unusable_cells_are_refused(cells, change, message):
    parameters = dict(zip(("images", "labels", "groups", "representations"), cells, strict=True)) | change
    with pytest.raises(ValueError, match=message):
        explorers.neighbours(**parameters)
