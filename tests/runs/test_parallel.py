"""Several notebooks of a run at a time, with real kernels: their order, threads, failures, and what a kill leaves."""

import os
import subprocess
import sys
import textwrap
import time

import nbformat
import psutil
import pytest

from helpers import processes
from helpers.runs import parallel, profiles, runner

# A notebook that ends only if the other one runs at the same time.
MEET = """
import os, pathlib, time
folder = pathlib.Path(os.environ["LEUKOBOOK_PROJECT"])
(folder / "at {me}").touch()
until = time.monotonic() + 60
while not (folder / "at {other}").exists():
    assert time.monotonic() < until, "alone"
    time.sleep(0.05)
"""
THREADS = "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['TF_NUM_INTRAOP_THREADS'])"
PROFILE = "workers: 2\nnotebooks: {one: , two: }"


@pytest.fixture
def house(tmp_path, empty_project, monkeypatch):
    """An empty project on a machine of six cores, whose user has set no limit of threads."""
    monkeypatch.setattr(processes, "cores", lambda: 6)
    for variable in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    return empty_project(tmp_path)


def write_notebook(house, name, source):
    cells = [
        nbformat.v4.new_code_cell("value = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(textwrap.dedent(source)),
    ]
    metadata = {"language_info": {"name": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), house / "notebooks" / f"{name}.ipynb")


def read_profile(house, text=PROFILE):
    path = house / "profiles" / "try.yaml"
    path.write_text(text)
    return profiles.read_profile(path)


def printed(house, name):
    notebook = nbformat.read(house / "build" / "try" / "notebooks" / f"{name}.ipynb", 4)
    return "".join(output.text for cell in notebook.cells for output in cell.get("outputs", []))


def test_two_notebooks_run_at_a_time_and_their_records_are_in_the_order_of_the_profile(house):
    write_notebook(house, "one", MEET.format(me=1, other=2) + "time.sleep(1)")
    write_notebook(house, "two", MEET.format(me=2, other=1))
    lines = []
    made = runner.run(read_profile(house), lines.append)
    assert [(record.notebook, record.error) for record in made] == [("one", ""), ("two", "")]
    assert [line.split(":")[0] for line in lines] == ["two", "one"]


def test_each_has_its_share_of_the_cores_and_is_not_repeated(house):
    write_notebook(house, "one", THREADS)
    write_notebook(house, "two", THREADS)
    made = runner.run(read_profile(house))
    assert (printed(house, "one"), printed(house, "two")) == ("3 3\n", "3 3\n")
    assert made[0].provenance.threads == {"OpenMP": "3", "TensorFlow": "3"}
    assert "OMP_NUM_THREADS" not in os.environ
    runner.require_current(read_profile(house), made)
    assert [record.repeated for record in runner.run(read_profile(house))] == [False, False]
    alone = runner.run(read_profile(house, PROFILE.replace("2", "1")))  # six threads
    assert [record.repeated for record in alone] == [True, True]


def test_a_limit_that_the_user_has_set_is_kept(house, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_notebook(house, "one", THREADS)
    write_notebook(house, "two", THREADS)
    runner.run(read_profile(house))
    assert printed(house, "one") == "1 3\n"


@pytest.mark.parametrize(("wanted", "cores", "used"), [(4, 2, 2), (2, 8, 2), (1, 8, 1), (4, 1, 1)])
def test_there_are_no_more_processes_than_cores(monkeypatch, wanted, cores, used):
    monkeypatch.setattr(processes, "cores", lambda: cores)
    with parallel.shared_cores(wanted) as workers:
        assert workers == used


def test_a_failure_does_not_stop_the_other(house):
    write_notebook(house, "one", "1 / 0")
    write_notebook(house, "two", "print('fine')")
    first, second = runner.run(read_profile(house))
    assert "ZeroDivisionError" in first.error
    assert (second.status, printed(house, "two")) == ("done", "fine\n")


def test_a_killed_process_is_an_error_and_what_had_ended_is_kept(house):
    write_notebook(house, "one", "print('fine')")
    kill = """
    import os, pathlib, signal, time
    while not (pathlib.Path(os.environ["LEUKOBOOK_PROJECT"]) / "build/try/records/one.json").exists():
        time.sleep(0.05)
    os.kill(os.getppid(), signal.SIGKILL)
    """
    write_notebook(house, "two", kill)
    with pytest.raises(parallel.WorkerError, match=r"a process of the run was killed.*what had ended is kept"):
        runner.run(read_profile(house))
    write_notebook(house, "two", "print('fine')")
    assert [record.repeated for record in runner.run(read_profile(house))] == [False, True]


def test_without_shared_memory_the_remedy_is_named(house, monkeypatch):
    monkeypatch.setattr(processes, "shared_memory_problem", lambda: "No such file or directory")
    write_notebook(house, "one", "1")
    write_notebook(house, "two", "1")
    with pytest.raises(parallel.WorkerError, match=r"/dev/shm: cannot be used .*set `workers: 1` in the profile"):
        runner.run(read_profile(house))


def test_kernels_and_processes_die_with_the_run(house):
    busy = """
    import os, pathlib
    folder = pathlib.Path(os.environ["LEUKOBOOK_PROJECT"])
    (folder / f"part {os.getpid()}").write_text(f"{os.getpid()} {os.getppid()}")
    (folder / f"part {os.getpid()}").rename(folder / f"kernel {os.getpid()}")
    while True: pass
    """
    write_notebook(house, "one", busy)
    write_notebook(house, "two", busy)
    read_profile(house)
    program = (
        "import sys; from pathlib import Path; from helpers import processes;"
        "from helpers.runs import profiles, runner;"
        "processes.cores = lambda: 2; runner.run(profiles.read_profile(Path(sys.argv[1])))"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program, str(house / "profiles" / "try.yaml")], stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while len(notes := list(house.glob("kernel *"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    family = [psutil.Process(int(number)) for note in notes for number in note.read_text().split()]
    assert len(family) == 4
    started.kill()
    started.wait()
    assert psutil.wait_procs(family, timeout=10)[1] == []
