"""Sentences that read plots aloud follow the numbers, also where the effect is reversed or absent."""

import numpy as np
import pandas as pd
import pytest

from helpers import reports


def cells_of(values):
    """A table of cells from (ratio, area) pairs by class."""
    rows = [(name, ratio, area) for name, pairs in values.items() for ratio, area in pairs]
    return pd.DataFrame(rows, columns=["label", "nucleus_to_cell_area", "cell_area"])


@pytest.mark.parametrize("seed", [1, 2])
def test_clipped_pixels_are_counted_at_both_ends(seed):
    channel = np.random.default_rng(seed).permutation(np.arange(10, 110, dtype=np.uint8)).reshape(10, 10)
    text = repr(reports.describe_display_range(channel, 20, 79))
    assert "clips 40% of the pixels: 10% lie below it and are all shown black, 30% lie above it" in text
    assert "The 60 different values in between" in text
    assert text.endswith("its values still run from 10 to 109.")


@pytest.mark.parametrize(
    ("white", "words"), [(0, "0.0% are 255: so little was lost"), (5, "50.0% are 255: so ask what was brighter")]
)
def test_values_at_the_ends_of_the_scale_are_counted(white, words):
    pictures = np.full((10, 2, 2, 3), 100, np.uint8)
    pictures[:white] = 255
    assert words in repr(reports.describe_clipping(pictures))


@pytest.mark.parametrize(
    ("explained", "has_clouds", "words"),
    [
        ({"group": 1.0, "label": 0.7}, True, "*group* explains the clouds best: it is right for 100.0%"),
        ({"label": 0.72}, True, "*label* explains the clouds best, but hardly: it is right for 72.0%"),
        ({"group": 1.0}, False, "There is no second cloud to explain."),
        ({}, True, "There is no second cloud to explain."),
    ],
)
def test_the_column_that_explains_the_clouds_is_named(explained, has_clouds, words):
    assert words in repr(reports.describe_second_cloud(pd.Series(explained, dtype=float), 0.7, has_clouds))


@pytest.mark.parametrize(
    ("clouds", "words"),
    [
        ("llllluuuuu", ": 0. The batch alone is enough"),
        ("llllluuuul", ": 1, from P4. The batch alone is not enough"),
    ],
)
def test_groups_apart_from_their_batch_are_named(clouds, words):
    groups = [f"P{number // 2}" for number in range(10)]
    frame = pd.DataFrame({"group": groups, "stain_batch": ["May"] * 5 + ["June"] * 5})
    cloud = pd.Series(list(clouds))
    assert words in repr(reports.describe_misfits(frame, cloud, True))
    assert reports.describe_misfits(frame, cloud, False) is None
    assert reports.describe_misfits(frame[["group"]], cloud, True) is None


@pytest.mark.parametrize(("share", "words"), [(0.9, "90.0% of the images, more than"), (0.7, "no more than")])
def test_classes_that_follow_the_clouds_are_told_from_those_that_do_not(share, words):
    explained = pd.Series({"label": share})
    assert words in repr(reports.describe_classes(explained, 0.7, True))
    assert reports.describe_classes(explained, 0.7, False) is None


@pytest.mark.parametrize("higher", ["blast", "normal"])
def test_the_overlap_of_the_two_highest_classes_is_computed(higher):
    lower = {"blast": "normal", "normal": "blast"}[higher]
    cells = cells_of({higher: [(0.6, 0), (0.8, 0), (0.9, 0)], lower: [(0.3, 0), (0.5, 0), (0.6, 0), (0.7, 0)]})
    text = repr(reports.describe_overlap(cells))
    assert f"0.80 ({higher}) and 0.55 ({lower}). But 50% of the second class lie at or above 0.60" in text
    assert reports.describe_overlap(cells[cells["label"] == higher]) is None


@pytest.mark.parametrize(
    ("medians", "words"),
    [({"a": 0.1, "b": 0.2}, "cells give the same order."), ({"a": 0.3, "b": 0.2}, "another order: b, a.")],
)
def test_orders_of_single_cells_and_medians_are_compared(medians, words):
    assert words in repr(reports.describe_orders({"b": 0.9, "a": 0.4}, pd.Series(medians)))
    assert reports.describe_orders({"c": 0.9}, pd.Series(medians)) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"a, b": 0.1, "b, c": 0.4}, "In 40% of the pairs of b, c the two cells are in the wrong order, in 10% of"),
        ({"a, b": 0.4, "b, c": 0.1}, "In 40% of the pairs of a, b the two cells are in the wrong order, in 10% of"),
        ({"a, b": 0.25}, "In 25% of the pairs of a, b the two cells are in the wrong order; chance level is 50%"),
    ],
)
def test_neighbours_in_the_wrong_order_are_named(wrong, words):
    assert words in repr(reports.describe_wrong_orders(wrong))
    assert reports.describe_wrong_orders({}) is None


THRESHOLDS = pd.Series({"cell_area": 0.25, "nucleus_to_cell_area": 0.6})


@pytest.mark.parametrize(
    ("other", "words"),
    [
        # The area tells them apart; large blasts, then small ones.
        (
            [(0.7, 0.2), (0.5, 0.2)],
            "must be large, too, the rule finds 100% and takes 0%. Of 4 cells it has 0 wrong, f",
        ),
        ([(0.7, 0.4), (0.5, 0.4)], "must be small, too, the rule finds 0% and takes 0%. Of 4 cells it has 2 wrong, m"),
        ([(0.4, 0.2), (0.5, 0.2)], "Of 4 cells it has 0 wrong, as many as the ratio alone (0)."),
    ],
)
def test_a_rule_with_two_thresholds_is_compared_with_one(other, words):
    pair = cells_of({"blast": [(0.7, 0.3), (0.8, 0.3)], "normal": other})
    text = repr(reports.describe_rules(pair, THRESHOLDS))
    assert "The rule on the ratio alone finds 100% of blast and takes" in text
    assert words in text


def test_a_rule_needs_two_classes_and_escapes_their_names():
    pair = cells_of({"*a*": [(0.7, 0.3)], "normal": [(0.4, 0.2)]})
    assert r"finds 100% of \*a\* and" in repr(reports.describe_rules(pair, THRESHOLDS))
    assert reports.describe_rules(pair[:1], THRESHOLDS) is None
