"""Counts are compared with people's differentials: bias and limits by class, chance, and tables that do not fit."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.counting import agreement
from helpers.datasets import DatasetError

CLASSES = ("lymphocyte", "neutrophil")


def write_counts(folder, shares, total=100):
    """counts.csv with so many per cent of lymphocytes of each group, and a class without a share."""
    rows = [
        {"group": group, "class": name, "n": n, "total": total, "share": n / total}
        for group, share in shares.items()
        for name, n in zip(CLASSES, (share, total - share), strict=True)
    ]
    rows.append({"group": next(iter(shares)), "class": "platelet", "n": 7, "total": None, "share": None})
    path = folder / "counts.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def write_reference(folder, lines, header="group,class,n"):
    path = folder / "reference.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def compare(folder, shares, lines, **options):
    counts = agreement.read_counts(write_counts(folder, shares))
    reference = agreement.read_reference(write_reference(folder, lines, **options), counts)
    return agreement.compare_differentials(counts, reference, seed=20).set_index("class")


def test_bias_limits_and_slope_are_those_of_the_differences(tmp_path):
    shares = {f"F{k}": 20 + 3 * k for k in range(12)}
    truth = {f"F{k}": 18 + 3 * k + (k % 2) for k in range(12)}
    lines = [f"{group},lymphocyte,{n}" for group, n in truth.items()]
    lines += [f"{group},neutrophil,{100 - n}" for group, n in truth.items()]
    table = compare(tmp_path, shares, lines)
    difference = np.array([shares[name] - truth[name] for name in shares], float)
    row = table.loc["lymphocyte"]
    assert row["bias"] == pytest.approx(difference.mean()) == 1.5
    assert row["upper_limit"] - row["bias"] == pytest.approx(1.96 * difference.std(ddof=1))
    assert table.loc["neutrophil", "bias"] == pytest.approx(-1.5)
    assert row["bias_low"] < 1.5 < row["bias_high"]
    assert row[["films", "patients", "beyond_chance"]].tolist() == [12, 12, 0]
    assert row["reference"] == pytest.approx(np.mean(list(truth.values())))


def test_differences_beyond_chance_are_counted_by_the_numbers_of_cells(tmp_path):
    shares = dict.fromkeys(("F1", "F2"), 40)
    lines = ["F1,lymphocyte,80", "F1,neutrophil,120", "F2,lymphocyte,20", "F2,neutrophil,180"]
    assert compare(tmp_path, shares, lines)["beyond_chance"].tolist() == [1, 1]


def test_a_class_that_a_person_did_not_see_has_no_cell(tmp_path):
    table = compare(tmp_path, {"F1": 4, "F2": 2}, ["F1,neutrophil,100", "F2,neutrophil,100"])
    assert table.loc["lymphocyte", ["reference", "bias"]].tolist() == [0.0, 3.0]


def test_films_of_one_patient_are_one_group(tmp_path):
    shares = {f"F{k}": 30 for k in range(4)}
    lines = [f"F{k},{name},{n},P{k // 2}" for k in range(4) for name, n in zip(CLASSES, (25 + k, 75 - k), strict=True)]
    table = compare(tmp_path, shares, lines, header="group,class,n,patient")
    assert table.loc["lymphocyte", ["films", "patients"]].tolist() == [4, 2]
    assert table.loc["lymphocyte", "interval"] == "range of groups"


@pytest.mark.parametrize(
    ("lines", "header", "message"),
    [
        (["F9,lymphocyte,3"], "group,class,n", "line 2: 'F9' is no group of the count, which has F1, F2"),
        (["F1,blast,3"], "group,class,n", "line 2: 'blast' is no class of the count, which has lymphocyte, neutrophil"),
        (["F1,lymphocyte,3.5"], "group,class,n", "line 2 has a number of cells that is no whole number from 0"),
        (["F1,lymphocyte,-1"], "group,class,n", "line 2 has a number of cells that is no whole number from 0"),
        (["F1,lymphocyte,3"] * 2, "group,class,n", "line 3 has a group and class that stand above"),
        (["F1,lymphocyte,0"], "group,class,n", "groups without a counted cell"),
        (["F1,lymphocyte,3,P1", "F1,neutrophil,3,P2"], "group,class,n,patient", "a group has several patients"),
        (["F1,3"], "group,n", "class"),
    ],
)
def test_a_reference_that_does_not_fit_is_refused_before_anything_is_written(tmp_path, lines, header, message):
    counts = write_counts(tmp_path, {"F1": 40, "F2": 50})
    reference = write_reference(tmp_path, lines, header)
    done = CliRunner().invoke(
        app, ["compare-counts", str(counts), str(reference), "--out", str(tmp_path / "agreement.csv")]
    )
    assert done.exit_code == 1
    assert message in " ".join(done.output.split())
    assert "Traceback" not in done.output
    assert not (tmp_path / "agreement.csv").exists()


def test_a_count_without_a_white_cell_is_refused(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("group,class,n,total,share\nF1,platelet,3,,\n")
    with pytest.raises(DatasetError, match="no white blood cell is counted"):
        agreement.read_counts(path)


def test_the_command_prints_and_writes_each_class(tmp_path):
    counts = write_counts(tmp_path, {"F1": 40, "F2": 50})
    reference = write_reference(
        tmp_path, ["F1,lymphocyte,30", "F1,neutrophil,70", "F2,neutrophil,50", "F2,lymphocyte,50"]
    )
    out = tmp_path / "compared" / "agreement.csv"
    done = CliRunner().invoke(app, ["compare-counts", str(counts), str(reference), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "lymphocyte           5.000 (range of groups 0.000 to 10.000), limits" in done.output
    assert "0 of 2 films differ by more than chance makes likely (patients=2)" in done.output
    assert pd.read_csv(out)["class"].tolist() == list(CLASSES)
