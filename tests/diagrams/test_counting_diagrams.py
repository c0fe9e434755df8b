"""The diagrams of chapter *Count* say what they show, and the distances are those of the target."""

import re

import numpy as np
import pytest
from layout import misplaced
from matplotlib.patches import FancyArrowPatch, Rectangle

from helpers import datasets
from helpers.counting.network import encode_boxes
from helpers.datasets.boxes import box_table
from helpers.diagrams import counting


@pytest.fixture(scope="module")
def patch():
    """A patch of 32 µm of a synthetic field with the middle of a cell off its own, and the boxes of the field."""
    data = datasets.load("synthetic", task="fields", n_images=2, n_patients=1, size=320)
    table = box_table(data.frame).iloc[0]
    boxes = box_table(data.frame[data.frame.index == table["image_id"]])[["left", "top", "right", "bottom"]]
    corner = np.array([table["left"], table["top"]]) - 20
    top, left = max(0, corner[1]), max(0, corner[0])
    return data.load_image(table["image_id"])[top : top + 128, left : left + 128], boxes - [left, top, left, top]


def texts(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def test_every_step_has_its_trouble_and_an_expert_enters():
    picture = counting.counting_pipeline()
    assert {*counting.STEPS, *counting.STEPS.values()} <= set(texts(picture))
    assert {"referred cells", "flagged patients", "corrections"} <= set(texts(picture))
    assert all(f"{step}: {' '.join(words.split())}" in picture.alt for step, words in counting.STEPS.items())
    assert misplaced(picture.figure) == []
    assert picture.figure.get_size_inches()[0] <= 6.5


def test_the_distances_are_those_of_the_target(patch):
    image, boxes = patch
    target = encode_boxes(boxes.to_numpy(float), 128, 128)
    picture = counting.centre_targets(image, boxes.to_numpy(float), target)
    assert misplaced(picture.figure) == []
    shown = [artist.get_array() for artist in picture.figure.axes[0].images]
    assert np.array_equal(shown[0], image) and np.array_equal(shown[1], target[..., 0])
    distances = [float(number) for number in re.findall(r"([\d.]+) µm to the", picture.alt)]
    weight = target[..., 5]
    row, column = np.argwhere(weight == weight[weight > 0].min())[0]
    assert distances == pytest.approx(target[row, column, 1:5], abs=0.051)
    for distance in distances:
        assert f"{distance:.1f} µm" in texts(picture)
    left, top, right, bottom = 4 * (np.tile([column + 0.5, row + 0.5], 2) + [-1, -1, 1, 1] * target[row, column, 1:5])
    visible = boxes.to_numpy(float).clip(0, 128)
    assert np.abs(visible - [left, top, right, bottom]).max(axis=1).min() < 1e-3


def test_the_arrows_end_at_the_sides_of_the_enlarged_box(patch):
    image, boxes = patch
    target = encode_boxes(boxes.to_numpy(float), 128, 128)
    artists = counting.centre_targets(image, boxes.to_numpy(float), target).figure.axes[0].patches
    box = [artist for artist in artists if isinstance(artist, Rectangle)][-1]
    (x, y), width, height = box.get_xy(), box.get_width(), box.get_height()
    ends = [artist._posA_posB[1] for artist in artists if isinstance(artist, FancyArrowPatch)]
    assert [ends[0][0], ends[2][0]] == pytest.approx([x, x + width])
    assert [ends[1][1], ends[3][1]] == pytest.approx([y + height, y])


def test_boxes_outside_the_patch_are_not_drawn(patch):
    image, boxes = patch
    inside = boxes.to_numpy(float)
    target = encode_boxes(inside, 128, 128)
    n_drawn = [
        sum(
            isinstance(artist, Rectangle)
            for artist in counting.centre_targets(image, each, target).figure.axes[0].patches
        )
        for each in (inside, np.vstack([inside, [[200, 200, 260, 260], [-80, 10, -20, 60]]]))
    ]
    assert n_drawn[0] == n_drawn[1]


def test_a_patch_without_a_cell_is_refused(patch):
    nothing = np.empty((0, 4))
    with pytest.raises(ValueError, match="give a patch with at least one white blood cell"):
        counting.centre_targets(patch[0], nothing, encode_boxes(nothing, 128, 128))
