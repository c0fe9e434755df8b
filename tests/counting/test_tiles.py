"""Tiles: every middle of a cell belongs to one of them, and boxes keep their place."""

import numpy as np
import pytest

from helpers.counting import tiles


@pytest.mark.parametrize(("height", "width", "um_per_pixel"), [(480, 640, 0.07), (2000, 3000, 0.25), (90, 1700, 0.4)])
def test_cores_cover_a_field_once(height, width, um_per_pixel):
    field = np.full((height, width, 3), 200, np.uint8)
    random = np.random.default_rng(20)
    middle = random.uniform(0, 1, (500, 2)) * (width, height)
    boxes = np.concatenate([middle - 5, middle + 5], axis=1)
    owned = np.sum([tile.owns(boxes) for tile in tiles.iter_tiles(field, um_per_pixel, 32)], axis=0)
    assert owned.tolist() == [1] * 500


def test_canvas_has_the_scale_of_the_network_and_bounded_sides():
    field = np.full((9000, 7000, 3), 200, np.uint8)
    for tile in tiles.iter_tiles(field, 0.1, 32):
        assert max(tile.canvas.shape) <= tiles.CORE + 2 * tiles.MARGIN + 2 * tiles.PADDING + 32
        assert not np.array(tile.canvas.shape[:2]) % 32 @ [1, 1]
        assert tile.factor == pytest.approx([0.4, 0.4], rel=5e-3)


@pytest.mark.parametrize("um_per_pixel", [0.07, 0.25, 0.31])
def test_marked_pixel_is_found_at_its_place(um_per_pixel):
    field = np.full((1900, 2300, 3), 255, np.uint8)
    field[1500:1520, 2100:2120] = 0
    found = 0
    for tile in tiles.iter_tiles(field, um_per_pixel, 32):
        dark = np.argwhere(tile.canvas[..., 0] < 100)
        if len(dark):
            (top, left), (bottom, right) = dark.min(axis=0), dark.max(axis=0) + 1
            box = tile.to_field(np.array([[left, top, right, bottom]], float))
            if tile.owns(box)[0]:
                found += 1
                assert box[0] == pytest.approx([2100, 1500, 2120, 1520], abs=0.25 / um_per_pixel)
    assert found == 1
