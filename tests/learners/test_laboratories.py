"""Two laboratories: who trains, who is tested, and that no tested cell has been seen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, metrics
from helpers.datasets import DatasetError
from helpers.learners import laboratories
from helpers.learners.alignment import align_moments
from helpers.learners.laboratories import Laboratories, Method


@pytest.fixture(scope="module")
def labs():
    """Two stains of 18 patients each; lymphoblasts are put aside."""
    data = datasets.load("synthetic", n_images=216, n_patients=54, n_stain_batches=3, balanced=True, size=32)
    return laboratories.choose_laboratories(data.drop_classes(["lymphoblast"]), names=["stain 2", "stain 0"])


@pytest.fixture(scope="module")
def features(labs):
    """Three features: two that tell the classes, and one on which the stain adds 10 to the first of them."""
    number = labs.data.frame["label"].map(labs.data.classes.index).to_numpy()
    random = np.random.default_rng(5)
    shift = np.where(labs.data.frame["laboratory"] == labs.target, 10.0, 0.0)
    columns = [number + shift, number**2, random.normal(size=len(number))]
    table = pd.DataFrame(np.stack(columns, axis=1) + random.normal(0, 0.05, (len(number), 3)))
    return table.set_axis(labs.data.frame.index)


def balanced_accuracy(table):
    return metrics.mean_score([table], "balanced accuracy", 20).value


def test_laboratories_are_two_stains_without_a_patient_in_common(labs):
    assert (labs.source, labs.target) == ("stain 2", "stain 0")
    groups = [set(labs.rows(name)["group"]) for name in (labs.source, labs.target)]
    assert min(map(len, groups)) > 15
    assert not groups[0] & groups[1]
    assert labs.counts()["images"].sum() == len(labs.data)


def test_without_names_the_two_stains_with_most_images_are_taken(labs):
    chosen = laboratories.choose_laboratories(labs.data)
    assert [chosen.source, chosen.target] == sorted([labs.source, labs.target])


def test_a_laboratory_that_is_not_used_is_named(capsys):
    data = datasets.load("synthetic", n_images=54, n_patients=9, n_stain_batches=3, size=32)
    laboratories.choose_laboratories(data, names=["stain 1", "stain 0"])
    assert capsys.readouterr().out.startswith("not used: stain 2\n")


@pytest.mark.parametrize(
    ("names", "message"),
    [(["stain 0"], "got \\['stain 0'\\]"), (["stain 0", "stain 9"], "laboratories must be two of stain 0, stain 1")],
)
def test_laboratories_that_are_not_there_are_refused(names, message):
    data = datasets.load("synthetic", n_images=24, n_patients=6, n_stain_batches=2, size=32)
    with pytest.raises(DatasetError, match=message):
        laboratories.choose_laboratories(data, names=names)


def test_one_laboratory_alone_asks_for_an_external_dataset():
    data = datasets.load("synthetic", n_images=12, n_patients=6, n_stain_batches=1, size=32)
    with pytest.raises(DatasetError, match="images of one laboratory only; set external_dataset"):
        laboratories.choose_laboratories(data)


def test_an_external_dataset_is_the_target_and_only_shared_classes_stay(capsys):
    data = datasets.load("synthetic", n_images=48, n_patients=6, balanced=True, size=32)
    source = data.drop_classes(["monocyte"])
    labs = laboratories.choose_laboratories(source, data)
    assert labs.data.classes == source.classes
    assert capsys.readouterr().out == "left out, because only one laboratory has them: monocyte\n"
    assert len(labs.rows(labs.source)) == len(source)
    assert labs.rows(labs.target).index.str.startswith("external/").all()
    with pytest.raises(DatasetError, match="must share at least 2 classes"):
        laboratories.choose_laboratories(source, data.select_classes(["monocyte", "basophil"]))


def test_a_class_that_one_laboratory_lacks_is_left_out_and_named(labs, capsys):
    frame = labs.data.frame
    lacks = (frame["laboratory"] == labs.target) & (frame["label"] == "basophil")
    without = replace(labs.data, frame=frame[~lacks])
    assert "basophil" not in laboratories.choose_laboratories(without, names=["stain 2", "stain 0"]).data.classes
    assert "only one laboratory has them: basophil" in capsys.readouterr().out


def test_a_shift_breaks_the_model_and_aligned_moments_mend_it(labs, features):
    fold = laboratories.laboratory_folds(labs.rows(labs.source), 3, 20, by="group")
    plain = Method(features.to_numpy()[:, None])
    home, away = laboratories.cross_test(labs, plain, fold)
    assert balanced_accuracy(home) == 1
    assert balanced_accuracy(away) < 0.7
    aligned_home, aligned_away = laboratories.cross_test(labs, replace(plain, alignment=align_moments), fold)
    assert balanced_accuracy(aligned_away) > 0.8
    pd.testing.assert_frame_equal(aligned_home, home)
    assert list(home.index) == list(labs.rows(labs.source).index)
    assert list(away.index) == list(labs.rows(labs.target).index)


def test_labelled_cells_of_the_target_train_and_are_not_tested(labs, features, monkeypatch):
    fold = laboratories.laboratory_folds(labs.rows(labs.source), 3, 20, by="group")
    target = labs.rows(labs.target)
    target_fold = laboratories.laboratory_folds(target, 3, 20, by="group")
    drawn = []
    original = laboratories._draw

    def record(frame, n_per_class, seed):
        chosen = original(frame, n_per_class, seed)
        drawn.append((frame, chosen))
        return chosen

    monkeypatch.setattr(laboratories, "_draw", record)
    method = Method(features.to_numpy()[:, None], n_labelled=5, source_labels=False)
    _, away = laboratories.cross_test(labs, method, fold, target_fold, seed=1)
    assert balanced_accuracy(away) > 0.95
    for number, (_, chosen) in enumerate(drawn[3:]):
        assert target.loc[chosen, "label"].value_counts().max() == 5
        tested = target.loc[target_fold.index[target_fold == number]]
        assert not set(target.loc[chosen, "group"]) & set(tested["group"])
    with pytest.raises(ValueError, match="need target_fold"):
        laboratories.cross_test(labs, method, fold)


def test_views_are_averaged_and_copies_train_only(labs, features):
    fold = laboratories.laboratory_folds(labs.rows(labs.source), 3, 20, by="group")
    single = Method(features.to_numpy()[:, None])
    twice = Method(np.repeat(features.to_numpy()[:, None], 2, axis=1))
    for one, two in zip(
        laboratories.cross_test(labs, single, fold), laboratories.cross_test(labs, twice, fold), strict=True
    ):
        assert (metrics.predicted_classes(one) == metrics.predicted_classes(two)).mean() > 0.98
    shifted = features.to_numpy() + np.array([10.0, 0, 0])
    seen = laboratories.cross_test(labs, replace(single, copies=shifted[:, None]), fold)[1]
    assert balanced_accuracy(seen) > balanced_accuracy(laboratories.cross_test(labs, single, fold)[1])


def test_every_pair_of_training_and_test_is_measured(labs, features):
    tables = laboratories.cross_laboratories(labs, features, 3, 20)
    a, b = labs.source, labs.target
    assert set(tables) == {f"{a} → {a}", f"{b} → {b}", f"{a} → {b}", f"{b} → {a}", f"both → {a}", f"both → {b}"}
    for name, table in tables.items():
        tested = name.rpartition(" → ")[2]
        assert set(table.index) == set(labs.rows(tested).index)
    assert balanced_accuracy(tables[f"both → {b}"]) > balanced_accuracy(tables[f"{a} → {b}"])


def test_a_class_of_one_group_is_also_tested_by_image(labs, features):
    frame = labs.data.frame.copy()
    one = (frame["laboratory"] == labs.target) & (frame["label"] == "basophil")
    frame.loc[one, "group"] = "slide 1"
    tables = laboratories.cross_laboratories(
        Laboratories(replace(labs.data, frame=frame), labs.source, labs.target), features, 3, 20
    )
    by_group, by_image = (tables[f"{labs.target} → {labs.target}{ending}"] for ending in ("", ", by image"))
    recall = [
        (metrics.predicted_classes(t)[t["label"] == "basophil"] == "basophil").mean() for t in (by_group, by_image)
    ]
    assert recall == [0, 1]
