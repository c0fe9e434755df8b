"""Faults of a calibration of *Another laboratory*, each found by the coverage of its sets on new patients.

The calibration is one function, ``calibrate(x, label, group)``, of arrays. It returns a fitted classifier and the
threshold of the nonconformity scores, 1 − the probability of the true class, at which 90 % are promised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from helpers.teaching.declarations import Fault

Steps = Mapping[str, Callable]
STEP = "calibrate"
KEPT = 0.86  # mean coverage over the draws from which a promise of 90 % counts as kept
ALL_CLASSES = 0.99
N_FEATURES, N_CLASSES = 30, 3
N_DRAWS = 8


@dataclass(frozen=True)
class Cells:
    """Hold features ``float (n, 30)``, classes and patients of simulated cells."""

    x: np.ndarray
    label: np.ndarray
    group: np.ndarray


def cells(n_groups: int, per_group: int, *, of_group: float, one_class: bool, seed: int) -> Cells:
    """Simulate cells of three classes that overlap.

    Args:
        n_groups: number of patients.
        per_group: number of cells of each.
        of_group: standard deviation between patients; that within a patient is 1.
        one_class: whether a patient has cells of one class only.
        seed: random seed.
    """
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), per_group)
    by_group, by_cell = random.integers(N_CLASSES, size=n_groups), random.integers(N_CLASSES, size=len(group))
    label = by_group[group] if one_class else by_cell
    x = random.normal(size=(len(group), N_FEATURES)) + random.normal(0, of_group, (n_groups, N_FEATURES))[group]
    x[np.arange(len(group)), label] += 2.0
    names = np.array(["lymphocyte", "monocyte", "neutrophil"])
    return Cells(x, names[label], np.array([f"P{k:03d}" for k in group]))


def coverage(steps: Steps, *, per_group: int, of_group: float, one_class: bool) -> float:
    """Measure the share of cells of new patients whose set holds the true class, the mean over draws."""
    shares = []
    for draw in range(N_DRAWS):
        known = cells(60, per_group, of_group=of_group, one_class=one_class, seed=draw)
        new = cells(200, 1, of_group=of_group, one_class=one_class, seed=1000 + draw)
        model, threshold = steps[STEP](known.x, known.label, known.group)
        column = np.searchsorted(model.classes_, new.label)
        score = 1 - model.predict_proba(new.x)[np.arange(len(new.x)), column]
        shares.append(np.mean(score <= threshold))
    return float(np.mean(shares))


def _of_independent_cells(steps: Steps) -> float:
    return coverage(steps, per_group=2, of_group=0.0, one_class=False)


def _of_patients(steps: Steps) -> float:
    return coverage(steps, per_group=6, of_group=1.5, one_class=True)


def _calibrated_on_training(steps: Steps) -> bool:
    return _of_independent_cells(steps) < KEPT


def _patients_on_both_sides(steps: Steps) -> bool:
    return not _calibrated_on_training(steps) and _of_patients(steps) < KEPT


def _holds_all_classes(steps: Steps) -> bool:
    return _of_independent_cells(steps) > ALL_CLASSES


FAULTS = (
    Fault(_calibrated_on_training, f"{STEP}: sets miss too often; calibrate on cells that the model has not seen"),
    Fault(_patients_on_both_sides, f"{STEP}: the promise fails for new patients; keep each in one of the two parts"),
    Fault(_holds_all_classes, f"{STEP}: sets hold nearly all classes; hold out more patients, at least nine"),
)
