"""The leaky analysis of *Trust*: each fault is named as long as it is there, and no other."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, StratifiedGroupKFold, train_test_split
from sklearn.preprocessing import StandardScaler

from helpers import teaching

OTHER = ["label", "group"]


def leaky_split(table):
    return train_test_split(pd.concat([table, table.sample(frac=0.5, random_state=0)]), test_size=0.3, random_state=0)


def split(table):
    train, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=0).split(table, groups=table["group"]))
    train = table.iloc[train]
    return pd.concat([train, train.sample(frac=0.5, random_state=0)]), table.iloc[test]


def split_by_patient_after_copying(table):
    table = pd.concat([table, table.sample(frac=0.5, random_state=0)])
    train, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=0).split(table, groups=table["group"]))
    return table.iloc[train], table.iloc[test]


def split_by_image_before_copying(table):
    train, test = train_test_split(table, test_size=0.3, random_state=0)
    return pd.concat([train, train.sample(frac=0.5, random_state=0)]), test


def prepared(fitted_on, train, test):
    scaler = StandardScaler().fit(fitted_on.drop(columns=OTHER))
    return tuple(scaler.transform(part.drop(columns=OTHER)) for part in (train, test))


def leaky_choose(x_train, train, x_test, test):
    models = [LogisticRegression(C=c, max_iter=1000).fit(x_train, train["label"]) for c in (0.001, 0.1, 10)]
    return max(models, key=lambda model: model.score(x_test, test["label"]))


def choose(x_train, train, x_test, test):
    grid = {"C": [0.001, 0.1, 10]}
    search = GridSearchCV(LogisticRegression(max_iter=1000), grid, cv=StratifiedGroupKFold(3), scoring="roc_auc")
    return search.fit(x_train, train["label"], groups=train["group"])


def reporter(hard, unit):
    def report(model, x_test, test):
        score = model.predict(x_test) if hard else model.predict_proba(x_test)[:, 1]
        return {"AUC": roc_auc_score(test["label"], score), "n": test[unit].nunique() if unit else len(test)}

    return report


LEAKY = {
    "split": leaky_split,
    "prepare": lambda train, test: prepared(pd.concat([train, test]), train, test),
    "choose": leaky_choose,
    "report": reporter(hard=True, unit=None),
}
REPAIRED = {
    "split": split,
    "prepare": lambda train, test: prepared(train, train, test),
    "choose": choose,
    "report": reporter(hard=False, unit="group"),
}


@pytest.fixture
def verdict(capsys):
    def check(steps):
        teaching.check_repair("trust-repair", steps)
        return capsys.readouterr().out.strip()

    return check


def test_all_faults_of_the_leaky_analysis_are_named_and_none_of_the_repaired_one(verdict):
    assert verdict(None).startswith("⬜ Put your analysis")
    lines = verdict(LEAKY).splitlines()
    assert lines[0] == "❌ 6 of 6 faults remain:"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "- split", "- split", "- prepare", "- choose", "- report", "- report", "Hint",
    ]  # fmt: skip
    assert verdict(REPAIRED) == "✅ None of 6 faults is left."


@pytest.mark.parametrize(
    ("step", "function", "fault"),
    [
        ("split", split_by_patient_after_copying, "an image is in the test twice"),
        ("split", split_by_image_before_copying, "patients are on both sides"),
        ("prepare", LEAKY["prepare"], "depends on other test images; fit on training alone"),
        ("choose", leaky_choose, "the test labels choose the model"),
        ("report", reporter(hard=True, unit="group"), "not that of the predicted probabilities"),
        ("report", reporter(hard=False, unit=None), "n does not count patients"),
    ],
)
def test_one_fault_that_is_left_is_named_alone(verdict, step, function, fault):
    first, only = verdict(REPAIRED | {step: function}).splitlines()
    assert first == "❌ 1 of 6 faults remain:"
    assert only.startswith(f"- {step}: ")
    assert fault in only


def copy_and_number_anew(table):
    table = pd.concat([table, table.sample(frac=0.5, random_state=0)], ignore_index=True)
    return split_by_patient_after_copying(table)


def numbered_anew(table):
    return tuple(part.reset_index(drop=True) for part in split(table))


def without_a_seed(x_train, train, x_test, test):
    return RandomForestClassifier(n_estimators=20).fit(x_train, train["label"])


def scaled_each_by_itself(train, test):
    return prepared(train, train, train)[0], prepared(test, test, test)[0]


@pytest.mark.parametrize(
    ("step", "function", "fault"),
    [
        ("split", copy_and_number_anew, "an image is in the test twice"),
        ("split", lambda table: (table, table.iloc[:0]), "raises ValueError (the test set lacks a class)"),
        ("prepare", scaled_each_by_itself, "depends on other test images"),
        ("prepare", lambda train, test: (np.zeros((len(train), 2)), np.zeros((len(test), 2))), "the same features"),
        ("choose", lambda x, train, *rest: DummyClassifier().fit(x, train["label"]), "the same probability"),
    ],
)
def test_a_repair_that_only_looks_like_one_is_named(verdict, step, function, fault):
    text = verdict(REPAIRED | {step: function})
    assert f"- {step}: " in text
    assert fault in text


@pytest.mark.parametrize(("step", "function"), [("split", numbered_anew), ("choose", without_a_seed)])
def test_a_right_repair_of_another_kind_passes(verdict, step, function):
    assert verdict(REPAIRED | {step: function}) == "✅ None of 6 faults is left."


def test_a_step_that_is_missing_or_raises_is_named(verdict):
    assert verdict({"split": split}).startswith("❌ There is no function for prepare, choose, report; the steps are")

    def broken(model, x_test, test):
        raise KeyError("AUC")

    lines = verdict(REPAIRED | {"report": broken}).splitlines()
    assert lines == ["❌ 2 of 6 faults remain:", "- report: raises KeyError ('AUC')"]


def test_labels_in_the_features_are_found_by_what_the_test_does_to_them(verdict):
    def prepare(train, test):
        centre = np.asarray(test.drop(columns=OTHER)).mean(axis=0)
        return tuple(np.asarray(part.drop(columns=OTHER)) - centre for part in (train, test))

    assert "- prepare: " in verdict(REPAIRED | {"prepare": prepare})
