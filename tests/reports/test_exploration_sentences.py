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
    ("by_group", "words"),
    [
        ({"P0": 0.001, "P1": 0.004}, "20.0% are 0 and 3.9% are 255; in no group are more than 0.4% of them 255."),
        (
            {"P0": 0.02, "*P1*": 0.45},
            r"In group *\*P1\** 45.0% of the values are 255, in no other group more than 2.0%:",
        ),
        ({"P0": 0.45}, "In group *P0* 45.0% of the values are 255: look at its images"),
    ],
)
def test_the_group_with_most_values_at_the_end_of_the_scale_is_named(by_group, words):
    assert words in repr(reports.describe_clipping(0.2, 0.039, pd.Series(by_group)))


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
    misfits = frame[[cloud != usual for cloud, usual in zip(clouds, "llllluuuuu", strict=True)]]
    assert words in repr(reports.describe_misfits(misfits, True))
    assert reports.describe_misfits(misfits, False) is None
    assert reports.describe_misfits(misfits[["group"]], True) is None


@pytest.mark.parametrize(
    ("blast", "normal", "words"),
    [
        (
            (9, 1),
            (1, 9),
            "for 90.0% of the images, more than without any column (50.0%). Every class has images in the l",
        ),
        (
            (0, 10),
            (5, 5),
            "75.0%). No image in the lower cloud: *blast* (0 of 10); of the other classes, 50% lie there.",
        ),
        ((0, 10), (5, 15), "for 83.3% of the images, no more than without any column (83.3%). No image in the lower"),
    ],
)
def test_classes_that_keep_to_one_cloud_are_named(blast, normal, words):
    by_class = pd.DataFrame([blast, normal], ["blast", "normal"], ["lower", "upper"])
    assert words in repr(reports.describe_classes(by_class, "lower", True))
    assert reports.describe_classes(by_class, "lower", False) is None
    assert reports.describe_classes(by_class[:1], "lower", True) is None


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
    ("wrong", "n_groups", "words"),
    [
        ({"a, b": 0.1, "b, c": 0.4}, 4, "Of the pairs *b, c*, 40% are in the wrong order; of the pairs *a, b*, 10%. C"),
        (
            {"a, b": 0.4, "b, c": 0.1},
            40,
            "Of the pairs *a, b*, 40% are in the wrong order; of the pairs *b, c*, 10%. C",
        ),
        ({"a, b": 0.25}, 4, "are in the wrong order. Chance level is 50%."),
        ({"a, b": 0.25}, 4, "the rarer class has 5 cells, and the class with fewer groups has 4: read its share as"),
        ({"a, b": 0.25}, 40, "the rarer class has 5 cells, and the class with fewer groups has 40."),
    ],
)
def test_neighbours_in_the_wrong_order_are_named(wrong, n_groups, words):
    orders = pd.DataFrame({"wrong order": wrong, "fewest cells": 5, "fewest groups": n_groups})
    assert words in repr(reports.describe_wrong_orders(orders))
    assert reports.describe_wrong_orders(orders[:0]) is None


@pytest.mark.parametrize(
    ("both", "words"),
    [
        (
            (22, 3),
            "37 cells wrong, the rule on the ratio 29, the rule on ratio and area 25. Of *\\*b\\**, the ratio misses 9",
        ),
        ((22, 3), "misses 9, ratio and area 22. The rule with fewer errors misses more"),
        ((9, 3), "misses 9, ratio and area 9."),
        ((22, 20), "misses 9, ratio and area 22."),
    ],
)
def test_rules_are_compared_by_all_errors_and_by_those_that_miss(both, words):
    rules = {"always the commoner": (37, 0), "ratio": (9, 20), "ratio and area": both}
    errors = pd.DataFrame.from_dict(rules, "index", columns=["false negatives", "false positives"])
    medians = pd.Series({"a": 0.4, "*b*": 0.7})
    text = repr(reports.describe_rules(errors, medians))
    assert words in text
    assert text.endswith("the cost of a miss.") == (both == (22, 3))
    assert reports.describe_rules(errors, medians[:1]) is None
