"""What is known of fields: types of the cells, shares in the blood, and the error that each step adds."""

import numpy as np
import pandas as pd
import pytest

from helpers import datasets
from helpers.counting import reference

CLASSES = ["lymphoblast", "lymphocyte", "neutrophil"]


@pytest.fixture(scope="module")
def fields():
    return datasets.load("synthetic", task="fields", n_images=60, n_patients=3, size=64)


def boxes(rows):
    return pd.DataFrame(rows, columns=["image_id", "group", "left", "top", "right", "bottom", "label"])


def test_every_cell_of_a_field_has_its_type(fields):
    cells = reference.reference_cells(fields)
    assert len(cells) == fields.frame["types"].map(len).sum()
    first = fields.frame.index[0]
    assert tuple(cells.loc[cells["image_id"] == first, "label"]) == fields.frame.at[first, "types"]


def test_fields_without_types_are_refused():
    data = datasets.load("synthetic", n_images=6, n_patients=3)
    with pytest.raises(ValueError, match="synthetic: has no types of the cells in its fields"):
        reference.reference_cells(data)


def test_detection_has_the_label_of_its_cell_and_an_invented_one_has_none():
    truth = boxes([("a", "P", 0, 0, 20, 20, "monocyte"), ("a", "P", 50, 50, 70, 70, "neutrophil")])
    detected = truth.drop(columns=["group", "label"]).assign(score=[0.5, 0.9])
    invented = pd.DataFrame([("a", 80, 0, 95, 15, 0.7)], columns=detected.columns)
    labelled = reference.label_detections(pd.concat([detected, invented], ignore_index=True), truth)
    assert labelled["label"].tolist() == ["monocyte", "neutrophil", reference.INVENTED]


def test_shares_in_the_blood_are_those_from_which_cells_are_sampled(fields):
    blood = reference.blood_shares(fields, CLASSES).pivot(index="group", columns="class", values="share")
    assert blood.loc["P00", "lymphoblast"] == 0
    assert 0.3 <= blood.loc["P02", "lymphoblast"] <= 0.8  # every third patient is ill
    cells = reference.reference_cells(fields)
    seen = cells.groupby("group")["label"].apply(lambda labels: (labels == "lymphoblast").mean())
    assert seen["P02"] == pytest.approx(blood.loc["P02", "lymphoblast"], abs=0.2)
    assert np.allclose(sum(fields.reader.class_shares(2).values()), 1)


def test_shares_of_real_blood_are_not_known(real):
    with pytest.raises(ValueError, match="known for synthetic patients only"):
        reference.blood_shares(real("bccd", whole_fields=True), CLASSES)


def test_errors_are_those_of_all_patients_and_classes_also_of_those_without_a_cell():
    blood = pd.DataFrame({"group": "P", "class": CLASSES, "share": [0.1, 0.3, 0.6]})
    counted = pd.DataFrame({"group": "P", "class": CLASSES[1:], "share": [0.35, 0.65]})
    table = reference.errors_by_step({"counted": counted, "true": blood}, blood).set_index("step")
    assert table.loc["counted", "mean absolute error"] == pytest.approx(20 / 3)
    assert table.loc["counted", "largest error"] == pytest.approx(10)
    assert table.loc["counted", "class"] == "lymphoblast of P"
    assert table.loc["true", "mean absolute error"] == 0
