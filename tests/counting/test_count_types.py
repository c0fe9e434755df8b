"""Types per patient: what is counted, what is corrected for confusion, and what an expert is told to look at."""

import numpy as np
import pandas as pd
import pytest

from helpers.counting.differential import count_types, describe_missing_flags, flag_patients

CLASSES = ("lymphoblast", "lymphocyte", "neutrophil", "platelet")


def cells(numbers, group="P1"):
    """Cells of a patient, as many of each class as ``numbers`` says, five in a field."""
    names = np.repeat(list(numbers), list(numbers.values()))
    table = pd.DataFrame({"group": group, "class": names, "counted": True, "refer": False})
    table["predicted_class"], table["corrected"] = table["class"], False
    table["image"] = [f"{group}-{k // 5}" for k in range(len(table))]
    for name in CLASSES:
        table[f"p_{name}"] = np.where(table["class"] == name, 0.9, 0.1 / 3)
    return table


def test_shares_are_of_white_blood_cells_that_count():
    table = cells({"neutrophil": 60, "lymphocyte": 40, "platelet": 10})
    table.loc[:19, "counted"] = False  # neutrophils at the border
    table.loc[20:24, "refer"] = True
    counts = count_types(table, CLASSES).set_index("class")
    assert counts["n"].to_dict() == {"lymphoblast": 0, "lymphocyte": 40, "neutrophil": 40, "platelet": 10}
    assert counts.loc["neutrophil", ["total", "share", "referred"]].tolist() == [80, 0.5, 5]
    assert counts.loc["lymphoblast", "high"] > 0.03  # none of 80, and 3 % are possible
    assert np.isnan(counts.loc["platelet", "share"])


def test_confusion_is_taken_back_with_wider_intervals():
    random = np.random.default_rng(20)
    rows = []
    for k in range(400):  # a fifth of the lymphocytes is called neutrophils
        label = ("lymphocyte", "neutrophil", "lymphoblast")[k % 3]
        called = "neutrophil" if label == "lymphocyte" and random.random() < 0.2 else label
        rows.append({"group": f"V{k % 40}", "label": label} | {f"p_{n}": float(n == called) for n in CLASSES})
    seen = cells({"neutrophil": 600, "lymphocyte": 400})
    counts = count_types(seen, CLASSES, validation=pd.DataFrame(rows)).set_index("class")
    row = counts.loc["lymphocyte"]
    assert row["share"] == 0.4
    assert row["corrected_share"] == pytest.approx(0.5, abs=0.04)  # 0.4 / 0.8
    assert row["corrected_low"] < 0.5 < row["corrected_high"]
    assert row["corrected_high"] - row["corrected_low"] > row["high"] - row["low"]


def test_patient_without_a_counted_cell_has_no_row():
    none = cells({"neutrophil": 5}).assign(counted=False)
    assert count_types(none, CLASSES).empty
    assert "corrected_share" not in count_types(cells({"neutrophil": 5}), CLASSES)


def test_flags_name_the_patients_to_look_at_first():
    few = cells({"neutrophil": 30, "lymphoblast": 2}, "P1")
    many = cells({"neutrophil": 150}, "P2")
    many.loc[:39, "refer"] = True
    many.loc[40, "predicted_class"] = "lymphoblast"  # at the threshold, and more probably a neutrophil
    flags = flag_patients(pd.concat([few, many], ignore_index=True), ["P1", "P2", "P3"])
    assert list(flags.itertuples(index=False, name=None)) == [
        ("P1", "fewer than 100 cells", 32),
        ("P1", "blasts seen", 2),
        ("P2", "blasts seen", 1),
        ("P2", "many cells referred", 40),
        ("P3", "fewer than 100 cells", 0),
    ]


@pytest.mark.parametrize(
    ("types", "flagged"),
    [
        ({"neutrophil": 180, "band": 20}, []),
        ({"neutrophil": 179, "band": 21}, [("left shift", 21)]),
        ({"neutrophil": 199, "myelocyte": 1}, [("left shift", 1)]),
        ({"neutrophil": 190, "band": 9, "ig": 1}, [("left shift", 10)]),
    ],
)
def test_left_shift_is_an_immature_granulocyte_or_many_bands(types, flagged):
    flags = flag_patients(cells(types, "P1"), ["P1"])
    assert list(flags[["flag", "cells"]].itertuples(index=False, name=None)) == flagged


def test_classes_are_no_white_cells_in_capital_letters_either():
    seen = cells({"neutrophil": 9, "Erythroblast": 3}, "P1")
    counts = count_types(seen, ["neutrophil", "Erythroblast"]).set_index("class")
    assert counts.loc["neutrophil", ["n", "total", "share"]].tolist() == [9, 9, 1]
    assert np.isnan(counts.loc["Erythroblast", "share"])
    assert flag_patients(seen, ["P1"]).set_index("flag").loc["fewer than 100 cells", "cells"] == 9


def test_flags_that_no_class_can_raise_are_told():
    assert describe_missing_flags(["Lymphoblast", "neutrophil", "Band"]) == []
    blasts, shift = describe_missing_flags(["blasts", "neutrophil"])
    assert blasts == (
        "no flag 'blasts seen' can be raised: none of the model's classes ('blasts', 'neutrophil') is called "
        "'lymphoblast', 'all' or 'blast'; if one is meant, train with a folder of that name"
    )
    assert shift.startswith("no flag 'left shift' can be raised")
