"""Designs: folds by group, a split that exists, another dataset to test on."""

import pandas as pd
import pytest

from helpers import datasets
from helpers.datasets import DatasetError
from helpers.evaluation.design import cross_validation_design, external_design, split_design

SEED = 20


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=60, n_patients=12, size=64, task="leukaemia")


@pytest.fixture(scope="module")
def hospital():
    return datasets.load("synthetic", n_images=30, n_patients=6, size=48, task="leukaemia", seed=3)


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


def test_an_external_dataset_is_tested_whole_and_never_trained_on(data, hospital):
    design = external_design(data, hospital, SEED)
    (fold,) = design.splits()
    assert list(fold.test) == [f"external/{image}" for image in hospital.frame.index]
    assert sorted(fold.train.append(fold.val)) == sorted(data.frame.index)
    assert "a fifth of its groups (patient) for validation, seed 20" in design.description
    assert 0 < len(fold.val) < len(data) / 3
    images = design.dataset.select([*data.frame.index[:1], *fold.test[:1]])
    assert (images.load_image(images.frame.index[0]) == data.load_image(data.frame.index[0])).all()
    assert (images.load_image(images.frame.index[1]) == hospital.load_image(hospital.frame.index[0])).all()
    assert images.image_sizes()["width"].tolist() == [64, 48]


def test_datasets_of_other_classes_are_not_combined(data):
    types = datasets.load("synthetic", n_images=40, n_patients=10, size=48)
    with pytest.raises(DatasetError, match="or choose a positive class that both have"):
        external_design(data, types, SEED)


def test_the_fingerprint_of_a_combination_knows_both_datasets(data, hospital):
    whole = external_design(data, hospital, SEED).dataset
    part = external_design(data, hospital.select(hospital.frame.index[1:]), SEED).dataset
    assert whole.fingerprint() == external_design(data, hospital, SEED).dataset.fingerprint()
    assert whole.fingerprint() != part.fingerprint()
    assert isinstance(whole.frame, pd.DataFrame) and len(whole) == 90
