"""Metrics per patient rest on one mean and one threshold per patient, and on nothing where patients have no label."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics


def predictions(n_patients=24, cells=4, seed=0):
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), cells)
    ill = patient % 2 == 0
    score = np.clip(random.normal(0.35 + 0.3 * ill, 0.2), 0, 1)
    frame = pd.DataFrame(
        {"group": [f"P{k:02}" for k in patient], "label": np.where(ill, "ill", "well"), "fold": patient // 2 % 2},
        pd.Index([f"c{k}" for k in range(len(patient))], name="image_id"),
    )
    return frame.assign(p_ill=score, p_well=1 - score)


def evaluate(test, validation):
    return metrics.evaluate_patients(test, validation, "ill", target_sensitivity=0.9, seed=20)


def test_means_are_tested_at_the_thresholds_of_their_folds():
    test, validation = predictions(), predictions(seed=1)
    found = evaluate(test, validation)
    patients = metrics.aggregate_by_group(test)
    pd.testing.assert_frame_equal(found.test, patients)
    assert len(found.validation) == 24
    for k, rows in metrics.aggregate_by_group(validation).groupby("fold"):
        wanted = metrics.threshold_at_sensitivity(rows, "ill", 0.9).value
        assert (found.threshold[patients["fold"] == k] == wanted).all()
    assert found.threshold.nunique() == 2
    table = found.metrics.set_index("measure")
    assert list(table.index) == ["AUC", "sensitivity", "specificity", "false positive rate"]
    assert table.loc["AUC", "value"] == metrics.roc_auc(patients, "ill", 20).value
    called = patients["p_ill"] >= found.threshold
    assert table.loc["sensitivity", "value"] == pytest.approx(called[patients["label"] == "ill"].mean())
    assert table.loc["AUC", "n"] == 24


def test_patients_of_both_classes_are_left_out_with_a_sentence(capsys):
    mixed = predictions().assign(group="P1")
    found = evaluate(mixed, mixed)
    assert "left out: 1 of 1 groups (patients) have images of several classes" in capsys.readouterr().out
    assert found.test.empty and found.validation.empty and found.threshold.empty and found.metrics.empty
    assert list(found.metrics.columns) == ["measure", "value", "low", "high", "interval", "n", "groups"]
