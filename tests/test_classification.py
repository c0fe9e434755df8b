"""Scores of classifiers agree with scikit-learn and with hand-worked cases, and their intervals cover."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from helpers import datasets, metrics, splits

CLASSES = ("ill", "well")


def table(label, score, group=None, classes=CLASSES):
    """Predictions from labels and scores; a score is of the first class, or a row of probabilities."""
    ids = pd.Index([f"cell-{k:04d}" for k in range(len(label))], name="image_id")
    group = [f"p{k}" for k in range(len(label))] if group is None else list(group)
    frame = pd.DataFrame({"group": group, "label": list(label)}, index=ids)
    score = np.asarray(score, float)
    probability = np.stack([score, 1 - score], axis=1) if score.ndim == 1 else score
    return metrics.predictions(frame, probability, classes, fold=0)


@pytest.fixture(scope="module")
def mixed():
    """300 images of 30 patients, scores rounded so that some are equal."""
    random = np.random.default_rng(1)
    group = np.repeat(np.arange(30), 10)
    ill = (group % 3 == 0) | (random.random(300) < 0.2)
    score = np.clip(random.normal(0.4 + 0.2 * ill, 0.2) + random.normal(0, 0.1, 30)[group], 0, 1).round(2)
    return table(np.where(ill, "ill", "well"), score, group)


def test_rates_of_a_hand_worked_case():
    #                ill: 3 of 4 found          well: 1 of 6 called ill
    score = [0.9, 0.8, 0.5, 0.1, 0.7, 0.4, 0.3, 0.2, 0.1, 0.0]
    found = metrics.rates(table(["ill"] * 4 + ["well"] * 6, score), "ill", 0.5, seed=0).set_index("measure")["value"]
    assert found.round(3).to_dict() == {
        "sensitivity": 0.75,
        "specificity": 0.833,
        "fall-out": 0.167,
        "precision": 0.75,
        "negative predictive value": 0.833,
        "F1": 0.75,
        "accuracy": 0.8,
        "balanced accuracy": 0.792,
    }


def test_rates_agree_with_scikit_learn(mixed):
    true, said = mixed["label"] == "ill", mixed["p_ill"] >= 0.5
    found = metrics.rates(mixed, "ill", 0.5, seed=0).set_index("measure")["value"]
    for name, score in {
        "sensitivity": sk.recall_score,
        "precision": sk.precision_score,
        "F1": sk.f1_score,
        "accuracy": sk.accuracy_score,
        "balanced accuracy": sk.balanced_accuracy_score,
    }.items():
        assert found[name] == pytest.approx(score(true, said), abs=6e-4), name


def test_what_is_not_defined_is_missing_and_not_zero():
    found = metrics.rates(table(["ill", "well"], [0.1, 0.2]), "ill", 0.5, seed=0).set_index("measure")["value"]
    assert np.isnan(found["precision"])
    assert found["sensitivity"] == 0


def test_auc_and_average_precision_agree_with_scikit_learn_ties_included(mixed):
    true, score = mixed["label"] == "ill", mixed["p_ill"]
    assert score.duplicated().any()
    auc, precision = metrics.roc_auc(mixed, "ill", 0), metrics.average_precision(mixed, "ill", 0)
    assert auc.value == pytest.approx(sk.roc_auc_score(true, score))
    assert precision.value == pytest.approx(sk.average_precision_score(true, score))
    assert (auc.n, auc.groups) == (precision.n, precision.groups) == (300, 30)
    assert auc.low < auc.value < auc.high


def test_the_interval_of_auc_is_that_of_scikit_learn_on_resampled_patients(mixed):
    random, members = np.random.default_rng(5), [np.flatnonzero(mixed["group"] == g) for g in range(30)]
    values = []
    for _ in range(1500):
        rows = mixed.iloc[np.concatenate([members[k] for k in random.integers(0, 30, 30)])]
        values.append(sk.roc_auc_score(rows["label"] == "ill", rows["p_ill"]))
    found = metrics.roc_auc(mixed, "ill", 0)
    assert [found.low, found.high] == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.01)


def test_a_95_percent_interval_of_auc_covers_the_truth_about_95_times_in_100():
    """Patients differ by as much as the classes do; the truth is that of a million cells of many patients."""
    random = np.random.default_rng(3)

    def draw(patients, cells):
        ill = np.arange(patients) % 2 == 0
        shift = random.normal(0, 1, patients)
        score = random.normal((shift + 1.2 * ill)[:, None], 1, (patients, cells))
        return np.repeat(ill, cells), 1 / (1 + np.exp(-score.ravel())), np.repeat(np.arange(patients), cells)

    ill, score, _ = draw(100_000, 10)
    truth = sk.roc_auc_score(ill, score)
    inside = by_cell = 0
    for _ in range(200):
        ill, score, group = draw(60, 10)
        label = np.where(ill, "ill", "well")
        found = metrics.roc_auc(table(label, score, group), "ill", seed=0)
        inside += found.low <= truth <= found.high
        alone = metrics.roc_auc(table(label, score), "ill", seed=0)  # every cell its own group: wrong
        by_cell += alone.low <= truth <= alone.high
    assert 180 <= inside <= 199
    assert by_cell < 120


def test_two_models_are_compared_on_the_same_patients(mixed):
    same = metrics.compare_auc(mixed, mixed.sample(frac=1, random_state=0), "ill", seed=0)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    noise = np.random.default_rng(0).random(len(mixed))
    worse = mixed.assign(p_ill=noise, p_well=1 - noise)
    difference = metrics.compare_auc(mixed, worse, "ill", seed=0)
    one, other = metrics.roc_auc(mixed, "ill", 0), metrics.roc_auc(worse, "ill", 0)
    assert difference.value == pytest.approx(one.value - other.value)
    assert difference.low > 0
    with pytest.raises(ValueError, match="different ids"):
        metrics.compare_auc(mixed, mixed.iloc[1:], "ill", seed=0)


def test_the_roc_curve_is_that_of_scikit_learn_within_its_band(mixed):
    curve = metrics.roc_curve(mixed, "ill", seed=0)
    fall_out, sensitivity, _ = sk.roc_curve(mixed["label"] == "ill", mixed["p_ill"], drop_intermediate=False)
    assert curve["sensitivity"].to_numpy() == pytest.approx(
        np.interp(curve["fall_out"], fall_out, sensitivity), abs=0.02
    )
    assert (curve["low"] <= curve["sensitivity"] + 1e-9).all()
    assert (curve["high"] >= curve["sensitivity"] - 1e-9).all()


def test_a_threshold_reaches_the_wanted_sensitivity_and_no_higher_one_does(mixed):
    for wanted in (0.5, 0.9, 0.95, 1.0):
        threshold = metrics.threshold_for(mixed, "ill", wanted)
        ill = mixed.loc[mixed["label"] == "ill", "p_ill"]
        assert (ill >= threshold).mean() >= wanted
        assert (ill > threshold).mean() < wanted
    with pytest.raises(ValueError, match="a sensitivity"):
        metrics.threshold_for(mixed, "ill", 1.2)


def test_a_patient_has_the_mean_of_the_cells_and_one_label():
    cells = table(["ill", "ill", "well"], [0.2, 0.6, 0.1], ["a", "a", "b"])
    patients = metrics.by_group(cells)
    assert patients["p_ill"].to_dict() == {"a": pytest.approx(0.4), "b": pytest.approx(0.1)}
    assert list(patients["group"]) == ["a", "b"]
    with pytest.raises(ValueError, match="a: this group has images of several classes"):
        metrics.by_group(table(["ill", "well"], [0.2, 0.6], ["a", "a"]))


def test_brier_and_calibration_error_of_hand_worked_cases(mixed):
    assert metrics.brier(mixed, "ill", 0).value == pytest.approx(
        sk.brier_score_loss(mixed["label"] == "ill", mixed["p_ill"])
    )
    # Ten images at 0.75 of which five are ill, ten at 0.2 of which two are: (0.25 + 0) / 2.
    cells = table(["ill"] * 5 + ["well"] * 5 + ["ill"] * 2 + ["well"] * 8, [0.75] * 10 + [0.2] * 10)
    assert metrics.ece(cells, "ill", 0).value == pytest.approx(0.125)
    shown = metrics.reliability(cells, "ill", 0)
    assert shown[["probability", "frequency", "n"]].to_numpy().tolist() == [[0.2, 0.2, 10], [0.75, 0.5, 10]]


def test_temperature_finds_how_much_too_sure_a_model_is():
    random = np.random.default_rng(0)
    logit = random.normal(0, 1, 4000)
    ill = random.random(4000) < 1 / (1 + np.exp(-logit))
    sure = table(np.where(ill, "ill", "well"), 1 / (1 + np.exp(-3 * logit)))
    t = metrics.temperature(sure)
    assert t == pytest.approx(3, rel=0.1)
    mended = metrics.with_temperature(sure, t)
    assert metrics.ece(mended, "ill", 0).value < 0.03 < metrics.ece(sure, "ill", 0).value
    assert metrics.roc_auc(mended, "ill", 0).value == pytest.approx(metrics.roc_auc(sure, "ill", 0).value)


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (np.full((2, 3), 1 / 3), r"2 images of 2 classes, but probabilities \(2, 3\)"),
        (np.array([[0.5, 0.6], [0.5, 0.5]]), "add up to 1"),
        (np.array([[1.5, -0.5], [0.5, 0.5]]), "from 0 to 1"),
    ],
)
def test_probabilities_that_are_none_are_refused(probability, said):
    frame = pd.DataFrame({"group": ["a", "b"], "label": ["ill", "well"]}, index=["x", "y"])
    with pytest.raises(ValueError, match=said):
        metrics.predictions(frame, probability, CLASSES, 0)


def test_a_class_or_a_kind_of_image_that_is_not_there_is_named(mixed):
    with pytest.raises(ValueError, match="sick: not a class of these predictions, which are ill, well"):
        metrics.roc_auc(mixed, "sick", 0)
    with pytest.raises(ValueError, match="images that are ill and images that are not"):
        metrics.roc_auc(mixed[mixed["label"] == "ill"], "ill", 0)


# --- alarms: each fires, and each keeps quiet


@pytest.fixture(scope="module")
def good():
    random = np.random.default_rng(0)
    ill = np.repeat(np.arange(40) % 4 > 0, 10)
    score = np.clip(random.normal(0.4 + 0.3 * ill, 0.15), 0, 1)
    return table(np.where(ill, "ill", "well"), score, np.repeat(np.arange(40), 10))


def names(alarms):
    return [alarm.name for alarm in alarms]


def test_labels_in_another_order_than_images_raise_an_alarm(good):
    """The defect of two published systems: sensitivity equals fall-out, accuracy looks like something."""
    shuffled = good.assign(label=good["label"].sample(frac=1, random_state=1).to_numpy())
    fired = metrics.knows_nothing(shuffled, "ill", 0.5, seed=0)
    assert names(fired) == ["the model ranks like chance", "the label does not matter"]
    assert "files in one order and labels in another" in fired[0].check
    assert metrics.knows_nothing(good, "ill", 0.5, seed=0) == []


def test_a_model_that_says_one_thing_raises_an_alarm(good):
    assert names(metrics.one_class(good.assign(p_ill=0.9, p_well=0.1))) == ["one class only"]
    assert metrics.one_class(good) == []
    assert metrics.one_class(good[good["label"] == "ill"].assign(p_ill=0.9, p_well=0.1)) == []


def test_what_was_seen_in_training_raises_an_alarm(good):
    patient = good["group"].astype(int)
    part = pd.Series(np.select([patient < 20, patient < 30], ["train", "validation"], "test"), good.index)
    assert metrics.seen_in_training(good, part) == []
    by_cell = pd.Series(np.resize(["train", "validation", "test"], len(good)), good.index)
    assert "group 0 is in test and train and validation" in metrics.seen_in_training(good, by_cell)[0].saw
    pairs = pd.DataFrame([(good.index[0], good.index[-1], 0.99)], columns=["image_a", "image_b", "similarity"])
    assert "show the same thing" in metrics.seen_in_training(good, part, pairs)[0].saw
    copied = pd.concat([part, part.iloc[:1]])
    assert "in the split twice, such as cell-0000" in metrics.seen_in_training(good, copied)[0].saw


def test_a_test_that_is_also_the_validation_raises_an_alarm(good):
    part = pd.Series(np.where(good["group"].astype(int) < 20, "train", "test"), good.index)
    assert names(metrics.seen_in_training(good, part)) == ["the test also chose the model"]


def test_patients_that_are_not_known_raise_an_alarm(good):
    assert metrics.patients_unknown(good) == []
    assert names(metrics.patients_unknown(good.assign(group=good.index))) == ["patients are not known"]


def accuracy_of(groups, random):
    """The accuracy of 20 images each of some patients, who have rates of their own; 0.8 on the whole."""
    right = random.random((groups, 20)) < random.beta(4, 1, (groups, 1))
    table = pd.DataFrame({"group": np.repeat(np.arange(groups).astype(str), 20), "label": "ill"})
    table = table.assign(p_ill=right.ravel().astype(float), p_well=1.0 - right.ravel())
    return metrics.score([table], "accuracy", int(random.integers(1e6)))


def test_few_groups_raise_an_alarm_because_their_intervals_hold_the_truth_too_seldom(good):
    assert metrics.few_groups(good) == []
    (alarm,) = metrics.few_groups(good[good["group"].isin(good["group"].unique()[:9])])
    assert "images of 9 groups were tested" in alarm.saw
    random, held = np.random.default_rng(0), {}
    for groups in (3, 5, 30):
        estimates = [accuracy_of(groups, random) for _ in range(200)]
        held[groups] = np.mean([e.low <= 0.8 <= e.high for e in estimates])
    assert 0.6 < held[3] < held[5] < 0.9 < held[30]


def test_another_input_than_in_training_raises_an_alarm():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    images[..., 2] //= 4
    learnt = metrics.input_statistics(images)
    assert metrics.another_input(images[:2], learnt) == []
    scaled = metrics.another_input((images / 255).astype(np.float32), learnt)
    assert "images are float32, the model learnt from uint8" in scaled[0].saw
    assert "pixels are from" in scaled[1].saw
    assert "order of the channels" in metrics.another_input(images[..., ::-1], learnt)[0].check


@pytest.mark.parametrize("task", ["leukaemia", "types"])
def test_red_and_blue_exchanged_raise_an_alarm_on_cells_and_other_patients_do_not(task):
    cells = datasets.load("synthetic", n=200, patients=30, size=48, task=task)
    pictures, held_out = cells.images(48), (splits.folds(cells.frame, 3, 0) == 0).to_numpy()
    learnt = metrics.input_statistics(pictures[~held_out])
    assert metrics.another_input(pictures[held_out], learnt) == []
    (alarm,) = metrics.another_input(pictures[held_out][..., ::-1], learnt)
    assert "twice as well with red and blue exchanged" in alarm.saw
    assert "OpenCV" in alarm.check


def test_an_alarm_reads_as_a_sentence_that_fits_a_page():
    said = str(metrics.Alarm("one class only", "all 12 images are called ill, 50% are", "the learning rate, " * 5))
    assert " ".join(said.split()).startswith("Alarm, one class only: all 12 images are called ill, 50% are. Check the")
    assert max(map(len, said.splitlines())) <= 60


def test_all_alarms_asks_every_one(good):
    patient = good["group"].astype(int)
    part = pd.Series(np.select([patient < 20, patient < 30], ["train", "validation"], "test"), good.index)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    learnt = metrics.input_statistics(images)
    assert metrics.all_alarms(good, "ill", 0.5, good, part, images, learnt, seed=0) == []
    bad = good.assign(p_ill=0.9, p_well=0.1)
    by_cell = pd.Series(np.resize(["train", "validation", "test"], len(good)), good.index)
    fired = metrics.all_alarms(bad, "ill", 0.5, good, by_cell, images / 255, learnt, seed=0)
    assert names(fired) == [
        "the model ranks like chance", "one class only", "the test is not new", "another input", "another input"
    ]  # fmt: skip
