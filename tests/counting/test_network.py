"""The network of the detector: its shapes, targets, loss and decoding."""

import numpy as np
import pytest

from helpers import models
from helpers.counting import network

BOX = np.array([[40.0, 60.0, 88.0, 100.0]])


def test_network_answers_on_a_grid_of_one_micrometre():
    model = network.centre_network(base_filters=4, levels=2)
    output = model(np.zeros((1, 64, 96, 3), np.float32)).numpy()
    assert output.shape == (1, 16, 24, network.CHANNELS)
    assert models.stride(model) == 16
    assert (output[..., 0] >= 0).all() and (output[..., 0] <= 1).all()
    assert (output[..., 1:] >= 0).all()


def test_target_peaks_at_the_middle_and_has_distances_around_it():
    target = network.encode_boxes(BOX, 128, 128)
    assert target.shape == (32, 32, network.TARGETS)
    assert np.unravel_index(target[..., 0].argmax(), (32, 32)) == (20, 16)  # 80 / 4 and 64 / 4
    assert target[20, 16].tolist() == [1, 6.5, 5.5, 5.5, 4.5, 1, 1]  # sides at 10, 15, 22 and 25 on the grid
    assert target[..., 6].min() == 1
    assert target[0, 0, :6] == pytest.approx(0, abs=1e-6)


def test_cell_that_is_mostly_outside_is_neither_cell_nor_background():
    beyond = np.array([[-36.0, 60.0, 12.0, 100.0]])  # 25 % inside
    target = network.encode_boxes(beyond, 128, 128)
    assert not target[..., :6].any()
    assert not target[15:25, :3, 6].any()
    assert target[..., 6].sum() == 32 * 32 - 30
    cut = network.encode_boxes(np.array([[-24.0, 60.0, 24.0, 100.0]]), 128, 128)  # half inside
    assert cut[20, 3, 0] == 1
    assert cut[20, 3, 1:5].tolist() == [3.5, 5.5, 2.5, 4.5]


def test_decoding_undoes_encoding():
    boxes = np.array([[40.0, 60.0, 88.0, 100.0], [90.0, 8.0, 122.0, 44.0]])
    target = network.encode_boxes(boxes, 128, 128)
    found, score = network.decode_boxes(target[..., :5], 0.5)
    assert sorted(found.tolist()) == boxes.tolist()
    assert score.tolist() == [1, 1]


def test_touching_cells_are_two():
    boxes = np.array([[20.0, 40.0, 64.0, 84.0], [64.0, 40.0, 108.0, 84.0]])
    found, _ = network.decode_boxes(network.encode_boxes(boxes, 128, 128)[..., :5], 0.5)
    assert sorted(found.tolist()) == boxes.tolist()


def test_duplicates_are_dropped_and_neighbours_are_kept():
    boxes = np.array([[0.0, 0.0, 40.0, 40.0], [4.0, 0.0, 44.0, 40.0], [30.0, 0.0, 70.0, 40.0]])
    assert network.drop_duplicates(boxes, np.array([0.8, 0.9, 0.7])).tolist() == [1, 2]


def test_nothing_is_found_below_the_threshold():
    found, score = network.decode_boxes(np.zeros((32, 32, 5), np.float32), 0.5)
    assert found.shape == (0, 4)
    assert score.shape == (0,)


@pytest.mark.parametrize(("moved", "lower", "upper"), [(0.0, 0, 0.02), (3.0, 0.3, 1.2)])
def test_loss_is_near_zero_for_the_truth_and_grows_with_the_error_of_the_box(moved, lower, upper):
    target = network.encode_boxes(BOX, 128, 128)[None]
    prediction = target[..., :5].copy()
    prediction[..., 1:] += moved
    prediction[..., 0] = np.where(prediction[..., 0] == 1, 1, 0)
    loss = network.centre_loss(target, prediction).numpy()
    assert loss.shape == (1,)
    assert lower <= loss[0] <= upper


def test_loss_of_an_invented_cell_is_ignored_where_the_heat_has_no_weight():
    target = network.encode_boxes(np.array([[-36.0, 60.0, 12.0, 100.0]]), 128, 128)[None]
    prediction = np.zeros((1, 32, 32, 5), np.float32)
    prediction[0, 20, 1, 0] = 0.99
    ignored = network.centre_loss(target, prediction).numpy()[0]
    prediction[0, 20, 1, 0], prediction[0, 5, 25, 0] = 0, 0.99
    assert ignored == pytest.approx(0, abs=1e-3)
    assert network.centre_loss(target, prediction).numpy()[0] > 4  # −log(0.01) × 0.99²
