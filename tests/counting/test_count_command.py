"""The command that counts: tables, overlays, page; corrections; what is wrong is said before the work or beside it."""

import re

import cv2
import numpy as np
import pandas as pd
import pytest
from disc_fields import DIAMETER, disc_field, save_detector_files
from factories import save, write
from red_cells import save_model
from typer.testing import CliRunner

from helpers.cli import app
from helpers.images import image_size
from helpers.project import Project

# x, y and red of each cell. Classes of the model are ill (red above 0.6 of the mean) and well.
CELLS = {
    "P1/a.png": [(100, 80), (300, 200)],
    "P1/b.png": [(100, 180)],
    "P2/c.png": [(8, 100), (240, 180), (470, 250)],
    "P2/d.png": [],
}


def run(*words):
    return CliRunner().invoke(app, ["count", *map(str, words)])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("count")
    for name, middles in CELLS.items():
        save(root / "films" / name, disc_field(middles))
    write(root / "films" / "broken.png", "no image")
    rows = [f"{name},{name[:2]}" for name in CELLS]
    write(root / "groups.csv", "\n".join(["image,group", *rows, "broken.png,P1"]))
    save_detector_files(root)
    save_model(root)
    return root


@pytest.fixture(scope="module")
def counted(place):
    words = ["--model", place / "m.keras", "--detector", place / "discs.keras", "--out", place / "counted"]
    result = run(place / "films", *words, "--groups", place / "groups.csv", "--um-per-pixel", "0.25")
    assert result.exit_code == 1, result.output  # one image is unreadable
    return result.output


def tables(place, name="counted"):
    return {path.stem: pd.read_csv(path) for path in (place / name).glob("*.csv")}


def test_every_cell_has_a_row_with_its_box_and_its_type(place, counted):
    cells = tables(place)["cells"]
    assert cells["image"].value_counts().to_dict() == {"P1/a.png": 2, "P1/b.png": 1, "P2/c.png": 3}
    first = cells.set_index("cell").loc["P1/a.png#1"]
    assert [first["left"], first["top"]] == pytest.approx([100 - DIAMETER / 2, 80 - DIAMETER / 2], abs=4)
    assert first[["p_ill", "p_well"]].idxmax() == f"p_{first['class']}"
    assert cells.filter(regex="^p_").sum(axis=1).tolist() == pytest.approx([1] * 6)


def test_cells_at_the_lower_and_right_border_do_not_count_and_cut_ones_are_referred(place, counted):
    cells = tables(place)["cells"]
    by_x = cells[cells["image"] == "P2/c.png"].sort_values("left")
    assert by_x["cut"].tolist() == [True, False, True]
    assert by_x["counted"].tolist() == [True, True, False]
    assert by_x["refer"].tolist() == [True, False, True]
    assert by_x["reason"].fillna("").tolist() == [
        "cut by the border of the field",
        "",
        "cut by the border of the field",
    ]


def test_counts_are_per_patient_with_intervals(place, counted):
    counts = tables(place)["counts"]
    totals = counts.groupby("group")["total"].first().to_dict()
    assert totals == {"P1": 3, "P2": 2}
    assert (counts["low"] <= counts["share"]).all() and (counts["share"] <= counts["high"]).all()


def test_fields_and_flags_say_what_to_look_at(place, counted):
    fields = tables(place)["fields"].set_index("image")
    assert fields.loc["P2/d.png", "note"] == "no white blood cell"
    assert fields["counted"].sum() == 5
    flags = tables(place)["flags"]
    assert flags[flags["flag"] == "fewer than 100 cells"]["cells"].tolist() == [3, 2]


def test_command_says_what_it_found_and_which_image_it_could_not_read(counted):
    assert "6 white blood cells in 4 fields at 0.25 µm per pixel, 5 counted, 2 referred" in counted
    assert re.search(r"^P1: 3 cells: .*%.*\[", counted, re.MULTILINE)
    assert "1 images could not be read:" in counted
    assert "broken.png: not an image" in counted


def test_overlays_and_page_hold_every_cell(place, counted):
    assert sorted(path.name for path in (place / "counted" / "overlays").rglob("*.png")) == [
        f"{name[-5:]}.overlay.png" for name in CELLS
    ]
    page = (place / "counted" / "report.html").read_text(encoding="utf-8")
    assert page.count("<li><figure>") == 6
    assert "Not for diagnosis" in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_scale_is_measured_on_the_red_cells(place, counted):
    words = ["--model", place / "m.keras", "--detector", place / "discs.keras", "--out", place / "measured"]
    result = run(place / "films" / "P1", *words)
    assert result.exit_code == 0, result.output
    assert tables(place, "measured")["fields"]["um_per_pixel"].tolist() == pytest.approx([0.25, 0.25], rel=0.08)
    assert tables(place, "measured")["counts"]["group"].unique().tolist() == ["P1"]


def test_second_count_says_that_it_replaces_the_first(place, counted):
    words = ["--model", place / "m.keras", "--detector", place / "discs.keras", "--out", place / "twice"]
    first, second = (run(place / "films" / "P1", *words, "--um-per-pixel", "0.25") for _ in range(2))
    assert "cells.csv" not in first.output.splitlines()[0]
    assert "cells.csv" in second.output.splitlines()[0]
    assert "replace" in second.output.splitlines()[0]


def test_scale_that_the_red_cells_contradict_is_a_finding(place, counted):
    words = ["--model", place / "m.keras", "--detector", place / "discs.keras", "--out", place / "wrong"]
    result = run(place / "films" / "P1", *words, "--um-per-pixel", "0.1")
    assert result.exit_code == 0
    assert "P1: fewer than 100 cells (0)" in result.output  # discs of 5 µm are no white blood cells
    assert tables(place, "wrong")["cells"].columns.tolist()[:4] == ["image", "group", "cell", "left"]
    text = " ".join(result.output.split())
    assert "at 0.1 µm per pixel, red cells are 3.1 µm wide, and they are about 7.5" in text


def test_fields_out_of_focus_are_named(place, counted):
    for name, middles in CELLS.items():
        save(place / "blurred" / name, cv2.GaussianBlur(disc_field(middles), (0, 0), 9))
    words = ["--model", place / "m.keras", "--detector", place / "sharp.keras", "--out", place / "b"]
    save_detector_files(place, "sharp", sharpness=0.1)
    result = run(place / "blurred", *words, "--um-per-pixel", "0.25")
    text = " ".join(result.output.split())
    assert "out of focus: 4 of 4 fields are less sharp than those of the training, such as P1/a.png" in text
    assert tables(place, "b")["fields"]["note"].str.contains("out of focus").all()


def test_the_page_shows_how_to_cut_out_the_counted_cells(place, counted, tmp_path, monkeypatch):
    page = (Project.current().book / "how-to-use.md").read_text(encoding="utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "cut_out" in block)
    for folder, made in (("my-fields", "films"), ("counted", "counted")):
        (tmp_path / folder).symlink_to(place / made)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    cells = tables(place)["cells"].set_index("cell")
    whole = cells.index[~cells["cut"]]
    assert {path.stem for path in (tmp_path / "cells").iterdir()} == {name.replace("/", "-") for name in whole}
    assert 0 < len(whole) < len(cells)
    longest = (cells["right"] - cells["left"])["P1/a.png#1"]
    height, width = image_size(tmp_path / "cells" / "P1-a.png#1.png")
    assert height == width == pytest.approx(1.2 * longest, abs=5)


def test_labelled_predictions_correct_the_shares(place, counted):
    rows = ["group,label,p_ill,p_well"]
    for k in range(60):  # a quarter of the ill are called well
        label = "ill" if k % 2 else "well"
        p_ill = 0.9 if label == "ill" and k % 8 != 1 else 0.2
        rows.append(f"V{k % 15},{label},{p_ill},{round(1 - p_ill, 1)}")
    write(place / "validation.csv", "\n".join(rows))
    words = ["--model", place / "m.keras", "--detector", place / "discs.keras", "--out", place / "corrected"]
    words += ["--um-per-pixel", "0.25", "--validation", place / "validation.csv"]
    assert run(place / "films" / "P1", *words).exit_code == 0
    counts = tables(place, "corrected")["counts"].set_index("class")
    assert counts["corrected_share"].sum() == pytest.approx(1)
    assert (counts["corrected_low"] <= counts["corrected_share"]).all()
    assert "the corrected shares do" in (place / "corrected" / "report.html").read_text(encoding="utf-8")
    write(place / "validation.csv", "\n".join([*rows, "V1,ill,often,0.1"]))
    refused = run(place / "films" / "P1", *words)
    assert refused.exit_code == 1
    assert "validation.csv: line 62 has a probability that is no number from 0 to 1" in refused.output

    of_two = [f"model,{rows[0]}", *(f"encoder,{row}" for row in rows[1:])]
    of_two += [f"majority class,V{k % 15},{'ill' if k % 2 else 'well'},0.5,0.5" for k in range(60)]
    write(place / "validation.csv", "\n".join(of_two))
    assert run(place / "films" / "P1", *words).exit_code == 0
    again = tables(place, "corrected")["counts"].set_index("class")
    pd.testing.assert_frame_equal(again, counts)  # the rows of the other model are not read
    write(place / "validation.csv", "\n".join(of_two).replace("encoder", "svm"))
    refused = run(place / "films" / "P1", *words)
    assert refused.exit_code == 1
    assert "predictions of 'svm', 'majority class', none of 'encoder', the model of the card" in refused.output


def test_corrections_are_counted_and_shown(place, counted):
    before = tables(place)["counts"].set_index(["group", "class"])["n"]
    rows = ["P1/a.png,P1/a.png#1,no cell", "P2/d.png,,ill", "P2/c.png,P2/c.png#2,ill"]
    write(place / "corrections.csv", "\n".join(["image,cell,class", *rows]))
    words = ["--model", place / "m.keras", "--out", place / "counted", "--correct", place / "corrections.csv"]
    result = run(place / "films", *words)
    assert result.exit_code == 0, result.output
    after = tables(place)["counts"].set_index(["group", "class"])["n"]
    assert after["P1"].sum() == before["P1"].sum() - 1
    assert after["P2", "ill"] >= 2
    assert after["P2"].sum() == before["P2"].sum() + 1
    assert "An expert has corrected 3 cells." in (place / "counted" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--correct", "none.csv", "--um-per-pixel", "0.2"], "--correct changes a finished count; leave out"),
        (["--correct", "none.csv", "--out", "nowhere"], "cells.csv: no such file; count the fields before you correct"),
        (["--detector", "none.keras"], "none.keras: no model file can be read here"),
        (["--um-per-pixel", "50"], "50.0 µm per pixel must be from 0.01 to 10.0"),
    ],
)
def test_wrong_options_are_refused_before_the_work(place, counted, words, message, monkeypatch):
    monkeypatch.chdir(place)
    result = run(
        "films", "--model", "m.keras", *(["--detector", "discs.keras"] if "--detector" not in words else []), *words
    )
    assert result.exit_code == 1
    assert message in result.output
    assert not (place / "nowhere").exists()


def test_folder_without_measurable_red_cells_asks_for_the_scale(place, counted):
    random = np.random.default_rng(20)
    save(place / "noise" / "n.png", random.integers(235, 245, (200, 200, 3)).astype(np.uint8))
    result = run(
        place / "noise", "--model", place / "m.keras", "--detector", place / "discs.keras", "--out", place / "n"
    )
    assert result.exit_code == 1
    assert "--um-per-pixel" in result.output
    assert not (place / "n").exists()
