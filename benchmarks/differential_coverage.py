"""How often the intervals of a patient's class shares hold the true share, over simulated patients.

    python benchmarks/differential_coverage.py     # 1,000 patients for each row; about 6 minutes on one core

A classifier sees five features of a cell, normal around the mean of its type, shifted for each patient, and computes
the probabilities of five types as if there were as many of each and no patient was shifted. It is right about 92 % of
the time. Every ten patients have a new validation table of 480 cells of 40 other patients. Shares vary around those of
healthy blood (Dirichlet, 50 cells); in the last rows they vary around those of a leukaemia, which no validation table
has. The standard error of a coverage of 95 % is 0.7 %, and somewhat more as ten patients share a table. Where a type is
missing in a validation table, its ten patients have no interval; ``patients`` counts the others.
"""

import time

import numpy as np
import pandas as pd

from helpers import metrics

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
HEALTHY = np.array([0.60, 0.28, 0.08, 0.03, 0.01])
ABNORMAL = np.array([0.10, 0.70, 0.05, 0.05, 0.10])
CONCENTRATION, SHIFT = 50, 0.3
MEANS = 3 * np.eye(5) + 0.8 * np.outer(np.eye(5)[2], np.eye(5)[1])  # monocytes lie towards lymphocytes
PATIENTS, PER_TABLE = 1000, 10
NAIVE = "none (count)"


def predictions(shares: np.ndarray, n: int, random: np.random.Generator, *, shift: float) -> pd.DataFrame:
    """Predict ``n`` cells of each patient, of which a row of ``shares`` has the true shares."""
    types = np.concatenate([random.choice(5, n, p=of_patient) for of_patient in shares])
    patients = np.repeat(np.arange(len(shares)), n)
    features = MEANS[types] + random.normal(0, shift, (len(shares), 5))[patients] + random.normal(size=(len(types), 5))
    density = np.exp(-((features[:, None] - MEANS) ** 2).sum(axis=2) / 2)
    frame = pd.DataFrame({"group": patients, "label": np.take(CLASSES, types)})
    return metrics.prediction_table(frame, density / density.sum(axis=1, keepdims=True), CLASSES, fold=0)


def estimate(validation: pd.DataFrame, cells: pd.DataFrame, method: str) -> pd.DataFrame:
    if method == NAIVE:
        return metrics.differential_count(cells.assign(predicted_class=metrics.predicted_classes(cells)), CLASSES)
    return metrics.corrected_shares(validation, cells, method=method, seed=20)


def coverage(method: str, n: int, *, shift: float = SHIFT, expected: np.ndarray = HEALTHY) -> dict[str, float | str]:
    """Measure how often the intervals hold, how wide they are, and the error of the shares."""
    random, held, widths, errors, begun = np.random.default_rng(0), [], [], [], time.perf_counter()
    for _ in range(PATIENTS // PER_TABLE):
        validation = predictions(random.dirichlet(CONCENTRATION * HEALTHY, 40), 12, random, shift=shift)
        true = random.dirichlet(CONCENTRATION * expected, PER_TABLE)
        table = estimate(validation, predictions(true, n, random, shift=shift), method)
        share, low, high = (table[name].to_numpy().reshape(-1, 5) for name in ("share", "low", "high"))
        if not np.isnan(low).any():
            held.append((low <= true) & (true <= high))
            widths.append(high - low)
            errors.append((share - true) ** 2)
    covered, width, error = (np.concatenate(parts).mean(axis=0) for parts in (held, widths, errors))
    setting = {"method": method, "cells": n, "shift": shift, "blood": "healthy" if expected is HEALTHY else "abnormal"}
    by_class = {name: f"{100 * covered[k]:.1f} ({100 * width[k]:.1f})" for k, name in enumerate(CLASSES)}
    root = 100 * np.sqrt(error.mean())
    return {**setting, **by_class, "RMSE": f"{root:.1f}", "patients": 10 * len(held), "s": time.perf_counter() - begun}


def main() -> None:
    print("Coverage in % (mean width in percentage points)")
    settings = [(n, SHIFT, HEALTHY) for n in (100, 200)] + [(200, 0.0, HEALTHY), (200, SHIFT, ABNORMAL)]
    for number, (n, shift, expected) in enumerate(settings):
        for method in (NAIVE, "matrix", "EM"):
            row = pd.DataFrame([coverage(method, n, shift=shift, expected=expected)]).round(1)
            first = number == 0 and method == NAIVE
            print(row.to_csv(sep="|", index=False, header=first), end="", flush=True)


if __name__ == "__main__":
    main()
