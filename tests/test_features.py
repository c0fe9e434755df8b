"""Features of hand-made cells have the values that a ruler gives, and do not depend on what should not matter."""

import cv2
import numpy as np
import pandas as pd
import pytest

from helpers import datasets, features


def disc(radius=30, size=100, colour=(90, 40, 120), field=(0, 0, 0), centre=(50, 50), axes=None):
    image = np.full((size, size, 3), field, np.uint8)
    cv2.ellipse(image, centre, axes or (radius, radius), 0, 0, 360, colour, -1)
    return image


def test_shape_of_a_disc_and_of_an_ellipse():
    found = features.measure(disc())
    assert found["area"] == pytest.approx(
        np.pi * 30.5**2, rel=0.01
    )  # pixels whose middle is on the outline belong to it
    assert found["diameter"] == pytest.approx(61, rel=0.01)
    assert found["roundness"] == pytest.approx(1, abs=0.12)
    assert found["solidity"] > 0.97
    long = features.measure(disc(axes=(40, 20)))
    assert long["length"] / long["width"] == pytest.approx(2, rel=0.05)
    assert long["eccentricity"] == pytest.approx(np.sqrt(0.75), rel=0.03)


def test_colour_is_optical_density_without_the_field():
    found = features.measure(disc(colour=(90, 40, 120)))
    for name, value in zip(("red", "green", "blue"), (90, 40, 120), strict=True):
        assert found[f"density_{name}"] == pytest.approx(-np.log((value + 1) / 256), abs=1e-4)
        assert found[f"density_{name}_sd"] == pytest.approx(0, abs=1e-4)
    pale = features.measure(disc(colour=(90, 40, 120), field=(230, 225, 235)))  # found by Otsu, not by black
    assert pale["density_green"] == pytest.approx(found["density_green"], abs=0.02)


def test_texture_follows_the_grain():
    random = np.random.default_rng(0)
    cells = {}
    for grain in (1, 4):
        noise = cv2.GaussianBlur(random.normal(0, 1, (100, 100)), (0, 0), grain)
        cell = disc().astype(float) + (disc() > 0) * (25 * noise / noise.std())[..., None]
        cells[grain] = features.measure(np.clip(cell, 0, 255).astype(np.uint8) * (disc() > 0))
    fine, coarse = ({s: cells[g][f"texture_red_{s}"] for s in ("1", "6")} for g in (1, 4))
    assert fine["1"] > coarse["1"]
    assert fine["6"] < coarse["6"]


def test_a_turned_mirrored_or_moved_cell_has_the_same_features():
    image = disc(axes=(40, 20), centre=(45, 55))
    image[50:60, 35:45] = (40, 20, 80)
    before = pd.Series(features.measure(image))
    for changed in (np.rot90(image), image[:, ::-1], np.roll(image, (3, 4), (0, 1))):
        after = pd.Series(features.measure(np.ascontiguousarray(changed)))
        assert np.allclose(before, after, rtol=0.03, atol=0.03)


def test_an_image_without_a_cell_has_zeros_under_the_same_names():
    nothing, something = features.measure(np.zeros((64, 64, 3), np.uint8)), features.measure(disc())
    assert list(nothing) == list(something)
    assert set(nothing.values()) == {0.0}


def test_a_table_has_the_ids_and_finite_numbers_only():
    data = datasets.load("synthetic", n=12, patients=4, task="leukaemia")
    table = features.table(data.images(96), data.frame.index)
    assert table.index.equals(data.frame.index)
    assert np.isfinite(table.to_numpy()).all()
    assert set(features.READABLE) <= set(table)
