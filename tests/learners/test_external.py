"""A test on an external dataset: folders with the same names, or a stain that was left out."""

import shutil
from pathlib import Path

import pytest

from helpers import datasets, features, images, metrics, splits
from helpers.learners import external
from helpers.learners.pitfalls import Training


def cell_folder(root, seed):
    """Class folders of synthetic cells, named alike whatever the seed."""
    cells = datasets.load("synthetic", n_images=40, n_patients=20, task="leukaemia", size=64, seed=seed)
    for label, ids in cells.frame.groupby("label").groups.items():
        (root / label).mkdir(parents=True)
        for k, name in enumerate(ids):
            images.write_png(root / label / f"{k}.png", cells.load_image(name))
    return f"folder:{root}"


@pytest.fixture(scope="module")
def laboratories(tmp_path_factory):
    root = tmp_path_factory.mktemp("laboratories")
    return [cell_folder(root / name, seed) for seed, name in enumerate(("here", "there"))]


@pytest.fixture(scope="module")
def source(laboratories):
    data = datasets.load(laboratories[0])
    table = features.extract_feature_table(data.load_images(64), data.frame.index)
    return Training(data, table, splits.group_folds(data.frame, 3, 20))


def test_images_of_another_laboratory_with_the_same_names_are_predicted(laboratories, source):
    there = external.load_external(laboratories[1], {}, source.data, "lymphoblast")
    target = external.predict_external(source, source.fold, there, 64)
    other = datasets.load(laboratories[1])
    assert list(target.index) == [f"external/{name}" for name in other.frame.index]
    assert target["label"].tolist() == other.frame["label"].tolist()
    assert metrics.roc_auc(target, "lymphoblast", 0).value > 0.6
    words = external.describe(source.predict(), target, same_images=False, seed=0)
    assert words.startswith("Source and external dataset hold other images")


def test_one_class_is_set_against_all_others_elsewhere_too(laboratories, source, tmp_path):
    root = Path(laboratories[1].removeprefix("folder:"))
    shutil.copytree(root, tmp_path / "three")
    (tmp_path / "three" / "monocyte").mkdir()
    for k in range(3):  # mirrored, because one picture in two classes is refused
        mirrored = images.read_image(root / "lymphocyte" / f"{k}.png")[:, ::-1]
        images.write_png(tmp_path / "three" / "monocyte" / f"{k}.png", mirrored)
    folder = f"folder:{tmp_path / 'three'}"
    there = external.load_external(folder, {}, source.data, "lymphoblast")
    assert there.frame["label"].value_counts().to_dict() == {"lymphoblast": 20, "lymphocyte": 23}
    (tmp_path / "three" / "lymphoblast").rename(tmp_path / "three" / "a")
    with pytest.raises(datasets.DatasetError, match="three: no class 'lymphoblast'; it has a, lymphocyte, monocyte"):
        external.load_external(folder, {}, source.data, "lymphoblast")


def test_without_another_laboratory_each_stain_is_left_out_once():
    data = datasets.load("synthetic", n_images=48, n_patients=24, task="leukaemia", size=64)
    table = features.extract_feature_table(data.load_images(64), data.frame.index)
    training = Training(data, table, splits.group_folds(data.frame, 3, 20))
    target = external.predict_external(training, training.fold, None, 64)
    assert target["fold"].equals(data.frame["stain_batch"].loc[target.index].rename("fold"))
    words = external.describe(training.predict(), target, same_images=True, seed=0)
    assert words.startswith("Balanced accuracy in a stain that was left out, against folds by patient: ")


def test_where_there_is_nothing_to_test_on_the_text_says_what_to_set(source):
    assert external.predict_external(source, source.fold, None, 64) is None
    words = external.describe(source.predict(), None, same_images=True, seed=0)
    assert words == "Left out: no other laboratory to test on; set the parameter `external_dataset`."
