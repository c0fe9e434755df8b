"""Scores of classifiers agree with scikit-learn and with hand-worked cases, and their intervals cover."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import metrics as sk

from helpers import checks, datasets, metrics, splits
from helpers.metrics import bootstrap, ranking, resampling

CLASSES = ("ill", "well")


def table(label, score, group=None, classes=CLASSES):
    """Predictions from labels and scores; a score is of the first class, or a row of probabilities."""
    ids = pd.Index([f"cell-{k:04d}" for k in range(len(label))], name="image_id")
    group = [f"p{k}" for k in range(len(label))] if group is None else list(group)
    frame = pd.DataFrame({"group": group, "label": list(label)}, index=ids)
    score = np.asarray(score, float)
    probability = np.stack([score, 1 - score], axis=1) if score.ndim == 1 else score
    return metrics.prediction_table(frame, probability, classes, fold=0)


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
    found = metrics.binary_metrics(table(["ill"] * 4 + ["well"] * 6, score), "ill", 0.5, seed=0).set_index("measure")[
        "value"
    ]
    assert found.round(3).to_dict() == {
        "sensitivity": 0.75,
        "specificity": 0.833,
        "false positive rate": 0.167,
        "precision": 0.75,
        "negative predictive value": 0.833,
        "F1": 0.75,
        "accuracy": 0.8,
        "balanced accuracy": 0.792,
    }


def test_rates_agree_with_scikit_learn(mixed):
    true, said = mixed["label"] == "ill", mixed["p_ill"] >= 0.5
    found = metrics.binary_metrics(mixed, "ill", 0.5, seed=0).set_index("measure")["value"]
    for name, score in {
        "sensitivity": sk.recall_score,
        "precision": sk.precision_score,
        "F1": sk.f1_score,
        "accuracy": sk.accuracy_score,
        "balanced accuracy": sk.balanced_accuracy_score,
    }.items():
        assert found[name] == pytest.approx(score(true, said), abs=6e-4), name


def test_what_is_not_defined_is_missing_and_not_zero():
    found = metrics.binary_metrics(table(["ill", "well"], [0.1, 0.2]), "ill", 0.5, seed=0).set_index("measure")["value"]
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
    same = metrics.auc_difference(mixed, mixed.sample(frac=1, random_state=0), "ill", seed=0)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    noise = np.random.default_rng(0).random(len(mixed))
    worse = mixed.assign(p_ill=noise, p_well=1 - noise)
    difference = metrics.auc_difference(mixed, worse, "ill", seed=0)
    one, other = metrics.roc_auc(mixed, "ill", 0), metrics.roc_auc(worse, "ill", 0)
    assert difference.value == pytest.approx(one.value - other.value)
    assert difference.low > 0
    with pytest.raises(ValueError, match="must have the same images"):
        metrics.auc_difference(mixed, mixed.iloc[1:], "ill", seed=0)


def test_the_roc_curve_is_that_of_scikit_learn_within_its_band(mixed):
    curve = metrics.roc_curve(mixed, "ill", seed=0)
    assert curve["false_positive_rate"].tolist() == pytest.approx([k / 100 for k in range(101)])
    false_positive_rate, sensitivity, _ = sk.roc_curve(mixed["label"] == "ill", mixed["p_ill"], drop_intermediate=False)
    assert curve["sensitivity"].to_numpy() == pytest.approx(
        np.interp(curve["false_positive_rate"], false_positive_rate, sensitivity), abs=0.02
    )
    assert (curve["low"] <= curve["sensitivity"] + 1e-9).all()
    assert (curve["high"] >= curve["sensitivity"] - 1e-9).all()


def test_images_of_one_score_are_called_together_on_the_roc_curve():
    """At 0.8 both ill images and one of two well ones are called at once: a straight line to (0.5, 1)."""
    curve = metrics.roc_curve(table(["ill", "ill", "well", "well"], [0.8, 0.8, 0.8, 0.2]), "ill", seed=0)
    at = curve.set_index(curve["false_positive_rate"].round(2))["sensitivity"]
    assert at[[0.0, 0.25, 0.5, 1.0]].tolist() == pytest.approx([0, 0.5, 1, 1])
    assert curve[["low", "high"]].isna().all(axis=None)  # four images are no ten groups
    ten = table(["ill", "well"] * 5, [0.9, 0.9, 0.9, 0.6, 0.6, 0.6, 0.6, 0.3, 0.3, 0.3])
    curve = metrics.roc_curve(ten, "ill", seed=0)  # (0.2, 0.4), (0.6, 0.8), (1, 1)
    at = curve.set_index(curve["false_positive_rate"].round(2))["sensitivity"]
    assert at[[0.1, 0.2, 0.4, 0.6, 0.8]].tolist() == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.9])
    assert (curve["low"] < curve["sensitivity"]).any()
    assert (curve["high"] > curve["sensitivity"]).any()


def test_the_precision_recall_curve_is_that_of_scikit_learn_within_its_band(mixed):
    curve = metrics.precision_recall_curve(mixed, "ill", seed=0)
    assert curve["sensitivity"].tolist() == pytest.approx([k / 100 for k in range(1, 101)])
    precision, recall, _ = sk.precision_recall_curve(mixed["label"] == "ill", mixed["p_ill"])
    highest_threshold = [precision[np.flatnonzero(recall >= at - 1e-9)[-1]] for at in curve["sensitivity"]]
    assert curve["precision"].to_numpy() == pytest.approx(highest_threshold)
    assert (curve["low"] <= curve["precision"]).all()
    assert (curve["high"] >= curve["precision"]).all()
    assert curve["precision"].mean() == pytest.approx(metrics.average_precision(mixed, "ill", 0).value, abs=0.02)


def test_images_of_one_score_share_a_precision_and_one_class_has_none():
    """At 0.8 both ill images and one of two well ones are called at once."""
    tied = table(["ill", "ill", "well", "well"], [0.8, 0.8, 0.8, 0.2])
    assert metrics.precision_recall_curve(tied, "ill", seed=0)["precision"].unique().tolist() == [2 / 3]
    one_class = metrics.precision_recall_curve(table(["ill"] * 4, [0.8, 0.8, 0.8, 0.2]), "ill", seed=0)
    assert one_class[["precision", "low", "high"]].isna().all(axis=None)


def test_the_seed_decides_which_groups_are_drawn(mixed):
    first, again, other = (metrics.roc_auc(mixed, "ill", seed) for seed in (0, 0, 1))
    assert (first.low, first.high) == (again.low, again.high) != (other.low, other.high)
    assert (first.low, first.high) == pytest.approx((other.low, other.high), abs=0.03)


def test_the_roc_curve_of_a_resample_is_that_of_scikit_learn_with_weights(mixed, monkeypatch):
    shuffled = mixed.sample(frac=1, random_state=0)  # groups do not come in the order of their names
    pairs = resampling.GroupsByClass(shuffled)
    weights = next(pairs.bootstrap_weights(3, 0))[:1]
    monkeypatch.setattr(resampling.GroupsByClass, "bootstrap_weights", lambda *given: [weights])
    own = weights[0][pairs.code]
    false_positive_rate, sensitivity, _ = sk.roc_curve(
        shuffled["label"] == "ill", shuffled["p_ill"], sample_weight=own, drop_intermediate=False
    )
    curve = metrics.roc_curve(shuffled, "ill", seed=0)
    expected = np.interp(curve["false_positive_rate"], false_positive_rate, sensitivity)
    inside = np.where(expected < curve["sensitivity"], curve["low"], curve["high"])
    assert inside == pytest.approx(expected, abs=0.05)
    assert np.abs(inside - expected).mean() < 0.005


def test_a_threshold_reaches_the_wanted_sensitivity_and_no_higher_one_does(mixed):
    for wanted in (0.5, 0.9, 0.95, 1.0):
        threshold = metrics.threshold_at_sensitivity(mixed, "ill", wanted).value
        ill = mixed.loc[mixed["label"] == "ill", "p_ill"]
        assert (ill >= threshold).mean() >= wanted
        assert (ill > threshold).mean() < wanted
    with pytest.raises(ValueError, match="sensitivity must be above 0 up to 1"):
        metrics.threshold_at_sensitivity(mixed, "ill", 1.2)
    with pytest.raises(ValueError, match=r"got 1\.0"):
        metrics.threshold_at_sensitivity(mixed, "ill", 0.9, assurance=1.0)
    with pytest.raises(ValueError, match=r"got 0\.0"):
        metrics.threshold_at_sensitivity(mixed, "ill", 0.9, assurance=0.0)
    sure = metrics.threshold_at_sensitivity(mixed, "ill", 0.5, assurance=0.95)
    assert sure.assurance >= 0.95 > stats.beta.sf(0.5, sure.found - 1, sure.positives + 2 - sure.found)
    assert sure.value < metrics.threshold_at_sensitivity(mixed, "ill", 0.5).value


def test_what_a_threshold_promises_of_new_images_is_what_they_get():
    """19 of 20 found: 19 / 21 expected, and 0.95 reached in 36 of 100 cases; with an assurance, as often as it says."""
    plain = metrics.threshold_at_sensitivity(table(["ill"] * 20, np.arange(20) / 20), "ill", 0.95)
    assert (plain.positives, plain.found, plain.value) == (20, 19, 0.05)
    assert plain.expected == pytest.approx(19 / 21)
    assert plain.assurance == pytest.approx(1 - 20 * 0.95**19 * 0.05 - 0.95**20)
    few = metrics.threshold_at_sensitivity(table(["ill"] * 20, np.arange(20) / 20), "ill", 0.95, assurance=0.9)
    assert (few.found, few.assurance) == (20, pytest.approx(1 - 0.95**20))  # the lowest score, and it is not enough
    random, reached = np.random.default_rng(0), {None: [], 0.8: []}
    for _ in range(400):
        known = table(["ill"] * 60, random.random(60))
        for assurance, found in reached.items():
            found.append(1 - metrics.threshold_at_sensitivity(known, "ill", 0.9, assurance=assurance).value)
    assert np.mean(reached[None]) == pytest.approx(54 / 61, abs=0.01)
    assert np.mean(np.array(reached[None]) >= 0.9) == pytest.approx(0.42, abs=0.06)
    assert 0.8 <= np.mean(np.array(reached[0.8]) >= 0.9) <= 0.92


def test_every_rate_counts_its_own_images_and_groups():
    """Four positive images of two patients among 40 of 12: a sensitivity rests on four."""
    group = [f"p{k % 12}" for k in range(40)]
    label = ["ill" if k in (0, 1, 12, 13) else "well" for k in range(40)]
    score = [0.9 if k in (0, 1, 12, 2) else 0.1 for k in range(40)]
    found = metrics.binary_metrics(table(label, score, group), "ill", 0.5, seed=0).set_index("measure")
    counted = found[["n", "groups"]].apply(tuple, axis=1).to_dict()
    assert counted == {
        "sensitivity": (4, 2), "specificity": (36, 12), "false positive rate": (36, 12), "precision": (4, 3),
        "negative predictive value": (36, 12), "F1": (5, 3), "accuracy": (40, 12), "balanced accuracy": (40, 12),
    }  # fmt: skip
    # Of patient 0 both images are found, of patient 1 one of two.
    assert found.loc["sensitivity", ["value", "low", "high", "interval"]].tolist() == [0.75, 0.5, 1, "range of groups"]
    assert found.at["accuracy", "interval"] == "95 %"
    assert found.at["accuracy", "value"] == 38 / 40


def test_no_error_among_25_patients_leaves_one_in_seven_possible():
    group = np.repeat(np.arange(50), 4)
    perfect = table(np.where(group < 25, "ill", "well"), np.where(group < 25, 0.9, 0.1), group)
    found = metrics.binary_metrics(perfect, "ill", 0.5, seed=0).set_index("measure")
    for name, value, low, high in (
        ("sensitivity", 1, 0.863, 1),
        ("false positive rate", 0, 0, 0.137),
        ("accuracy", 1, 0.929, 1),
    ):
        assert found.loc[name, ["value", "low", "high"]].tolist() == pytest.approx([value, low, high], abs=5e-4)
    auc = metrics.roc_auc(perfect, "ill", seed=0)
    assert (auc.value, auc.low, auc.high) == (1, pytest.approx(0.025 ** (1 / 25)), 1)
    assert "(between 86 and 100)" in " ".join(metrics.plain_language_summary(perfect, "ill", 0.5, seed=0).split())


@pytest.mark.parametrize(
    ("estimate", "kind", "words"),
    [
        ((0.923, 0.882, 0.951), "95 %", "about 92 (between 88 and 95)"),
        ((0.001, 0.0, 0.004), "95 %", "about 0 (between 0 and 1)"),
        ((0.998, 0.996, 0.999), "95 %", "about 100 (between 99 and 100)"),
        ((0.0, 0.0, 0.0), "range of groups", "about 0 (the same in all single groups)"),
        ((0.5, 0.0, 1.0), "range of groups", "about 50 (from 0 to 100 in single groups)"),
        ((0.5, np.nan, np.nan), "none", "about 50"),
        ((np.nan, np.nan, np.nan), "none", "a number that is not known"),
    ],
)
def test_a_natural_frequency_has_two_different_ends_or_none(estimate, kind, words):
    assert metrics.natural_frequency(*estimate, kind=kind) == words


def test_the_published_card_of_three_patients_would_show_their_range():
    """Accuracy 0.804 [0.000, 1.000] over three patients: one of them has no right answer at all."""
    group = np.repeat(["a", "b", "c"], [20, 17, 9])
    label = np.where(group == "b", "well", "ill")
    score = np.where(group == "c", 0.1, np.where(group == "a", 0.9, 0.2))
    found = metrics.binary_metrics(table(label, score, group), "ill", 0.5, seed=0).set_index("measure")
    assert found.loc["accuracy", ["interval", "groups"]].tolist() == ["range of groups", 3]
    assert found.loc["accuracy", ["value", "low", "high"]].tolist() == pytest.approx([37 / 46, 0, 1])
    words = " ".join(metrics.plain_language_summary(table(label, score, group), "ill", 0.5, seed=0).split())
    assert "from 0 to 100 in single groups" in words
    assert "between" not in words
    assert "The numbers in brackets" not in words
    assert "63% of the images are ill" in words


def test_the_range_of_an_accuracy_is_that_of_patients_without_the_other_class():
    """Patients a and b are ill, c is well: accuracies 1, 1/4 and 1/2, and never those of a pool of two classes."""
    group, label = list("aabbbbcc"), ["ill"] * 6 + ["well"] * 2
    cells = table(label, np.array([0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.9]), group)
    binary = metrics.binary_metrics(cells, "ill", 0.5, seed=0).set_index("measure").loc["accuracy"]
    of_all = metrics.classification_report(cells, 0).set_index("class").loc["all"]
    for found in (binary, of_all, pd.Series(metrics.mean_score([cells], "accuracy", 0).row("value"))):
        assert found[["value", "low", "high"]].tolist() == pytest.approx([0.5, 0.25, 1])
    wrong = cells.assign(p_ill=1 - cells["p_ill"], p_well=1 - cells["p_well"])
    difference = metrics.score_difference([cells], [wrong], "accuracy", seed=0)
    assert (difference.low, difference.value, difference.high) == pytest.approx((-0.5, 0, 1))
    balanced = metrics.mean_score([cells], "balanced accuracy", 0)  # of both classes: a or b alone, with c
    assert (balanced.low, balanced.high) == pytest.approx((0.375, 0.75))


def test_a_class_of_few_patients_gives_the_range_of_its_patients_and_not_an_interval():
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(30), 6)
    score = np.clip(random.normal(np.where(group < 4, 0.7, 0.3), 0.15), 0, 1)
    cells = table(np.where(group < 4, "ill", "well"), score, group)
    found = metrics.roc_auc(cells, "ill", 0)
    of_each = [
        sk.roc_auc_score((cells["label"] == "ill")[(group == k) | (group >= 4)], score[(group == k) | (group >= 4)])
        for k in range(4)
    ]
    assert (found.low, found.high) == pytest.approx((min(of_each), max(of_each)))
    assert found.interval == "range of groups"


def test_the_area_under_the_curve_is_that_of_every_pair_of_images_in_every_resample(mixed):
    """The matrix of all pairs of groups, as it was written out before, at 1e-12."""
    true, score = (mixed["label"] == "ill").to_numpy(), mixed["p_ill"].to_numpy()
    pairs, group = resampling.GroupsByClass(mixed), pd.factorize(mixed["group"], sort=True)[0]
    assert len(pairs.group) > len(pairs.strata) == 30
    ahead = (score[true][:, None] > score[~true]) + 0.5 * (score[true][:, None] == score[~true])
    drawn, weights = (
        next(resampling.bootstrap_weights(pairs.strata, 3))[:200],
        next(pairs.bootstrap_weights(3, 0))[:200],
    )
    assert np.array_equal(weights[:, pairs.code], drawn[:, group])
    ill, well = drawn[:, group[true]], drawn[:, group[~true]]
    wanted = np.einsum("ri,ij,rj->r", ill, ahead, well) / (ill.sum(1) * well.sum(1))
    assert ranking.area_under_roc(mixed, "ill")(weights) == pytest.approx(wanted, abs=1e-12)


def test_average_precision_of_a_resample_is_that_of_scikit_learn_with_weights(mixed):
    pairs = resampling.GroupsByClass(mixed)
    weights = next(pairs.bootstrap_weights(3, 0))[:20]
    true, score = mixed["label"] == "ill", mixed["p_ill"]
    wanted = [sk.average_precision_score(true, score, sample_weight=row[pairs.code]) for row in weights]
    assert ranking.area_under_precision_recall(mixed, "ill")(weights) == pytest.approx(wanted, abs=1e-12)


def test_the_bootstrap_resamples_any_function_of_weights(mixed):
    """Several numbers at once are those of each by itself, and a mean by hand over single groups is their range."""
    pairs = resampling.GroupsByClass(mixed)
    sums = bootstrap.weighted_sums(np.stack([mixed["p_ill"], np.ones(300)], axis=1), mixed)
    mean = bootstrap.Bootstrap(lambda w: sums(w)[:, 0] / sums(w)[:, 1], mixed, 0)
    area = ranking.area_under_roc(mixed, "ill")
    both = bootstrap.Bootstrap(lambda w: np.stack([sums(w)[:, 0] / sums(w)[:, 1], area(w)], axis=1), mixed, 0)
    everything = np.ones((1, len(pairs.group)))
    assert both.value == pytest.approx([mixed["p_ill"].mean(), area(everything)[0]])
    assert both.resampled.shape == (2000, 2)
    assert both.estimate(0) == mean.estimate()
    weights = np.concatenate(list(pairs.bootstrap_weights(0, 0)))[:, pairs.code]
    assert mean.resampled[:, 0] == pytest.approx(weights @ mixed["p_ill"] / weights.sum(1), abs=1e-12)
    of_three = mixed["group"].isin([0, 1, 2]).to_numpy()
    found = mean.estimate(counted=of_three)
    assert (found.n, found.groups, found.interval) == (30, 3, "range of groups")


def one_class_each(sizes):
    """Groups of one image, so many of each class."""
    label = np.repeat(np.arange(len(sizes)), sizes)
    return resampling.GroupsByClass(pd.DataFrame({"group": np.arange(len(label)), "label": label}))


@pytest.mark.parametrize(("sizes", "alone"), [((9, 12), 9), ((10, 12), 0), ((3, 4), 7), ((5, 9), 14)])
def test_groups_of_small_strata_stand_alone_and_all_of_few(sizes, alone):
    pairs = one_class_each(sizes)
    weights = pairs.alone(np.ones(sum(sizes), bool))
    assert weights.shape == (alone, sum(sizes))
    for k, row in enumerate(weights):
        assert row[k] == row[pairs.label == pairs.label[k]].sum() == 1
        assert row[pairs.label != pairs.label[k]].all()


def test_a_group_of_several_classes_stands_alone_for_those_that_it_has():
    images = pd.DataFrame({"group": list("aabbbc"), "label": list("xyxxzy")})
    pairs = resampling.GroupsByClass(images)
    assert pairs.code.tolist() == [0, 1, 2, 2, 3, 4]
    assert (pairs.group.tolist(), pairs.label.tolist()) == ([0, 0, 1, 1, 2], [0, 1, 0, 2, 1])
    assert pairs.strata.tolist() == [0, 0, 0]
    #                                              ax ay bx bz cy
    assert pairs.alone(np.ones(3, bool)).tolist() == [[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 1, 1, 1]]
    assert pairs.alone(np.array([False, False, True])).tolist() == [[1, 0, 1, 1, 1]]
    assert resampling.GroupsByClass(images.assign(label=images["group"])).strata.tolist() == [0, 1, 2]


def test_resamples_keep_the_number_of_patients_of_each_class():
    strata = np.repeat([0, 1, 2, 3], [2, 7, 1, 2])
    drawn = np.concatenate(list(resampling.bootstrap_weights(strata, 0)))
    assert drawn.shape == (2000, 12)
    assert set(drawn[:, 0]) == {0, 2}  # one of two patients, who then counts for both
    for stratum, size in enumerate((2, 7, 1, 2)):
        assert drawn[:, strata == stratum].sum(1) == pytest.approx(size)
    assert drawn.mean(0) == pytest.approx(1, abs=0.1)
    # The variance of a mean over 7 groups is that of its values over 7: drawing 7 of 7 would give six sevenths of it.
    values = np.arange(7.0)
    means = drawn[:, strata == 1] @ values / 7
    assert means.var() == pytest.approx(values.var(ddof=1) / 7, rel=0.1)
    blocks = np.concatenate(list(resampling.bootstrap_weights(strata, 0, width=2**18)))
    assert blocks.shape == (2000, 12)
    assert blocks.sum(1) == pytest.approx(12)


def test_a_patient_has_the_mean_of_the_cells_and_one_label():
    cells = table(["ill", "ill", "well"], [0.2, 0.6, 0.1], ["a", "a", "b"])
    patients = metrics.aggregate_by_group(cells)
    assert patients["p_ill"].to_dict() == {"a": pytest.approx(0.4), "b": pytest.approx(0.1)}
    assert list(patients["group"]) == ["a", "b"]
    with pytest.raises(ValueError, match="a: this group has images of several classes"):
        metrics.aggregate_by_group(table(["ill", "well"], [0.2, 0.6], ["a", "a"]))
    with pytest.raises(ValueError, match="b: this group has images of several classes"):
        metrics.aggregate_by_group(table(["ill", "ill", "well"], [0.2, 0.6, 0.6], ["a", "b", "b"]))


def test_brier_and_calibration_error_of_hand_worked_cases(mixed):
    assert metrics.brier_score(mixed, "ill", 0).value == pytest.approx(
        sk.brier_score_loss(mixed["label"] == "ill", mixed["p_ill"])
    )
    # Ten images at 0.75 of which five are ill, ten at 0.2 of which two are: (0.25 + 0) / 2, less what chance adds.
    cells = table(["ill"] * 5 + ["well"] * 5 + ["ill"] * 2 + ["well"] * 8, [0.75] * 10 + [0.2] * 10)
    assert 0.06 < metrics.expected_calibration_error(cells, "ill", 0).value < 0.125
    many = table((["ill"] * 5 + ["well"] * 5 + ["ill"] * 2 + ["well"] * 8) * 200, ([0.75] * 10 + [0.2] * 10) * 200)
    assert metrics.expected_calibration_error(many, "ill", 0).value == pytest.approx(0.125, abs=0.005)
    shown = metrics.calibration_curve(cells, "ill", 0)
    assert shown[["probability", "frequency", "n"]].to_numpy().tolist() == [[0.2, 0.2, 10], [0.75, 0.5, 10]]
    ends = metrics.calibration_curve(table(["ill", "ill", "well"], [1.0, 0.95, 0.85]), "ill", 0)
    assert ends[["frequency", "n"]].to_numpy().tolist() == [[0, 1], [1, 2]]  # 1.0 is in the last bin, 0.85 is not


def test_a_temperature_can_be_fitted_to_probabilities_of_0_and_1():
    sure = table(["ill", "well", "ill", "well"] * 5, [1.0, 0.0, 0.0, 0.0] * 5)
    warmed = metrics.apply_temperature(sure, metrics.fit_temperature(sure))
    assert np.isfinite(warmed["p_ill"]).all()
    assert warmed["p_ill"].iloc[0] < 1


@pytest.mark.parametrize(("too_sure", "least"), [(1, 0.88), (3, 0.85)])
def test_the_calibration_error_lies_within_its_interval_and_the_interval_holds_the_truth(too_sure, least):
    """Of calibrated cells (``too_sure`` 1) four intervals in forty excluded their own value."""
    random = np.random.default_rng(1)

    def draw(n):
        logit = random.normal(0, 1, n)
        ill = random.random(n) < 1 / (1 + np.exp(-logit))
        return ill, logit, 1 / (1 + np.exp(-too_sure * logit))

    _, logit, said = draw(1_000_000)
    bins = np.minimum((said * 10).astype(int), 9)
    truth = np.abs(np.bincount(bins, 1 / (1 + np.exp(-logit)) - said)).sum() / len(said)
    held, values = 0, []
    for _ in range(100):
        ill, _, score = draw(300)
        found = metrics.expected_calibration_error(
            table(np.where(ill, "ill", "well"), score, np.repeat(np.arange(60), 5)), "ill", 0
        )
        assert found.low <= found.value <= found.high
        held += found.low <= max(truth, 0.001) <= found.high
        values.append(found.value)
    assert held >= 100 * least
    assert np.mean(values) == pytest.approx(truth, abs=0.045)


def test_a_calibration_error_over_few_groups_has_the_range_of_the_groups():
    group = np.repeat(np.arange(9), 10)
    cells = table(["ill"] * 45 + ["well"] * 45, np.repeat(np.arange(9) / 10, 10), group)
    found = metrics.expected_calibration_error(cells, "ill", 0)
    assert (found.low, found.high) == pytest.approx((0.1, 1.0))  # patient 4: half ill at 0.4; patient 0: ill at 0
    assert found.interval == "range of groups"
    ten = table(["ill"] * 50 + ["well"] * 50, np.repeat(np.arange(10) / 10, 10), np.repeat(np.arange(10), 10))
    assert metrics.expected_calibration_error(ten, "ill", 0).interval == "95 %"


def test_an_interval_that_would_miss_its_value_is_widened_to_it():
    spread = np.linspace(0.6, 0.7, 2000)
    for value in (0.5, 0.65, 0.8):
        found = bootstrap.interval_estimate(value, spread, n=100, groups=20)
        assert (found.low, found.high) == pytest.approx((min(value, 0.6025), max(value, 0.6975)))


def test_temperature_finds_how_much_too_sure_a_model_is():
    random = np.random.default_rng(0)
    logit = random.normal(0, 1, 4000)
    ill = random.random(4000) < 1 / (1 + np.exp(-logit))
    sure = table(np.where(ill, "ill", "well"), 1 / (1 + np.exp(-3 * logit)))
    t = metrics.fit_temperature(sure)
    assert t == pytest.approx(3, rel=0.1)
    timid = table(np.where(ill, "ill", "well"), 1 / (1 + np.exp(-0.4 * logit)))
    assert metrics.fit_temperature(timid) == pytest.approx(0.4, rel=0.1)
    mended = metrics.apply_temperature(sure, t)
    assert (
        metrics.expected_calibration_error(mended, "ill", 0).value
        < 0.03
        < metrics.expected_calibration_error(sure, "ill", 0).value
    )
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
        metrics.prediction_table(frame, probability, CLASSES, fold=0)


def test_a_class_or_a_kind_of_image_that_is_not_there_is_named(mixed):
    with pytest.raises(ValueError, match="unknown class 'sick'; choose from ill, well"):
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
    """The defect of two published systems: sensitivity equals false positive rate, accuracy looks like something."""
    shuffled = good.assign(label=good["label"].sample(frac=1, random_state=1).to_numpy())
    fired = checks.check_better_than_chance(shuffled, "ill", 0.5, seed=0)
    assert names(fired) == ["AUC at chance level", "predictions independent of the label"]
    assert "images and labels in different orders" in fired[0].advice
    assert f"prevalence of ill {(good['label'] == 'ill').mean():.0%}" in fired[0].observed
    assert checks.check_better_than_chance(good, "ill", 0.5, seed=0) == []


def test_a_model_that_says_one_thing_raises_an_alarm(good):
    assert names(checks.check_single_class(good.assign(p_ill=0.9, p_well=0.1))) == ["single predicted class"]
    assert checks.check_single_class(good) == []
    assert checks.check_single_class(good[good["label"] == "ill"].assign(p_ill=0.9, p_well=0.1)) == []


def test_what_was_seen_in_training_raises_an_alarm(good):
    patient = good["group"].astype(int)
    part = pd.Series(np.select([patient < 20, patient < 30], ["train", "validation"], "test"), good.index)
    assert checks.check_leakage(good, part) == []
    by_cell = pd.Series(np.resize(["train", "validation", "test"], len(good)), good.index)
    assert "group 0 is in test and train and validation" in checks.check_leakage(good, by_cell)[0].observed
    pairs = pd.DataFrame([(good.index[0], good.index[-1], 0.99)], columns=["image_a", "image_b", "similarity"])
    assert "show the same thing" in checks.check_leakage(good, part, pairs)[0].observed
    copied = pd.concat([part, part.iloc[:1]])
    assert "in the split twice, such as cell-0000" in checks.check_leakage(good, copied)[0].observed


def test_a_test_that_is_also_the_validation_raises_an_alarm(good):
    part = pd.Series(np.where(good["group"].astype(int) < 20, "train", "test"), good.index)
    assert names(checks.check_leakage(good, part)) == ["no separate validation and test set"]


def test_patients_that_are_not_known_raise_an_alarm(good):
    assert checks.check_groups_known(good) == []
    assert names(checks.check_groups_known(good.assign(group=good.index))) == ["unknown patients"]


def test_few_groups_raise_an_alarm_because_they_give_no_interval(good):
    assert checks.check_group_count(good) == []
    nine = good[good["group"].isin(good["group"].unique()[:9])]
    (alarm,) = checks.check_group_count(nine)
    assert "test images of 9 groups, and a 95 % interval needs at least 10" in alarm.observed
    assert metrics.mean_score([nine], "accuracy", 0).interval == "range of groups"
    assert checks.check_group_count(good[good["group"].isin(good["group"].unique()[:10])]) == []


def test_an_area_whose_interval_holds_one_half_raises_an_alarm_and_one_without_an_interval_does_not():
    group = np.repeat(np.arange(12), 2)
    score = np.repeat([0.9, 0.8, 0.2, 0.6, 0.3, 0.7, 0.5, 0.4, 0.65, 0.1, 0.45, 0.35], 2)
    cells = table(np.where(group < 6, "ill", "well"), score, group)
    auc = metrics.roc_auc(cells, "ill", 0)
    assert auc.value > 0.6
    assert auc.low < 0.5
    assert "AUC at chance level" in names(checks.check_better_than_chance(cells, "ill", 0.5, 0))
    few = cells[cells["group"].astype(int).isin([0, 1, 2, 3, 6, 7, 8, 9])]
    assert metrics.roc_auc(few, "ill", 0).low < 0.5
    assert "AUC at chance level" not in names(checks.check_better_than_chance(few, "ill", 0.5, 0))


def test_a_model_that_ranks_the_wrong_way_round_raises_an_alarm(good):
    turned = good.assign(p_ill=good["p_well"], p_well=good["p_ill"])
    assert metrics.roc_auc(turned, "ill", 0).value < 0.1
    assert names(checks.check_better_than_chance(turned, "ill", 0.5, seed=0)) == ["AUC below chance level"]
    few = turned[turned["group"].isin(turned["group"].unique()[:8])]
    assert names(checks.check_better_than_chance(few, "ill", 0.5, seed=0)) == ["AUC below chance level"]
    weak = good.assign(p_ill=1 - good["p_ill"] ** 0.05).assign(p_well=lambda t: 1 - t["p_ill"])
    assert checks.check_better_than_chance(weak, "ill", 0.02, seed=0)[0].name == "AUC below chance level"


def test_another_input_than_in_training_raises_an_alarm():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    images[..., 2] //= 4
    learnt = checks.input_statistics(images)
    assert checks.check_input_shift(images[:2], learnt) == []
    scaled = checks.check_input_shift((images / 255).astype(np.float32), learnt)
    assert "images are float32, training images uint8" in scaled[0].observed
    assert "pixels range from" in scaled[1].observed
    assert "order of the channels" in checks.check_input_shift(images[..., ::-1], learnt)[0].advice


@pytest.mark.parametrize("task", ["leukaemia", "types"])
def test_red_and_blue_exchanged_raise_an_alarm_on_cells_and_other_patients_do_not(task):
    cells = datasets.load("synthetic", n_images=200, n_patients=30, size=48, task=task)
    pictures, held_out = cells.load_images(48), (splits.group_folds(cells.frame, 3, 0) == 0).to_numpy()
    learnt = checks.input_statistics(pictures[~held_out])
    assert checks.check_input_shift(pictures[held_out], learnt) == []
    (alarm,) = checks.check_input_shift(pictures[held_out][..., ::-1], learnt)
    assert "twice as near with red and blue exchanged" in alarm.observed
    assert "OpenCV" in alarm.advice


def test_an_alarm_reads_as_a_sentence_that_fits_a_page():
    said = str(checks.Finding("one class", "all 12 images are predicted as ill", "the learning rate, " * 5))
    assert " ".join(said.split()).startswith("Check failed, one class: all 12 images are predicted as ill. Verify the")
    assert max(map(len, said.splitlines())) <= 60


def test_all_alarms_asks_every_one(good):
    patient = good["group"].astype(int)
    part = pd.Series(np.select([patient < 20, patient < 30], ["train", "validation"], "test"), good.index)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    learnt = checks.input_statistics(images)
    assert checks.run_checks(good, "ill", 0.5, good, part, images, learnt, seed=0) == []
    bad = good.assign(p_ill=0.9, p_well=0.1)
    by_cell = pd.Series(np.resize(["train", "validation", "test"], len(good)), good.index)
    fired = checks.run_checks(bad, "ill", 0.5, good, by_cell, images / 255, learnt, seed=0)
    assert names(fired) == [
        "AUC at chance level", "single predicted class", "data leakage", "input shift", "input shift"
    ]  # fmt: skip


def test_statistics_of_images_a_few_at_a_time_are_those_of_all_at_once():
    pictures = np.random.default_rng(0).integers(0, 256, (7, 9, 11, 3), np.uint8) // [1, 2, 5]
    pictures = pictures.astype(np.uint8)
    several = checks.InputStatistics()
    for start in range(0, 7, 3):
        several.add(pictures[start : start + 3])
    assert several.summary() == checks.input_statistics(pictures)
    one = checks.InputStatistics()
    one.add(np.full((1, 2, 2, 3), 9, np.uint8))
    assert one.summary() == {"dtype": "uint8", "low": 9.0, "high": 9.0, "mean": [9.0, 9.0, 9.0]}


def test_real_images_are_judged_over_all_and_not_one_by_one(real):
    """The images that a model has learnt from raise no alarm together; many do alone, dark or light as they are."""
    pictures = real("wbc1").load_images(64)
    learnt, together = checks.input_statistics(pictures), checks.InputStatistics()
    for picture in pictures:
        together.add(picture[None])
    assert checks.check_input_statistics(together.summary(), learnt) == []
    alone = sum(bool(checks.check_input_shift(picture[None], learnt)) for picture in pictures)
    assert alone > 30
