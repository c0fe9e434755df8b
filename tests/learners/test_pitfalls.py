"""Each mistake does to a number what it did where it was published, and the check that is meant for it notices."""

import numpy as np
import pandas as pd
import pytest

from helpers import checks, datasets, metrics, splits
from helpers.learners import pitfalls


@pytest.fixture(scope="module")
def said():
    """Good predictions of 200 images of 20 patients."""
    random = np.random.default_rng(0)
    ill = np.arange(200) // 10 % 2 == 1
    score = np.clip(0.3 + 0.4 * ill + random.normal(0, 0.15, 200), 0.01, 0.99)
    return pd.DataFrame(
        {
            "label": np.where(ill, "ill", "well"),
            "group": [f"P{k // 10:02d}" for k in range(200)],
            "p_ill": score,
            "p_well": 1 - score,
            "fold": 0,
        },
        pd.Index([f"c{k:03d}" for k in random.permutation(200)], name="image_id"),
    )


def test_labels_paired_by_position_keep_their_numbers_and_lose_their_meaning(said):
    labels = pitfalls.labels_by_position(said, seed=1)
    assert labels.value_counts().to_dict() == said["label"].value_counts().to_dict()
    assert sorted(labels.index) == sorted(said.index)
    wrong = said.assign(label=labels[said.index])
    assert metrics.roc_auc(said, "ill", 0).value > 0.9
    assert abs(metrics.roc_auc(wrong, "ill", 0).value - 0.5) < 0.12
    assert checks.check_better_than_chance(wrong, "ill", 0.5, 0)
    assert not checks.check_better_than_chance(said, "ill", 0.5, 0)


def test_a_curve_from_answers_lies_below_that_from_probabilities_and_raises_an_alarm(said):
    hard = pitfalls.hard_predictions(said, "ill", 0.5)
    assert set(np.unique(hard[["p_ill", "p_well"]])) == {0.0, 1.0}
    assert (hard["p_ill"] + hard["p_well"] == 1).all()
    assert metrics.predicted_classes(hard).equals(metrics.predicted_classes(said))
    assert metrics.roc_auc(hard, "ill", 0).value < metrics.roc_auc(said, "ill", 0).value - 0.02
    (alarm,) = checks.check_probabilities(hard)
    assert "200 images are 0 or 1" in alarm.observed
    assert checks.check_probabilities(said) == []


def test_counting_copies_narrows_the_interval_and_not_the_number(said):
    copied = pitfalls.duplicate_predictions(said, 10)
    once, often = metrics.roc_auc(said, "ill", 0), metrics.roc_auc(copied, "ill", 0)
    assert (often.n, often.groups) == (2000, 2000)
    assert often.value == pytest.approx(once.value)
    assert often.high - often.low < 0.6 * (once.high - once.low)
    assert copied.index.is_unique


@pytest.fixture(scope="module")
def noise():
    """Features without any signal, in folds by patient."""
    data = datasets.load("synthetic", n_images=90, n_patients=30, task="leukaemia", size=32)
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(90, 12)), data.frame.index)
    return pitfalls.Training(data, table, splits.group_folds(data.frame, 3, 20))


def test_permuted_labels_are_one_per_patient_and_every_part_has_both_classes(noise):
    permuted = pitfalls.permute_labels(noise.data, noise.fold, 1).frame
    assert (permuted.groupby("group")["label"].nunique() == 1).all()
    assert (permuted["label"] != noise.data.frame["label"]).any()
    split = splits.split_for_fold(noise.fold, 0)
    assert all(permuted.loc[ids, "label"].nunique() == 2 for ids in (split.train, split.val, split.test))
    again = pitfalls.permute_labels(noise.data, noise.fold, 1).frame
    assert permuted["label"].equals(again["label"])


def test_labels_that_cannot_be_permuted_are_refused(noise):
    single = noise.data.select(noise.data.frame.index[noise.data.frame["label"] == "lymphocyte"])
    with pytest.raises(datasets.DatasetError, match="no permutation of 15 groups has every class in every split"):
        pitfalls.permute_labels(single, noise.fold[single.frame.index], 1)


@pytest.mark.parametrize("trial", [pitfalls.auc_by_epoch, pitfalls.auc_by_model])
def test_the_test_chooses_what_suits_the_test(noise, trial):
    trials = trial(noise, "lymphoblast", 20, 12)
    assert list(trials.columns) == ["validation", "test"]
    assert trials.index.tolist() == list(range(1, 13))
    kept = pitfalls.choose(trials)
    assert kept["test"] == trials["test"].max() >= kept["validation"]
    assert kept["validation"] == trials["test"].loc[trials["validation"].idxmax()]


def test_other_features_in_the_test_change_only_the_predictions(noise):
    changed = noise.predict(noise.features + 100)
    assert changed.index.tolist() == noise.predict().index.tolist()
    assert noise.predict(noise.features).equals(noise.predict())
    assert not changed["p_lymphoblast"].equals(noise.predict()["p_lymphoblast"])


def test_pixels_are_a_row_per_image(noise):
    table = pitfalls.pixel_table(noise.data, 4)
    assert table.shape == (90, 48)
    assert table.index.equals(noise.data.frame.index)
    assert (table.iloc[0].to_numpy() == noise.data.load_images(4)[0].ravel()).all()
