"""Diameter of red cells: of discs of a known size, and of real fields against the boxes of people."""

import cv2
import numpy as np
import pytest

from helpers.datasets import load
from helpers.images.scale import ScaleError
from helpers.preprocessing import RED_CELL_UM, estimate_um_per_pixel, red_cell_diameter

BACKGROUND, RED, PALE, NUCLEUS = (235, 225, 220), (205, 150, 155), (228, 205, 205), (90, 50, 130)


def field(diameter, centres, *, side=400, pallor=0.35, nucleus=None, platelets=()):
    """A slightly blurred and noisy field of round red cells, with a white blood cell and platelets if wanted."""
    image = np.full((side, side, 3), BACKGROUND, np.float32)

    def disc(centre, size, colour):
        # In sixteenths of a pixel; OpenCV fills one pixel more than the diameter.
        row, column, radius = (round(16 * number - 8) for number in (*centre, size / 2))
        cv2.circle(image, (column, row), radius, colour, cv2.FILLED, shift=4)

    for centre in centres:
        disc(centre, diameter, RED)
        disc(centre, diameter * pallor, PALE)
    if nucleus:
        disc(nucleus, 1.7 * diameter, (190, 140, 190))
        disc(nucleus, 1.3 * diameter, NUCLEUS)
    for centre in platelets:
        disc(centre, diameter / 4, NUCLEUS)
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 1) + noise, 0, 255).astype(np.uint8)


def grid(diameter, side=400, step=1.4):
    """Centres of cells in rows and columns, all of them whole."""
    positions = np.arange(0.7 * diameter, side - 0.6 * diameter, step * diameter)
    return [(row, column) for row in positions for column in positions]


@pytest.mark.parametrize("diameter", [10, 14, 20, 33, 47, 80, 110])
def test_discs_of_any_size(diameter):
    # The blurred rim, a pixel on each side, belongs to the cell.
    assert red_cell_diameter(field(diameter, grid(diameter))) == pytest.approx(diameter, rel=0.06, abs=2.1)


def test_large_cells_of_a_large_field_and_small_cells_of_one():
    assert red_cell_diameter(field(200, grid(200, 1500), side=1500)) == pytest.approx(200, rel=0.05)
    assert red_cell_diameter(field(16, grid(16, 1200), side=1200)) == pytest.approx(16, abs=2.1)


def test_white_blood_cells_and_platelets_do_not_count():
    centres = [centre for centre in grid(40) if np.hypot(centre[0] - 200, centre[1] - 200) > 60]
    platelets = [(row, column) for row, column in (np.array(centres)[::2] + 28) if max(row, column) < 390]
    image = field(40, centres, nucleus=(200, 200), platelets=platelets)
    assert red_cell_diameter(image) == pytest.approx(40, rel=0.06)


def test_touching_cells_are_measured_one_by_one():
    pairs = [(row, column + shift) for row in (50, 140, 230, 320) for column in (60, 230) for shift in (0, 46)]
    assert red_cell_diameter(field(48, pairs)) == pytest.approx(48, rel=0.06)


@pytest.mark.parametrize(
    "image",
    [
        np.full((200, 200, 3), 230, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        field(60, [(100, 100), (300, 300)]),
        field(5, grid(5)),
        field(40, [], nucleus=(200, 200)),
        field(60, grid(60, step=0.55)),
    ],
    ids=["one colour", "one pixel", "two cells", "cells too small", "no red cell", "crowded"],
)
def test_what_cannot_be_measured_is_not_guessed(image):
    assert np.isnan(red_cell_diameter(image))


def test_out_of_focus_cells_without_an_edge_are_not_measured():
    image = field(40, grid(40, step=1.2))
    assert np.isnan(red_cell_diameter(cv2.GaussianBlur(image, (0, 0), 40)))


def test_the_pixel_size_comes_from_the_median_field():
    fields = [field(30, grid(30)), field(30, grid(30)), field(60, grid(60)), np.full((99, 99, 3), 230, np.uint8)]
    assert estimate_um_per_pixel(fields) == pytest.approx(RED_CELL_UM / 30, rel=0.08)
    with pytest.raises(ScaleError, match="red cells could be measured in none of 1 fields; give fields in which"):
        estimate_um_per_pixel(fields[3:])


def boxes_of(data, image_id):
    height, width = data.load_image(image_id).shape[:2]
    return float(np.median([
        (right - left + bottom - top) / 2
        for kind, left, top, right, bottom in data.frame.loc[image_id, "boxes"]
        if kind == "RBC" and min(left, top, width - right, height - bottom) > 2
    ]))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bccd", {"whole_fields": True}),
        ("txl", {"source": "pbc", "crop": False}),
        ("txl", {"source": "raabin", "crop": False}),
    ],
    ids=["bccd", "pbc", "raabin"],
)
def test_real_fields_agree_with_the_boxes_of_people(real, name, options):
    data = real(name, **options)
    ids = data.frame.index[:: len(data) // 10][:10]
    measured = np.array([red_cell_diameter(data.load_image(image_id)) for image_id in ids])
    errors = measured / [boxes_of(data, image_id) for image_id in ids] - 1
    assert np.count_nonzero(~np.isnan(errors)) >= 3
    assert abs(np.nanmedian(errors)) < 0.1
    assert np.nanmax(np.abs(errors)) < 0.2


def test_synthetic_fields_have_the_pixel_size_of_their_rendering():
    data = load("synthetic", task="fields", n_images=6, n_patients=3, size=512)
    images = [data.load_image(image_id) for image_id in data.frame.index]
    assert estimate_um_per_pixel(images) == pytest.approx(80 / 512, rel=0.12)  # red cells of 7.3 µm, 6.2 to 8.4


@pytest.mark.parametrize("spread", [1, 3, 6])
def test_noise_of_an_empty_field_is_no_red_cell(spread):
    noise = np.random.default_rng(spread).normal(0, spread, (480, 640, 3))
    assert np.isnan(red_cell_diameter(np.clip(np.array(BACKGROUND) + noise, 0, 255).astype(np.uint8)))
