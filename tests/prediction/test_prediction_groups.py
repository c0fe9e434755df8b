"""Predictions per group: the mean over the images of a patient, and tables of groups that do not fit."""

import numpy as np
import pandas as pd
import pytest
from factories import write
from red_cells import CARD, red_model, save_cells, save_model
from typer.testing import CliRunner

from helpers import datasets, metrics, outputs, prediction
from helpers.cli import app

CELLS = {"a/1.png": 0.8, "a/2.png": 0.2, "b/1.png": 1.0, "b/2.png": 0.4, "3.png": 0.55}
GROUPS = "image,group\na/1.png,P1\na/2.png,P1\nb/1.png,P2\nb/2.png,P2\n3.png,P3\n"


@pytest.fixture(scope="module")
def model():
    return red_model()


@pytest.fixture
def cells(tmp_path):
    save_cells(tmp_path / "cells", CELLS)
    return tmp_path / "cells"


def predicted(model, folder, groups, card=CARD):
    table = write(folder.parent / "groups.csv", groups)
    paths = datasets.find_images(folder)
    return prediction.predict(paths, model, card, folder.parent / "p.csv", folder=folder, groups_table=table)


def test_a_group_has_the_mean_of_its_images_and_its_class_at_the_threshold(model, cells):
    result = predicted(model, cells, GROUPS)
    saved = pd.read_csv(cells.parent / "p-per-group.csv")
    pd.testing.assert_frame_equal(saved, result.per_group, check_dtype=False, rtol=1e-6)
    assert list(saved.columns) == [
        *("group", "images", "p_ill", "p_well", "predicted_class", "image_threshold", "share_ill", "share_well")
    ]
    saved = saved.set_index("group")
    assert saved["images"].to_dict() == {"P1": 2, "P2": 2, "P3": 1}
    assert saved["p_ill"].round(2).to_dict() == {"P1": 0.5, "P2": 0.7, "P3": 0.55}
    # At the threshold of 0.6 the third is well, though ill is more probable.
    assert saved["predicted_class"].to_dict() == {"P1": "well", "P2": "ill", "P3": "well"}
    assert saved["share_ill"].to_dict() == {"P1": 0.5, "P2": 0.5, "P3": 0.0}
    assert saved["image_threshold"].unique().tolist() == [0.6]


def test_means_are_those_of_the_evaluation(model, cells):
    result = predicted(model, cells, GROUPS)
    table = result.table.rename(columns={"image": "image_id"}).set_index("image_id").assign(label="ill", fold=0)
    expected = metrics.aggregate_by_group(table)
    np.testing.assert_allclose(result.per_group["p_ill"], expected["p_ill"])
    assert result.per_group["group"].tolist() == expected.index.tolist()


def test_the_table_of_images_has_the_group_beside_the_image(model, cells):
    predicted(model, cells, GROUPS)
    table = pd.read_csv(cells.parent / "p.csv")
    assert list(table.columns) == ["image", "group", "p_ill", "p_well", "predicted_class", "threshold"]
    assert dict(zip(table["image"], table["group"], strict=True)) == {
        "3.png": "P3", "a/1.png": "P1", "a/2.png": "P1", "b/1.png": "P2", "b/2.png": "P2",
    }  # fmt: skip


def test_a_group_without_a_readable_image_stays_in_the_table(model, cells):
    (cells / "3.png").write_bytes(b"no image")
    result = predicted(model, cells, GROUPS)
    assert len(result.bad) == 1
    last = result.per_group.set_index("group").loc["P3"]
    assert last["images"] == 0
    assert last.drop("images").isna().all()
    assert result.per_group["group"].tolist() == ["P1", "P2", "P3"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("image,patient\n3.png,P3\n", "group"),
        (GROUPS.replace("3.png", "4.png"), r"4\.png: in the table, but there is no such image \(line 6\)"),
        (GROUPS.replace("3.png,P3\n", ""), r"3\.png: an image without a row in the table"),
        (GROUPS + "3.png,P4\n", r"3\.png: occurs more than once \(line 7\)"),
        (GROUPS.replace("P3", "?"), r"images without a group; name the patient, or the image itself\n  - 3\.png: '\?'"),
        (GROUPS.replace("a/1.png", "1.png"), r"1\.png: fits a/1\.png, b/1\.png; write its path \(line 2\)"),
    ],
)
def test_a_table_that_does_not_fit_the_images_stops_before_the_first_image(cells, groups, message):
    with pytest.raises(datasets.DatasetError, match=message):
        predicted(None, cells, groups)  # no model: an image would be an error of its own
    assert not (cells.parent / "p.csv").exists()


def test_a_table_elsewhere_names_the_folder_of_the_images(cells):
    with pytest.raises(datasets.DatasetError, match=r"groups\.csv: does not match the images in .*cells; correct"):
        predicted(None, cells, GROUPS.replace("3.png", "4.png"))


def test_many_classes_have_the_positive_one_from_the_threshold_on(cells):
    card = CARD.model_copy(update={"classes": ["ill", "pale", "well"], "threshold": 0.3})
    result = predicted(red_model(3), cells, GROUPS, card)
    by_image = result.table.set_index("image")["predicted_class"]
    assert by_image["b/2.png"] == "ill"  # 0.4, and 0.3 of each other class
    assert by_image["a/2.png"] == "pale"  # 0.2, and the first of two equal ones
    assert result.per_group["share_pale"].tolist() == [0.5, 0.0, 0.0]


def test_masks_and_maps_beside_the_images_are_not_classified(model, cells):
    save_cells(cells, {"3.png.mask.png": 0.5, "a/1.png.overlay.png": 0.5, "a/1.png.maps.png": 0.5})
    result = predicted(model, cells, GROUPS)
    assert (len(result.table), result.skipped) == (5, 3)
    with pytest.raises(outputs.OutputError, match="all 1 files are masks, overlays or maps that a command has written"):
        prediction.predict([cells / "3.png.mask.png"], model, CARD, cells.parent / "p.csv")


def test_the_command_says_what_the_threshold_means_for_a_group(cells, tmp_path):
    write(tmp_path / "groups.csv", GROUPS)
    words = ["predict", str(cells), "--model", str(save_model(tmp_path)), "--out", str(tmp_path / "p.csv")]
    done = CliRunner().invoke(app, [*words, "--groups", str(tmp_path / "groups.csv")])
    assert done.exit_code == 0, done.output
    assert f"5 images classified into {tmp_path / 'p.csv'}: well 3, ill 2" in done.output
    assert f"3 groups by their mean in {tmp_path / 'p-per-group.csv'}: well 2, ill 1" in done.output
    assert "The threshold was chosen for single images; the model card has no test of it on the mean" in done.output
    again = CliRunner().invoke(app, [*words, "--groups", str(tmp_path / "groups.csv")])
    assert "p-per-group.csv: exists from an earlier run and will be replaced" in again.output


def test_tables_of_the_command_itself_are_no_files_left_out(cells, tmp_path):
    write(cells / "groups.csv", GROUPS)
    words = ["predict", str(cells), "--model", str(save_model(tmp_path)), "--out", str(cells / "p.csv"), "--html"]
    for _ in range(2):
        done = CliRunner().invoke(app, [*words, "--groups", str(cells / "groups.csv")])
        assert done.exit_code == 0, done.output
        assert "left out" not in done.output
    write(cells / "notes.txt", "of another kind")
    with pytest.warns(UserWarning, match=r"left out other files \(1 \.txt\)"):
        datasets.find_images(cells, [cells / name for name in ("groups.csv", "p.csv", "p-per-group.csv", "p.html")])
