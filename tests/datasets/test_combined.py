"""Two datasets in one: ids and groups of the second have a prefix, and pixels come from where they belong."""

import pytest

from helpers import datasets
from helpers.datasets import DatasetError
from helpers.datasets.combined import combine


@pytest.fixture(scope="module")
def first():
    return datasets.load("synthetic", n_images=30, n_patients=6, size=64, task="leukaemia")


@pytest.fixture(scope="module")
def second():
    return datasets.load("synthetic", n_images=20, n_patients=10, size=48, seed=3)


def test_images_of_both_are_read_and_no_group_is_shared(first, second):
    both = combine(first, second, "external/")
    ids = [first.frame.index[0], f"external/{second.frame.index[0]}"]
    assert (both.load_image(ids[0]) == first.load_image(first.frame.index[0])).all()
    assert (both.load_image(ids[1]) == second.load_image(second.frame.index[0])).all()
    assert both.select(ids).image_sizes()["width"].tolist() == [64, 48]
    assert both.frame["group"].nunique() == 6 + 10
    assert both.classes == (*first.classes, *(name for name in second.classes if name not in first.classes))


def test_the_fingerprint_knows_both_datasets(first, second):
    whole = combine(first, second, "external/").fingerprint()
    assert whole == combine(first, second, "external/").fingerprint()
    assert whole != combine(first, second.select(second.frame.index[1:]), "external/").fingerprint()


def test_ids_that_begin_with_the_prefix_are_refused(first, second):
    with pytest.raises(DatasetError, match="image ids begin with 'external/'"):
        combine(first.with_id_prefix("external/"), second, "external/")
