"""Planted label errors are found, with known precision and recall."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from helpers.learners import label_audit
from helpers.metrics import prediction_table

CLASSES = ("a", "b", "c")


def audited(share, separation=4.0, seed=0):
    """Plant errors in three classes of 100 cells, and list suspicions from out-of-fold predictions."""
    random = np.random.default_rng(seed)
    true = pd.Series(np.repeat(CLASSES, 100), [f"i{k}" for k in range(300)])
    centres = separation * np.eye(3)[np.repeat(np.arange(3), 100)]
    given = label_audit.plant_label_errors(true, share, seed)
    probabilities = cross_val_predict(
        LogisticRegression(), centres + random.normal(0, 1, (300, 3)), given, cv=5, method="predict_proba"
    )
    frame = pd.DataFrame({"label": given, "group": given.index}).rename_axis("image_id")
    suspected = label_audit.suspicious_labels(prediction_table(frame, probabilities, CLASSES, fold=0))
    return true, given, suspected


def test_planted_errors_are_found_and_named_as_what_they_are():
    true, given, suspected = audited(0.1)
    planted = true.index[true != given]
    assert len(planted) == 30
    quality = label_audit.audit_quality(suspected.index, planted)
    assert quality["recall"] > 0.85
    assert quality["precision"] > 0.85
    both = suspected.index.intersection(planted)
    assert (suspected.loc[both, "suggested"] == true[both]).mean() > 0.95
    assert suspected["margin"].is_monotonic_decreasing


def test_where_classes_overlap_suspicions_are_often_wrong():
    true, given, suspected = audited(0.05, separation=1.0)
    quality = label_audit.audit_quality(suspected.index, true.index[true != given])
    assert quality["precision"] < 0.5


def test_right_labels_that_are_easy_give_hardly_a_suspicion():
    assert len(audited(0.0, separation=8.0)[2]) == 0


def test_errors_are_a_share_of_the_labels_and_follow_the_seed():
    labels = pd.Series(["a", "b"] * 50)
    one, same, other = (label_audit.plant_label_errors(labels, 0.2, seed) for seed in (1, 1, 2))
    assert (one != labels).sum() == 20
    assert one.equals(same)
    assert not one.equals(other)
    with pytest.raises(ValueError, match="two classes"):
        label_audit.plant_label_errors(pd.Series(["a", "a"]), 0.5, 0)


def test_quality_without_suspicions_or_errors_is_unknown():
    none, some = pd.Index([]), pd.Index(["x"])
    assert np.isnan(label_audit.audit_quality(none, some)["precision"])
    assert np.isnan(label_audit.audit_quality(some, none)["recall"])
