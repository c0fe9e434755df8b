"""Scores of many classes agree with scikit-learn, and runs are compared on the same patients."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from helpers import metrics

CLASSES = ("a", "b", "c")


def run(seed, skill=0.4, groups=None):
    random = np.random.default_rng(seed)
    label = np.random.default_rng(7).choice(CLASSES, 200, p=[0.6, 0.3, 0.1])
    own = np.eye(3)[[CLASSES.index(name) for name in label]]
    probability = random.dirichlet([1, 1, 1], 200) * (1 - skill) + skill * own
    ids = pd.Index([f"cell-{k:03d}" for k in range(200)], name="image_id")
    group = np.random.default_rng(8).integers(0, 25, 200).astype(str)
    return metrics.prediction_table(pd.DataFrame({"group": group, "label": label}, ids), probability, CLASSES, fold=0)


@pytest.fixture(scope="module")
def three():
    return run(2)


def test_scores_of_all_classes_agree_with_scikit_learn(three):
    true, said = three["label"], metrics.predicted_classes(three)
    expected = {
        "accuracy": sk.accuracy_score(true, said),
        "balanced accuracy": sk.balanced_accuracy_score(true, said),
        "macro F1": sk.f1_score(true, said, average="macro"),
        "weighted F1": sk.f1_score(true, said, average="weighted"),
    }
    assert {name: metrics.mean_score([three], name, 0).value for name in metrics.METRICS} == pytest.approx(expected)
    found = metrics.mean_score([three], "macro F1", 0)
    assert found.low < found.value < found.high
    assert (found.n, found.groups) == (200, 25)


def test_precision_recall_and_f1_of_every_class_agree_with_scikit_learn(three):
    said = metrics.predicted_classes(three)
    table = metrics.classification_report(three, seed=0).set_index(["measure", "class"])
    found, own = table["value"], three.groupby("label")["group"].agg(["size", "nunique"])
    for name in CLASSES:
        assert table.loc[("recall", name), ["n", "groups"]].tolist() == own.loc[name].tolist()
    assert table.loc[("recall", "macro"), ["n", "groups"]].tolist() == [200, 25]
    for measure, score in (("precision", sk.precision_score), ("recall", sk.recall_score), ("F1", sk.f1_score)):
        for name, value in zip(CLASSES, score(three["label"], said, average=None), strict=True):
            assert found[measure, name] == pytest.approx(value, abs=6e-4)
        for average in ("macro", "weighted"):
            assert found[measure, average] == pytest.approx(score(three["label"], said, average=average), abs=6e-4)
    assert found["accuracy", "all"] == pytest.approx((three["label"] == said).mean(), abs=6e-4)
    expected = sk.confusion_matrix(three["label"], said, labels=list(CLASSES))
    assert np.array_equal(metrics.confusion_matrix(three).to_numpy(), expected)


def test_pairs_that_are_confused_add_up_to_all_errors_most_first(three):
    pairs = metrics.confusion_pairs(three, seed=0)
    assert pairs["images"].sum() == (three["label"] != metrics.predicted_classes(three)).sum()
    assert pairs["images"].is_monotonic_decreasing
    first = pairs.iloc[0]
    assert first["images"] == metrics.confusion_matrix(three).at[first["true"], first["predicted"]]
    assert first["n"] == (three["label"] == first["true"]).sum()
    assert first["rate"] == pytest.approx(first["images"] / first["n"], abs=6e-4)
    assert first["low"] < first["rate"] < first["high"]
    assert metrics.confusion_pairs(run(1, skill=1.0), seed=0).empty
    always = three.assign(p_a=0.8, p_b=0.1, p_c=0.1)
    pair = metrics.confusion_pairs(always, seed=0).iloc[0]
    groups = always.loc[always["label"] == "b", "group"].nunique()
    assert (pair["rate"], pair["low"], pair["high"]) == (1, pytest.approx(0.025 ** (1 / groups)), 1)


def test_roc_area_of_every_class_against_the_rest_agrees_with_scikit_learn(three):
    found = metrics.roc_auc_by_class(three, seed=0).set_index("class")["AUC"]
    for name in CLASSES:
        assert found[name] == pytest.approx(sk.roc_auc_score(three["label"] == name, three[f"p_{name}"]), abs=6e-4)
    columns = three[[f"p_{name}" for name in CLASSES]]
    assert found["macro"] == pytest.approx(sk.roc_auc_score(three["label"], columns, multi_class="ovr"), abs=6e-4)


def test_a_score_of_several_runs_is_their_mean_and_a_comparison_the_difference():
    good, poor = [run(k, 0.6) for k in range(3)], [run(k, 0.2) for k in range(3)]
    mean = np.mean([sk.f1_score(r["label"], metrics.predicted_classes(r), average="macro") for r in good])
    assert metrics.mean_score(good, "macro F1", 0).value == pytest.approx(mean)
    gain = metrics.score_difference(good, poor, "macro F1", seed=0)
    expected = mean - metrics.mean_score(poor, "macro F1", 0).value
    assert gain.value == pytest.approx(expected)
    assert gain.low > 0
    nothing = metrics.score_difference(good, good, "macro F1", seed=0)
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)


def test_a_class_without_an_image_counts_in_no_mean(three):
    without = three[three["label"] != "c"]
    said = metrics.predicted_classes(without)
    assert (said == "c").any()
    f1 = sk.f1_score(without["label"], said, average=None, labels=["a", "b"])
    assert metrics.mean_score([without], "macro F1", 0).value == pytest.approx(f1.mean())
    recall = sk.recall_score(without["label"], said, average=None, labels=["a", "b"])
    assert metrics.mean_score([without], "balanced accuracy", 0).value == pytest.approx(recall.mean())


@pytest.mark.parametrize("group", [np.arange(60) // 3, np.arange(60) % 20], ids=["one class each", "all classes each"])
def test_a_constant_predictor_of_four_classes_has_exactly_a_quarter(group):
    """Resamples without a class used to drop it from the mean, which gave [0.000, 0.333]."""
    label = np.repeat(list("abcd"), 15)
    frame = pd.DataFrame({"group": group, "label": label}, index=[f"c{k}" for k in range(60)])
    constant = metrics.prediction_table(frame, np.tile([0.7, 0.1, 0.1, 0.1], (60, 1)), tuple("abcd"), fold=0)
    found = metrics.mean_score([constant], "balanced accuracy", 0)
    assert (found.value, found.low, found.high) == pytest.approx((0.25, 0.25, 0.25))
    assert metrics.mean_score([constant], "macro F1", 0).value == pytest.approx(0.4 / 4)
    never = metrics.classification_report(constant, 0).set_index(["measure", "class"]).loc[("precision", "b")]
    assert (never["value"], never["n"], never["groups"], never["interval"]) == (0, 0, 0, "none")


def test_a_resample_that_lacks_a_class_does_not_count():
    """One of twelve mixed patients has all cells of c, and they are wrong: without that patient the mean would rise."""
    group = np.repeat(np.arange(12), 10)
    label = np.where(group == 0, "c", np.resize(["a", "b"], 120))
    label[0] = "a"  # so that patients have several classes and are resampled together
    said = np.where(label == "c", "a", label)
    own = np.eye(3)[[CLASSES.index(name) for name in said]]
    frame = pd.DataFrame({"group": group, "label": label}, index=[f"c{k}" for k in range(120)])
    found = metrics.classification_report(metrics.prediction_table(frame, own, CLASSES, fold=0), 0).set_index(
        ["measure", "class"]
    )
    macro = found.loc[("recall", "macro")]
    # One patient has all of c: too few for an interval, and alone for c and a that patient changes nothing.
    assert macro[["value", "low", "high"]].tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert macro["interval"] == "range of groups"
    assert found.loc[("recall", "c"), ["value", "n", "groups", "interval"]].tolist() == [0, 9, 1, "none"]
    assert np.isnan(
        metrics.classification_report(
            metrics.prediction_table(frame[frame["label"] != "c"], own[label != "c"], CLASSES, fold=0), 0
        )
        .set_index(["measure", "class"])
        .at[("precision", "c"), "value"]
    )
    assert found.loc[("precision", "a"), "n"] == (said == "a").sum()
    assert found.loc[("F1", "c"), "n"] == 9


def test_the_order_of_rows_does_not_matter(three):
    turned = three.iloc[::-1]
    assert metrics.score_difference([three], [turned], "accuracy", seed=0).high == 0


def test_runs_on_other_images_are_not_compared(three):
    with pytest.raises(ValueError, match="must have the same images"):
        metrics.score_difference([three], [three.iloc[1:]], "accuracy", seed=0)


def test_the_surest_images_of_one_class_that_were_given_one_class_come_first():
    table = pd.DataFrame(
        {"label": list("aaaab"), "p_a": [0.9, 0.4, 0.1, 0.3, 0.2], "p_b": [0.1, 0.6, 0.9, 0.7, 0.8]}, list("vwxyz")
    )
    assert list(metrics.surest_ids(table, "a", "b", n=2)) == ["x", "y"]
    assert list(metrics.surest_ids(table, "a", "a", n=2)) == ["v"]
    assert list(metrics.surest_ids(table, "b", "a", n=2)) == []
