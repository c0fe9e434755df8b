"""Cells of a field: the border rule is unbiased, and pictures hold the cell."""

import numpy as np
import pandas as pd

from helpers.counting import cells


def boxes(middles, sides):
    half = np.asarray(sides)[:, None] / 2
    return pd.DataFrame(np.concatenate([middles - half, middles + half], axis=1), columns=list("abcd")).set_axis(
        ["left", "top", "right", "bottom"], axis=1
    )


def test_large_cells_are_counted_as_often_as_small_ones():
    random = np.random.default_rng(20)
    middles = random.uniform(-40, 240, (40_000, 2))  # of a film around a field of 200 × 200 pixels
    sides = np.where(random.random(40_000) < 0.5, 20.0, 60.0)
    film = boxes(middles, sides)
    seen = (film["right"] > 0) & (film["left"] < 200) & (film["bottom"] > 0) & (film["top"] < 200)
    marked = cells.mark_border(film[seen].clip(0, 200), (200, 200), 10.0)
    counted = marked.index[marked["counted"]]
    whole = marked.index[~marked["cut"]]
    share = np.mean(sides == 60)
    assert abs(np.mean(sides[counted] == 60) - share) < 0.01
    assert np.mean(sides[whole] == 60) < share - 0.1


def test_cell_within_is_whole_and_counted():
    marked = cells.mark_border(boxes(np.array([[50.0, 50.0]]), [20]), (100, 100), 0.25)
    assert marked[["cut", "counted"]].to_numpy().tolist() == [[False, True]]


def test_picture_is_the_square_with_a_margin_moved_into_the_field():
    field = np.arange(100 * 120 * 3, dtype=np.uint32).reshape(100, 120, 3).astype(np.uint8)
    table = boxes(np.array([[60.0, 50.0], [110.0, 10.0]]), [20, 20])
    first, second = cells.cut_out(field, table)
    assert np.array_equal(first, field[38:62, 48:72])
    assert np.array_equal(second, field[0:24, 96:120])
