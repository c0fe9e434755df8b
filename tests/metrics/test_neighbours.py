"""Nearest neighbours from other groups, and their chance level."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics

GROUPS = pd.Series(["a", "a", "b", "b", "c"])


def test_neighbours_are_the_nearest_of_other_groups():
    places = np.array([[0.0], [0.1], [1.0], [3.0], [0.2]])
    assert metrics.nearest_in_other_groups(places, GROUPS, 2).tolist() == [[4, 2], [4, 2], [4, 1], [4, 1], [1, 0]]


def test_a_feature_with_large_numbers_does_not_decide_alone():
    places = np.array([[0.0, 1000.0], [0.0, 1000.0], [0.1, 3000.0], [9.0, 1001.0], [9.0, 5000.0]])
    assert metrics.nearest_in_other_groups(places, GROUPS, 1)[0].tolist() == [2]


def test_a_constant_feature_counts_nothing():
    places = np.array([[0.0, 5.0], [0.1, 5.0], [1.0, 5.0], [3.0, 5.0], [0.2, 5.0]])
    assert metrics.nearest_in_other_groups(places, GROUPS, 1)[:, 0].tolist() == [4, 4, 4, 4, 1]


def test_too_few_other_images_are_refused():
    with pytest.raises(ValueError, match="k must be at most 3, the images of other groups that every image has; got 4"):
        metrics.nearest_in_other_groups(np.arange(5.0)[:, None], GROUPS, 4)


def test_chance_counts_the_class_among_images_of_other_groups():
    labels = pd.Series(["x", "y", "x", "x", "y"], index=list("abcde"))
    shares = metrics.chance_of_same_class(labels, GROUPS.set_axis(labels.index))
    assert shares.round(3).to_dict() == {"a": 0.667, "b": 0.333, "c": 0.333, "d": 0.333, "e": 0.25}


def test_one_group_has_no_chance_level():
    assert metrics.chance_of_same_class(pd.Series(["x", "y"]), pd.Series(["a", "a"])).isna().all()
