"""Channels of a colour, contrast of a region, and peaks of histograms that are known."""

import numpy as np
import pytest

from helpers import preprocessing


def test_the_channels_of_pure_red_are_those_of_the_definitions():
    channels = preprocessing.channels_of(np.full((4, 4, 3), (255, 0, 0), np.uint8))
    assert list(channels) == ["red", "green", "blue", "hue", "saturation", "value", "lightness", "a", "b"]
    values = {name: int(channel[0, 0]) for name, channel in channels.items()}
    assert (values["red"], values["green"], values["hue"], values["saturation"]) == (255, 0, 0, 255)
    assert values["a"] > 128


def test_contrast_is_the_distance_of_the_means_in_spreads():
    channel = np.array([[10, 20, 110, 120]], np.uint8)
    assert preprocessing.contrast(channel, channel > 50) == pytest.approx(100 / 5)
    with pytest.raises(ValueError, match="within the region and outside"):
        preprocessing.contrast(channel, channel > 200)


@pytest.mark.parametrize("centres", [(120,), (60, 190), (40, 120, 210), (30, 90, 150, 220)])
def test_peaks_are_counted(centres):
    random = np.random.default_rng(1)
    values = np.concatenate([random.normal(centre, 8, 2000) for centre in centres])
    assert preprocessing.count_peaks(np.clip(values, 0, 255).astype(np.uint8)[None]) == len(centres)


def test_peaks_at_both_ends_of_the_scale_count():
    channel = np.repeat(np.array([0, 255], np.uint8), 500)[None]
    assert preprocessing.count_peaks(channel) == 2


def test_standardised_cells_have_one_density_and_keep_their_black_background():
    random = np.random.default_rng(4)
    cell = random.integers(60, 200, (40, 40, 3)).astype(np.uint8)
    cell[:10] = 0
    darker = np.where(cell > 0, np.clip(cell * 0.6, 1, 255), 0).astype(np.uint8)
    first, second = (preprocessing.standardise_density(image) for image in (cell, darker))
    assert (first[:10] == 0).all()
    assert np.abs(first.astype(int) - second).max() <= 6
    density = -np.log(first[10:].reshape(-1, 3) / 255)
    assert density.mean(axis=0) == pytest.approx([0.6] * 3, abs=0.02)
    assert density.std(axis=0) == pytest.approx([0.25] * 3, abs=0.02)
    black = np.zeros((8, 8, 3), np.uint8)
    assert (preprocessing.standardise_density(black) == black).all()
