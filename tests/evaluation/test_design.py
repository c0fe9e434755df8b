"""Designs: folds by group, or a split that exists."""

import pytest

from helpers import datasets
from helpers.datasets import DatasetError
from helpers.evaluation.design import cross_validation_design, split_design

SEED = 20


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=60, n_patients=12, size=64, task="leukaemia")


def write_split(path, names):
    path.write_text("image,split\n" + "".join(f"{image},{name}\n" for image, name in names.items()))
    return str(path)


@pytest.fixture
def halves(data):
    """Train, val and test by patient: 6, 3 and 3 patients."""
    fold = cross_validation_design(data, SEED).fold
    return fold.map({0: "test", 1: "val", 2: "train", 3: "Train ", 4: "training"})


def test_all_folds_are_tested(data):
    design = cross_validation_design(data, SEED)
    assert design.tested == (0, 1, 2, 3, 4)
    assert sum(len(fold.test) for fold in design.splits()) == 60
    assert design.description == "5 folds by patient, stratified by class, all tested, seed 20"


def test_a_split_from_a_table_tests_its_test_images_once(data, halves, tmp_path):
    design = split_design(data, write_split(tmp_path / "split.csv", halves), SEED)
    (fold,) = design.splits()
    assert list(fold.test) == list(halves.index[halves == "test"])
    assert list(fold.val) == list(halves.index[halves == "val"])
    assert len(fold.train) == 60 - len(fold.test) - len(fold.val)
    assert design.description == "the split of split.csv"


def test_a_split_without_validation_images_gets_a_share_of_the_training_groups_and_names_it(data, halves, tmp_path):
    design = split_design(data, write_split(tmp_path / "split.csv", halves.replace("val", "train")), SEED)
    (fold,) = design.splits()
    groups = data.frame["group"]
    assert list(fold.test) == list(halves.index[halves == "test"])
    assert not set(groups[fold.val]) & set(groups[fold.train])
    assert set(data.frame.loc[fold.val, "label"]) == set(data.classes)
    # A class has four training groups, and so four folds: a quarter of the groups, not a fifth.
    known = data.frame.loc[fold.train.append(fold.val)]
    assert known.groupby("label")["group"].nunique().min() == 4
    assert "a quarter of its training groups for validation, seed 20" in design.description


def test_the_split_of_a_dataset_is_used_on_request(data, halves):
    own = datasets.Dataset(
        data.name, data.frame.assign(split=halves), data.classes, data.card, data.reader, options=data.options
    )
    (fold,) = split_design(own, "dataset", SEED).splits()
    assert list(fold.test) == list(halves.index[halves == "test"])
    with pytest.raises(DatasetError, match="synthetic: has no split of its own; pass a table"):
        split_design(data, "dataset", SEED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda names: names.replace("val", "dev"), "splits are train, val and test, got dev"),
        (lambda names: names.iloc[:-1], "does not match the images"),
        (lambda names: names.replace("test", "train"), "the test set, 0 images, has none of lymphoblast, lymphocyte"),
    ],
)
def test_a_table_that_is_no_split_of_the_images_is_refused(data, halves, tmp_path, change, message):
    with pytest.raises(DatasetError, match=message):
        split_design(data, write_split(tmp_path / "split.csv", change(halves)), SEED)
