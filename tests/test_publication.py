"""Nothing that is given to others names a folder or a user of this machine."""

import json
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers import reports, sweeps
from helpers.book import pages, result_tables, results
from helpers.project import CHECKOUT, Project
from helpers.publication import without_paths
from helpers.runs import notebooks, profiles, runner

SHOWS = """
from helpers import processes
processes.configure()
import pathlib, warnings
import pandas as pd
from helpers import datasets
from helpers.reports import tables
from helpers.project import Project
data = datasets.load(dataset)
pathlib.Path("outputs").mkdir()
print(pathlib.Path.home(), pathlib.Path(tables.__file__))
found = pd.DataFrame({"class": data.classes, "value": [1.0] * len(data.classes)})
tables.save_table(found, pathlib.Path("outputs/one-classes.csv"), ["class"])
"""
HOSTILE = "<script>alert(1)</script>"
BAR = "a|b"


@pytest.fixture
def house(tmp_path, empty_project, monkeypatch):
    """A project in the home of a user, with a notebook that reads images of the user's own."""
    home = tmp_path / "home" / "ann-example"
    root = home / "checkout"
    for name in (BAR, "=1+1", "plain"):
        (home / "cells" / name).mkdir(parents=True)
        Image.fromarray(np.full((8, 8, 3), 40 + len(name), np.uint8)).save(home / "cells" / name / "0.png")
    monkeypatch.setenv("HOME", str(home))
    empty_project(root)
    made = [nbformat.v4.new_code_cell("dataset = ''\nseed = 0", metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(SHOWS)]
    whole = nbformat.v4.new_notebook(cells=made, metadata={"language_info": {"name": "python"}})
    nbformat.write(whole, root / "notebooks" / "00-one.ipynb")
    return root


def read(house, text):
    (house / "try.yaml").write_text(text.replace("CELLS", f"folder:{house.parent / 'cells'}"))
    return profiles.read_profile(house / "try.yaml")


def private(house, *texts):
    """The words of this machine that stand in texts."""
    words = ("ann-example", str(house), str(CHECKOUT))
    return [word for word in words for text in texts if word in text]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("folder:/home/ann/cells", "folder:cells"),
        ("folder:~/a b/cells, new/", "folder:cells, new"),
        ("folder:C:\\Users\\Ann\\cells", "folder:cells"),
        (
            {"dataset": "folder:/home/ann/cells", "n": [1, "folder:/x/y"]},
            {"dataset": "folder:cells", "n": [1, "folder:y"]},
        ),
        (
            "dataset = \"folder:/home/ann/cells\"\nother = 'folder:/b/c'",
            "dataset = \"folder:cells\"\nother = 'folder:c'",
        ),
        (f"{CHECKOUT}/helpers/runs/runner.py:3", "helpers/runs/runner.py:3"),
        (f"in {CHECKOUT}", "in ."),
        (
            f"{CHECKOUT}-2/x and {CHECKOUT}2",
            f"{CHECKOUT}-2/x and {CHECKOUT}2",
        ),
        ("cnmc", "cnmc"),
        (3.5, 3.5),
        (None, None),
    ],
)
def test_places_of_this_machine_are_left_out(value, wanted):
    assert without_paths(value) == wanted


def test_the_home_of_the_user_is_left_out(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    assert without_paths("/home/ann/x.py: warning") == "~/x.py: warning"
    assert without_paths("/home/anna/x and '/home/ann'") == "/home/anna/x and '~'"
    monkeypatch.setenv("HOME", "/")
    assert without_paths("/usr/x") == "/usr/x"


def test_a_run_on_images_of_ones_own_publishes_no_place(house):
    profile = read(house, "notebooks: {00-one: {dataset: 'CELLS'}}")
    (record,) = runner.run(profile)
    assert record.status == "done", record.error
    assert not runner.run(profile)[0].repeated
    results.publish(profile, [record], "python -m helpers publish try")
    build = house / "build" / "try"
    noted = nbformat.read(build / "notebooks" / "00-one.ipynb", 4)
    shown = notebooks.prepare_for_book(noted)
    given = [(build / "records" / "00-one.json").read_text(), json.dumps(noted.metadata), nbformat.writes(shown)]
    given += [path.read_text() for path in Project.current().results.iterdir()]
    given += [pages.status("try", [record]), result_tables.appendix()]
    assert private(house, *given) == []
    assert "folder:cells" in pages.status("try", [record])
    assert "folder:cells" in (Project.current().results / "try-one-classes.json").read_text()
    assert "~ " in next(o.text for cell in shown.cells for o in cell.get("outputs", []) if "text" in o)
    assert "'=1+1" in (Project.current().results / "try-one-classes.csv").read_text()
    table, _ = results.read_result("try-one-classes")
    assert sorted(table["class"]) == ["=1+1", "a|b", "plain"]
    assert re.search(r">a\|b</t[dh]><td[^>]*>1\.000<", result_tables.result_table("try-one-classes"))


def test_a_failure_keeps_no_place_in_its_record(house):
    profile = read(house, "notebooks: {00-one: {dataset: 'CELLS'}}")
    (house.parent / "cells" / "plain" / "0.png").write_bytes(b"no picture")
    (record,) = runner.run(profile)
    assert record.status == "failed"
    assert "ann-example" in record.error  # on the screen of its user
    assert private(house, (house / "build" / "try" / "records" / "00-one.json").read_text()) == []


def test_a_sweep_on_images_of_ones_own_publishes_no_place_and_shows_names_as_they_are(house):
    profile = read(house, "notebooks: {00-one: {dataset: 'CELLS'}}\ngrid: {seed: [1, 2]}\nreport_metrics: ['one-*']\n")
    with sweeps.connect_cluster(workers=1) as client:
        rows = sweeps.run(profile, client)
    assert rows[0].done, rows[0].error
    report = sweeps.write_report(profile).read_text()
    sweeps.publish(profile, rows, "python -m helpers publish try")
    place = house / "build" / "try" / "sweep"
    kept = [(place / name).read_text() for name in ("rows.jsonl", "runs.csv")]
    noted = [json.dumps(nbformat.read(path, 4).metadata) for path in (place / "notebooks").iterdir()]
    assert private(house, report, *kept, *noted, *(p.read_text() for p in Project.current().results.iterdir())) == []
    assert "| a&#124;b | 1.000 [1.000, 1.000] | 2 |" in report
    assert pd.read_csv(place / "runs.csv").shape[0] == 2


def test_markup_in_names_and_captions_is_shown_and_not_carried_out(monkeypatch, tmp_path):
    table = pd.DataFrame({f"class {HOSTILE}": [HOSTILE, BAR], "n": [1, None]})
    shown = reports.show_table(table).to_markdown()
    assert shown.splitlines() == [
        "| class &lt;script&gt;alert(1)&lt;/script&gt; | n |",
        "|---|---:|",
        "| &lt;script&gt;alert(1)&lt;/script&gt; | 1 |",
        "| a&#124;b | – |",
    ]
    image = {"image/png": {"alt": HOSTILE, "caption": f"Cells of {HOSTILE} and {BAR}."}}
    output = nbformat.v4.new_output("display_data", {"image/png": "aGk="}, metadata=image)
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    (made,) = notebooks.prepare_for_book(nbformat.v4.new_notebook(cells=[cell])).cells
    caption = made.metadata["mystnb"]["figure"]["caption"]
    assert caption == "Cells of &lt;script&gt;alert(1)&lt;/script&gt; and a&#124;b."
