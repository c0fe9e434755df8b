"""Sentences on thresholds and normalisation follow the numbers, also where the effect is reversed."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, preprocessing, reports
from helpers.reports import compare_with_stored, describe_normalisation, explain_threshold


def cell(nucleus, cytoplasm, background=220, spread=3, seed=0):
    """A channel with three regions of known brightness, and its mask."""
    mask = np.repeat([0, 1, 2], (60, 25, 15))[None].repeat(20, axis=0)
    centres = np.array([background, cytoplasm, nucleus])[mask]
    channel = np.clip(np.random.default_rng(seed).normal(centres, spread), 0, 255)
    return channel.astype(np.uint8), mask.astype(np.uint8)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("values", "spread", "threshold", "end"),
    [
        ((60, 120), 3, 140, "does not know which of them is the nucleus."),
        ((60, 120), 3, 80, "No other threshold is much better: the best, "),
        ((100, 112), 8, 180, "the rest of the error cannot be told from brightness alone."),
        ((100, 100), 8, 180, "No other threshold is much better: the best, "),
    ],
)
def test_what_a_threshold_does_is_told_from_the_pixels(values, spread, threshold, end, seed):
    channel, mask = cell(*values, spread=spread, seed=seed)
    text = explain_threshold(channel, mask, threshold)
    assert end in text
    assert f"The median value is {np.median(channel[mask == 2]):.0f} in the nucleus and " in text
    assert f"The threshold of {threshold} takes" in text


def test_a_threshold_that_takes_the_whole_cytoplasm_is_named_with_its_dice():
    text = explain_threshold(*cell(60, 120), 140)
    assert "takes 100% of the cytoplasm for nucleus, and its Dice, before the clean-up, is 0.55." in text


def test_a_mask_without_cytoplasm_is_refused():
    channel, mask = cell(60, 120)
    with pytest.raises(ValueError, match="no cytoplasm"):
        explain_threshold(channel, np.where(mask == 1, 0, mask), 100)


def row(dice, low, high, groups):
    return pd.Series({"dice": dice, "low": low, "high": high, "n": 90, "groups": groups})


@pytest.mark.parametrize(
    ("here", "end"),
    [
        (row(0.9, 0.85, 0.95, 30), ", so higher here"),
        (row(0.5, 0.45, 0.55, 30), ", so lower here"),
        (row(0.7, 0.65, 0.75, 30), "; no difference shown, as the intervals overlap"),
        (row(0.9, 0.85, 0.95, 4), "; too few groups for a comparison"),
    ],
)
def test_a_stored_result_is_compared_as_far_as_the_intervals_allow(here, end):
    text = compare_with_stored(here, row(0.72, 0.7, 0.8, 20))
    assert text.endswith(end)
    assert "0.720 [0.700, 0.800] there (90 images, 20 groups)" in text


@pytest.mark.parametrize("seed", [3, 4])
def test_normalisation_towards_a_target_is_told_with_its_distances(seed):
    data = datasets.load("synthetic", n_images=16, n_patients=4, n_stain_batches=1, size=64, seed=seed)
    images = data.load_images(64)
    table = preprocessing.batch_distances(images, pd.Series(["one"] * 16), preprocessing.restain(images))
    text = describe_normalisation(table)
    before = table.set_index("method").loc["before", "mean"]
    assert text.startswith(
        f"*Reinhard*, fitted on each batch, takes the mean colours nearer to the target: {before:.1f}"
    )
    assert "together" not in text


def test_a_method_that_makes_it_worse_is_said_to():
    table = pd.DataFrame(
        {
            "method": ["before", "Reinhard, fitted on each batch", "Reinhard, fitted on all batches"],
            "one": [5.0, 9.0, 7.0],
            "two": [5.0, 3.0, 5.0],
            "mean": [5.0, 6.0, 6.0],
        }
    )
    assert reports.describe_normalisation(table) == (
        "*Reinhard*, fitted on each batch, takes the mean colours no nearer to the target on average: 5.0 before, 6.0 "
        "after, and 6.0 if fitted on all batches together; single batches that move further away: one (5.0 to 9.0)."
    )


def test_the_mean_of_every_stain_batch_is_told():
    frame = pd.DataFrame({"stain_batch": [0, 0, 1, 1]}, index=list("abcd"))
    dice = pd.Series([0.1, 0.3, 0.9, 0.7], index=list("dcba"))
    assert reports.describe_stain_batches(dice, frame).startswith("Mean Dice by stain batch: 0.80 (0) and 0.20 (1). ")
    assert ": 2 batches say too little" in reports.describe_stain_batches(dice, frame)
    assert ": one batch says too little" in reports.describe_stain_batches(dice[2:], frame[:2])
    for unknown in (frame.drop(columns="stain_batch"), frame.assign(stain_batch=[0, 0, 1, np.nan])):
        assert "does not say which they are" in reports.describe_stain_batches(dice, unknown)
