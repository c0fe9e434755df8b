"""Figures of how a network learns draw the numbers that they are given."""

import numpy as np
import pandas as pd
import pytest

from helpers.plots import NoFigure, learning


def history(loss, val_loss):
    return pd.DataFrame({"loss": loss, "val_loss": val_loss})


def test_every_pixel_of_the_patch_has_its_value():
    channel = np.arange(100, dtype=np.uint8).reshape(10, 10)
    picture = learning.number_grid(channel, 2, 3, 4, "c")
    values = [int(text.get_text()) for text in picture.figure.axes[1].texts]
    assert values == channel[2:6, 3:7].ravel().tolist()
    assert "from 23 to 56" in picture.alt


@pytest.mark.parametrize("corner", [(-1, 0), (8, 0), (0, 7)])
def test_a_patch_outside_the_image_is_an_error(corner):
    with pytest.raises(ValueError, match="does not lie within an image"):
        learning.number_grid(np.zeros((10, 10), np.uint8), *corner, 4, "c")


def test_zero_is_the_middle_of_a_map_with_signs_and_images_stay_as_they_are():
    maps = {"image": np.zeros((4, 4, 3), np.uint8), "edges": np.array([[-3.0, 1.0], [0.0, 2.0]])}
    picture = learning.map_row(maps, "c")
    image, edges = (ax.images[0] for ax in picture.figure.axes[:2])
    assert image.get_array().shape == (4, 4, 3)
    assert edges.get_clim() == (-3, 3)
    assert picture.alt == "2 panels: image; edges, 2 by 2, from -3.0 to 2.0."


def test_a_map_of_zeros_is_drawn():
    learning.map_row({"dead unit": np.zeros((4, 4))}, "c")._repr_mimebundle_()


def test_the_surface_has_the_mean_cross_entropy_of_its_weights():
    features, labels = np.array([[1.0, 0.0], [-1.0, 0.5]]), np.array([1, 0])
    path = np.array([[0.0, 0.0], [100.0, 0.0]])
    picture = learning.loss_surface(features, labels, {"0.1": path, "9": path[:1]}, ("area", "ratio"), "c")
    assert "0.1 ends at a loss of 0.00; 9 ends at a loss of 0.69" in picture.alt
    ax = picture.figure.axes[0]
    assert [line.get_xydata().tolist() for line in ax.lines] == [path.tolist(), path[:1].tolist()]
    assert ax.get_xlim() == (-6, 6)


def test_panels_share_one_scale_that_a_diverging_training_does_not_spoil():
    histories = {"fit": history([0.7, 0.4], [0.7, 0.5]), "diverges": history([0.7, 30.0], [0.7, 50.0])}
    picture = learning.training_panels(histories, "c")
    assert [ax.get_ylim() for ax in picture.figure.axes] == [(0, 1.5)] * 2
    assert "fit ends at 0.40 in training and 0.50 in validation" in picture.alt


def test_one_epoch_makes_no_curve():
    assert isinstance(learning.training_panels({"short": history([0.7], [0.7])}, "c"), NoFigure)


def test_lines_pass_over_missing_values():
    table = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": [np.nan, 2.0, np.nan]}, pd.Index([0, 1, 2], name="step"))
    picture = learning.series_plot(table, "loss", "c", chance=0.5)
    assert [line.get_xdata().tolist() for line in picture.figure.axes[0].lines[:2]] == [[0, 2], [1]]
    ax = picture.figure.axes[0]
    assert [tick for tick in ax.get_xticks() if tick % 1] == []  # no step 0.5
    assert ax.lines[2].get_linewidth() > 1  # chance is seen on a phone
    assert picture.alt == "loss by step: a from 1.00 to 3.00; b from 2.00 to 2.00."


def test_a_kernel_of_zeros_is_grey_and_the_largest_weight_is_bright():
    kernels = np.zeros((3, 3, 3, 2))
    kernels[0, 0, 0, 1] = 0.5
    shown = learning.kernel_images(kernels)
    assert shown.shape == (2, 3, 3, 3)
    assert set(shown[0].ravel().tolist()) == {128}
    assert shown[1, 0, 0].tolist() == [255, 128, 128]
