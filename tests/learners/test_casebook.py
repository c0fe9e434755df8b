"""The casebook: reports tell nothing of the mistake, and each check finds what it is for and nothing else."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from helpers import datasets, features, splits
from helpers.learners import casebook, examination, pitfalls

PLANTED = {"n_images": 60, "n_patients": 20, "task": "leukaemia", "size": 64}


# Of small cells that are cut out, one has too few details; the search says so.
pytestmark = pytest.mark.filterwarnings("ignore:.*fewer than 10 keypoints")


@pytest.fixture(scope="module")
def evidence():
    data = datasets.load("synthetic", n_images=120, n_patients=20, task="leukaemia", size=64)
    table = features.extract_feature_table(data.load_images(32), data.frame.index)
    pixels = pitfalls.pixel_table(data)
    return casebook.Evidence(data, "lymphoblast", table, pixels, PLANTED, n_splits=3, size=32, seed=20)


@pytest.fixture(scope="module")
def cases(evidence):
    return casebook.build_casebook(evidence)


@pytest.fixture(scope="module")
def failed(cases, evidence):
    return examination.failed_checks(examination.examine(cases, evidence))


def test_reports_hold_no_mistake_and_no_word_of_it(cases):
    reports = casebook.reports(cases)
    assert list(reports.index) == list("ABCDEFGHIJ")
    assert not {"mistake", "corrected"} & set(reports)
    for case in cases.values():
        name = case.mistake.partition(" ")[2]
        assert not name or name not in case.method
    assert [letter for letter, case in cases.items() if not case.mistake] == ["B", "G"]
    assert all(cases[letter].corrected == cases[letter].reported for letter in "BG")


def test_the_difference_is_that_of_the_two_numbers_where_both_measure_the_same_images(cases):
    matched = {letter: case for letter, case in cases.items() if case.difference}
    assert list(matched) == list("ADFHIJ")
    for case in matched.values():
        assert case.difference.value == pytest.approx(case.reported.value - case.corrected.value)
        assert case.difference.low <= case.difference.value <= case.difference.high


@pytest.mark.parametrize(
    ("check", "case"),
    [
        ("patients known", "C"),
        ("leakage", "D"),
        ("several classes", "E"),
        ("leakage", "F"),
        ("permuted labels", "F"),
        ("better than chance", "H"),
        ("near-duplicates", "I"),
        ("same input", "J"),
    ],
)
def test_a_check_finds_the_mistake_that_it_is_for(failed, check, case):
    assert failed.loc[check, case] == "fails"


def test_the_case_without_a_mistake_and_the_shortcut_pass_every_check(failed):
    assert (failed[["A", "B"]] == "").all().all()


def test_only_folds_by_patient_pass_the_checks_of_folds(failed):
    assert failed.columns[failed.loc["leakage"] == "fails"].tolist() == ["D", "F"]
    assert failed.columns[failed.loc["near-duplicates"] == "fails"].tolist() == ["D", "I"]  # D has rotated copies


def test_mistakes_move_numbers_as_they_are_meant_to(cases):
    assert cases["A"].reported.value > cases["A"].corrected.value + 0.1
    assert cases["C"].reported.value == pytest.approx(cases["C"].corrected.value)
    assert cases["C"].reported.groups == 10 * 120
    assert cases["E"].corrected.value == 0.5 < cases["E"].reported.value
    assert abs(cases["H"].reported.value - 0.5) < 0.2 < cases["H"].corrected.value - 0.5


def test_the_ink_on_the_other_cells_is_followed(cases, evidence):
    moved = cases["A"].training.predict(casebook.marked_cells(evidence, "on the others").features)
    assert evidence.auc(moved).value < cases["A"].reported.value - 0.3


def test_without_signal_only_patients_on_both_sides_look_better_than_chance():
    """120 images that carry their patient and nothing else."""
    random = np.random.default_rng(3)
    data = datasets.load("synthetic", n_images=120, n_patients=20, task="leukaemia", size=64)
    patient = data.frame["patient"].to_numpy()
    table = pd.DataFrame(random.normal(size=(20, 8))[patient] + 0.1 * random.normal(size=(120, 8)), data.frame.index)
    by_patient = pitfalls.Training(data, table, splits.group_folds(data.frame, 3, 20))
    by_image = replace(by_patient, fold=splits.image_folds(data.frame, 3, 20))
    assert examination.check_permuted_labels(by_patient, "lymphoblast", 20) == []
    (finding,) = examination.check_permuted_labels(by_image, "lymphoblast", 20)
    assert finding.observed.startswith("with permuted labels the area under the ROC curve is 0.")
