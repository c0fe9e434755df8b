"""What listens where: the table "What listens where" of the troubleshooting page is that of the running processes."""

import contextlib
import json
import os
import re
import shlex
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
import requests

from helpers.project import CHECKOUT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only root sees what listens")

PAGE = (CHECKOUT / "book" / "troubleshooting.md").read_text(encoding="utf-8")
GUIDE = (CHECKOUT / "book" / "full-runs.md").read_text(encoding="utf-8")
WAIT = """
import pathlib, time
pathlib.Path(folder, f"waiting-{seed}").touch()
while not pathlib.Path(folder, "go").exists():
    time.sleep(0.1)
"""


def on_the_page():
    """The addresses of each row, by the first column."""
    rows = re.findall(r"^\| (`.+?) \| (.+?) \|", PAGE.partition("## What listens where")[2], re.MULTILINE)
    return {name: set(re.findall(r"`([\d.:]+)`", addresses)) for name, addresses in rows}


@contextlib.contextmanager
def started(*command, folder, **environment):
    """A process that ends with its children."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*map(str, command)], cwd=folder, env=os.environ | environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            psutil.wait_procs(children, timeout=5)
            for one in (child for child in children if child.is_running()):
                one.kill()
            process.kill()
            process.wait()


def connections(process, kind):
    """What a process and its children have open."""
    children = psutil.Process(process.pid).children(recursive=True)
    tree = {process.pid, *(child.pid for child in children)}
    return [one for one in psutil.net_connections(kind) if one.pid in tree]


def addresses(process):
    """The address of every port at which a process and its children listen, with repetition."""
    listening = [one for one in connections(process, "inet") if one.status == psutil.CONN_LISTEN]
    return [one.laddr.ip for one in listening]


def wait_until(done, folder, seconds=90):
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, (folder / "log").read_text()[-3000:]
        time.sleep(0.2)


@pytest.fixture
def waiting(tmp_path, empty_project):
    """A project with a profile and a sweep of one notebook, which goes on when the file go is there."""
    project = empty_project(tmp_path)
    cell = nbformat.v4.new_code_cell(f"folder = {str(tmp_path)!r}\nseed = 0", metadata={"tags": ["parameters"]})
    whole = nbformat.v4.new_notebook(
        cells=[cell, nbformat.v4.new_code_cell(WAIT)], metadata={"language_info": {"name": "python"}}
    )
    nbformat.write(whole, project / "notebooks" / "00-one.ipynb")
    (project / "profiles" / "single.yaml").write_text("notebooks: {00-one: }\n")
    (project / "profiles" / "grid.yaml").write_text("notebooks: {00-one: }\ngrid: {seed: [1, 2]}\n")
    return project


def test_the_table_names_what_this_project_starts():
    assert on_the_page().keys() == {
        "`leukobook run`, a profile",
        "`leukobook run`, a sweep",
        "`make lab`",
        "`dask scheduler`, `dask worker`",
        "`--strategy multi-worker`",
        "`docker run` as in [how to use this book](how-to-use.md)",
        "`make book`, `make slides`, `make pdf`",
    }


def test_the_kernel_of_a_run_has_sockets_in_a_private_folder_and_one_port(waiting):
    with started(sys.executable, "-m", "helpers", "run", "single", folder=waiting) as process:
        wait_until((waiting / "waiting-0").exists, waiting)
        found = addresses(process)
        sockets = [Path(one.laddr) for one in connections(process, "unix") if "kernel-ipc" in str(one.laddr)]
        modes = {stat.S_IMODE(path.parent.stat().st_mode) & 0o777 for path in sockets}
        (waiting / "go").touch()
        assert process.wait(60) == 0
    assert on_the_page()["`leukobook run`, a profile"] == {"127.0.0.1"}
    assert found == ["127.0.0.1"]  # IPython's, for the output of child processes
    assert len({path.name for path in sockets}) == 5
    assert modes == {0o700}


def test_a_sweep_listens_on_this_machine_only(waiting):
    command = [sys.executable, "-m", "helpers", "run", "grid", "--workers", "2"]
    with started(*command, folder=waiting) as process:
        wait_until(lambda: all((waiting / f"waiting-{seed}").exists() for seed in (1, 2)), waiting)
        found = addresses(process)
        (waiting / "go").touch()
        assert process.wait(60) == 0
    assert len(found) >= 4  # scheduler, dashboard, two workers
    assert set(found) == on_the_page()["`leukobook run`, a sweep"] == {"127.0.0.1"}


def test_lab_and_its_kernels_listen_on_this_machine_only_and_ask_for_a_token(tmp_path):
    recipe = (CHECKOUT / "Makefile").read_text(encoding="utf-8").partition("\nlab:")[2].partition("\n\n")[0]
    (words,) = re.findall(r"^\t\$\(BIN\)/jupyter (lab.*)$", recipe, re.MULTILINE)
    options = ["--no-browser", "--allow-root", "--port=0"]
    own = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "RUNTIME", "DATA")}
    command = [sys.executable, "-m", "jupyter", *shlex.split(words), *options]
    with started(*command, folder=tmp_path, **own) as process:
        notes = tmp_path / "RUNTIME"
        wait_until(lambda: any(note.read_text() for note in notes.glob("jpserver-*.json")), tmp_path)
        (note,) = notes.glob("jpserver-*.json")
        server = json.loads(note.read_text())
        kernels = f"http://127.0.0.1:{server['port']}/api/kernels"
        wait_until(lambda: addresses(process), tmp_path)
        stranger = requests.get(kernels, timeout=30).status_code
        token = {"Authorization": f"token {server['token']}"}
        requests.post(kernels, json={"name": "python3"}, headers=token, timeout=60).raise_for_status()
        wait_until(lambda: len(addresses(process)) > 5, tmp_path)  # one of the server, five of the kernel
        found = addresses(process)
        secrets = {stat.S_IMODE(path.stat().st_mode) for path in notes.glob("kernel-*.json")}
    assert set(found) - {"::1"} == on_the_page()["`make lab`"] == {"127.0.0.1"}
    assert stranger == 403
    assert secrets == {0o600}


def documented(program):
    """The options of a command in the guide on many machines, there for 10.0.0.x, here for this machine."""
    line = re.search(rf"^dask {program} ((?:.*\\\n)*.*)$", GUIDE, re.MULTILINE)[1].replace("\\\n", "")
    return shlex.split(re.sub(r"10\.0\.0\.\d", "127.0.0.1", line))


def test_dask_as_the_guide_starts_it_listens_at_the_address_that_it_is_given_only(tmp_path):
    dask, note = [sys.executable, "-m", "dask"], tmp_path / "scheduler.json"
    scheduler = [word.replace("127.0.0.1:8787", "127.0.0.1:0") for word in documented("scheduler")]
    of_worker = [word.replace("tcp://127.0.0.1:8786", "ADDRESS") for word in documented("worker")]
    with started(*dask, "scheduler", *scheduler, "--port", "0", "--scheduler-file", note, folder=tmp_path) as first:
        wait_until(note.exists, tmp_path)
        address = json.loads(note.read_text())["address"]
        words = [address if word == "ADDRESS" else word for word in of_worker]
        words[words.index("--nworkers") + 1] = "1"
        with started(*dask, "worker", *words, folder=tmp_path) as worker:
            wait_until(lambda: len(addresses(worker)) >= 3, tmp_path)  # nanny, worker, its pages
            found = addresses(first), addresses(worker)
    assert len(found[0]) == 2  # scheduler, dashboard
    assert {*found[0], *found[1]} == on_the_page()["`dask scheduler`, `dask worker`"] == {"127.0.0.1"}


WORKER = """
import sys, time
from pathlib import Path
from helpers import training
training.get_strategy("multi-worker")
Path(sys.argv[1]).touch()
time.sleep(60)
"""


def test_a_training_on_several_machines_listens_at_every_address_whatever_it_is_told(tmp_path):
    with socket.socket() as one, socket.socket() as other:
        for held in (one, other):
            held.bind(("127.0.0.1", 0))
        workers = ["{}:{}".format(*held.getsockname()) for held in (one, other)]
    code, files = tmp_path / "worker.py", [tmp_path / "up-0", tmp_path / "up-1"]
    code.write_text(WORKER)
    with contextlib.ExitStack() as stack:
        both = []
        for index, up in enumerate(files):
            where = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            environment = {"TF_CONFIG": json.dumps(where), "PYTHONPATH": str(CHECKOUT)}
            both.append(stack.enter_context(started(sys.executable, code, up, folder=tmp_path, **environment)))
        wait_until(lambda: all(up.exists() for up in files), tmp_path)
        found = {address for process in both for address in addresses(process)}
    assert found <= {"::", "0.0.0.0"}  # the second where there is no IPv6
    assert on_the_page()["`--strategy multi-worker`"] == {"::", "0.0.0.0"}
    assert found
