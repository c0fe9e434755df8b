"""Kernels are this Python wherever it runs, and one that does not start is a failure of one notebook."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from helpers import files
from helpers.project import CHECKOUT
from helpers.runs import kernels, profiles, runner

WHERE = (
    "import os, sys, helpers; print(sys.executable, os.path.dirname(helpers.__file__), os.environ['LEUKOBOOK_BATCH'])"
)
RUN = """
import sys
from pathlib import Path
from helpers.runs import kernels
root = Path(sys.argv[1])
kernels.execute(root / "in.ipynb", root / "out.ipynb", {"value": 7}, root, progress=False)
"""


def write(path, *cells):
    made = [nbformat.v4.new_code_cell("value = 1", metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"language_info": {"name": "python"}}), path)


def printed(path):
    return "".join(o.get("text", "") for cell in nbformat.read(path, 4).cells for o in cell.get("outputs", []))


def executed(folder, cell, *prefix, checkout=CHECKOUT, without=(), **changed):
    """What a cell prints, executed by another process with a changed environment."""
    write(folder / "in.ipynb", cell)
    environment = {k: v for k, v in os.environ.items() if k not in without} | changed
    command = [*prefix, sys.executable, "-c", RUN, str(folder)]
    done = subprocess.run(command, env=environment, cwd=checkout, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return printed(folder / "out.ipynb")


def test_another_kernel_called_python3_is_not_asked(tmp_path):
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    other = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(other))
    said = executed(tmp_path, WHERE, JUPYTER_PATH=str(tmp_path / "jupyter"))
    assert said == f"{sys.executable} {CHECKOUT / 'helpers'} 1\n"


def test_the_settings_of_a_user_are_not_those_of_a_batch_run(tmp_path):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "a.py").write_text("print('mine'); value = 99")
    assert executed(tmp_path, "print(value)", IPYTHONDIR=str(tmp_path / "ipython")) == "7\n"


def test_a_long_folder_for_temporary_files_is_no_obstacle(tmp_path):
    long = tmp_path / ("t" * 100)
    long.mkdir()
    assert executed(tmp_path, "print(value)", TMPDIR=str(long)) == "7\n"


def test_a_checkout_or_a_work_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "a [1] #2 %41 é"
    folder.mkdir()
    shutil.copytree(CHECKOUT / "helpers", folder / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    said = executed(folder, WHERE, checkout=folder, without=["PYTHONPATH"])
    assert said == f"{sys.executable} {folder / 'helpers'} 1\n"


def test_without_a_home_a_notebook_runs(tmp_path):
    cell = "from helpers import processes; processes.configure(); import matplotlib.pyplot, pooch; print(value)"
    assert executed(tmp_path, cell, without=["HOME"]) == "7\n"


# Another user, who may read all files, also an interpreter in a home, and has neither a name nor a home.
NAMELESS = ["setpriv", "--reuid=12345", "--regid=0", "--clear-groups"]
NAMELESS += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become a user without a name")
def test_a_user_without_name_and_home_runs_a_notebook():
    with files.temporary_folder("nameless-") as folder:
        folder.chmod(0o777)
        cell = "import os, matplotlib.pyplot; print(os.getuid(), value)"
        assert executed(folder, cell, *NAMELESS, HOME="/", LEUKOBOOK_DATA=str(folder)).endswith("12345 7\n")


def test_a_kernel_that_does_not_start_is_a_failure_of_its_notebook(tmp_path, empty_project, monkeypatch):
    empty_project(tmp_path)
    for name in ("one", "two"):
        write(tmp_path / "notebooks" / f"{name}.ipynb", "print(value)")
    (tmp_path / "try.yaml").write_text("notebooks: {one: , two: }")
    spec = kernels.OwnKernel.kernel_spec.fget

    def asleep_at_first(self):
        made = spec(self)
        if kernels.STARTUP_S == 1:
            made.argv = ["sh", "-c", "exec sleep 600"]
        return made

    monkeypatch.setattr(kernels.OwnKernel, "kernel_spec", property(asleep_at_first))
    real = kernels.execute

    def with_more_time_for_the_second(source, *rest, **options):
        monkeypatch.setattr(kernels, "STARTUP_S", 1 if source.stem == "one" else 60)
        real(source, *rest, **options)

    monkeypatch.setattr(kernels, "execute", with_more_time_for_the_second)
    first, second = runner.run(profiles.read_profile(tmp_path / "try.yaml"))
    assert (first.status, second.status) == ("failed", "done")
    assert "one, could not be executed: RuntimeError: Kernel didn't respond in 1 seconds" in first.error


def test_half_a_notebook_of_a_full_disk_is_a_failure_of_its_notebook(tmp_path, monkeypatch):
    source, target = tmp_path / "one.ipynb", tmp_path / "out.ipynb"

    def full(*_, **__):
        target.write_text('{"cells": [')
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernels.papermill, "execute_notebook", full)
    with pytest.raises(kernels.KernelError, match=r"could not be executed: OSError: .*No space left on device"):
        kernels.execute(source, target, {}, tmp_path)
    monkeypatch.setattr(kernels.papermill, "execute_notebook", lambda *_, **__: target.write_text('{"cells": ['))
    with pytest.raises(kernels.KernelError, match=r"its outputs could not be written: .*not a Jupyter notebook"):
        kernels.execute(source, target, {}, tmp_path)
