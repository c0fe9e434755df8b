"""Sentences of chapter *Classify* follow their tables, also reversed, empty, or without the book."""

import pandas as pd
import pytest

from helpers import metrics, reports
from helpers.metrics import Estimate

NO_BOOK = "Results on real blood are on the results page of the book."


def stored(**columns):
    return reports.PublishedTable("a-table", pd.DataFrame(columns), "stored result", {"dataset": "cnmc"})


@pytest.mark.parametrize(
    "describe", [reports.describe_two_splits, reports.describe_stored_ranking, reports.describe_stored_curve]
)
def test_without_the_book_a_sentence_says_where_the_results_are(describe):
    assert describe(None) == NO_BOOK


def test_both_aucs_of_a_split_are_stated():
    text = reports.describe_two_splits(stored(split=["by patient", "by image"], AUC=[0.861, 0.97], groups=25))
    assert "25 groups of children" in text
    assert "an AUC of 0.97. The same classifier on the same cells also has an AUC of 0.86." in text


@pytest.mark.parametrize(("unet", "otsu", "better"), [(0.9, 0.4, "U-Net"), (0.3, 0.6, "Otsu")])
def test_the_better_outline_is_named(unet, otsu, better):
    table = pd.DataFrame({"U-Net": [0.1, unet], "Otsu": [0.9, otsu]}, ["area", "nucleus_to_cell_area"])
    text = reports.describe_measurement(table)
    assert f"is {unet:.2f} with the outlines of U-Net, {otsu:.2f} with the outlines of Otsu" in text
    assert f"{better} measures it better here" in text


def test_without_masks_no_measurement_is_compared():
    assert "Nobody has outlined these cells" in reports.describe_measurement(pd.DataFrame(columns=["U-Net", "Otsu"]))


def curves(precision, false_positive_rate):
    """Curves that hold one precision and one false positive rate at every sensitivity."""
    at = [0.0, 1.0]
    precisions = pd.DataFrame({"sensitivity": at, "precision": precision})
    rates = pd.DataFrame({"sensitivity": at, "false_positive_rate": false_positive_rate})
    return {"model": precisions}, {"model": rates}


def test_precision_says_more_where_positives_are_rare():
    text = reports.describe_precision(*curves(0.8, 0.2), 0.5)
    assert "the precision of the model is 0.80; 50% of the test cells are positive: with so many positives" in text
    assert "Were 1% positive, the ROC curve would be the same, and the precision there 0.04" in text  # 9 of 9 + 198
    rare = reports.describe_precision(*curves(0.3, 0.02), 0.05)
    assert "positives are rare here, and precision shows the false alarms that the ROC curve hides" in rare
    assert "and the precision there 0.31" in rare


def test_the_highest_and_lowest_stored_auc_are_named():
    columns = {"model": ["a", "b*c", "a"], "measure": ["AUC", "AUC", "other"], "value": [0.7, 0.9, 1.0]}
    text = reports.describe_stored_ranking(stored(**columns, n=100, groups=20))
    assert "On those 100 real cells of 20 groups, by point estimate the highest AUC is that of b\\*c (0.90)" in text
    assert "the lowest that of a (0.70)" in text


def patients(scores, labels, threshold):
    groups = pd.Index([f"P{k}" for k in range(len(scores))], name="image_id")
    test = pd.DataFrame({"group": groups, "label": labels, "fold": 0, "p_ill": scores}, groups)
    table = pd.DataFrame({"measure": ["AUC"], "value": [0.9]})
    return metrics.PatientEvaluation(test, test, pd.Series(threshold, groups), table)


def test_patients_on_the_wrong_side_are_counted():
    by_cell = Estimate(0.95, 0.9, 1.0, n=40, groups=4)
    evaluated = patients([0.9, 0.3, 0.6, 0.1], ["ill", "ill", "well", "well"], 0.5)
    text = reports.describe_patients(evaluated, "ill", by_cell)
    assert text.startswith("1 of 2 positive patients lie below their threshold, and 1 of 2 others above it.")
    assert "The AUC over patients is -0.050 compared with the one over cells" in text
    assert text.endswith("4 patients are 4 observations, not 40.")
    assert "have cells of both classes" in reports.describe_patients(patients([], [], 0.5), "ill", by_cell)


def patient_curve(more_cells, same_cells):
    both = {"all cells of the patients": more_cells, "the same number of cells": same_cells}
    rows = [(name, n, auc) for name, aucs in both.items() for n, auc in zip((4, 30), aucs, strict=True)]
    return pd.DataFrame(rows, columns=["learner", "images", "AUC"])


def test_what_more_patients_add_has_its_sign():
    text = reports.describe_patient_curve(patient_curve((0.7, 0.8), (0.7, 0.65)))
    assert "From 4 to 30 patients, the mean AUC changes by +0.100 with all of their cells, and by -0.050" in text
    assert "too few patients" in reports.describe_patient_curve(patient_curve((0.7, 0.8), (0.7, 0.65)).iloc[:0])
    assert "too few patients" in reports.describe_patient_curve(patient_curve((0.7, 0.8), (0.7, 0.6)).iloc[[0, 2]])


def test_a_split_is_compared_here_and_on_real_cells_where_the_book_is():
    gains = {"a": Estimate(0.1, 0.05, 0.15, n=80, groups=20), "b": Estimate(-0.1, -0.15, -0.05, n=80, groups=20)}
    table = stored(split=["difference"], AUC=[0.109], low=[0.049], high=[0.189])
    text = reports.describe_split_gains(gains, table)
    assert (
        "a higher by 0.100 [0.050, 0.150]; b lower by 0.100 [0.050, 0.150]; on the real cells of C-NMC, +0.109" in text
    )
    assert "C-NMC" not in reports.describe_split_gains(gains, None)


def missed(is_missed):
    index = pd.Index([f"c{k}" for k in range(6)])
    features = pd.DataFrame({"area": [9.0, 1, 1, 1, 1, 1], "ratio": [1.0, 1, 2, 1, 2, 1]}, index)
    is_missed = pd.Series(is_missed, index)
    is_positive = pd.Series([True] * 4 + [False] * 2, index)
    errors = {"missed": is_missed, "false alarm": pd.Series([False] * 5 + [True], index)}
    groups = pd.Series(list("ppqqrr"), index)
    return reports.describe_missed(errors, is_positive & ~is_missed, features, groups)


def test_missed_cells_are_counted_and_told_from_the_found_ones():
    text = missed([True, False, False, False, False, False])
    assert text.startswith("missed: 1 cells of 1 groups; false alarm: 1 cells of 1 groups. Compared with")
    assert "differ most in `area` (+2.4 standard deviations)" in text
    reversed_text = missed([False, True, True, True, False, False])
    assert "missed: 3 cells of 2 groups" in reversed_text
    assert "`area` (-2.4 standard deviations)" in reversed_text
    assert "as there are none of one kind" in missed([False] * 6)
    assert "as there are none of one kind" in missed([True] * 4 + [False] * 2)


@pytest.mark.parametrize(("best", "words"), [(0.92, "is reached on these cells"), (0.85, "is not reached on these")])
def test_the_stored_curve_is_held_against_the_paper(best, words):
    learners = ["Schouten's network"] * 2 + ["another"]
    text = reports.describe_stored_curve(
        stored(learner=learners, images=[10, 200, 10], AUC=[0.7, best, 0.99], groups=25)
    )
    assert f"trained on 10 to 200 images has AUCs from 0.70 to {best:.2f}. The 0.90 of the paper {words}" in text
