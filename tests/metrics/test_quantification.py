"""Shares are corrected for the classifier's confusion, and intervals hold the true share; a count alone does not."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics
from helpers.metrics import quantification

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
HEALTHY = np.array([0.60, 0.28, 0.08, 0.03, 0.01])
CONFUSION = 0.93 * np.eye(5) + 0.0175 * (1 - np.eye(5))


def predictions(types, confusion, random, *, group):
    """Predict the types of one group; the probability of the predicted class is 0.9."""
    k = len(confusion)
    predicted = np.array([random.choice(k, p=confusion[number]) for number in types], int)
    frame = pd.DataFrame({"group": group, "label": np.take(CLASSES, types)})
    rest = 0.1 / (k - 1)
    return metrics.prediction_table(frame, rest + (0.9 - rest) * np.eye(k)[predicted], CLASSES[:k], fold=0)


def patients(shares, n, random, *, correlation=0.02, confusion=CONFUSION):
    """Predict ``n`` cells of a patient for each row of shares; each patient has a confusion of its own."""
    tables = []
    for number, of_patient in enumerate(shares):
        types = random.choice(len(of_patient), n, p=of_patient)
        own = np.stack([random.dirichlet(row * (1 / correlation - 1) + 1e-9) for row in confusion])
        tables.append(predictions(types, own, random, group=f"P{number:03}"))
    return pd.concat(tables, ignore_index=True)


def two_classes(found, false, *, n=50, groups=25):
    """A validation table of two classes: of ``n`` cells each, so many are predicted to be neutrophils."""
    random = np.random.default_rng(0)
    sure = [predictions([k] * count, np.eye(2)[[p, p]], random, group="") for k, p, count in
            [(0, 0, found), (0, 1, n - found), (1, 0, false), (1, 1, n - false)] if count]  # fmt: skip
    table = pd.concat(sure, ignore_index=True)
    return table.assign(group=[f"V{k % groups:02}" for k in range(len(table))])


def patient_with(counts, group="A"):
    types = np.repeat(np.arange(len(counts)), counts)
    return predictions(types, np.eye(len(counts)), np.random.default_rng(0), group=group)


def coverage(validation_seed, method):
    """Return which intervals hold the share, ``bool (50, 5)``, of 50 patients of one validation table."""
    random = np.random.default_rng(validation_seed)
    validation = patients(random.dirichlet(50 * HEALTHY, 40), 12, random)
    true = random.dirichlet(50 * HEALTHY, 50)
    cells = patients(true, 100, random)
    if method == "count":
        table = metrics.differential_count(cells.assign(predicted_class=metrics.predicted_classes(cells)), CLASSES)
    else:
        table = metrics.corrected_shares(validation, cells, method=method, seed=20)
    low, high = (table[name].to_numpy().reshape(-1, 5) for name in ("low", "high"))
    return (low <= true) & (high >= true)


@pytest.mark.parametrize("method", ["matrix", "EM"])
def test_intervals_hold_the_true_share_as_often_as_they_claim(method):
    held = np.concatenate([coverage(seed, method) for seed in range(4)])
    assert (held.mean(axis=0) >= 0.88).all()
    assert 0.92 <= held.mean() <= 0.985


def test_intervals_of_a_count_do_not_hold_the_share_of_a_rare_class():
    held = np.concatenate([coverage(seed, "count") for seed in range(2)]).mean(axis=0)
    assert (held[3:] < 0.8).all()


@pytest.mark.parametrize("method", ["matrix", "EM"])
def test_the_share_is_that_of_the_formula_of_two_classes(method):
    # 45 of 50 are found and 5 of 50 others called so: 34 % are called, (0.34 − 0.1) / (0.9 − 0.1) = 30 % are
    table = metrics.corrected_shares(two_classes(45, 5), patient_with([34, 66]), method=method, seed=20)
    assert list(table["class"]) == ["neutrophil", "lymphocyte"]
    assert table["share"].to_numpy() == pytest.approx([0.3, 0.7], abs=0.002)
    assert (table["n"] == 100).all() and (table["interval"] == metrics.INTERVAL).all()
    assert (table["low"] < table["share"]).all() and (table["share"] < table["high"]).all()


def test_the_matrix_of_all_classes_is_solved():
    random = np.random.default_rng(0)
    confusion = random.integers(1, 9, (5, 5)) + 40 * np.eye(5)
    rows = confusion / confusion.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(quantification.solve_shares(confusion[None], (HEALTHY @ rows)[None])[0], HEALTHY)


def test_the_search_finds_the_greatest_likelihood():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1], 30)
    found = quantification._most_likely_shares(
        probabilities, np.zeros(30, int), np.ones((1, 30)), np.ones((1, 2, 1)),
    )  # fmt: skip
    grid = np.linspace(0, 1, 1001)
    likelihood = np.log(np.outer(grid, probabilities[:, 0]) + np.outer(1 - grid, probabilities[:, 1])).sum(axis=1)
    assert found[0, 0] == pytest.approx(grid[likelihood.argmax()], abs=0.01)


def test_em_undoes_the_shares_of_the_training_set():
    """Two classes that overlap: the classifier learnt where 90 % were of the first, the patient has 30 %."""
    random = np.random.default_rng(0)

    def overlapping(shares, n, group):
        types = random.choice(2, n, p=shares)
        odds = np.log(9) + 2 * random.normal(1 - 2 * types, 1)  # log likelihood ratio and training odds
        first = 1 / (1 + np.exp(-odds))
        frame = pd.DataFrame({"label": np.take(CLASSES, types), "group": group})
        return metrics.prediction_table(frame, np.stack([first, 1 - first], axis=1), CLASSES[:2], fold=0)

    validation = overlapping([0.5, 0.5], 4000, [f"V{k % 40}" for k in range(4000)])
    cells = overlapping([0.3, 0.7], 4000, "A")
    table = metrics.corrected_shares(validation, cells, method="EM", seed=20)
    assert (metrics.predicted_classes(cells) == "neutrophil").mean() > 0.45
    assert table.loc[0, "share"] == pytest.approx(0.3, abs=0.03)
    matrix = metrics.corrected_shares(validation, cells, method="matrix", seed=20)
    width = [(one["high"] - one["low"])[0] for one in (table, matrix)]
    assert width[0] < width[1]


@pytest.mark.parametrize("method", ["matrix", "EM"])
def test_a_class_without_a_cell_has_an_interval_from_0_to_that_of_a_count(method):
    validation = two_classes(2000, 0, n=2000)
    table = metrics.corrected_shares(validation, patient_with([0, 100]), method=method, seed=20)
    assert table.loc[0, "share"] == pytest.approx(0, abs=0.001)
    assert table.loc[0, "low"] == 0
    assert 0.015 < table.loc[0, "high"] < 0.037  # 95 % of the posterior of Jeffreys, 1.9 %; that of Wilson is 3.7 %


@pytest.mark.parametrize("method", ["matrix", "EM"])
def test_false_positives_that_are_expected_and_missing_leave_room_for_a_class(method):
    table = metrics.corrected_shares(two_classes(50, 10), patient_with([0, 100]), method=method, seed=20)
    assert table.loc[0, "low"] == 0
    assert 0.01 < table.loc[0, "high"] < 0.1


def test_cells_of_fields_that_differ_are_worth_less():
    validation = two_classes(48, 2)
    cells = patient_with([60, 60]).assign(image=[f"field {k // 6}" for k in range(120)])
    alike = metrics.corrected_shares(validation, cells, method="matrix", seed=20)
    alone = metrics.corrected_shares(validation, cells.drop(columns="image"), method="matrix", seed=20)
    assert alike.loc[0, "overdispersion"] == pytest.approx(6)
    assert np.isnan(alone.loc[0, "overdispersion"])
    width = [(one["high"] - one["low"])[0] for one in (alike, alone)]
    assert width[0] > 1.5 * width[1]


def test_less_validation_and_patients_that_differ_widen_the_interval():
    cells = patient_with([60, 60])
    usual, small = (two_classes(9 * n, n, n=10 * n, groups=20) for n in (20, 2))
    differing = usual.assign(group=[f"V{k // 20:02}" for k in range(len(usual))])  # errors in a few patients
    tables = [metrics.corrected_shares(v, cells, method="matrix", seed=20) for v in (usual, small, differing)]
    width = [(table["high"] - table["low"])[0] for table in tables]
    assert width[1] > 1.2 * width[0]
    assert width[2] > 1.5 * width[0]


def test_a_patient_has_the_same_interval_among_others():
    validation, cells = two_classes(45, 5), patient_with([34, 66], "B")
    others = pd.concat([patient_with([5, 5], "A"), cells, patient_with([1, 9], "C")])
    together = metrics.corrected_shares(validation, others, method="EM", seed=20)
    assert list(together["group"].unique()) == ["A", "B", "C"]
    alone = metrics.corrected_shares(validation, cells, method="EM", seed=20)
    pd.testing.assert_frame_equal(together[together["group"] == "B"].reset_index(drop=True), alone)


@pytest.mark.parametrize("method", ["matrix", "EM"])
def test_without_a_solution_there_is_no_share(method):
    same = two_classes(25, 25)
    one = two_classes(45, 5).query("label == 'neutrophil'")
    for validation in (same, one):
        table = metrics.corrected_shares(validation, patient_with([34, 66]), method=method, seed=20)
        assert table[["share", "low", "high"]].isna().all(axis=None)
        assert (table["interval"] == metrics.NONE).all()


def test_below_ten_validation_groups_there_is_a_share_without_an_interval():
    table = metrics.corrected_shares(two_classes(45, 5, groups=9), patient_with([34, 66]), method="matrix", seed=20)
    assert table["share"].to_numpy() == pytest.approx([0.3, 0.7])
    assert table["low"].isna().all() and (table["interval"] == metrics.NONE).all()


def test_what_cannot_be_corrected_is_refused():
    validation, cells = two_classes(45, 5), patient_with([34, 66])
    with pytest.raises(ValueError, match="unknown method 'ACC'; choose from matrix, EM"):
        metrics.corrected_shares(validation, cells, method="ACC", seed=20)
    for others in (cells[:0], patient_with([3, 3, 3])):
        with pytest.raises(ValueError, match="cells must have rows, and the columns of the classes neutrophil, lymph"):
            metrics.corrected_shares(validation, others, method="EM", seed=20)
    with pytest.raises(ValueError, match="labels must be among neutrophil, lymphocyte, got blast; leave such cells"):
        metrics.corrected_shares(validation.assign(label="blast"), cells, method="EM", seed=20)
