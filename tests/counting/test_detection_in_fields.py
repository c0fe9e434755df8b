"""Detection in whole fields: every cell once, at its place, whatever the size of the field and of its pixels."""

import cv2
import numpy as np
import pytest
from disc_fields import DIAMETER, disc_field, disc_network

from helpers.counting import patches, preparation
from helpers.counting.detection import detect

MIDDLES = [(100, 80), (300, 200), (420, 300)]


@pytest.fixture(scope="module")
def network():
    return disc_network()


def middles(table):
    return sorted(zip((table["left"] + table["right"]) / 2, (table["top"] + table["bottom"]) / 2, strict=True))


def test_cells_are_found_at_their_place(network):
    [table] = detect(network, [disc_field(MIDDLES)], [0.25], threshold=0.5)
    assert np.array(middles(table)) == pytest.approx(np.array(MIDDLES), abs=4)
    assert (table["right"] - table["left"]).tolist() == pytest.approx([DIAMETER] * 3, abs=1)
    assert table["score"].is_monotonic_decreasing


@pytest.mark.parametrize("factor", [0.5, 2.0, 3.3])
def test_place_does_not_depend_on_the_size_of_the_pixels(network, factor):
    field = cv2.resize(disc_field(MIDDLES), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    [table] = detect(network, [field], [0.25 / factor], threshold=0.5)
    assert np.array(middles(table)) / factor == pytest.approx(np.array(MIDDLES), abs=4)


def test_cells_on_the_edges_of_tiles_are_found_once(network):
    random = np.random.default_rng(20)
    grid = [(x, y) for x in range(60, 1500, 130) for y in range(60, 1100, 130)]
    placed = np.array(grid) + random.integers(-15, 16, (len(grid), 2))
    [table] = detect(network, [disc_field(placed.tolist(), (1160, 1560))], [0.25], threshold=0.5)
    assert len(table) == len(placed)
    distance = np.linalg.norm(np.array(middles(table))[:, None] - placed, axis=2)
    assert distance.min(axis=0).max() < 4


def test_fields_of_different_sizes_keep_their_cells(network):
    fields = [
        disc_field([]),
        disc_field([(100, 80)], (300, 300)),
        disc_field(MIDDLES),
        disc_field([(900, 80)], (300, 1000)),
    ]
    tables = detect(network, fields, [0.25] * 4, threshold=0.5)
    assert [len(table) for table in tables] == [0, 1, 3, 1]
    assert tables[0].columns.tolist() == ["left", "top", "right", "bottom", "score"]
    assert middles(tables[3]) == [pytest.approx((900, 80), abs=4)]


def test_box_of_a_cut_cell_ends_at_the_border(network):
    [table] = detect(network, [disc_field([(10, 80)])], [0.25], threshold=0.3)
    left, right = table.loc[0, ["left", "right"]]
    assert left == 0
    assert 20 < right < 40
    assert (table[["left", "top", "right", "bottom"]] >= 0).all(axis=None)


def test_threshold_lies_between_cells_and_what_is_no_cell(network):
    field = disc_field(MIDDLES)
    field[:150, :150] += (240 - field[:150, :150]) // 4  # the first takes up less stain, and is no cell
    boxes = np.array([[x - 24, y - 24, x + 24, y + 24] for x, y in MIDDLES[1:]], float)
    heat = detect(network, [field], [0.25])[0]["score"]
    threshold = preparation.choose_threshold(network, [patches.Field("a", "P", "discs", field, boxes)])
    assert len(heat) == 3
    assert threshold == pytest.approx((heat.min() + preparation.THRESHOLDS.max()) / 2, abs=0.02)
