"""Faults of the leaky analysis of *Trust*, each found by what the analysis does with data that the reader does not see.

The analysis has four steps, functions of tables with the columns ``label`` (bool) and ``group`` beside the features:

- ``split(table)`` returns training and test table;
- ``prepare(train, test)`` returns the features of both as arrays;
- ``choose(x_train, train, x_test, test)`` returns a fitted classifier;
- ``report(model, x_test, test)`` returns ``{"AUC": …, "n": …}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from helpers.teaching.declarations import Fault

Steps = Mapping[str, Callable]
FEATURES = [f"feature {k}" for k in range(12)]
STEPS = ("split", "prepare", "choose", "report")


def cells(n_groups: int = 24, per_group: int = 5, seed: int = 0) -> pd.DataFrame:
    """Make a table of cells with twelve features, of which the first says something about the label."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), per_group)
    label = group % 2 == 1
    features = random.normal(size=(len(group), len(FEATURES)))
    features[:, 0] += 1.0 * label
    table = pd.DataFrame(features, columns=FEATURES)
    names = pd.Index([f"cell-{k:03d}" for k in random.permutation(len(group))], name="image_id")
    return table.assign(label=label, group=[f"P{k:02d}" for k in group]).set_axis(names)


def _halves() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a training and a test table without a common patient."""
    table = cells()
    in_training = table["group"] < "P14"
    return table[in_training], table[~in_training]


def _patients_on_both_sides(steps: Steps) -> bool:
    train, test = steps["split"](cells())
    return bool(set(train["group"]) & set(test["group"]))


def _copies_in_test(steps: Steps) -> bool:
    """Compare images by their features, as a repair may number the rows anew."""
    train, test = steps["split"](cells())
    for name, part in (("training", train), ("test", test)):
        if part["label"].nunique() < 2:
            raise ValueError(f"the {name} set lacks a class")
    on_both_sides = train[FEATURES].merge(test[FEATURES])  # rows with the same twelve numbers
    return bool(test.duplicated(FEATURES).any()) or len(on_both_sides) > 0


def _prepared_on_test(steps: Steps) -> bool:
    """Change all test images but the first: neither the training images nor the first may change with them."""
    train, test = _halves()
    other = test.assign(label=~test["label"])
    changed = test.index[1:]
    other.loc[changed, FEATURES] = 9 - 5 * test.loc[changed, FEATURES]
    kept = []
    for one in (test, other):
        x_train, x_test = (np.asarray(x, float) for x in steps["prepare"](train, one))
        kept.append(np.vstack([x_train, x_test[:1]]))
    before, after = kept
    if np.ptp(before, axis=0).max() == 0:
        raise ValueError("all images get the same features")
    return before.shape != after.shape or not np.allclose(before, after)


def _chosen_on_test(steps: Steps) -> bool:
    train, test = _halves()
    x_train, x_test = train[FEATURES].to_numpy(), test[FEATURES].to_numpy()
    flipped = test.assign(label=~test["label"])
    probabilities = []
    for one in (test, flipped):
        np.random.seed(0)  # noqa: NPY002 a model or a shuffle without a seed of its own draws from it
        probabilities.append(steps["choose"](x_train, train, x_test, one).predict_proba(x_train))
    before, after = probabilities
    if np.ptp(before[:, 1]) == 0:
        raise ValueError("the model gives all images the same probability")
    return not np.allclose(before, after)


def _reported(steps: Steps) -> tuple[Mapping[str, float], float, int]:
    """Return what is reported on a test, and the AUC and the number of patients that it should have."""
    train, test = _halves()
    x_train, x_test = train[["feature 0"]].to_numpy(), test[["feature 0"]].to_numpy()
    model = LogisticRegression().fit(x_train, train["label"])
    auc = roc_auc_score(test["label"], model.predict_proba(x_test)[:, 1])
    return steps["report"](model, x_test, test), float(auc), test["group"].nunique()


def _auc_of_hard_predictions(steps: Steps) -> bool:
    reported, auc, _ = _reported(steps)
    return not np.isclose(reported["AUC"], auc)


def _images_counted(steps: Steps) -> bool:
    reported, _, n_patients = _reported(steps)
    return reported["n"] != n_patients


FAULTS = (
    Fault(_copies_in_test, "split: an image is in the test twice, or on both sides; copy after the split, in training"),
    Fault(_patients_on_both_sides, "split: patients are on both sides; split by group"),
    Fault(_prepared_on_test, "prepare: what an image becomes depends on other test images; fit on training alone"),
    Fault(_chosen_on_test, "choose: the test labels choose the model; choose within the training patients"),
    Fault(_auc_of_hard_predictions, "report: the AUC is not that of the predicted probabilities"),
    Fault(_images_counted, "report: n does not count patients"),
)
