"""The explorer of a changed outline: its metrics are those of the package for every change."""

import re

import numpy as np
import pytest
from scipy import ndimage

from helpers import explorers, metrics
from helpers.metrics import masks

NAMES = {
    "grow": "Grow or shrink",
    "right": "Shift to the right",
    "down": "Shift down",
    "speck": "Side of a far speck",
}


def set_sliders(page, **values):
    for name, value in values.items():
        page.get_by_role("slider", name=NAMES[name]).evaluate(
            "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", value
        )


def numbers(page):
    """Dice, IoU, HD95, largest distance, and surface Dice."""
    text = page.get_by_role("status").inner_text()
    dice, iou, _, hd95, largest, surface, _ = (float(number) for number in re.findall(r"\d+(?:\.\d+)?", text))
    return dice, iou, hd95, largest, surface


def changed_mask(mask, grow=0, right=0, down=0, speck=0):
    """Grow or shrink by Euclidean distance, shift without wrapping, and add a speck in the farthest corner."""
    outside, inside = map(ndimage.distance_transform_edt, (~mask, mask))
    grown = outside <= grow if grow >= 0 else inside > -grow
    changed = ndimage.shift(grown.astype(int), (down, right), order=0).astype(bool)
    height, width = mask.shape
    y, x = max([(1, 1), (1, width - 2), (height - 2, 1), (height - 2, width - 2)], key=lambda corner: outside[corner])
    rows = slice(1, 1 + speck) if y == 1 else slice(height - 1 - speck, height - 1)
    columns = slice(1, 1 + speck) if x == 1 else slice(width - 1 - speck, width - 1)
    changed[rows, columns] = True
    return changed


def of_the_package(truth, changed):
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (truth, changed)]
    if not changed.any():
        largest = float(np.hypot(*truth.shape))
    else:
        to_edge = [ndimage.distance_transform_edt(~edge) for edge in edges]
        largest = max(to_edge[1][edges[0]].max(), to_edge[0][edges[1]].max())
    hd95 = masks.hausdorff95(truth, changed)
    return (*metrics.dice_and_iou(truth, changed), hd95, largest, masks.surface_dice(truth, changed, 2.0))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"grow": 1},
        {"grow": 10},
        {"grow": -2},
        {"grow": -10},  # nothing is left
        {"right": 5},
        {"right": -20, "down": 20},
        {"speck": 2},
        {"speck": 12},
        {"grow": -2, "right": 3, "down": -4, "speck": 3},
    ],
    ids=str,
)
def test_the_metrics_are_those_of_the_package(show, cell, change):
    image, mask = cell
    page = show(explorers.outline(image, mask))
    set_sliders(page, **change)
    dice, iou, hd95, largest, surface = of_the_package(mask, changed_mask(mask, **change))
    assert numbers(page) == (
        pytest.approx(dice, abs=6e-4),
        pytest.approx(iou, abs=6e-4),
        pytest.approx(hd95, abs=6e-3),
        pytest.approx(largest, abs=6e-3),
        pytest.approx(surface, abs=6e-4),
    )


@pytest.mark.parametrize("edges", [(0, 12, 0, 9), (5, 16, 3, 16), (7, 8, 7, 8)], ids=["corner", "edges", "one pixel"])
def test_masks_at_the_edge_and_masks_of_one_pixel(show, edges):
    mask = np.zeros((16, 16), bool)
    mask[edges[0] : edges[1], edges[2] : edges[3]] = True
    page = show(explorers.outline(np.full((16, 16, 3), 200, np.uint8), mask))
    set_sliders(page, right=2, grow=1)
    assert numbers(page) == pytest.approx(of_the_package(mask, changed_mask(mask, grow=1, right=2)), abs=6e-3)


def test_the_examples_teach_what_they_are_for(show):
    """One pixel more everywhere costs Dice but no distance; a speck costs the largest distance, and Dice hardly."""
    y, x = np.mgrid[:64, :64]
    disc = (y - 32) ** 2 + (x - 30) ** 2 <= 14**2
    page = show(explorers.outline(np.full((64, 64, 3), 200, np.uint8), disc))
    results = {}
    for button in ("One pixel too large everywhere", "Shifted by 5", "One far speck", "Ground truth"):
        page.get_by_role("button", name=button).press("Enter")
        results[button] = numbers(page)
    assert results["Ground truth"] == (1, 1, 0, 0, 1)
    assert results["One pixel too large everywhere"][0] < 0.95
    assert results["One pixel too large everywhere"][2] < 1.5
    assert results["One pixel too large everywhere"][4] == 1
    assert results["Shifted by 5"][2] == pytest.approx(5, abs=0.5)
    dice, _, hd95, largest, _ = results["One far speck"]
    assert dice > 0.99
    assert largest > 25
    assert hd95 < 2  # fewer than 5 % of the boundary pixels are those of the speck
    set_sliders(page, speck=6)
    assert numbers(page)[2] > 20


def test_the_keyboard_changes_the_outline(show, cell):
    page = show(explorers.outline(*cell))
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.part ?? document.activeElement.textContent"))
    assert reached[:4] == list(NAMES)
    assert reached[4:] == ["One pixel too large everywhere", "Shifted by 5", "One far speck", "Ground truth"]
    slider = page.get_by_role("slider", name="Grow or shrink")
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "-1 pixels"
    assert numbers(page)[0] < 1


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, cell, width, dark):
    accessible(explorers.outline(*cell), width, dark)


def test_a_mask_is_needed(cell):
    image, mask = cell
    with pytest.raises(ValueError, match=r"mask must be bool \(40, 48\) like the image, got NoneType \(\)"):
        explorers.outline(image, None)
    with pytest.raises(ValueError, match="mask has no pixel"):
        explorers.outline(image, mask & False)
