"""Segmentation of drawn discs, clean-up, and stain normalisation against stains that are known."""

import cv2
import numpy as np
import pytest

from helpers import preprocessing
from helpers.metrics import dice_and_iou
from helpers.preprocessing import (
    HSV_LOWER,
    HSV_UPPER,
    SEGMENTATIONS,
    LabStatistics,
    fit_macenko,
    fit_reinhard,
    largest_filled_component,
    normalize_macenko,
    normalize_reinhard,
    remove_background,
    segment_hsv,
    segment_kmeans,
    segment_nucleus_otsu,
)

# Optical density of red, green, blue per unit of stain: a blue dye and a red one.
STAINS = np.array([[0.75, 0.60, 0.28], [0.12, 0.82, 0.56]])
STAINS /= np.linalg.norm(STAINS, axis=1, keepdims=True)
FIELD = np.array([240.0, 236.0, 230.0])


def of_hue(hue, saturation=150, value=160, size=8):
    """A square of one colour, RGB."""
    hsv = np.full((size, size, 3), (hue, saturation, value), np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def disc(size=96, radius=22, centre=(45, 52)):
    y, x = np.mgrid[:size, :size]
    return np.hypot(y - centre[0], x - centre[1]) < radius


def cell_picture(seed=0):
    """A dark purple nucleus in pale blue cytoplasm among pink red cells, and the nucleus."""
    nucleus, cytoplasm, red = disc(), disc(radius=32), disc(radius=14, centre=(10, 10))
    picture = np.full((96, 96, 3), (235, 230, 232), float)
    picture[red] = (215, 170, 175)
    picture[cytoplasm] = (190, 185, 225)
    picture[nucleus] = (95, 45, 140)
    picture += np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), nucleus


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


# --- segmentation


@pytest.mark.parametrize("hue", range(0, 180, 6))
def test_swapped_channels_turn_a_hue_h_into_120_minus_h(hue):
    picture = of_hue(hue, 200, 200)
    read_as_rgb = int(cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)[0, 0, 0])
    read_swapped = int(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)[0, 0, 0])
    difference = (read_swapped - (120 - read_as_rgb)) % 180
    assert min(difference, 180 - difference) <= 1


def test_the_default_bounds_select_what_the_source_selects_on_swapped_channels():
    random = np.random.default_rng(0)
    hsv = np.stack(
        [random.integers(100, 160, 20_000), random.integers(20, 256, 20_000), random.integers(20, 256, 20_000)], axis=-1
    )
    pixels = cv2.cvtColor(hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)
    ours = cv2.inRange(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV), HSV_LOWER, HSV_UPPER) > 0
    theirs = cv2.inRange(cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV), (168, 50, 50), (179, 255, 255)) > 0
    assert theirs.sum() > 2000
    assert (ours == theirs).mean() > 0.99  # whole degrees of hue round differently at the two bounds


@pytest.mark.parametrize(("hue", "selected"), [(110, False), (118, False), (123, True), (130, True), (136, False)])
def test_hsv_threshold_selects_purple_and_neither_blue_nor_pink(hue, selected):
    assert segment_hsv(of_hue(hue)).all() == selected
    assert segment_hsv(of_hue(hue)).any() == selected


def test_hsv_threshold_leaves_out_pale_and_black_pixels():
    assert not segment_hsv(of_hue(126, saturation=30)).any()
    assert not segment_hsv(of_hue(126, value=30)).any()


def test_hsv_threshold_takes_bounds_of_its_caller():
    assert segment_hsv(of_hue(60), lower=(50, 50, 50), upper=(70, 255, 255)).all()


def test_clean_up_keeps_the_largest_component():
    mask = disc()
    speck = np.zeros_like(mask)
    speck[2:5, 2:5] = True
    assert np.array_equal(largest_filled_component(mask | speck), mask)


def test_clean_up_fills_holes():
    mask = disc()
    pierced = mask & ~disc(radius=5)
    assert pierced.sum() < mask.sum()
    assert np.array_equal(largest_filled_component(pierced), mask)


def test_clean_up_does_not_join_components_that_touch_at_a_corner():
    mask = np.zeros((6, 6), bool)
    mask[:3, :3] = True
    mask[3:5, 3:5] = True
    assert largest_filled_component(mask).sum() == 9


def test_an_empty_mask_stays_empty():
    result = largest_filled_component(np.zeros((5, 7), bool))
    assert result.shape == (5, 7)
    assert result.dtype == bool
    assert not result.any()


def discs(*places, size=80):
    """Discs of radius 10 about some columns of the middle row, or of another radius."""
    rows, columns = np.mgrid[:size, :size]
    radii = [(place, 10) if isinstance(place, int) else place for place in places]
    return np.logical_or.reduce([(rows - 40) ** 2 + (columns - c) ** 2 <= r**2 for c, r in radii])


@pytest.mark.parametrize(
    ("places", "kept"),
    [
        ((20, 44), (20, 44)),  # a gap of 3
        ((15, 40, 65), (15, 40, 65)),  # a chain of gaps of 4
        ((20, 48), (20,)),  # a gap of 7, more than 0.6 of a radius of 10
        ((20, (38, 4)), (20, (38, 4))),  # a sixth of the area
        ((20, (36, 2)), (20,)),  # a platelet
    ],
)
def test_lobes_that_lie_near_each_other_are_one_nucleus(places, kept):
    assert np.array_equal(preprocessing.join_lobes(discs(*places)), discs(*kept))


def test_the_holes_of_a_lobe_are_filled_and_an_empty_mask_stays_empty():
    pierced = discs(20, 44) & ~discs((20, 3))
    assert np.array_equal(preprocessing.join_lobes(pierced), discs(20, 44))
    assert not preprocessing.join_lobes(np.zeros((5, 7), bool)).any()


@pytest.mark.parametrize("segment", preprocessing.SEGMENTATIONS.values(), ids=preprocessing.SEGMENTATIONS)
def test_every_method_keeps_both_lobes_of_a_nucleus(segment):
    image = np.full((80, 80, 3), (235, 215, 225), np.uint8)
    image[discs((32, 30))] = (225, 190, 200)
    image[discs(20, 43)] = (70, 40, 140)
    assert np.count_nonzero(segment(image) ^ discs(20, 43)) < 90  # of 634


def test_a_range_of_hues_may_go_through_red():
    image = np.full((40, 40, 3), 255, np.uint8)
    image[10:20, 10:30] = (200, 20, 20)  # hue 0
    image[20:30, 10:30] = (200, 20, 60)  # hue 173
    found = preprocessing.segment_hsv(image, (165, 50, 50), (10, 255, 255))
    assert found.sum() == 400
    assert preprocessing.segment_hsv(image, (165, 50, 50), (179, 255, 255)).sum() == 200
    assert preprocessing.segment_hsv(image, (0, 50, 50), (10, 255, 255)).sum() == 200
    assert not preprocessing.segment_hsv(image, (165, 50, 50), (10, 255, 190)).any()


def test_otsu_keeps_the_grey_level_of_its_own_threshold():
    """Three flat levels: each threshold is the level itself, and the nucleus was lost altogether."""
    image = np.full((60, 60, 3), 220, np.uint8)
    image[10:50, 10:50] = 150
    image[20:40, 20:40] = 60
    mask = preprocessing.segment_cell_otsu(image)
    assert np.count_nonzero(mask == 2) == pytest.approx(400, abs=30)
    assert np.count_nonzero(mask) == pytest.approx(1600, abs=60)


def test_the_nucleus_within_a_known_cell_does_not_see_what_lies_outside():
    image = np.zeros((80, 80, 3), np.uint8)
    cell = discs((40, 25))
    image[cell] = (200, 170, 210)
    image[discs((40, 15))] = (90, 40, 120)
    wanted = discs((40, 15))
    for outside in (0, 120, 255):
        image[~cell] = outside
        assert np.count_nonzero(preprocessing.segment_nucleus_in_cell(image, cell) ^ wanted) < 20
    image[cell] = 90
    assert not preprocessing.segment_nucleus_in_cell(image, cell).any()
    assert not preprocessing.segment_nucleus_in_cell(image, np.zeros((80, 80), bool)).any()


@pytest.mark.parametrize("segment", [segment_nucleus_otsu, segment_kmeans])
def test_a_dark_nucleus_is_found(segment):
    picture, nucleus = cell_picture()
    found = segment(picture)
    assert found.dtype == bool
    assert dice_and_iou(nucleus, found)[0] > 0.9


@pytest.mark.parametrize("segment", SEGMENTATIONS.values(), ids=SEGMENTATIONS.keys())
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_constant_image_gives_an_empty_mask(segment, grey):
    found = segment(np.full((32, 40, 3), grey, np.uint8))
    assert found.shape == (32, 40)
    assert not found.any()


def test_kmeans_gives_the_same_mask_for_the_same_seed():
    picture, _ = cell_picture()
    assert np.array_equal(segment_kmeans(picture, seed=3), segment_kmeans(picture, seed=3))


def test_remove_background_paints_only_what_lies_outside_the_mask():
    picture, nucleus = cell_picture()
    before = picture.copy()
    result = remove_background(picture, nucleus)
    assert (result[~nucleus] == 0).all()
    assert np.array_equal(result[nucleus], picture[nucleus])
    assert np.array_equal(picture, before)
    assert (remove_background(picture, nucleus, (255, 254, 253))[~nucleus] == (255, 254, 253)).all()


# --- stain normalisation


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


def test_otsu_mask_finds_a_cell_and_its_nucleus_and_nothing_in_an_empty_field():
    picture = np.full((60, 60, 3), 240, np.uint8)
    cv2.circle(picture, (30, 30), 20, (180, 150, 200), -1)
    cv2.circle(picture, (30, 30), 10, (90, 40, 140), -1)
    mask = preprocessing.segment_cell_otsu(picture)
    assert (mask > 0).sum() == pytest.approx(np.pi * 400, rel=0.1)
    assert (mask == 2).sum() == pytest.approx(np.pi * 100, rel=0.15)
    assert not preprocessing.segment_cell_otsu(np.full((20, 20, 3), 200, np.uint8)).any()
