"""The shift detector of *Trust*: a fault is named as long as it is there, and a sound detector passes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import teaching

BY_PATIENT = StratifiedGroupKFold(5, shuffle=True, random_state=0)


def stacked(source, target):
    both = pd.concat([source, target], ignore_index=True)
    return both.drop(columns="group"), np.repeat([0, 1], [len(source), len(target)]), both["group"]


def detector(model=None, cv=BY_PATIENT, method="predict_proba", sign=1):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)) if model is None else model

    def shift_auc(source, target):
        x, y, group = stacked(source, target)
        groups = None if isinstance(cv, KFold) else group
        score = cross_val_predict(model, x, y, groups=groups, cv=cv, method=method)
        return roc_auc_score(y, sign * (score[:, 1] if score.ndim == 2 else score))

    return shift_auc


def in_sample(source, target):
    x, y, _ = stacked(source, target)
    return roc_auc_score(y, LogisticRegression(max_iter=2000).fit(x, y).predict_proba(x)[:, 1])


@pytest.fixture
def verdict(capsys):
    def check(shift_auc):
        teaching.check_repair("trust-shift-detector", shift_auc and {"shift_auc": shift_auc})
        return capsys.readouterr().out.strip()

    return check


@pytest.mark.parametrize(
    "sound",
    [
        detector(),
        detector(cv=GroupKFold(4)),
        detector(RandomForestClassifier(20, min_samples_leaf=8, random_state=0)),
        detector(LogisticRegression(C=0.01), method="decision_function"),
    ],
    ids=["logistic", "other folds", "forest", "decisions"],
)
def test_a_sound_detector_passes_whatever_its_classifier(verdict, sound):
    assert verdict(sound) == "✅ None of 5 faults is left."


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (in_sample, "test on cells that were not in training"),
        (detector(cv=KFold(5, shuffle=True, random_state=0)), "it recognises patients"),
        (detector(method="predict"), "rank predicted probabilities, not classes"),
        (detector(sign=-1), "it misses a shift"),
        (lambda source, target: 0.5, "it misses a shift"),
        (lambda source, target: 100 * detector()(source, target), "no number from 0 to 1"),
    ],
    ids=["in sample", "by cell", "classes", "exchanged", "constant", "per cent"],
)
def test_a_fault_is_named(verdict, wrong, fault):
    lines = verdict(wrong).splitlines()
    assert lines[0].startswith("❌ ")
    assert fault in lines[1]
    assert fault == "no number from 0 to 1" or len(lines) == 2


def test_nothing_written_yet_is_no_fault_and_an_error_is_told(verdict):
    assert verdict(None).startswith("⬜ Put your analysis")
    assert "raises TypeError" in verdict(lambda source, target: None)
