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
