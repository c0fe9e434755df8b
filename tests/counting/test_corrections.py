"""Corrections by an expert: other types, no cells, missed cells; tables that do not fit are refused whole."""

import pandas as pd
import pytest

from helpers.counting.corrections import apply_corrections
from helpers.datasets import DatasetError

CLASSES = ("lymphocyte", "neutrophil")
FIELDS = pd.DataFrame({"image": ["a.png", "b.png"], "group": ["P1", "P2"]})


@pytest.fixture
def cells():
    return pd.DataFrame(
        {
            "image": "a.png",
            "group": "P1",
            "cell": ["a.png#1", "a.png#2", "a.png#3"],
            "class": "neutrophil",
            "cut": False,
            "counted": [True, True, False],
            "refer": True,
            "reason": "2 classes fit",
            "corrected": False,
        }
    )


def corrected(tmp_path, cells, *rows):
    path = tmp_path / "corrections.csv"
    path.write_text("image,cell,class\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return apply_corrections(cells, FIELDS, path, CLASSES)


def test_cell_gets_another_type_and_is_no_longer_referred(tmp_path, cells):
    after = corrected(tmp_path, cells, "a.png,a.png#2,lymphocyte").set_index("cell")
    assert after["class"].tolist() == ["neutrophil", "lymphocyte", "neutrophil"]
    assert after["refer"].tolist() == [True, False, True]
    assert after["reason"].tolist() == ["2 classes fit", "", "2 classes fit"]
    assert after["corrected"].tolist() == [False, True, False]
    assert cells["class"].unique().tolist() == ["neutrophil"]


def test_object_that_is_no_cell_is_not_counted(tmp_path, cells):
    after = corrected(tmp_path, cells, "a.png,a.png#1,no cell")
    assert after["counted"].tolist() == [False, True, False]


def test_type_of_a_cell_at_the_border_changes_and_it_stays_out(tmp_path, cells):
    after = corrected(tmp_path, cells, "a.png,a.png#3,lymphocyte")
    assert after["counted"].tolist() == [True, True, False]


def test_missed_cells_are_added_with_names_of_their_own(tmp_path, cells):
    once = corrected(tmp_path, cells, "b.png,,lymphocyte", "b.png,,lymphocyte")
    twice = corrected(tmp_path, once, "b.png,,neutrophil", "b.png,b.png#+1,no cell")
    added = twice[twice["image"] == "b.png"]
    assert added["cell"].tolist() == ["b.png#+1", "b.png#+2", "b.png#+3"]
    assert added["group"].tolist() == ["P2"] * 3
    assert added["counted"].tolist() == [False, True, True]
    assert added["class"].tolist() == ["no cell", "lymphocyte", "neutrophil"]


def test_table_that_does_not_fit_is_refused_with_every_line(tmp_path, cells):
    rows = ["a.png,a.png#9,neutrophil", "c.png,,neutrophil", "a.png,a.png#1,blast", "b.png,,no cell"]
    rows += ["a.png,a.png#2,neutrophil", "a.png,a.png#2,lymphocyte"]
    with pytest.raises(DatasetError, match="corrections that do not fit the count; mend the table") as error:
        corrected(tmp_path, cells, *rows)
    assert error.value.problems == [
        "line 2: 'a.png#9' is no cell of the count",
        "line 3: 'c.png' is no field of the count",
        "line 4: 'blast' is none of lymphocyte, neutrophil, no cell",
        "line 5: 'no cell' is none of lymphocyte, neutrophil",
        "line 7: 'a.png#2' is corrected twice",
    ]
