"""Every image is tested once, by something that has not seen its group."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from helpers import augmentation, checks, datasets, features, metrics, models, splits, training
from helpers.learners import cross_validation, pitfalls, search, tabular


@pytest.fixture(scope="module")
def data():
    return datasets.load("synthetic", n_images=120, n_patients=20, task="leukaemia", size=64)


@pytest.fixture(scope="module")
def measured(data):
    return features.extract_feature_table(data.load_images(64), data.frame.index)


def constant(folds):
    """A learner that predicts the same for every image, and keeps the folds that it is given."""

    def learn(dataset, fold, ids):
        folds.append(fold)
        return np.tile([0.25, 0.75], (len(ids), 1))

    return learn


def test_every_image_is_tested_once_by_a_learner_that_was_given_its_fold(data):
    fold, folds = splits.group_folds(data.frame, 5, seed=1), []
    test, validation = cross_validation.cross_validate(data, fold, constant(folds))
    assert sorted(test.index) == sorted(validation.index) == sorted(data.frame.index)
    assert (test["fold"] == fold.loc[test.index]).all()
    assert ((validation["fold"] + 1) % 5 == fold.loc[validation.index]).all()
    for one in folds:
        assert splits.find_leakage(data.frame, one.split_of(data.frame.index)) == []
    with pytest.raises(datasets.DatasetError, match="test_folds is empty"):
        cross_validation.cross_validate(data, fold, constant(folds), test_folds=[])
    with pytest.raises(datasets.DatasetError, match=rf"do not hold the same images\n  - {fold.index[0]}"):
        cross_validation.cross_validate(data, fold[1:], constant(folds))


def test_a_learner_is_asked_for_validation_and_test_images_only_and_its_rows_keep_their_ids(data):
    fold, asked = splits.group_folds(data.frame, 4, seed=1), []
    number = pd.Series(np.arange(len(data)) / 200, data.frame.index)

    def learn(dataset, fold, ids):
        asked.append(ids)
        return np.stack([number[ids], 1 - number[ids]], axis=1)

    shuffled = fold.sample(frac=1, random_state=0)
    test, validation = cross_validation.cross_validate(data, shuffled, learn, test_folds=[2])
    (ids,) = asked
    assert sorted(ids) == sorted(fold.index[fold.isin([2, 3])])
    for table in (test, validation):
        assert (table[f"p_{data.classes[0]}"] == number[table.index]).all()
        assert (table["label"] == data.frame.loc[table.index, "label"]).all()


def hide_labels(data, ids):
    """The same dataset, in which all of these images have the first class."""
    frame = data.frame.copy()
    frame.loc[ids, "label"] = data.classes[0]
    return replace(data, frame=frame)


@pytest.mark.parametrize("machine", tabular.CLASSIFIERS)
def test_machines_learn_from_features_and_never_from_the_test(data, measured, machine):
    fold = splits.group_folds(data.frame, 4, seed=1)
    learn, first = cross_validation.tabular_learner(measured, machine, seed=0), splits.split_for_fold(fold, 0)
    hidden = hide_labels(data, first.test)
    assert np.allclose(learn(data, first, data.frame.index), learn(hidden, first, data.frame.index))
    test, _ = cross_validation.cross_validate(data, fold, learn)
    assert metrics.roc_auc(test, data.classes[1], 0).value > 0.75


def test_discriminant_analysis_learns_from_more_features_than_images_and_never_from_the_test(data, measured):
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 400)), data.frame.index)
    fold = splits.group_folds(data.frame, 4, seed=1)
    learn = cross_validation.lda_learner(pd.concat([measured, noise], axis=1))
    first = splits.split_for_fold(fold, 0)
    hidden = hide_labels(data, first.test)
    assert np.allclose(learn(data, first, data.frame.index), learn(hidden, first, data.frame.index))
    test, _ = cross_validation.cross_validate(data, fold, learn)
    assert metrics.roc_auc(test, data.classes[1], 0).value > 0.7


@pytest.mark.parametrize("train_on_val", [True, False])
def test_validation_images_are_trained_on_where_that_is_wanted(data, measured, train_on_val):
    first = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0)
    hidden = hide_labels(data, first.val[:15])
    for learn in (
        cross_validation.tabular_learner(measured, "logistic regression", seed=0, train_on_val=train_on_val),
        cross_validation.lda_learner(measured, train_on_val=train_on_val),
    ):
        known, changed = learn(data, first, first.test), learn(hidden, first, first.test)
        assert np.allclose(known, changed) != train_on_val


def test_a_learning_curve_draws_nested_subsets_and_leaves_the_test_alone(data):
    fold, folds = splits.group_folds(data.frame, 4, seed=1), []

    def accuracy(table):
        return metrics.mean_score([table], "accuracy", 0)

    ready = {"score": accuracy, "seed": 2}
    curve = cross_validation.learning_curve(data, fold, constant(folds), sizes=[20, 10], test_folds=[0, 1], **ready)
    assert curve["images"].tolist() == [10, 20]
    assert curve["n"].tolist() == [(fold < 2).sum()] * 2
    by_size = [folds[:2], folds[2:]]
    for size, rounds in zip((10, 20), by_size, strict=True):
        for k, one in enumerate(rounds):
            assert len(one.train) == size
            assert set(one.test) == set(fold.index[fold == k])
            assert set(one.val) == set(fold.index[fold == k + 1])
    assert set(by_size[0][0].train) < set(by_size[1][0].train)
    folds.clear()
    cross_validation.learning_curve(data, fold, constant(folds), sizes=[60], test_folds=[0], train_on_val=True, **ready)
    assert len(folds[0].train) + len(folds[0].val) == 60
    assert 0 < len(folds[0].val) < (fold == 1).sum()


def test_a_learning_curve_may_draw_several_subsets_and_score_them_together(data):
    fold, folds, scored = splits.group_folds(data.frame, 4, seed=1), [], []

    def accuracy(*tables):
        scored.append(len(tables))
        return metrics.mean_score(tables, "accuracy", 0)

    ready = {"sizes": [10], "test_folds": [0], "score": accuracy, "seed": 2, "draws": 3}
    curve = cross_validation.learning_curve(data, fold, constant(folds), **ready)
    assert scored == [3]
    assert curve["n"].tolist() == [(fold == 0).sum()]
    assert len({tuple(one.train) for one in folds}) == 3


def test_what_a_machine_predicts_for_images_it_knows_is_from_folds_that_held_them_out():
    data = datasets.load("synthetic", n_images=200, n_patients=40, task="leukaemia", size=32)
    noise = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 60)), data.frame.index)
    one = splits.split_for_fold(splits.group_folds(data.frame, 5, seed=1), 0)
    known = one.train.append(one.val)
    learn = cross_validation.tabular_learner(noise, "support vector machine", seed=0)
    table = metrics.prediction_table(data.frame.loc[known], learn(data, one, known), data.classes, fold=0)
    assert metrics.roc_auc(table, data.classes[1], 0).value < 0.65  # by heart it would be 1


def test_a_network_predicts_the_images_that_it_is_asked_for(data, tmp_path):
    ready = {
        "config": training.TrainingConfig(1, batch_size=32),
        "augmentation": augmentation.NO_AUGMENTATION,
        "checkpoint_dir": tmp_path,
    }
    learn = cross_validation.cnn_learner(partial(models.unet_encoder_classifier, 4, depth=2), 32, **ready)
    one = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0)
    probabilities = learn(data, one, one.test)
    assert probabilities.shape == (len(one.test), 2)
    assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)
    assert np.allclose(learn(data, one, one.test[::-1]), probabilities[::-1], atol=1e-6)
    assert len(list(tmp_path.iterdir())) == 1  # read back


def test_copies_are_made_of_training_images_only(data, tmp_path, monkeypatch):
    one, given = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0), {}

    def fit_classifier(build, images, labels, *, split, **_):
        given.update(images=images, labels=labels, split=split)
        return build(), None

    monkeypatch.setattr(training, "fit_classifier", fit_classifier)
    ready = {
        "config": training.TrainingConfig(1),
        "augmentation": augmentation.NO_AUGMENTATION,
        "checkpoint_dir": tmp_path,
    }
    cross_validation.cnn_learner(partial(models.unet_encoder_classifier, 4, depth=2), 32, **ready, copies=90)(
        data, one, one.test
    )
    train, validation = (given["split"] == name for name in ("train", "validation"))
    assert np.array_equal(given["images"][train][: len(one.train)], data.select(one.train).load_images(32))
    assert np.array_equal(given["images"][validation], data.select(one.val).load_images(32))
    assert np.array_equal(given["labels"][validation], cross_validation.encode_labels(data, one.val))
    before = np.bincount(cross_validation.encode_labels(data, one.train))
    assert np.bincount(given["labels"][train]).tolist() == [max(90, n) for n in before]


def test_copies_before_the_split_put_what_is_learnt_from_into_the_test(data):
    copied = pitfalls.oversample_before_split(data, 80, size=32, seed=0)
    assert copied.frame["label"].value_counts().min() == 80
    assert np.array_equal(copied.select(data.frame.index).load_images(32), data.load_images(32))
    by_original = copied.frame.assign(group=copied.frame["original"])
    leaky, grouped = (
        splits.split_for_fold(draw(copied.frame, 4, seed=1), 0).split_of(copied.frame.index)
        for draw in (splits.image_folds, splits.group_folds)
    )
    assert "overlaps between splits" in checks.check_leakage(by_original, leaky)[0].observed
    assert checks.check_leakage(by_original, grouped) == []


def test_a_search_tries_the_authors_settings_first_and_never_sees_the_test(data, measured):
    one = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0)
    best, trials = search.search_head(data, measured, one, n_trials=3, seed=0)
    assert list(trials.columns) == ["trial", "loss", "l1", "l2", "dropout", "units", "activation"]
    first = trials.loc[0, ["l1", "l2", "dropout", "units", "activation"]].tolist()
    assert first == [0.005945, 0.017184, 0.5, 256, "relu"]
    chosen = trials.sort_values("loss").iloc[0]
    assert {name: chosen[name] for name in best} == best
    changed = measured.copy()
    changed.loc[one.test] = 0.0
    assert search.search_head(hide_labels(data, one.test), changed, one, n_trials=3, seed=0)[1].equals(trials)
    probabilities = search.searched_head_learner(measured, seed=0, **best)(data, one, one.test)
    assert probabilities.shape == (len(one.test), 2)
    assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)


def test_a_search_on_a_split_that_leaks_is_refused(data, measured):
    one = splits.split_for_fold(splits.image_folds(data.frame, 4, seed=1), 0)
    with pytest.raises(ValueError, match=r"share groups .*; split by group"):
        search.search_head(data, measured, one, n_trials=1, seed=0)


@pytest.fixture(scope="module")
def types():
    """Cells of three classes of which the features know, and a fold."""
    cells = datasets.load("synthetic", n_images=90, n_patients=30, task="types", size=32, balanced=True)
    cells = cells.select_classes(["neutrophil", "lymphocyte", "monocyte"])
    return cells, splits.split_for_fold(splits.group_folds(cells.frame, 4, seed=1), 0)


def only_tested(data, fold, label):
    """The fold with all images of a class among those that are tested."""
    ids = data.frame.index[data.frame["label"] == label]
    train, val = fold.train.difference(ids, sort=False), fold.val.difference(ids, sort=False)
    return splits.Fold(train, val, data.frame.index.difference(train.append(val), sort=False))


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_class_that_was_not_learnt_has_a_column_of_zeros(types, missing):
    cells, one = types
    one = only_tested(cells, one, cells.classes[missing])
    codes = cross_validation.encode_labels(cells)
    told = pd.DataFrame(np.eye(3)[codes] + np.random.default_rng(0).normal(0, 0.1, (len(cells), 3)), cells.frame.index)
    learners = [cross_validation.tabular_learner(told, machine, seed=0) for machine in tabular.CLASSIFIERS]
    for learn in (*learners, cross_validation.lda_learner(told)):
        probabilities = learn(cells, one, cells.frame.index)
        assert probabilities.shape == (len(cells), 3)
        assert (probabilities[:, missing] == 0).all()
        assert probabilities.sum(1) == pytest.approx(1)
    tested = cross_validation.encode_labels(cells.select(one.test))
    right = learners[0](cells, one, one.test).argmax(1) == tested
    assert right[tested != missing].all()


def test_networks_give_a_column_to_every_class_also_to_one_that_was_not_learnt(types, tmp_path):
    cells, one = types
    one = only_tested(cells, one, cells.classes[2])
    ready = {"config": training.TrainingConfig(1, batch_size=32), "checkpoint_dir": tmp_path}
    build = partial(models.unet_encoder_classifier, 4, 3, depth=2)
    network = cross_validation.cnn_learner(build, 32, augmentation=augmentation.NO_AUGMENTATION, copies=20, **ready)
    seen = np.random.default_rng(0).normal(size=(len(cells), 2, 5)).astype(np.float16)
    head = cross_validation.feature_head_learner(seen, partial(models.dense_head, 5, 3), **ready)
    searched = search.searched_head_learner(pd.DataFrame(seen[:, 0], cells.frame.index), seed=0, units=4)
    for learn in (network, head, searched):
        assert learn(cells, one, one.test).shape == (len(one.test), 3)


def test_a_head_finds_the_features_of_the_images_by_their_ids(types, tmp_path):
    cells, one = types
    seen = np.eye(3, dtype=np.float16)[cross_validation.encode_labels(cells)][:, None]
    settings = training.TrainingConfig(60, learning_rate=0.1, patience=60, batch_size=32)
    learn = cross_validation.feature_head_learner(
        seen, partial(models.dense_head, 3, 3), config=settings, checkpoint_dir=tmp_path
    )
    test = one.test[::-1]
    assert (learn(cells, one, test).argmax(1) == cross_validation.encode_labels(cells.select(test))).all()
    with pytest.raises(datasets.DatasetError, match=f"{len(one.test)} images, but cached features of {len(cells)}"):
        learn(cells.select(one.test), one, test)


def test_one_class_is_too_few_to_learn_from(data, measured):
    one = only_tested(data, splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0), data.classes[0])
    with pytest.raises(datasets.DatasetError, match="synthetic: at least 2 classes are needed for training, got 1"):
        cross_validation.tabular_learner(measured, "logistic regression", seed=0)(data, one, one.test)


def test_features_that_are_no_numbers_are_refused_before_a_head_is_trained(data, measured):
    one = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0)
    broken = measured.astype(np.float32)
    broken.loc[one.val] = np.nan
    said = f"features of {len(one.val)} of .* images are not finite, first of {one.val[0]}"
    with pytest.raises(training.TrainingError, match=said):
        search.searched_head_learner(broken, seed=0, units=16)(data, one, one.test)
    with pytest.raises(training.TrainingError, match=said):
        search.search_head(data, broken, one, n_trials=1, seed=0)


def test_a_validation_loss_that_is_never_a_number_loses_a_search_and_ends_a_training(data, measured, monkeypatch):
    one = splits.split_for_fold(splits.group_folds(data.frame, 4, seed=1), 0)
    monkeypatch.setattr(search, "_trained", lambda *_, **__: search._Head(np.inf, None, np.zeros(1), np.ones(1)))
    with pytest.raises(training.TrainingError, match=r"the validation loss of a head with \{'units': 16\} was not"):
        search.searched_head_learner(measured, seed=0, units=16)(data, one, one.test)
    with pytest.raises(training.TrainingError, match="was not finite in any of 1 trials"):
        search.search_head(data, measured, one, n_trials=1, seed=0)
