"""Kept numbers come with where they come from, and pages show both."""

import json
import os

import pandas as pd
import pytest

from helpers import notebooks, pages, profiles, results
from helpers.datasets.synthetic import morphology
from helpers.sweeps import plan


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def test_a_limit_on_threads_is_told_of(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    assert f"{os.cpu_count()} cores (1 for TensorFlow), " in results.provenance().hardware
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    assert f"{os.cpu_count()} cores, " in results.provenance().hardware


def test_a_result_is_saved_with_its_provenance_and_shown_with_it(folder):
    table = pd.DataFrame({"part": ["nucleus", "cell"], "dice": [0.912, 0.95], "low": [0.9, float("nan")]})
    about = {"command": "python benchmarks/x.py", "parameters": {"seed": 20}, "data_sha256": "ab" * 32}
    path = results.save_result("x-dice", table, "benchmarks/x.py", about, "2026-11-21T08:00:00+00:00")
    assert path == folder / "x-dice.csv"
    assert pd.read_csv(path).equals(table)
    note = json.loads(path.with_suffix(".json").read_text())
    assert set(note) == {
        "made_by", "command", "parameters", "data_sha256", "finished", "commit", "hardware", "python", "versions",
    }  # fmt: skip
    assert note["commit"]
    assert not list(folder.glob("part-*"))
    shown = pages.result_table("x-dice")
    assert "| nucleus | 0.912 | 0.9 |" in shown
    assert "| cell | 0.95 | – |" in shown
    assert "benchmarks/x.py (seed = 20); `python benchmarks/x.py`; data SHA-256 `abababababababab`" in shown
    assert pages.result_tables().startswith("## x-dice")


def test_committed_results_all_have_their_provenance():
    tables = sorted(results.RESULTS.glob("*.csv"))
    assert tables
    for path in tables:
        note = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        assert not note["commit"].endswith("+changes"), f"{path.name} was made with uncommitted changes"
        assert {"made_by", "command", "parameters", "data_sha256", "finished", "hardware", "python"} <= set(note)
    assert {path.stem for path in tables} == {path.stem for path in results.RESULTS.glob("*.json")}


def test_committed_results_were_made_with_the_parameters_that_their_profiles_have_now():
    notes = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.RESULTS.glob("*.json"))]
    published = [note for note in notes if note["command"].startswith("python -m helpers publish ")]
    assert published
    for note in published:
        profile = profiles.read_profile(notebooks.ROOT / "profiles" / f"{note['command'].split()[-1]}.yaml")
        now = {
            name: {**notebooks.defaults(name), **given, **plan.varied(profile, name)}
            for name, given in profile.notebooks.items()
        }
        wanted = now if profile.grid else now[note["made_by"].removeprefix("notebook ")]
        assert note["parameters"] == wanted, f"{note['made_by']} of {profile.name}: publish it again"


def test_the_table_of_cells_shows_every_kind_and_its_ranges():
    shown = pages.morphology_table(pages.NORMAL) + pages.morphology_table(morphology.FAB)
    for name, look in (pages.NORMAL | morphology.FAB).items():
        assert f" {name} |" in shown
        assert f"{look.diameter[0]:g} to {look.diameter[1]:g}" in shown
        for source in look.source:
            assert source in shown


@pytest.mark.parametrize("figure", [pages.drawing, pages.three_stains, pages.field, pages.overlap, pages.defects])
def test_figures_of_the_page_say_what_they_show(figure):
    picture = figure()
    assert len(picture.alt) > 20
    assert len(picture.caption) > 20
    assert picture._repr_mimebundle_()[0]["image/png"][:4] == b"\x89PNG"
