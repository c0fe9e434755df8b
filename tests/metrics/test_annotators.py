"""Two masks of one cell are compared where the cell is in the same place, and an untrained channel at its best."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics


def test_masks_of_the_same_cell_agree_and_cells_that_were_cut_out_anew_are_left_out():
    data = datasets.load("synthetic", n_images=4, n_patients=2, size=32)
    a, b, c = data.frame.index[:3]
    pairs = pd.DataFrame({"image_a": [a, a, b], "image_b": [a, b, c], "aligned": [True, True, False]})
    table = metrics.annotator_agreement(data, pairs, 32)
    assert list(table.columns) == ["pair", "cytoplasm", "mean IoU", "nucleus", "whole cell"]
    assert list(table["pair"]) == [f"{a} and {a}", f"{a} and {b}"]
    assert table.iloc[0, 1:].tolist() == [1, 1, 1, 1]
    masks = data.load_masks(32)
    assert table["nucleus"][1] == metrics.dice_and_iou(masks[0] == 2, masks[1] == 2)[0]


def test_without_pairs_the_table_is_empty():
    data = datasets.load("synthetic", n_images=2, n_patients=2, size=32)
    pairs = pd.DataFrame({"image_a": ["x"], "image_b": ["y"], "aligned": [False]})
    assert metrics.annotator_agreement(data, pairs, 32).empty


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_a_channel_that_shows_cells_or_background_scores_1_whatever_their_share(sign, rows):
    cells = np.zeros((2, 4, 4), bool)
    cells[:, :rows] = True
    assert metrics.channel_dice(sign * cells.astype(float), cells) == 1


def test_a_constant_channel_is_as_good_as_calling_everything_a_cell():
    cells = np.zeros((1, 4, 4), bool)
    cells[:, :1] = True
    assert metrics.channel_dice(np.full((1, 4, 4), 0.5), cells) == pytest.approx(2 * 4 / (4 + 16))
