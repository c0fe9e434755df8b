"""Stain normalisation against stains that are known."""

import numpy as np
import pytest
from factories import cell_picture

from helpers import preprocessing
from helpers.preprocessing import (
    LabStatistics,
    fit_macenko,
    fit_reinhard,
    normalize_macenko,
    normalize_reinhard,
)

# Optical density of red, green, blue per unit of stain: a blue dye and a red one.
STAINS = np.array([[0.75, 0.60, 0.28], [0.12, 0.82, 0.56]])
STAINS /= np.linalg.norm(STAINS, axis=1, keepdims=True)
FIELD = np.array([240.0, 236.0, 230.0])


def stained(stains=STAINS, field=FIELD, seed=0, size=64, strength=(1.0, 1.0)):
    """Images that obey Beer and Lambert: empty field, each stain alone, and mixtures."""
    random = np.random.default_rng(seed)
    amounts = random.uniform(0.15, 1.0, (size * size, 2)) * strength
    kind = random.integers(0, 4, size * size)
    amounts[kind == 0] = 0
    amounts[kind == 1, 1] = 0
    amounts[kind == 2, 0] = 0
    picture = field * np.exp(-amounts @ stains)
    return np.round(np.clip(picture, 0, 255)).astype(np.uint8).reshape(1, size, size, 3)


def degrees(a, b):
    return np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def test_reinhard_to_its_own_statistics_changes_next_to_nothing():
    picture, _ = cell_picture()
    own = fit_reinhard(picture[None])
    assert np.abs(normalize_reinhard(picture, own, own).astype(int) - picture).max() <= 2


def test_reinhard_reaches_the_statistics_of_the_target():
    picture, _ = cell_picture()
    target = LabStatistics(np.array([60.0, 8.0, -6.0]), np.array([12.0, 6.0, 7.0]))
    result = normalize_reinhard(picture, fit_reinhard(picture[None]), target)
    assert result.dtype == np.uint8
    reached = fit_reinhard(result[None])
    assert np.abs(reached.mean - target.mean).max() < 1
    assert np.abs(reached.std - target.std).max() < 1


def test_lab_statistics_pool_all_pixels_of_all_images():
    pictures = np.stack([cell_picture(seed)[0] for seed in range(3)])
    pooled = fit_reinhard(pictures)
    one_by_one = [fit_reinhard(picture[None]).mean for picture in pictures]
    assert pooled.mean == pytest.approx(np.mean(one_by_one, axis=0), abs=1e-2)
    assert pooled.mean.shape == pooled.std.shape == (3,)


def test_lab_statistics_of_many_pixels_lose_no_precision():
    pictures = np.repeat(cell_picture()[0][None], 150, axis=0)
    one, many = fit_reinhard(pictures[:1]), fit_reinhard(pictures)
    assert many.mean == pytest.approx(one.mean, abs=1e-4)
    assert many.std == pytest.approx(one.std, abs=1e-4)


def test_reinhard_of_a_constant_image_stays_finite():
    flat = np.full((16, 16, 3), 200, np.uint8)
    target = LabStatistics(np.array([60.0, 8.0, -6.0]), np.array([12.0, 6.0, 7.0]))
    result = normalize_reinhard(flat, fit_reinhard(flat[None]), target)
    assert fit_reinhard(result[None]).mean == pytest.approx(target.mean, abs=2)


@pytest.mark.parametrize("seed", range(3))
def test_macenko_recovers_known_stains(seed):
    found = fit_macenko(stained(seed=seed))
    assert degrees(found.colours[0], STAINS[0]) < 3
    assert degrees(found.colours[1], STAINS[1]) < 3
    assert np.linalg.norm(found.colours, axis=1) == pytest.approx([1, 1])
    assert np.abs(found.background - FIELD).max() <= 1
    assert found.max_concentration == pytest.approx([1.0, 1.0], rel=0.1)


def test_macenko_measures_against_a_yellow_field():
    field = np.array([235.0, 225.0, 170.0])
    found = fit_macenko(stained(field=field))
    assert np.abs(found.background - field).max() <= 1
    assert degrees(found.colours[0], STAINS[0]) < 3
    assert degrees(found.colours[1], STAINS[1]) < 3


def test_macenko_with_source_as_target_changes_next_to_nothing():
    pictures = stained()
    own = fit_macenko(pictures)
    result = normalize_macenko(pictures[0], own, own)
    assert result.dtype == np.uint8
    assert np.abs(result.astype(int) - pictures[0]).max() <= 6
    assert np.abs(result.astype(int) - pictures[0]).mean() < 2


def test_macenko_repaints_one_batch_like_another():
    other = np.array([[0.85, 0.48, 0.20], [0.25, 0.80, 0.55]])
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    ours = stained(seed=4, strength=(0.8, 0.7))
    theirs = stained(other, np.array([225.0, 228.0, 240.0]), seed=4)
    result = normalize_macenko(ours[0], fit_macenko(ours), fit_macenko(theirs))
    before = np.abs(ours[0].astype(int) - theirs[0]).mean()
    after = np.abs(result.astype(int) - theirs[0]).mean()
    assert after < before / 4


@pytest.mark.parametrize("grey", [1, 128, 255])
def test_macenko_refuses_an_image_without_stain(grey):
    with pytest.raises(ValueError, match="got 0 stained pixels"):
        fit_macenko(np.full((1, 32, 32, 3), grey, np.uint8))


def test_macenko_refuses_a_single_stained_colour():
    picture = np.full((1, 32, 32, 3), 235, np.uint8)
    picture[0, :16] = (120, 60, 150)
    with pytest.raises(ValueError, match="two stains need"):
        fit_macenko(picture)


def test_removed_background_stays_black_and_does_not_move_the_statistics():
    random = np.random.default_rng(3)
    cells = random.integers(60, 220, (2, 40, 40, 3)).astype(np.uint8)
    framed = np.zeros((2, 80, 80, 3), np.uint8)
    framed[:, 20:60, 20:60] = cells
    inside, whole = preprocessing.fit_reinhard(cells), preprocessing.fit_reinhard(framed)
    np.testing.assert_allclose(inside.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(
        preprocessing.fit_macenko(cells).colours, preprocessing.fit_macenko(framed).colours, atol=1e-6
    )
    stains = preprocessing.fit_macenko(framed)
    for result in (
        preprocessing.normalize_reinhard(framed[0], whole, whole),
        preprocessing.normalize_macenko(framed[0], stains, stains),
    ):
        assert not result[:20].any()
        assert result[20:60, 20:60].any()


def test_an_all_black_batch_has_no_colour_to_measure():
    black = np.zeros((2, 8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="black"):
        preprocessing.fit_reinhard(black)
    with pytest.raises(ValueError, match="black"):
        preprocessing.fit_macenko(black)


def test_the_stain_that_lets_blue_through_is_first_although_the_other_absorbs_as_much_red():
    stains = np.array([[0.48, 0.86, 0.17], [0.53, 0.44, 0.72]])
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    found = fit_macenko(stained(stains)).colours
    assert degrees(found[0], stains[0]) < 4
    assert degrees(found[1], stains[1]) < 4
