"""Faults of a shift detector of *Trust*, each found by what the detector does with data that the reader does not see.

The detector is one function, ``shift_auc(source, target)``, of tables with features and the column ``group``. It
returns the AUC with which a classifier tells the target from the source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd

from helpers.teaching.declarations import Fault

Detector = Mapping[str, Callable]
Tables = tuple[pd.DataFrame, pd.DataFrame]
STEP = "shift_auc"
NO_SHIFT = 0.7  # mean AUC of some data sets up to which there is none
# Of a shift of two standard deviations: 0.92 from probabilities, 0.84 from predicted classes.
SEEN, RANKED = 0.7, 0.87


def domains(n_groups: int, per_group: int, *, n_features: int, of_group: float, shift: float, seed: int) -> Tables:
    """Make features of a source and a target domain.

    Args:
        n_groups: number of patients in each domain.
        per_group: number of cells of each.
        n_features: number of features, at least 3.
        of_group: standard deviation between patients; that within a patient is 1.
        shift: difference of one feature between the domains.
        seed: random seed.
    """
    random = np.random.default_rng(seed)
    tables = []
    for domain, added in (("source", 0.0), ("target", shift)):
        group = np.repeat(np.arange(n_groups), per_group)
        means = random.normal(0, of_group, (n_groups, n_features))
        values = means[group] + random.normal(size=(len(group), n_features))
        values[:, 2] += added
        table = pd.DataFrame(values, columns=[f"feature {k}" for k in range(n_features)])
        tables.append(table.assign(group=[f"{domain}-{k:03d}" for k in group]))
    return tables[0], tables[1]


def _independent() -> Iterator[Tables]:
    return (domains(40, 1, n_features=24, of_group=0, shift=0, seed=seed) for seed in range(3))


def _patients() -> Iterator[Tables]:
    return (domains(12, 8, n_features=24, of_group=2, shift=0, seed=seed) for seed in range(6))


def _shifted() -> Iterator[Tables]:
    return (domains(150, 1, n_features=4, of_group=0, shift=2, seed=seed) for seed in range(2))


def _mean(steps: Detector, data: Iterator[Tables]) -> float:
    return float(np.mean([steps[STEP](*tables) for tables in data]))


def _no_share(steps: Detector) -> bool:
    value = steps[STEP](*next(_shifted()))
    return not 0 <= float(value) <= 1


def _tested_on_training(steps: Detector) -> bool:
    return _mean(steps, _independent()) > NO_SHIFT


def _recognises_patients(steps: Detector) -> bool:
    return not _tested_on_training(steps) and _mean(steps, _patients()) > NO_SHIFT


def _misses(steps: Detector) -> bool:
    return _mean(steps, _shifted()) < SEEN


def _predicted_classes(steps: Detector) -> bool:
    return SEEN <= _mean(steps, _shifted()) < RANKED


FAULTS = (
    Fault(_no_share, f"{STEP}: it returns no number from 0 to 1"),
    Fault(_tested_on_training, f"{STEP}: it sees a shift where there is none; test on cells that were not in training"),
    Fault(_recognises_patients, f"{STEP}: without a shift it recognises patients; keep each on one side of a fold"),
    Fault(_misses, f"{STEP}: it misses a shift; label source 0 and target 1, and give the classifier all features"),
    Fault(_predicted_classes, f"{STEP}: a shift is seen too faintly; rank predicted probabilities, not classes"),
)
