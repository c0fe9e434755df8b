"""The two built exercises of *Another laboratory*: a fault is named as long as it is there, and sound answers pass."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, KFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers import metrics, teaching
from helpers.learners.lda import ShrinkageLDA
from helpers.learners.outliers import fit_distance


def by_patient(share, seed=0):
    return lambda x, group: next(GroupShuffleSplit(1, test_size=share, random_state=seed).split(x, groups=group))


def by_image(x, group):
    return next(KFold(2, shuffle=True, random_state=0).split(x))


def nothing_held_out(x, group):
    return np.arange(len(x)), np.arange(len(x))


def logistic():
    return LogisticRegression(max_iter=2000)


def calibration(parts, model=logistic, added=0.0):
    def calibrate(x, label, group):
        train, held_out = parts(x, group)
        fitted = model().fit(x[train], label[train])
        column = np.searchsorted(fitted.classes_, label[held_out])
        score = 1 - fitted.predict_proba(x[held_out])[np.arange(len(held_out)), column]
        return fitted, metrics.conformal_threshold(score, group[held_out], 0.9) + added

    return calibrate


def of_distance(x, label):
    return fit_distance(x, label).measure


def of_neighbours(x, label):
    neighbours = NearestNeighbors(n_neighbors=5).fit(x)
    return lambda new: neighbours.kneighbors(new)[0][:, -1]


def of_batch(x, label):
    return lambda new: np.linalg.norm(new - new.mean(axis=0), axis=1)


def nowhere(x, label):
    return lambda new: np.zeros(len(new))


PATIENTS = by_patient(0.4)


def rule(parts=PATIENTS, distance=of_distance, *, unsure=0.05, far=0.05):
    def fit(x, label, group):
        train, held_out = parts(x, group)
        model = make_pipeline(StandardScaler(), ShrinkageLDA()).fit(x[train], label[train])
        measure = distance(x[train], label[train])
        least = np.quantile(model.predict_proba(x[held_out]).max(axis=1), unsure)
        return model, measure, least, np.quantile(measure(x[held_out]), 1 - far)

    def refer(fitted, x):
        model, measure, least, limit = fitted
        return (model.predict_proba(x).max(axis=1) < least) | (measure(x) > limit)

    return {"fit": fit, "refer": refer}


@pytest.fixture
def verdict(capsys):
    def check(exercise, steps):
        teaching.check_repair(f"another-laboratory-{exercise}", steps)
        return capsys.readouterr().out.strip()

    return check


@pytest.mark.parametrize(
    "calibrate",
    [
        calibration(by_patient(0.5)),
        calibration(by_patient(0.3, seed=2)),
        calibration(by_patient(0.5, seed=3), ShrinkageLDA),
        calibration(by_patient(0.5), lambda: RandomForestClassifier(30, random_state=0)),
    ],
    ids=["halves", "thirds", "discriminant analysis", "forest"],
)
def test_a_sound_calibration_passes_whatever_its_classifier(verdict, calibrate):
    assert verdict("debug-promise", {"calibrate": calibrate}) == "✅ None of 3 faults is left."


@pytest.mark.parametrize(
    ("calibrate", "fault"),
    [
        (calibration(nothing_held_out), "calibrate on cells that the model has not seen"),
        (calibration(nothing_held_out, ShrinkageLDA), "calibrate on cells that the model has not seen"),
        (calibration(by_image), "the promise fails for new patients"),
        (calibration(by_patient(0.1)), "hold out more patients, at least nine"),
        (calibration(by_patient(0.5), added=1.0), "sets hold nearly all classes"),
    ],
    ids=["in sample", "in sample, discriminant analysis", "by image", "six patients", "all classes"],
)
def test_a_fault_of_a_calibration_is_named_alone(verdict, calibrate, fault):
    first, only = verdict("debug-promise", {"calibrate": calibrate}).splitlines()
    assert first == "❌ 1 of 3 faults remain:"
    assert only.startswith("- calibrate: ")
    assert fault in only


@pytest.mark.parametrize(
    "steps",
    [rule(), rule(by_patient(0.5, seed=1)), rule(by_patient(0.3, seed=2), of_neighbours)],
    ids=["Mahalanobis", "halves", "neighbours"],
)
def test_a_sound_rule_passes_whatever_its_distance(verdict, steps):
    assert verdict("referral-rule", steps) == "✅ None of 6 faults is left."


@pytest.mark.parametrize(
    ("steps", "faults"),
    [
        (rule(nothing_held_out), ["far more than a tenth"]),
        (rule(unsure=0.2), ["far more than a tenth"]),
        (rule(unsure=0.0, far=0.1), ["between two classes"]),
        (rule(distance=nowhere, unsure=0.1), ["unknown class", "another stain"]),
        (rule(distance=of_batch), ["unknown class", "another stain", "the cells beside it"]),
    ],
    ids=["in sample", "too many", "distance only", "confidence only", "of the batch"],
)
def test_faults_of_a_rule_are_named_and_no_others(verdict, steps, faults):
    lines = verdict("referral-rule", steps).splitlines()
    assert lines[0] == f"❌ {len(faults)} of 6 faults remain:"
    assert all(fault in line for fault, line in zip(faults, lines[1:], strict=True))


def test_a_rule_that_refers_nothing_is_named(verdict):
    steps = {"fit": lambda x, label, group: None, "refer": lambda fitted, x: np.zeros(len(x), bool)}
    assert "- fit: hardly a cell of new patients is referred" in verdict("referral-rule", steps)


def test_nothing_written_yet_is_no_fault_and_an_error_is_told(verdict):
    assert verdict("referral-rule", None).startswith("⬜ Put your analysis")
    assert "raises TypeError" in verdict("debug-promise", {"calibrate": lambda x, label, group: None})
