"""Segmentation of drawn discs, and its clean-up."""

import cv2
import numpy as np
import pytest
from factories import cell_picture, disc

from helpers import preprocessing
from helpers.metrics import dice_and_iou
from helpers.preprocessing import (
    HSV_LOWER,
    HSV_UPPER,
    SEGMENTATIONS,
    largest_filled_component,
    remove_background,
    segment_hsv,
    segment_kmeans,
    segment_nucleus_otsu,
)


def of_hue(hue, saturation=150, value=160, size=8):
    """A square of one colour, RGB."""
    hsv = np.full((size, size, 3), (hue, saturation, value), np.uint8)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


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


def test_otsu_mask_finds_a_cell_and_its_nucleus_and_nothing_in_an_empty_field():
    picture = np.full((60, 60, 3), 240, np.uint8)
    cv2.circle(picture, (30, 30), 20, (180, 150, 200), -1)
    cv2.circle(picture, (30, 30), 10, (90, 40, 140), -1)
    mask = preprocessing.segment_cell_otsu(picture)
    assert (mask > 0).sum() == pytest.approx(np.pi * 400, rel=0.1)
    assert (mask == 2).sum() == pytest.approx(np.pi * 100, rel=0.15)
    assert not preprocessing.segment_cell_otsu(np.full((20, 20, 3), 200, np.uint8)).any()


def test_the_steps_of_the_clean_up_end_with_the_joined_lobes():
    mask = discs(20, 44, (70, 2)) & ~discs((20, 3))
    steps = preprocessing.clean_up_steps(mask)
    assert np.array_equal(steps["below the threshold"], mask)
    assert np.array_equal(steps["largest component"], discs(44))
    assert np.array_equal(steps["and those near it"], discs(20, 44) & ~discs((20, 3)))
    assert np.array_equal(steps["holes filled"], discs(20, 44))


def test_the_steps_of_an_empty_mask_are_empty():
    assert not any(mask.any() for mask in preprocessing.clean_up_steps(np.zeros((5, 7), bool)).values())
