"""Does the group give the class away, and do pixels give the group away?"""

import numpy as np
import pandas as pd
import pytest

from helpers.learners import confounding


@pytest.fixture
def frame():
    """Class a comes from three slides, class b from one."""
    groups = [f"s{k % 3}" for k in range(30)] + ["s9"] * 20
    labels = ["a"] * 30 + ["b"] * 20
    return pd.DataFrame({"group": groups, "label": labels}, pd.Index([f"i{k:02}" for k in range(50)], name="image_id"))


def test_groups_are_told_where_features_tell_them(frame):
    random = np.random.default_rng(1)
    slide = frame["group"].str[1].astype(float).to_numpy()
    table = pd.DataFrame({"x": slide + random.normal(0, 0.01, 50), "y": random.normal(size=50)}, frame.index)
    random = np.random.default_rng(1)
    table = pd.DataFrame({"x": slide + random.normal(0, 0.01, 50), "y": random.normal(size=50)}, frame.index)
    told = confounding.tell_groups(frame, table, 20)
    assert (told.within, told.n_groups, told.accuracy.n) == ("a", 3, 30)
    assert told.accuracy.value == 1
    assert told.chance == pytest.approx(1 / 3)
    noise = pd.DataFrame(random.normal(size=(50, 2)), frame.index)
    assert confounding.tell_groups(frame, noise, 20).accuracy.value < 0.6


def test_without_two_groups_of_three_images_nothing_is_told(frame):
    alone = frame.assign(group=frame.index)
    assert confounding.tell_groups(alone, pd.DataFrame(np.zeros((50, 1)), frame.index), 20) is None
    counts = pd.crosstab(alone["group"], alone["label"])
    assert "50 of 50 groups have cells of one class only" in confounding.describe_slides(counts, 0.5, None)
    assert "No class has two groups of three images" in confounding.describe_slides(counts, 0.5, None)


def test_the_sentence_says_what_was_told(frame):
    counts = pd.crosstab(frame["group"], frame["label"])
    slide = frame["group"].str[1].astype(float)
    random = np.random.default_rng(1)
    table = pd.DataFrame({"x": slide + random.normal(0, 0.01, 50), "y": random.normal(size=50)}, frame.index)
    told = confounding.tell_groups(frame, table, 20)
    text = confounding.describe_slides(counts, 1.0, told)
    assert "4 of 4 groups have cells of one class only; the class that comes from the fewest, b, comes from 1." in text
    assert "reaches a balanced accuracy of 1.00" in text
    assert (
        "one of 3 groups for 100% of 30 images; always naming the largest group would be right in 33%: too few" in text
    )
