"""Faults of a referral rule of *Another laboratory*, each found by what it refers of simulated cells.

The rule has two steps, functions of arrays:

- ``fit(x, label, group)`` returns the rule, an object of any kind, from cells of one laboratory;
- ``refer(rule, x)`` returns which cells it refers to an expert, ``bool (n,)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from helpers.teaching.declarations import Fault

Steps = Mapping[str, Callable]
STEPS = ("fit", "refer")
MOST_AT_HOME, LEAST_AT_HOME = 0.17, 0.04  # mean over the draws; a tenth is wanted
NOTICED = 0.6
N_CLASSES, N_FEATURES = 3, 100
DISTANCE = 5.0  # of a class mean from the origin, in standard deviations within a patient
N_DRAWS = 8
N_GROUPS, PER_GROUP = 40, 5  # of the cells that a rule is fitted on


def cells(n_groups: int, per_group: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate cells of the laboratory of the rule: features, classes and patients."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), per_group)
    label = random.integers(N_CLASSES, size=len(group))
    x = random.normal(size=(len(group), N_FEATURES)) + random.normal(0, 0.3, (n_groups, N_FEATURES))[group]
    x[np.arange(len(group)), label] += DISTANCE
    names = np.array(["lymphocyte", "monocyte", "neutrophil"])
    return x, names[label], np.array([f"P{k:03d}" for k in group])


def unknown_class(seed: int) -> np.ndarray:
    """Simulate cells of a class that the rule was not fitted on, far out where a classifier is sure."""
    x = np.random.default_rng(seed).normal(size=(100, N_FEATURES))
    x[:, 0] += 4 * DISTANCE
    return x


def other_stain(seed: int) -> np.ndarray:
    """Simulate cells of known classes in another stain, which moves features that tell nothing about the class."""
    x, _, _ = cells(20, 5, seed)
    x[:, N_CLASSES:] += DISTANCE
    return x


def between_classes(seed: int) -> np.ndarray:
    """Simulate cells half-way between two classes."""
    x = np.random.default_rng(seed).normal(size=(100, N_FEATURES))
    x[:, :2] += DISTANCE / 2
    return x


def referred(steps: Steps, simulate: Callable[[int], np.ndarray]) -> float:
    """Measure the share of simulated cells that a rule refers, the mean over draws."""
    shares = []
    for draw in range(N_DRAWS):
        rule = steps["fit"](*cells(N_GROUPS, PER_GROUP, draw))
        shares.append(np.mean(np.asarray(steps["refer"](rule, simulate(1000 + draw)), bool)))
    return float(np.mean(shares))


def _at_home(steps: Steps) -> float:
    return referred(steps, lambda seed: cells(60, 5, seed)[0])


def _too_many(steps: Steps) -> bool:
    return _at_home(steps) > MOST_AT_HOME


def _hardly_any(steps: Steps) -> bool:
    return _at_home(steps) < LEAST_AT_HOME


def _keeps_unknown(steps: Steps) -> bool:
    return referred(steps, unknown_class) < NOTICED


def _keeps_other_stain(steps: Steps) -> bool:
    return referred(steps, other_stain) < NOTICED


def _keeps_between(steps: Steps) -> bool:
    return referred(steps, between_classes) < NOTICED


def _depends_on_batch(steps: Steps) -> bool:
    rule = steps["fit"](*cells(N_GROUPS, PER_GROUP, 0))
    x = np.concatenate([cells(10, 5, 7)[0], unknown_class(7)])
    together = np.asarray(steps["refer"](rule, x), bool)
    alone = np.concatenate([np.asarray(steps["refer"](rule, x[k : k + 1]), bool) for k in range(len(x))])
    return together.shape != (len(x),) or bool((together != alone).any())


FAULTS = (
    Fault(_too_many, "fit: far more than a tenth of new patients' cells is referred; calibrate on patients held out"),
    Fault(_hardly_any, "fit: hardly a cell of new patients is referred; a tenth is wanted"),
    Fault(_keeps_between, "refer: cells between two classes are kept; refer where the highest probability is low"),
    Fault(_keeps_unknown, "refer: cells of an unknown class are kept; the model is sure of them, so measure distance"),
    Fault(_keeps_other_stain, "refer: cells in another stain are kept; measure the distance in all features"),
    Fault(_depends_on_batch, "refer: the answer for a cell depends on the cells beside it; fix all numbers in fit"),
)
