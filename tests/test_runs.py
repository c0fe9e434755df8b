"""The run engine with a real kernel: what is repeated, what is refused, what a failure leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime

import nbformat
import pytest
from typer.testing import CliRunner

from helpers import notebooks, profiles, runs
from helpers.__main__ import app

PYTHON = {"language_info": {"name": "python"}}


def write_notebook(folder, name, *cells):
    made = [nbformat.v4.new_code_cell("value = 1\nname = 'a'\nrate = 0.5", metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=PYTHON), folder / f"{name}.ipynb")


@pytest.fixture
def house(tmp_path, monkeypatch):
    """An empty project: notebooks, helpers, profiles and a build folder."""
    for name in ("notebooks", "helpers", "profiles"):
        (tmp_path / name).mkdir()
    (tmp_path / "helpers" / "__init__.py").write_text("")
    (tmp_path / "helpers" / "images.py").write_text("A = 1\n")
    (tmp_path / "helpers" / "metrics.py").write_text("B = 1\n")
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(runs, "BUILD", tmp_path / "build")
    return tmp_path


def profile(house, text):
    path = house / "profiles" / "try.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("notebooks: {one: {valeu: 2}}", "one has no parameter valeu; it has value, name, rate"),
        ("notebooks: {one: {value: two}}", "one has value = 'two', but its default is 1"),
        ("parameters: {size: 3}\nnotebooks: {one: }", "no parameter size"),
        ("notebooks: {one: {rate: 4e-3}}", "one has rate = '4e-3', but its default is 0.5; write 0.004"),
        ("notebooks: {one: }\nlimit_s: 60", "for sweeps, and there is no 'grid'"),
        ("notebooks: {two: }", "no notebook two"),
        ("notebooks: [one]", "a profile has 'notebooks'"),
        ("notebooks: {one: }\nextra: 1", "no part of a profile is called 'extra'"),
        ("notebooks: {one: ", "not YAML"),
        ("notebooks: {one: {value: !!python/object/apply:os.getcwd []}}", "not YAML"),
    ],
)
def test_a_wrong_profile_is_refused_before_anything_runs(house, text, complaint):
    write_notebook(house / "notebooks", "one")
    with pytest.raises(profiles.ProfileError, match=complaint.replace("(", r"\(")) as caught:
        profiles.read_profile(profile(house, text))
    assert "try.yaml" in str(caught.value)
    assert not (house / "build").exists()


def test_a_missing_profile_names_those_there_are(house):
    profile(house, "notebooks: {}")
    with pytest.raises(profiles.ProfileError, match="there are try"):
        profiles.read_profile(house / "profiles" / "quick.yaml")


def test_a_whole_number_is_a_rate_too(house):
    write_notebook(house / "notebooks", "one")
    assert profiles.read_profile(profile(house, "notebooks: {one: {rate: 1}}")).notebooks == {"one": {"rate": 1}}


def test_a_folder_is_where_the_command_is_called_and_not_where_the_notebook_runs(house, monkeypatch):
    made = nbformat.v4.new_code_cell("dataset = ''\nelsewhere = ''", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[made], metadata=PYTHON), house / "notebooks" / "one.ipynb")
    monkeypatch.chdir(house)
    text = "notebooks: {one: {dataset: 'folder:cells', elsewhere: 'folder:~/cells'}}\ngrid: {dataset: ['folder:more']}"
    read = profiles.read_profile(profile(house, text))
    assert read.notebooks["one"] == {"dataset": f"folder:{house / 'cells'}", "elsewhere": "folder:~/cells"}
    assert read.grid == {"dataset": [f"folder:{house / 'more'}"]}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["run", "try.yaml", "--workers", "2"], "try has no grid and runs here"),
        (["run", "try.yaml", "--scheduler", "tcp://127.0.0.1:9"], "try has no grid and runs here"),
        (["run", "grid.yaml", "--workers", "2", "--scheduler", "tcp://127.0.0.1:9"], "workers of its own"),
        (["report", "try.yaml"], "try has no grid and no report; what it found is in build/try/"),
        (["book", "grid.yaml"], "grid is a sweep"),
    ],
)
def test_what_does_not_go_with_a_profile_is_refused(house, monkeypatch, words, complaint):
    write_notebook(house / "notebooks", "one")
    (house / "try.yaml").write_text("notebooks: {one: }")
    (house / "grid.yaml").write_text("notebooks: {one: }\ngrid: {value: [1]}")
    monkeypatch.chdir(house)
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 2
    assert complaint in done.stderr
    assert not (house / "build").exists()


def test_another_version_of_a_library_runs_again(house, monkeypatch):
    write_notebook(house / "notebooks", "one")
    before = runs.content_digest(house / "notebooks" / "one.ipynb")
    assert "tensorflow-cpu" in runs._installed()
    monkeypatch.setattr(runs, "_installed", lambda: {"tensorflow-cpu": "0.1"})
    assert runs.content_digest(house / "notebooks" / "one.ipynb") != before


def test_only_what_has_changed_runs_again(house):
    write_notebook(house / "notebooks", "one", "from helpers import images", "print(value)")
    write_notebook(house / "notebooks", "two", "from helpers import metrics", "print(name)")
    text = "notebooks: {one: {value: 5}, two: }"

    def repeated():
        return [record.notebook for record in runs.run(profiles.read_profile(profile(house, text))) if record.repeated]

    assert repeated() == ["one", "two"]
    executed = nbformat.read(house / "build" / "try" / "notebooks" / "one.ipynb", 4)
    assert any(output.get("text") == "5\n" for cell in executed.cells for output in cell.outputs)
    assert repeated() == []
    (house / "helpers" / "images.py").write_text("A = 2\n")
    assert repeated() == ["one"]
    text = "notebooks: {one: {value: 6}, two: }"
    assert repeated() == ["one"]
    write_notebook(house / "notebooks", "two", "from helpers import metrics", "print(name + name)")
    assert repeated() == ["two"]
    (house / "build" / "try" / "notebooks" / "two.ipynb").unlink()
    assert repeated() == ["two"]
    (house / "build" / "try" / "records" / "one.json").write_text('{"half')
    assert repeated() == ["one"]


def test_a_record_says_when_the_notebook_ended_and_not_when_it_began(house):
    write_notebook(
        house / "notebooks", "one", "import time; from pathlib import Path; time.sleep(1.1); Path('end').touch()"
    )
    (record,) = runs.run(profiles.read_profile(profile(house, "notebooks: {one: }")))
    end = int((house / "build" / "try" / "work" / "end").stat().st_mtime)
    assert datetime.fromisoformat(record.finished).timestamp() >= end


def test_changed_data_run_again(house, monkeypatch, tmp_path):
    import numpy as np
    from PIL import Image

    cells = tmp_path / "cells" / "a"
    cells.mkdir(parents=True)
    for k in range(2):
        Image.fromarray(np.full((8, 8, 3), 90 * k, np.uint8)).save(cells / f"{k}.png")
    made = nbformat.v4.new_code_cell("dataset = 'synthetic'", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[made], metadata=PYTHON), house / "notebooks" / "one.ipynb")
    path = profile(house, f"notebooks: {{one: {{dataset: 'folder:{tmp_path / 'cells'}'}}}}")
    assert runs.run(profiles.read_profile(path))[0].repeated
    assert not runs.run(profiles.read_profile(path))[0].repeated
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(cells / "0.png")
    assert runs.run(profiles.read_profile(path))[0].repeated
    (cells / "1.png").write_bytes(b"no picture")
    failed = runs.run(profiles.read_profile(path))[0]
    assert failed.status == "failed"
    assert "1.png" in failed.error


def test_a_failure_names_notebook_cell_and_error_and_the_others_still_run(house, capsys):
    write_notebook(house / "notebooks", "one", "print('so far')", "1 / 0", "print('never')")
    write_notebook(house / "notebooks", "two", "print('fine')")
    path = profile(house, "notebooks: {one: , two: }")
    first, second = runs.run(profiles.read_profile(path))
    assert (first.status, second.status) == ("failed", "done")
    assert "one, cell 3: ZeroDivisionError: division by zero" in first.error
    partial = nbformat.read(house / "build" / "try" / "failed" / "one.ipynb", 4)
    assert any(o.get("text") == "so far\n" for cell in partial.cells for o in cell.get("outputs", []))
    assert not (house / "build" / "try" / "notebooks" / "one.ipynb").exists()
    assert "ZeroDivisionError" in capsys.readouterr().out
    write_notebook(house / "notebooks", "one", "print('mended')")
    again = runs.run(profiles.read_profile(path))
    assert [(r.status, r.repeated) for r in again] == [("done", True), ("done", False)]
    assert not (house / "build" / "try" / "failed" / "one.ipynb").exists()


def test_a_dead_kernel_is_reported(house):
    write_notebook(house / "notebooks", "one", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    write_notebook(house / "notebooks", "two", "print('fine')")
    first, second = runs.run(profiles.read_profile(profile(house, "notebooks: {one: , two: }")))
    assert (first.status, second.status) == ("failed", "done")
    assert "died" in first.error.lower()


def test_a_killed_run_goes_on_where_it_was(house):
    write_notebook(house / "notebooks", "one", "print('quick')")
    write_notebook(house / "notebooks", "two", "import time; time.sleep(60)")
    path = profile(house, "notebooks: {one: , two: }")
    program = (
        "import sys; from pathlib import Path; from helpers import notebooks, profiles, runs; root = Path(sys.argv[1]);"
        "notebooks.ROOT = root; notebooks.NOTEBOOKS = root / 'notebooks'; runs.BUILD = root / 'build';"
        "runs.run(profiles.read_profile(Path(sys.argv[2])))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(house), str(path)], start_new_session=True, stderr=subprocess.DEVNULL
    )
    second = house / "build" / "try" / "failed" / "two.partial.ipynb"
    deadline = time.time() + 60
    while not second.exists() and time.time() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = json.loads((house / "build" / "try" / "records" / "one.json").read_text())
    assert done["status"] == "done"
    write_notebook(house / "notebooks", "two", "print('now')")
    assert [(r.status, r.repeated) for r in runs.run(profiles.read_profile(path))] == [("done", False), ("done", True)]


def test_command_line_refuses_with_a_reason_and_an_exit_code(tmp_path):
    def call(*words):
        return subprocess.run([sys.executable, "-m", "helpers", *words], capture_output=True, text=True)

    listed = call("data", "list")
    assert listed.returncode == 0
    assert "wbc1" in listed.stdout
    missing = call("data", "check", "aria", "--root", str(tmp_path))
    assert missing.returncode == 1
    assert "kaggle" in missing.stderr.lower()
    assert call("data", "check", "synthetic").returncode == 0
    unknown = call("run", "quik")
    assert unknown.returncode == 2
    assert "there are" in unknown.stderr
