"""Kept numbers come with where they come from, and pages show both."""

import dataclasses
import json
import os
import re
import subprocess

import pandas as pd
import pytest

from helpers import plots
from helpers.book import pages, republishing, result_tables, results, story
from helpers.datasets.synthetic import morphology
from helpers.project import Project
from helpers.runs import notebooks, profiles, provenance, records


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path))
    return tmp_path / "book" / "results"


def test_a_limit_on_threads_is_told_of(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert provenance.current().threads == {"OpenMP": "5", "TensorFlow": "3"}
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda number: {0, 1, 4}, raising=False)
    assert provenance.current().threads == {"OpenMP": "5", "TensorFlow": "3"}
    assert provenance.current().hardware.startswith(f"{os.cpu_count()} cores, ")


def test_the_commit_is_that_of_the_project_or_none(tmp_path, monkeypatch):
    inner = tmp_path / "outer" / "leukobook"
    (inner / "helpers").mkdir(parents=True)
    git = ["git", "-C", str(tmp_path / "outer"), "-c", "user.name=a", "-c", "user.email=a@b"]
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(inner))
    assert provenance.commit() == "none"
    (inner / "helpers" / "a.py").write_text("")
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "outer"]):
        subprocess.run([*git, *words], check=True)
    assert provenance.commit() == "none"  # of somebody else
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path / "outer"))
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert provenance.commit() == head
    (tmp_path / "outer" / "helpers").mkdir()
    (tmp_path / "outer" / "helpers" / "b.py").write_text("")
    assert provenance.commit() == f"{head}+changes"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.commit() == "none"  # without git


def test_where_runs_differ_their_provenance_says_both():
    one = provenance.Provenance("aa", "2 cores", {"OpenMP": "1", "TensorFlow": "1"}, "3.11.7", {"numpy": "2.4.6"})
    two = provenance.Provenance("aa", "8 cores", {"OpenMP": "1", "TensorFlow": "8"}, "3.11.7", {"keras": "3.15.1"})
    both = provenance.merge([two, one])
    assert (both.commit, both.hardware, both.python) == ("aa", "2 cores or 8 cores", "3.11.7")
    assert both.threads == {"OpenMP": "1", "TensorFlow": "1 or 8"}
    assert both.versions == {"numpy": "2.4.6", "keras": "3.15.1"}
    assert provenance.short("0123456789abcdef" * 2 + "+changes or none") == "0123456789ab+changes or none"


def test_a_result_is_saved_with_its_provenance_and_shown_with_it(folder):
    table = pd.DataFrame({"part": ["nucleus", "cell"], "dice": [0.912, 0.95], "low": [0.9, float("nan")]})
    made = provenance.Provenance("ab" * 20 + "+changes", "2 cores", {"OpenMP": "1", "TensorFlow": "2"}, "3.11", {})
    about = ("benchmarks/x.py", "python benchmarks/x.py", {"seed": 20}, "ab" * 32, "2026-11-21T08:00:00+00:00")
    path = results.save_result("x-dice", table, results.ResultNote(*about, made))
    assert path == folder / "x-dice.csv"
    assert pd.read_csv(path).equals(table)
    note = json.loads(path.with_suffix(".json").read_text())
    assert set(note) == {
        "made_by", "command", "parameters", "data_sha256", "finished", "commit", "hardware", "threads", "python",
        "versions", "sha256",
    }  # fmt: skip
    assert results.read_result("x-dice")[1] == results.ResultNote(*about, made)
    assert not list(folder.glob("part-*"))
    shown = result_tables.result_table("x-dice")
    assert [re.findall(r">([^<]*)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", shown)] == [
        ["part", "Dice", "low"], ["nucleus", "0.912", "0.900"], ["cell", "0.950", "–"],
    ]  # fmt: skip
    origin = shown.partition("<summary>Provenance</summary>")[2]
    assert "benchmarks/x.py (seed = 20); <code>python benchmarks/x.py</code>; data SHA-256 <code>abababababab" in origin
    assert "<code>abababababab+changes</code>; 2 cores, threads: OpenMP 1, TensorFlow 2, Python 3.11; 2026-11" in origin
    assert result_tables.appendix().startswith("## Synthetic cells against real ones\n\n(x-dice)=\n### x-dice")


def test_a_table_without_its_own_note_is_not_shown(folder):
    made = provenance.Provenance("none", "2 cores", {"OpenMP": "1", "TensorFlow": "2"}, "3.11", {})
    note = results.ResultNote("x.py", "python x.py", {"seed": 20}, "", "2026", made)
    path = results.save_result("x", pd.DataFrame({"a": [1]}), note)
    path.write_text("a\n2\n")  # as after a kill between the two
    with pytest.raises(results.ResultError, match=r"x.csv: is not the table of x.json; publish it again"):
        result_tables.result_table("x")
    path.with_suffix(".json").unlink()
    with pytest.raises(results.ResultError, match=r"x.csv: table or note cannot be read"):
        result_tables.result_table("x")


def test_the_status_page_has_the_provenance_of_the_run():
    made = []
    for name, hardware, seconds in (("00-a", "2 cores", 30.0), ("01-b", "8 cores", 120.0)):
        origin = provenance.Provenance("cd" * 20, hardware, {"OpenMP": "1", "TensorFlow": "2"}, "3.9", {"keras": "9"})
        made.append(records.Record(name, "done", seconds, {}, "2026", origin))
    shown = pages.status("try", made)
    assert shown.startswith(
        "All 2 chapters of the run `try` ran to their end, in 2.5 minutes together; 01-b took longest"
    )
    assert (
        "commit `cdcdcdcdcdcd`; it ran on 2 cores or 8 cores, threads: OpenMP 1, TensorFlow 2, with Python 3.9" in shown
    )
    assert "| 00-a | ran to its end | 30 s | as in the notebook |" in shown
    failed = pages.status("try", [made[0], dataclasses.replace(made[1], status="failed")])
    assert failed.startswith("1 of 2 chapters of the run `try` ran to their end")
    assert "| 01-b | failed | 120 s |" in failed
    assert "| keras | 9 |" in shown


def test_committed_results_all_have_their_provenance():
    tables = sorted(Project.current().results.glob("*.csv"))
    assert tables
    for path in tables:
        _, note = results.read_result(path.stem)
        assert not note.provenance.commit.endswith("+changes"), f"{path.name} was made with uncommitted changes"
        assert all((note.made_by, note.command, note.data_sha256, note.finished, note.provenance.hardware))
    assert {path.stem for path in tables} == {path.stem for path in Project.current().results.glob("*.json")}


def test_a_table_whose_run_had_other_parameters_says_which(monkeypatch):
    name = "full-cnmc-trust-trust-mistakes"
    note = results.read_result(name)[1]
    changed = dataclasses.replace(note, parameters=note.parameters | {"size": 1, "gone": 2})
    assert set(republishing.changed_parameters(changed)) >= {"gone", "size"}
    assert "`gone`" in republishing.parameters_line(changed)
    same = dataclasses.replace(note, parameters=_now(note))
    assert republishing.parameters_line(same) == ""
    monkeypatch.setattr(results, "read_result", lambda _: (pd.DataFrame({"n": [1]}), changed))
    assert "to be published again" in result_tables.appendix()


def test_a_table_of_a_profile_or_chapter_that_is_gone_is_compared_with_nothing(folder):
    note = results.ResultNote("chapter trust", "python -m helpers publish gone", {"n": 1}, "", "", provenance.current())
    assert republishing.changed_parameters(note) == []


def test_the_parameters_of_a_sweep_are_compared_with_its_grid():
    note = results.read_result("sweep-mistakes")[1]
    assert republishing.changed_parameters(note) == []
    inner = note.parameters["trust"] | {"seed": [1, 2]}
    other = dataclasses.replace(note, parameters={"trust": inner})
    assert republishing.changed_parameters(other) == ["seed"]


def test_the_warning_counts_the_tables_of_earlier_runs(monkeypatch):
    names = [path.stem for path in Project.current().results.glob("*.csv")]
    days = [results.read_result(name)[1].finished[:10] for name in names]
    older = sum(day < republishing.CORRECTED for day in days)
    text = republishing.summary()
    assert (f"{older} of {len(names)} tables" in text) if older else text == ""
    monkeypatch.setattr(republishing, "CORRECTED", "2000-01-01")
    assert republishing.summary() == ""
    monkeypatch.setattr(republishing, "CORRECTED", "2100-01-01")
    assert f"{len(names)} of {len(names)} tables" in republishing.summary()


def _now(note):
    """The parameters that the profile of a table has now."""
    profile = profiles.read_profile(Project.current().profiles / f"{note.command.split()[-1]}.yaml")
    chapters = {notebooks.chapter_name(name): chapter for name, chapter in profile.notebooks.items()}
    return chapters[note.made_by.removeprefix("chapter ")].values()


def test_committed_results_are_named_after_their_chapter_so_that_a_new_chapter_renames_none():
    names = {}
    for path in Project.current().results.glob("*.json"):
        note = json.loads(path.read_text(encoding="utf-8"))
        if note["made_by"].startswith("chapter "):
            profile, chapter = note["command"].split()[-1], note["made_by"].removeprefix("chapter ")
            names[path.stem] = f"{profile}-{chapter}-"
    assert len(names) > 40
    assert [name for name, start in names.items() if not name.startswith(start)] == []


def test_the_table_of_cells_shows_every_kind_and_its_ranges():
    shown = pages.morphology_table(pages.NORMAL) + pages.morphology_table(morphology.FAB)
    for name, look in (pages.NORMAL | morphology.FAB).items():
        assert f" {name} |" in shown
        assert f"{look.diameter[0]:g} to {look.diameter[1]:g}" in shown
        for source in look.source:
            assert source in shown


def test_a_page_without_its_figure_is_refused_with_the_reason():
    with pytest.raises(results.ResultError, match="a page lacks a figure: there are no images"):
        story.as_figure(plots.image_grid({}, "c"))


@pytest.mark.parametrize("figure", [pages.drawing, pages.three_stains, pages.field, pages.overlap, pages.defects])
def test_figures_of_the_page_say_what_they_show(figure):
    picture = figure()
    assert len(picture.alt) > 20
    assert len(picture.caption) > 20
    assert picture._repr_mimebundle_()[0]["image/png"][:4] == b"\x89PNG"


def test_every_stored_table_has_the_parameters_that_its_profile_has_now():
    """A table whose profile or chapter has changed since is no result of today's code."""
    changed = {}
    for path in sorted(Project.current().results.glob("*.csv")):
        parameters = republishing.changed_parameters(results.read_result(path.stem)[1])
        if parameters:
            changed[path.stem] = parameters
    assert changed == {}
    assert republishing.summary() == ""
