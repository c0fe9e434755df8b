"""Cells that look larger or smaller than in training are a finding, by the share of the image of their nucleus."""

import numpy as np
import pandas as pd
import pytest

from helpers import checks, datasets
from helpers.checks import scale

TRAINING = [0.08, 0.12, 0.19]


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (
            0.31,
            "cells look 1.6 times as large as in training: the median nucleus covers 31.0%",
        ),
        (0.03, "cells look 0.5 times as large as in training: the median nucleus covers 3.0%"),
        (0.0, "cells look 0 times as large as in training"),
    ],
)
def test_a_median_outside_the_range_of_training_is_a_finding(share, text):
    (finding,) = checks.check_scale([share] * 10, TRAINING)
    assert text in finding.observed
    assert finding.observed.endswith("in training 12.0% (8.0% to 19.0%)")


def test_half_the_size_is_a_finding_even_where_some_nuclei_were_not_found_in_training():
    assert checks.check_scale([0.03] * 10, [0.0, 0.12, 0.19]) != []
    assert checks.check_scale([0.05] * 10, [0.0, 0.12, 0.19]) == []  # a diameter of 0.65, as of another class


def test_a_median_within_the_range_or_of_few_images_passes():
    assert checks.check_scale([0.09, 0.12, 0.9, 0.13, 0.0] * 2, TRAINING) == []
    assert checks.check_scale([0.5] * 9, TRAINING) == []


def test_statistics_are_the_percentiles_and_the_sizes_of_the_files():
    sizes = pd.DataFrame({"height": [300, 360, 366], "width": [363, 363, 400]})
    statistics = checks.scale_statistics(np.arange(101) / 1000, sizes)
    assert statistics == {
        "height": [300, 360, 366],
        "width": [363, 363, 400],
        "nucleus_share": [0.001, 0.05, 0.099],
        "n_measured": 101,
    }
    assert checks.scale_statistics([0.1] * 9, sizes) is None
    assert checks.scale_statistics([0.0] * 6 + [0.1] * 4, sizes) is None  # no nucleus in most of them


def test_at_most_a_sample_is_measured_and_it_is_the_same_in_any_batches(monkeypatch):
    monkeypatch.setattr(scale, "MAX_IMAGES", 12)
    cells = datasets.load("synthetic", n_images=24, n_patients=6, size=64).load_images(64)
    together, apart, few = checks.NucleusShares(24), checks.NucleusShares(24), checks.NucleusShares(9)
    together.add(cells)
    for batch in np.split(cells, 4):
        apart.add(batch)
    few.add(cells[:9])
    assert len(together.shares) == 12
    assert together.shares == apart.shares
    assert 0.02 < np.median(together.shares) < 0.4
    assert few.shares == []
