"""Patches of fields: the boxes follow the cells, epochs can be repeated, and sources count alike."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets
from helpers.counting import network, patches, preparation, scale

BOX = np.array([[0.0, 0.0, 5.0, 5.0]])
FIELDS = {"task": "fields", "n_images": 6, "n_patients": 3, "size": 256}


@pytest.fixture(scope="module")
def fields():
    data = datasets.load("synthetic", **FIELDS)
    return patches.read_fields(data, scale.annotated_scale(data))


def square(side, source):
    """A white field of 160 pixels with one dark square as its cell."""
    image = np.full((160, 160, 3), 255, np.uint8)
    image[60 : 60 + side, 50 : 50 + side] = 0
    return patches.Field("a", "a", source, image, np.array([[50.0, 60.0, 50.0 + side, 60.0 + side]]))


def test_fields_are_brought_to_the_scale_of_the_network(fields):
    assert {field.image.shape for field in fields} == {(320, 320, 3)}  # 80 µm
    boxes = np.concatenate([field.boxes for field in fields])
    assert 8 < np.median((boxes[:, 2:] - boxes[:, :2]) * network.UM_PER_PIXEL) < 20  # µm


def test_boxes_follow_the_cell():
    for image, target in patches.draw_patches([square(48, "a")], 40, (20,)):
        peak = np.unravel_index(target[..., 0].argmax(), target.shape[:2])
        if target[(*peak, 0)] < 1:
            continue  # the patch shows less than 40 % of the cell
        left, top, right, bottom = (
            target[(*peak, slice(1, 5))] * np.array([-1, -1, 1, 1]) + np.tile(peak[::-1], 2) + 0.5
        )
        rows, columns = np.nonzero(image[..., 0] < 128)
        seen = [columns.min() / 4, rows.min() / 4, (columns.max() + 1) / 4, (rows.max() + 1) / 4]
        assert [left, top, right, bottom] == pytest.approx(seen, abs=0.6)


def test_sources_count_alike():
    many = [square(48, "many")] * 30 + [square(20, "few")]
    sizes = [(image[..., 0] < 128).sum() for image, _ in patches.draw_patches(many, 200, (20,))]
    assert 0.3 < np.mean(np.array(sizes) < 800) < 0.75  # squares of 20 pixels, and cut ones of 48


def test_epochs_differ_and_are_repeated_from_any_of_them(fields):
    batches = iter(patches.patch_batches(fields, 8, 4, 20))
    first, _, third, fourth = (next(batches) for _ in range(4))
    later = iter(patches.patch_batches(fields, 8, 4, 20, first_epoch=1))
    assert first[0].shape == (4, 128, 128, 3)
    assert first[1].shape == (4, 32, 32, network.TARGETS)
    assert not np.array_equal(first[0], third[0])
    for repeated, once in ((next(later), third), (next(later), fourth)):
        assert np.array_equal(repeated[0], once[0])
        assert np.array_equal(repeated[1], once[1])


def test_dataset_without_boxes_is_refused():
    data = datasets.load("synthetic", n_images=6, n_patients=3)
    with pytest.raises(ValueError, match=r"^synthetic: has no boxes of cells; load whole fields"):
        patches.read_fields(data, pd.Series(0.2, data.frame.index))


def groups_of(fields, split, source, name):
    return {field.group for field, own in zip(fields, split, strict=True) if (field.source, own) == (source, name)}


def test_groups_of_every_source_are_divided_and_none_is_on_both_sides():
    image = np.zeros((9, 9, 3), np.uint8)
    fields = [patches.Field(str(k), f"P{k % 20}", "ab"[k % 2], image, BOX) for k in range(80)]
    split = preparation.split_fields(fields, 20)
    assert 0.05 < np.mean(split == "validation") < 0.2
    for source in "ab":
        train, validation = (groups_of(fields, split, source, name) for name in ("train", "validation"))
        assert train and validation
        assert not train & validation


def test_few_groups_are_enough_and_two_are_not(fields):
    split = preparation.split_fields(fields, 20)  # three patients
    assert len(groups_of(fields, split, "synthetic", "validation")) == 1
    with pytest.raises(datasets.DatasetError, match="a detector needs fields of at least 3 groups, got 1"):
        preparation.split_fields(fields[:1], 20)
