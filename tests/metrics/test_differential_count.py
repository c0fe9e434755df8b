"""The differential count of a patient: its intervals hold the shares as often as they claim, with fields or without."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from helpers import metrics

CLASSES = ["neutrophil", "lymphocyte", "monocyte"]
SHARES = np.array([0.6, 0.3, 0.1])


def cells_of(counts, group="A"):
    return pd.DataFrame({"group": group, "predicted_class": np.repeat(CLASSES, counts)})


def test_types_are_counted_per_patient_in_the_order_of_the_classes():
    cells = pd.concat([cells_of([5, 0, 3], "B"), cells_of([60, 30, 10])])
    table = metrics.differential_count(cells, CLASSES)
    assert list(table["group"]) == ["A"] * 3 + ["B"] * 3
    assert list(table["class"]) == CLASSES * 2
    assert list(table["n"]) == [60, 30, 10, 5, 0, 3]
    assert list(table["total"]) == [100] * 3 + [8] * 3
    assert list(table["share"]) == [0.6, 0.3, 0.1, 0.625, 0, 0.375]
    assert (table["interval"] == metrics.INTERVAL).all()
    assert table["overdispersion"].isna().all()
    for row in table.itertuples():
        assert (row.low, row.high) == metrics.wilson_interval(row.n, row.total)


def test_simultaneous_intervals_are_those_of_goodman():
    table = metrics.differential_count(cells_of([60, 30, 10]), CLASSES, simultaneous=True)
    b, n = chi2.ppf(1 - 0.05 / 3, 1), table["n"].to_numpy()
    root = np.sqrt(b * (b + 4 * n * (100 - n) / 100))
    np.testing.assert_allclose(table["low"], (b + 2 * n - root) / (2 * (100 + b)))
    np.testing.assert_allclose(table["high"], (b + 2 * n + root) / (2 * (100 + b)))


def test_simultaneous_intervals_hold_the_whole_differential_and_single_ones_do_not():
    counts = np.random.default_rng(0).multinomial(100, SHARES, 400)
    cells = pd.concat([cells_of(row, f"P{k:03}") for k, row in enumerate(counts)])

    def held(simultaneous):
        table = metrics.differential_count(cells, CLASSES, simultaneous=simultaneous)
        ends = table[["low", "high"]].to_numpy().reshape(-1, 3, 2)
        return (ends[..., 0] <= SHARES) & (ends[..., 1] >= SHARES)

    assert held(False).mean() == pytest.approx(0.95, abs=0.02)
    assert held(False).all(axis=1).mean() < 0.93
    assert held(True).all(axis=1).mean() >= 0.94


def test_fields_that_differ_widen_the_intervals_as_much_as_they_must():
    """200 patients of 30 fields with 6 cells, two of which have the correlation 0.2: the variance is doubled."""
    random, tables = np.random.default_rng(1), []
    for patient in range(200):
        own = random.dirichlet(SHARES * 4, 30)
        counts = random.multinomial(6, own)
        for field, row in enumerate(counts):
            tables.append(cells_of(row, f"P{patient:03}").assign(image=f"field {field}"))
    cells = pd.concat(tables)
    held = {}
    for name, table in (("fields", cells), ("independent", cells.drop(columns="image"))):
        count = metrics.differential_count(table, CLASSES)
        true = np.tile(SHARES, 200)
        held[name] = ((count["low"] <= true) & (true <= count["high"])).mean()
    assert metrics.differential_count(cells, CLASSES)["overdispersion"].mean() == pytest.approx(2, abs=0.15)
    assert held["fields"] == pytest.approx(0.95, abs=0.025)
    assert held["independent"] < 0.88


def test_few_fields_have_no_overdispersion_and_say_so():
    cells = cells_of([6, 3, 3]).assign(image=["a", "b", "c", "d"] * 3)
    table = metrics.differential_count(cells, CLASSES)
    assert table["overdispersion"].isna().all()
    pd.testing.assert_frame_equal(table, metrics.differential_count(cells.drop(columns="image"), CLASSES))


def test_no_cells_and_other_classes_are_refused():
    with pytest.raises(ValueError, match="a count needs cells and classes, got 0 cells of 3 classes"):
        metrics.differential_count(cells_of([0, 0, 0]), CLASSES)
    with pytest.raises(ValueError, match="predicted_class must be among neutrophil, got 'lymphocyte'; leave it out"):
        metrics.differential_count(cells_of([1, 1, 0]), CLASSES[:1])
