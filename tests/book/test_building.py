"""When the book is rendered, what a failed rendering leaves, and that a renderer dies with whoever has started it."""

import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from helpers import processes
from helpers.book import building, pages
from helpers.project import Project
from helpers.runs import records, runner
from helpers.runs.provenance import Provenance


@pytest.fixture
def desk(tmp_path, empty_build, monkeypatch):
    """A book of one page, ``text``, and a renderer that copies it and fails where it says so; its calls are counted."""
    text, calls = tmp_path / "text", []

    def stage(name, made, folder):
        (folder / "book").mkdir(parents=True, exist_ok=True)
        (folder / "book" / "page").write_text(text.read_text())

    def render(command, environment):
        calls.append(text.read_text())
        html = empty_build / "try" / "book" / "_build" / "html"
        html.mkdir(parents=True)  # afresh each time
        (html / "index.html").write_text(text.read_text())
        if "killed" in text.read_text():
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, int("wrong" in text.read_text()), "", "WARNING: wrong")

    monkeypatch.setattr(building, "_stage", stage)
    monkeypatch.setattr(processes, "run", render)
    return text, calls


def test_a_failed_build_leaves_no_pages_and_undoing_the_edit_renders_again(desk):
    text, calls = desk
    text.write_text("right")
    page = building.build("try", [])
    assert building.build("try", []) == page
    assert calls == ["right"]
    text.write_text("wrong")
    with pytest.raises(building.BookError, match="WARNING: wrong"):
        building.build("try", [])
    assert not page.exists()
    text.write_text("right")
    assert building.build("try", []).read_text() == "right"
    assert calls == ["right", "wrong", "right"]


def test_a_build_that_was_killed_counts_for_nothing(desk):
    text, calls = desk
    text.write_text("right")
    page = building.build("try", [])
    text.write_text("killed")
    with pytest.raises(KeyboardInterrupt):
        building.build("try", [])
    assert page.read_text() == "killed"  # so nobody had time to remove it
    text.write_text("right")
    assert building.build("try", []).read_text() == "right"
    assert len(calls) == 3


def test_another_version_of_a_library_renders_again(desk, monkeypatch):
    text, calls = desk
    text.write_text("right")
    building.build("try", [])
    monkeypatch.setattr(runner, "installed", lambda: {"sphinx": "0.1"})
    building.build("try", [])
    assert len(calls) == 2


def test_the_book_shows_only_what_has_a_record_as_part_of_the_run(tmp_path, empty_build, monkeypatch):
    monkeypatch.setattr(pages, "generated_files", lambda name, made: {})
    chapters = [path.stem for path in sorted(Project.current().notebooks.glob("*.ipynb"))][:2]
    for name in chapters:
        place = records.RunFolder(empty_build / "try", name)
        place.executed.parent.mkdir(parents=True, exist_ok=True)
        cells = [nbformat.v4.new_markdown_cell(f"# {name}"), nbformat.v4.new_markdown_cell("as it ran")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), place.executed)
    made = Provenance("none", "2 cores", {"OpenMP": "1", "TensorFlow": "1"}, "3.11", {})
    record = records.Record(name, "done", 1.0, {}, "2026", made)  # of the second only
    building._stage("try", [record], tmp_path / "stage")
    shown = [(tmp_path / "stage" / "notebooks" / f"{name}.ipynb").read_text() for name in chapters]
    assert ["as it ran" in text for text in shown] == [False, True]
    assert ["This chapter is not part of the run" in text for text in shown] == [True, False]


def test_two_processes_do_not_build_one_book(desk, empty_build):
    with records.locked(empty_build / "try"), pytest.raises(records.RunError, match="another process works here"):
        building.build("try", [])


# --- processes


def test_a_command_gives_back_what_it_says_and_its_status():
    command = [sys.executable, "-c", "import os, sys; print(os.environ['A']); sys.exit('no')"]
    done = processes.run(command, {**os.environ, "A": "yes"})
    assert (done.returncode, done.stdout, done.stderr) == (1, "yes\n", "no\n")


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_dies_with_the_process_that_runs_it(tmp_path, sent):
    note = tmp_path / "number"
    child = f"import os, time, pathlib; pathlib.Path({str(note)!r}).write_text(str(os.getpid())); time.sleep(60)"
    parent = (
        f"import os, sys; from helpers import processes; processes.run([sys.executable, '-c', {child!r}], os.environ)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    until = time.time() + 60
    while not (note.exists() and note.read_text()) and time.time() < until:
        time.sleep(0.05)
    number = int(note.read_text())
    assert psutil.pid_exists(number)
    process.send_signal(sent)
    process.wait()
    time.sleep(0.2)
    assert not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE
