"""Prepared images: what changes, and what stays."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import datasets, preprocessing
from helpers.learners import laboratories, preparations

SIZE = 48


@pytest.fixture(scope="module")
def labs():
    data = datasets.load("synthetic", n_images=36, n_patients=12, n_stain_batches=3, balanced=True)
    return laboratories.choose_laboratories(data, names=["stain 2", "stain 0"])


@pytest.fixture(scope="module")
def images(labs):
    return labs.data.load_images(SIZE)


@pytest.fixture(scope="module")
def fields():
    return datasets.load("synthetic", n_images=12, n_patients=12, n_stain_batches=3, task="fields", size=256)


def test_a_crop_holds_the_cell_and_little_else(labs):
    crops = preparations.crop_cells(labs.data, SIZE)
    assert crops.shape == (len(labs.data), SIZE, SIZE, 3)
    for crop, image_id in zip(crops[:6], labs.data.frame.index, strict=False):
        mask = labs.data.load_mask(image_id) > 0
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        side = max(np.ptp(rows), np.ptp(columns)) + 1
        assert side < 128
        own = preprocessing.largest_filled_component(preprocessing.segment_cell_otsu(crop) > 0)
        assert own.mean() > 0.25


def test_a_crop_needs_masks_or_boxes(labs):
    assert preparations.crop_cells(replace(labs.data, has_masks=False), SIZE) is None


def test_stain_normalisation_brings_the_target_near_the_source_and_leaves_the_source(labs, images):
    is_source = (labs.data.frame["laboratory"] == labs.source).to_numpy()
    before = preprocessing.lab_distance(images[~is_source], images[is_source])
    for name in ("Reinhard", "Macenko"):
        normalised = preparations.normalize_stain(labs, images, name)
        assert (normalised[is_source] == images[is_source]).all()
        assert preprocessing.lab_distance(normalised[~is_source], images[is_source]) < before


def test_red_cells_bring_the_target_near_the_source(fields):
    data = datasets.load("synthetic", n_images=36, n_patients=12, n_stain_batches=3, balanced=True)
    labs = laboratories.choose_laboratories(data, names=["stain 0", "stain 1"])
    images = labs.data.load_images(SIZE)
    normalised = preparations.normalize_by_red_cells(labs, images, preparations.measure_red_cells(labs, fields))
    is_source = (labs.data.frame["laboratory"] == labs.source).to_numpy()
    before, after = (preprocessing.lab_distance(part[~is_source], part[is_source]) for part in (images, normalised))
    assert after < before / 2
    other = replace(fields, frame=fields.frame.assign(group="elsewhere"))
    none = preparations.measure_red_cells(labs, other)
    assert (preparations.normalize_by_red_cells(labs, images, none) == images).all()


def test_copies_have_other_stains_and_their_seed(images):
    first, second = preparations.augment_stain(images[:4], 2, 20)
    assert (first != second).any()
    assert (first == preparations.augment_stain(images[:4], 1, 20)[0]).all()
    assert (first != images[:4]).any()


def test_strange_images_are_of_four_kinds_and_two_without_boxes(labs, fields):
    kinds = preparations.strange_images(labs, fields, SIZE, 5, seed=20)
    assert list(kinds) == ["red cells", "platelets", "blank fields", "photographs"]
    assert {part.shape[1:] for part in kinds.values()} == {(SIZE, SIZE, 3)}
    assert kinds["blank fields"].std(axis=(1, 2)).max() < 3
    assert list(preparations.strange_images(labs, None, SIZE, 5, seed=20)) == ["blank fields", "photographs"]
    again = preparations.strange_images(labs, fields, SIZE, 5, seed=20)
    assert all((again[kind] == part).all() for kind, part in kinds.items())


def test_real_fields_give_crops_and_red_cells(real):
    data = real("txl", crop=False)
    some = data.select(data.frame.groupby(["source", "label"]).head(3).index)
    labs = laboratories.choose_laboratories(some, names=["pbc", "raabin"])
    crops = preparations.crop_cells(labs.data, SIZE)
    assert crops.std(axis=(1, 2, 3)).min() > 10
    images = labs.data.load_images(SIZE)
    normalised = preparations.normalize_by_red_cells(labs, images, preparations.measure_red_cells(labs, labs.data))
    is_source = (labs.data.frame["laboratory"] == "pbc").to_numpy()
    distances = [preprocessing.lab_distance(part[~is_source], part[is_source]) for part in (images, normalised)]
    assert distances[1] < distances[0] / 2
