"""Every image is tested once, by something that has not seen its group."""

import contextlib
import shutil
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers import (
    augmentation,
    crossvalidation,
    datasets,
    features,
    images,
    metrics,
    models,
    notebooks,
    pitfalls,
    search,
    splits,
    training,
)
from helpers.project import CHECKOUT


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n=120, patients=20, task="leukaemia", size=64)


@pytest.fixture(scope="module")
def measured(data):
    return features.table(data.images(64), data.frame.index)


def test_every_image_is_tested_once_by_a_learner_that_was_told_its_part(data):
    fold, parts = splits.folds(data.frame, 5, seed=1), []

    def learn(part):
        parts.append(part)
        return np.tile([0.25, 0.75], (len(part), 1))

    test, validation = crossvalidation.cross_validate(data, fold, learn, range(5))
    assert sorted(test.index) == sorted(validation.index) == sorted(data.frame.index)
    assert (test["fold"] == fold.loc[test.index]).all()
    assert ((validation["fold"] + 1) % 5 == fold.loc[validation.index]).all()
    for part in parts:
        assert splits.audit(data.frame, part) == []
    with pytest.raises(datasets.DataError, match="no fold is tested"):
        crossvalidation.cross_validate(data, fold, learn, [])


@pytest.mark.parametrize("machine", crossvalidation.MACHINES)
def test_machines_learn_from_features_and_never_from_the_test(data, measured, machine):
    fold = splits.folds(data.frame, 4, seed=1)
    learn = crossvalidation.with_features(data, measured, machine, seed=0)
    part = splits.rotation(fold, 0)
    said = learn(part)
    hidden = data.subset(data.frame.index)
    hidden.frame["label"] = hidden.frame["label"].where(part != "test", data.classes[0])
    assert np.allclose(said, crossvalidation.with_features(hidden, measured, machine, seed=0)(part))
    test, _ = crossvalidation.cross_validate(data, fold, learn, range(4))
    assert metrics.roc_auc(test, data.classes[1], 0).value > 0.75


def test_discriminant_analysis_learns_from_more_features_than_images_and_never_from_the_test(data, measured):
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 400)), data.frame.index)
    wide = pd.concat([measured, noise], axis=1)
    fold = splits.folds(data.frame, 4, seed=1)
    part = splits.rotation(fold, 0)
    said = crossvalidation.with_discriminant_analysis(data, wide)(part)
    hidden = data.subset(data.frame.index)
    hidden.frame["label"] = hidden.frame["label"].where(part != "test", data.classes[0])
    assert np.allclose(said, crossvalidation.with_discriminant_analysis(hidden, wide)(part))
    learn = crossvalidation.with_discriminant_analysis(data, wide)
    test, _ = crossvalidation.cross_validate(data, fold, learn, range(4))
    assert metrics.roc_auc(test, data.classes[1], 0).value > 0.7


def test_a_learning_curve_draws_nested_subsets_and_leaves_the_test_alone(data):
    fold, parts = splits.folds(data.frame, 4, seed=1), []

    def learn(part):
        parts.append(part)
        return np.tile([0.25, 0.75], (len(part), 1))

    def accuracy(table):
        return metrics.score([table], "accuracy", 0)

    found = crossvalidation.learning_curve(data, fold, learn, [20, 10], [0, 1], accuracy, seed=2)
    assert found["images"].tolist() == [10, 20]
    assert found["n"].tolist() == [(fold < 2).sum()] * 2
    by_size = [parts[:2], parts[2:]]
    for size, rounds in zip((10, 20), by_size, strict=True):
        for k, part in enumerate(rounds):
            assert (part == "train").sum() == size
            assert (part[fold == k] == "test").all()
            assert (part == "validation").sum() == (fold == k + 1).sum()
    small, large = (set(rounds[0].index[rounds[0] == "train"]) for rounds in by_size)
    assert small < large
    parts.clear()
    both = ("train", "validation")
    crossvalidation.learning_curve(data, fold, learn, [60], [0], accuracy, seed=2, drawn=both)
    assert parts[0].isin(both).sum() == 60
    assert (parts[0] == "validation").any()


def test_a_learning_curve_may_draw_several_subsets_and_score_them_together(data):
    fold, parts, scored = splits.folds(data.frame, 4, seed=1), [], []

    def learn(part):
        parts.append(part)
        return np.tile([0.25, 0.75], (len(part), 1))

    def accuracy(*tables):
        scored.append(len(tables))
        return metrics.score(tables, "accuracy", 0)

    found = crossvalidation.learning_curve(data, fold, learn, [10], [0], accuracy, seed=2, draws=3)
    assert scored == [3]
    assert found["n"].tolist() == [(fold == 0).sum()]
    drawn = {tuple(part.index[part == "train"]) for part in parts}
    assert len(drawn) == 3


def test_what_a_machine_says_of_images_it_knows_is_from_folds_that_held_them_out():
    data = datasets.load("synthetic", n=200, patients=40, task="leukaemia", size=32)
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 60)), data.frame.index)
    part = splits.rotation(splits.folds(data.frame, 5, seed=1), 0)
    said = crossvalidation.with_features(data, noise, "support vector machine", seed=0)(part)
    table = metrics.predictions(data.frame, said, data.classes, 0)
    assert metrics.roc_auc(table[part != "test"], data.classes[1], 0).value < 0.65  # by heart it would be 1


def test_a_network_is_asked_about_validation_and_test_only(data, tmp_path):
    settings = training.Settings(1, batch=32)
    build = partial(models.encoder, 4, depth=2)
    learn = crossvalidation.with_network(data, build, 32, settings, augmentation.NONE, tmp_path)
    part = splits.rotation(splits.folds(data.frame, 4, seed=1), 0)
    said = learn(part)
    assert said.shape == (120, 2)
    assert (said[part == "train"] == 0).all()
    assert said[part != "train"].sum(1) == pytest.approx(1, abs=1e-5)


def test_copies_are_made_of_training_images_only(data, tmp_path, monkeypatch):
    part, given = splits.rotation(splits.folds(data.frame, 4, seed=1), 0), {}

    def fit_classifier(build, images, labels, parts, *_, **__):
        given.update(images=images, labels=labels, parts=np.asarray(parts))
        return build(), None

    monkeypatch.setattr(training, "fit_classifier", fit_classifier)
    build = partial(models.encoder, 4, depth=2)
    crossvalidation.with_network(data, build, 32, training.Settings(1), augmentation.NONE, tmp_path, copies=90)(part)
    assert np.array_equal(given["images"][:120], data.images(32))
    assert (given["parts"][:120] == part).all()
    assert (given["parts"][120:] == "train").all()
    learnt = given["labels"][given["parts"] == "train"]
    assert np.bincount(learnt).tolist() == [max(90, n) for n in np.bincount(given["labels"][:120][part == "train"])]


def test_copies_before_the_split_put_what_is_learnt_from_into_the_test(data):
    copied = pitfalls.copies_before_split(data, 80, 32, seed=0)
    assert copied.frame["label"].value_counts().min() == 80
    assert np.array_equal(copied.subset(data.frame.index).images(32), data.images(32))
    by_original = copied.frame.assign(group=copied.frame["original"])
    leaky = splits.rotation(splits.random_folds(copied.frame, 4, seed=1), 0)
    honest = splits.rotation(splits.folds(copied.frame, 4, seed=1), 0)
    assert "in two parts of the split" in metrics.seen_in_training(by_original, leaky)[0].saw
    assert metrics.seen_in_training(by_original, honest) == []


def test_a_search_tries_the_authors_settings_first_and_never_sees_the_test(data, measured):
    part = splits.rotation(splits.folds(data.frame, 4, seed=1), 0)
    best, trials = search.search_head(data, measured, part, trials=3, seed=0)
    assert list(trials.columns) == ["trial", "loss", "l1", "l2", "dropout", "nodes", "activation"]
    assert trials.loc[0, ["l1", "l2", "dropout", "nodes", "activation"]].tolist() == [
        0.005945,
        0.017184,
        0.5,
        256,
        "relu",
    ]
    chosen = trials.sort_values("loss").iloc[0]
    assert {name: chosen[name] for name in best} == best
    hidden = data.subset(data.frame.index)
    hidden.frame["label"] = hidden.frame["label"].where(part != "test", data.classes[0])
    changed = measured.where(part != "test", 0.0)
    assert search.search_head(hidden, changed, part, trials=3, seed=0)[1].equals(trials)
    said = search.with_head(data, measured, seed=0, **best)(part)
    assert said.sum(1) == pytest.approx(1, abs=1e-5)


def test_a_search_on_a_split_that_leaks_is_refused(data, measured):
    part = splits.rotation(splits.random_folds(data.frame, 4, seed=1), 0)
    with pytest.raises(ValueError, match="a split by group"):
        search.search_head(data, measured, part, trials=1, seed=0)


@pytest.fixture(scope="module")
def types():
    """Cells of three classes of which the features know, and a split in which one of them is tested only."""
    cells = datasets.load("synthetic", n=90, patients=30, task="types", size=32, balanced=True)
    cells = cells.only(["neutrophil", "lymphocyte", "monocyte"])
    part = splits.rotation(splits.folds(cells.frame, 4, seed=1), 0)
    return cells, part


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_class_that_was_not_learnt_has_a_column_of_zeros(types, missing):
    cells, part = types
    part = part.mask(cells.frame["label"] == cells.classes[missing], "test")
    codes = crossvalidation.codes(cells)
    told = pd.DataFrame(np.eye(3)[codes] + np.random.default_rng(0).normal(0, 0.1, (len(cells), 3)), cells.frame.index)
    learners = [crossvalidation.with_features(cells, told, machine, seed=0) for machine in crossvalidation.MACHINES]
    said = {learn: learn(part) for learn in (*learners, crossvalidation.with_discriminant_analysis(cells, told))}
    for probabilities in said.values():
        assert probabilities.shape == (len(cells), 3)
        assert (probabilities[:, missing] == 0).all()
        assert probabilities.sum(1) == pytest.approx(1)
    tested = (codes != missing) & (part == "test").to_numpy()
    assert (said[learners[0]].argmax(1) == codes)[tested].all()


def test_networks_give_a_column_to_every_class_also_to_one_that_was_not_learnt(types, tmp_path):
    cells, part = types
    part = part.mask(cells.frame["label"] == cells.classes[2], "test")
    settings = training.Settings(1, batch=32)
    network = crossvalidation.with_network(
        cells, partial(models.encoder, 4, 3, depth=2), 32, settings, augmentation.NONE, tmp_path, copies=20
    )
    seen = np.random.default_rng(0).normal(size=(len(cells), 2, 5)).astype(np.float16)
    head = crossvalidation.with_head(cells, seen, partial(models.beato_head, 5, 3), settings, tmp_path)
    searched = search.with_head(cells, pd.DataFrame(seen[:, 0], cells.frame.index), 0, nodes=4)
    for learn in (network, head, searched):
        table, _ = crossvalidation.cross_validate(cells, part.map({"test": 0, "validation": 1, "train": 2}), learn, [0])
        assert table.filter(like="p_").shape == ((part == "test").sum(), 3)


def test_one_class_is_too_few_to_learn_from(data, measured):
    part = splits.rotation(splits.folds(data.frame, 4, seed=1), 0)
    part = part.mask(data.frame["label"] == data.classes[0], "test")
    with pytest.raises(datasets.DataError, match="synthetic: 1 class to learn from, and at least 2 are needed"):
        crossvalidation.with_features(data, measured, "logistic regression", seed=0)(part)


def test_a_validation_loss_that_is_never_a_number_loses_a_search_and_ends_a_training(data, measured):
    part = splits.rotation(splits.folds(data.frame, 4, seed=1), 0)
    broken = measured.astype(np.float32).mask(part == "validation", np.nan)
    with pytest.raises(training.TrainingError, match=r"the validation loss of a head with \{'nodes': 16\} is never a"):
        search.with_head(data, broken, seed=0, nodes=16)(part)
    with pytest.raises(training.TrainingError, match="a number in none of 1 trials"):
        search.search_head(data, broken, part, trials=1, seed=0)


def cell_folder(root, seed):
    """Class folders of synthetic cells, named alike whatever the seed."""
    cells = datasets.load("synthetic", n=40, patients=20, task="leukaemia", size=64, seed=seed)
    for label, ids in cells.frame.groupby("label").groups.items():
        (root / label).mkdir(parents=True)
        for k, name in enumerate(ids):
            images.write_png(root / label / f"{k}.png", cells.image(name))
    return f"folder:{root}"


@pytest.fixture(scope="module")
def laboratories(tmp_path_factory):
    place = tmp_path_factory.mktemp("laboratories")
    return [cell_folder(place / name, seed) for seed, name in enumerate(("here", "there"))]


def chapter_on_trust(place, wanted, dataset, elsewhere, positive):
    """What the cells of chapter 08 that make up a test elsewhere have made, with other parameters than its own."""
    cells = [cell.source for cell in notebooks.read(CHECKOUT / "notebooks" / "08-trust.ipynb").cells]
    made = {"dataset": dataset, "elsewhere": elsewhere, "positive": positive, "options": {}, "size": 64, "seed": 20}
    with contextlib.chdir(place), warnings.catch_warnings(action="ignore"):
        for begin in ("import time", "def two_classes", "def thumbnails", "kept = []"):
            exec(next(source for source in cells if source.startswith(begin)), made)
        made["values"] = {"140 numbers": features.table(made["data"].images(64), made["frame"].index)}
        for begin in ("three = splits.folds", "if elsewhere:", "if elsewhere or"):
            exec(next(source for source in cells if source.startswith(begin)), made)
    return [made[name] for name in wanted]


def test_chapter_08_tests_on_a_folder_from_elsewhere_with_the_same_names(laboratories, tmp_path):
    here, there = laboratories
    away, at_home, kept = chapter_on_trust(tmp_path, ("away", "at_home", "kept"), here, there, "lymphoblast")
    other = datasets.load(there)
    assert list(away.index) == [f"elsewhere/{name}" for name in other.frame.index]
    assert away["label"].tolist() == other.frame["label"].tolist()
    assert at_home["label"].tolist().count("lymphoblast") == (datasets.load(here).frame["label"] == "lymphoblast").sum()
    assert (kept[1]["way"], kept[1]["n"]) == ("honest", 40)
    assert metrics.roc_auc(away, "lymphoblast", 0).value > 0.6


def test_chapter_08_sets_one_class_against_all_others_elsewhere_too(laboratories, tmp_path):
    root = Path(laboratories[1].removeprefix("folder:"))
    shutil.copytree(root, tmp_path / "three")
    (tmp_path / "three" / "monocyte").mkdir()
    for k in range(3):  # mirrored, because one picture in two classes is refused
        mirrored = images.read(root / "lymphocyte" / f"{k}.png")[:, ::-1]
        images.write_png(tmp_path / "three" / "monocyte" / f"{k}.png", mirrored)
    folder = f"folder:{tmp_path / 'three'}"
    (away,) = chapter_on_trust(tmp_path, ("away",), laboratories[0], folder, "lymphoblast")
    assert away["label"].value_counts().to_dict() == {"lymphoblast": 20, "lymphocyte": 23}
    with pytest.raises(datasets.DataError, match="three: no class 'lymphoblast'; it has a, b"):
        (tmp_path / "three" / "lymphoblast").rename(tmp_path / "three" / "a")
        shutil.rmtree(tmp_path / "three" / "lymphocyte")
        (tmp_path / "three" / "monocyte").rename(tmp_path / "three" / "b")
        chapter_on_trust(tmp_path, ("away",), laboratories[0], folder, "lymphoblast")
