"""Sweeps on a real Dask cluster of processes with real kernels: nothing is lost, nothing is doubled."""

import contextlib
import itertools
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import dask
import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from dask.distributed import Client, LocalCluster
from distributed.security import Security
from PIL import Image

import helpers
from helpers import sweeps
from helpers.reports import tables
from helpers.runs import profiles, provenance
from helpers.sweeps import worker

MEASURED = """
import pathlib, pandas as pd
pathlib.Path("outputs").mkdir(exist_ok=True)
pd.DataFrame({"method": ["a", "b"], "score": [value + seed / 10, value]}).to_csv("outputs/one-scores.csv", index=False)
"""


def write_notebook(folder, name, *cells, parameters="value = 1\nseed = 0\nwords = ['a']"):
    made = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(textwrap.dedent(source)) for source in cells]
    whole = nbformat.v4.new_notebook(cells=made, metadata={"language_info": {"name": "python"}})
    nbformat.write(whole, folder / f"{name}.ipynb")


@pytest.fixture
def house(tmp_path, empty_project):
    """An empty project with a notebook that measures two numbers."""
    project = empty_project(tmp_path)
    write_notebook(project / "notebooks", "00-one", MEASURED)
    return project


@pytest.fixture(scope="module")
def client():
    with sweeps.connect_cluster(workers=2) as made:
        yield made


def sweep(house, text):
    path = house / "try.yaml"
    path.write_text(text)
    return profiles.read_profile(path)


def scores(house):
    table = pd.read_csv(house / "build" / "try" / "sweep" / "runs.csv")
    return table.drop(columns=["begun", "worker", "seconds", "peak_mib"])


GRID = "notebooks: {00-one: }\ngrid: {value: [1, 2], seed: [1, 2, 3]}\n"
FOUR = "notebooks: {00-one: }\ngrid: {seed: [1, 2, 3, 4]}\n"


def test_every_combination_runs_once_and_the_table_has_what_it_was_given_and_what_it_measured(house, client, capsys):
    rows = sweeps.run(sweep(house, GRID), client)
    said = capsys.readouterr().out
    assert "try: 6 runs, 6 to do on 2 workers, duration unknown until the first run ends\n" in said
    assert "  00-one: value 1, 2; seed 1, 2, 3\n" in said
    assert [row.status for row in rows] == ["done"] * 6
    table = pd.read_csv(house / "build" / "try" / "sweep" / "runs.csv")
    assert list(zip(table["value"], table["seed"], strict=True)) == list(itertools.product([1, 2], [1, 2, 3]))
    assert np.allclose(table["one-scores: score (a)"], table["value"] + table["seed"] / 10)
    assert np.allclose(table["one-scores: score (b)"], table["value"])
    assert (table["peak_mib"] > 10).all()
    assert table["versions"].str.contains("numpy").all()
    assert (table["threads"] == "OpenMP 1, TensorFlow 1").all()  # those of the worker; Dask gives each one for OpenMP
    assert table["hardware"].str.contains(platform.machine()).all()
    assert (table["commit"] == "none").all()
    assert table["name"].is_unique
    for name in table["name"]:
        executed = nbformat.read(house / "build" / "try" / "sweep" / "notebooks" / f"{name}.ipynb", 4)
        assert executed.cells[-1].execution_count
        assert (house / "build" / "try" / "sweep" / "tables" / name / "one-scores.csv").exists()


def test_only_what_has_changed_runs_again(house, client, capsys):
    before = sweeps.run(sweep(house, GRID), client)
    sweeps.run(sweep(house, GRID.replace("[1, 2, 3]", "[1, 2, 3, 4]")), client)
    assert "8 runs, 2 to do on 2 workers, about 0." in capsys.readouterr().out
    write_notebook(house / "notebooks", "00-one", MEASURED, "print('changed')")
    after = sweeps.run(sweep(house, GRID), client)
    assert all(one.key != other.key for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("parameter", profiles.DATASETS)
def test_changed_data_run_again_whichever_parameter_names_them(house, client, parameter):
    names = "\n".join(f"{name} = ''" for name in profiles.DATASETS)
    write_notebook(house / "notebooks", "00-one", "print(seed)", parameters=f"{names}\nseed = 0")
    cells = coloured(house, 0, 90) / "cells"
    profile = sweep(house, f"notebooks: {{00-one: {{{parameter}: 'folder:{cells}'}}}}\ngrid: {{seed: [1]}}\n")
    (first,) = sweeps.run(profile, client)
    assert first.status == "done"
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(cells / "a" / "0.png")
    (changed,) = sweeps.expand(profile)
    assert changed.name == first.name
    assert changed.key != first.key


def coloured(folder, *greys):
    (folder / "cells" / "a").mkdir(parents=True)
    for k, grey in enumerate(greys):
        Image.fromarray(np.full((8, 8, 3), grey, np.uint8)).save(folder / "cells" / "a" / f"{k}.png")
    return folder


@pytest.mark.parametrize(
    ("what", "complaint"),
    [("nothing", ""), ("data", "on the client; fetch it again"), ("helpers", "differs from that on the client")],
)
def test_a_worker_with_other_data_or_helpers_does_not_run(house, monkeypatch, what, complaint):
    write_notebook(house / "notebooks", "00-one", MEASURED, parameters="dataset = 'synthetic'\nvalue = 1\nseed = 0")
    client_home, worker_home = coloured(house / "here", 10, 20), coloured(house / "there", 10, 20)
    monkeypatch.setenv("HOME", str(client_home))
    changed = {"HOME": str(worker_home)}
    if what == "data":
        shutil.copy(worker_home / "cells" / "a" / "1.png", worker_home / "cells" / "a" / "0.png")
    if what == "helpers":
        shutil.copytree(Path(helpers.__file__).parent, house / "other" / "helpers")
        (house / "other" / "helpers" / "another.py").write_text("")
        changed["PYTHONPATH"] = str(house / "other")
    scheduler, worker, address = dask_processes(house / "there", **changed)
    try:
        with sweeps.connect_cluster(address) as client:
            text = "notebooks: {00-one: {dataset: 'folder:~/cells'}}\ngrid: {seed: [1]}\n"
            (row,) = sweeps.run(sweep(house, text), client)
    finally:
        stop(scheduler, worker)
    assert row.status == ("failed" if complaint else "done"), row.error
    assert complaint in row.error


def test_failures_are_reported_and_the_others_finish(house, client, capsys):
    broken = """
    import os, signal, time
    if seed == 1: raise ValueError("no such cell")
    if seed == 2: os.kill(os.getpid(), signal.SIGKILL)
    if seed == 3: time.sleep(600)
    """
    write_notebook(house / "notebooks", "00-one", broken, MEASURED)
    rows = sweeps.run(sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1, 2, 3, 4]}\ntimeout_s: 6\n"), client)
    assert [row.status for row in rows] == ["failed", "failed", "failed", "done"]
    assert rows[0].error == "cell 3: ValueError: no such cell"
    assert "the kernel died" in rows[1].error
    assert rows[2].error == "stopped after 6 s, its limit"
    assert capsys.readouterr().out.count(": failed, ") == 3
    table = scores(house)
    assert table["status"].tolist() == ["failed"] * 3 + ["done"]
    write_notebook(house / "notebooks", "00-one", MEASURED)
    assert [r.status for r in sweeps.run(sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1, 2]}\n"), client)] == [
        "done"
    ] * 2


def test_a_run_that_kills_its_worker_as_often_as_dask_allows_is_reported_and_the_others_finish(house):
    write_notebook(
        house / "notebooks",
        "00-one",
        "import os, signal\nif seed == 1: os.kill(os.getppid(), signal.SIGKILL)",
        MEASURED,
    )
    # Dask gives up a worker that is not back in time, 15 s where nothing else is said; a sweep must not let it.
    with (
        dask.config.set(
            {"distributed.deploy.lost-worker-timeout": "0.1s", "distributed.scheduler.allowed-failures": 1}
        ),
        sweeps.connect_cluster(workers=1) as client,
    ):
        rows = sweeps.run(sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1, 2, 3]}\n"), client)
    assert [row.status for row in rows] == ["failed", "done", "done"]
    assert rows[0].error == "its worker died 2 times"


def test_workers_that_join_later_take_part(house):
    write_notebook(house / "notebooks", "00-one", "import time; time.sleep(1)", MEASURED)
    options = {"n_workers": 0, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    said = []
    with LocalCluster(**options) as local, Client(local, set_as_default=False) as client:
        later = threading.Timer(2, lambda: local.scale(1))
        later.start()
        grid = "notebooks: {00-one: }\ngrid: {seed: [1, 2, 3, 4, 5, 6, 7, 8]}\n"
        rows = house / "build" / "try" / "sweep" / "rows.jsonl"

        def grow():
            until = time.time() + 120
            while time.time() < until and not rows.exists():
                time.sleep(0.1)
            local.scale(2)

        growing = threading.Thread(target=grow)
        growing.start()
        ended = sweeps.run(sweep(house, grid), client, said.append)
        growing.join()
    assert "No worker has joined the cluster yet" in said[0]
    assert [row.status for row in ended] == ["done"] * 8
    assert len({row.worker for row in ended}) == 2


def test_a_run_that_needs_more_memory_than_its_worker_may_have_is_stopped(house):
    write_notebook(
        house / "notebooks", "00-one", "held = bytearray(seed * 2**20); import time; time.sleep(3)", MEASURED
    )
    options = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(memory_limit="700MiB", **options) as local, Client(local, set_as_default=False) as client:
        rows = sweeps.run(sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1, 2000]}\n"), client)
    assert [row.status for row in rows] == ["done", "failed"]
    assert "its worker may have 700" in rows[1].error


def kernels():
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ends while it is looked at
            if "ipykernel_launcher" in process.cmdline():
                found.append(process)
    return found


def test_a_worker_killed_in_the_middle_loses_and_doubles_no_row(house):
    write_notebook(house / "notebooks", "00-one", "import time; time.sleep(1)", MEASURED)
    killed = []

    def kill_one(client):
        until = time.time() + 60
        while not (found := kernels()) and time.time() < until:
            time.sleep(0.05)
        victim = found[0].parent()
        killed.append(victim.pid)
        os.kill(victim.pid, signal.SIGKILL)

    with sweeps.connect_cluster(workers=2) as client:
        killer = threading.Thread(target=kill_one, args=(client,))
        killer.start()
        rows = sweeps.run(sweep(house, GRID), client)
        killer.join()
    assert killed
    assert [row.status for row in rows] == ["done"] * 6
    lines = (house / "build" / "try" / "sweep" / "rows.jsonl").read_text().splitlines()
    assert len(lines) == len({json.loads(line)["name"] for line in lines}) == 6
    table = scores(house)
    assert list(zip(table["value"], table["seed"], strict=True)) == list(itertools.product([1, 2], [1, 2, 3]))
    assert np.allclose(table["one-scores: score (a)"], table["value"] + table["seed"] / 10)


def dask_processes(folder, **changed):
    """A scheduler and a worker, started by hand on loopback, in a folder; the worker with a changed environment."""
    dask, options = [sys.executable, "-m", "dask"], ["--host", "127.0.0.1", "--no-dashboard"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    folder.mkdir(exist_ok=True)
    note = folder / "scheduler.json"
    note.unlink(missing_ok=True)
    scheduler = subprocess.Popen([*dask, "scheduler", *options, "--port", "0", "--scheduler-file", str(note)], **quiet)
    until = time.time() + 60
    while not note.exists() and time.time() < until:
        time.sleep(0.1)
    address = json.loads(note.read_text())["address"]
    worker = subprocess.Popen(
        [*dask, "worker", address, *options, "--nthreads", "1", "--death-timeout", "120"],
        env={**os.environ, **changed},
        **quiet,
    )
    return scheduler, worker, address


def stop(*processes):
    for process in processes:
        process.kill()
        process.wait()


def test_a_scheduler_that_is_killed_is_reported_and_the_sweep_goes_on_from_what_is_done(house, client):
    write_notebook(house / "notebooks", "00-one", "import time; time.sleep(1)", MEASURED)
    scheduler, worker, address = dask_processes(house / "book")  # beside the helpers of this house
    rows = house / "build" / "try" / "sweep" / "rows.jsonl"

    def kill_after_one():
        until = time.time() + 120
        while time.time() < until and not (rows.exists() and rows.read_text().count("\n") >= 1):
            time.sleep(0.1)
        scheduler.kill()

    try:
        killer = threading.Thread(target=kill_after_one)
        killer.start()
        with (
            pytest.raises(sweeps.SweepError, match="start the sweep again to continue it"),
            sweeps.connect_cluster(address) as lost,
        ):
            sweeps.run(sweep(house, FOUR), lost)
        killer.join()
    finally:
        stop(scheduler, worker)
    kept = rows.read_text().splitlines()
    assert 1 <= len(kept) < 4
    said = []
    ended = sweeps.run(sweep(house, FOUR), client, said.append)
    assert f"{4 - len(kept)} to do" in said[0]
    assert [row.status for row in ended] == ["done"] * 4
    assert rows.read_text().splitlines()[: len(kept)] == kept


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1", "nothing://127.0.0.1:9", "tls://127.0.0.1:9"])
def test_nobody_at_the_address_of_the_scheduler(address, monkeypatch):
    # A client that finds nobody would be left to the garbage collector, which can lock up the next one.
    monkeypatch.setattr("helpers.sweeps.runner.Client", None)
    with pytest.raises(sweeps.SweepError, match="no scheduler answers"), sweeps.connect_cluster(address):
        pass


INTRUDER = """
import sys
from dask.distributed import Client
from distributed.security import Security
address, kind = sys.argv[1:]
try:
    security = Security.temporary() if kind == "another key" else None
    client = Client(address if security else address.replace("tls", "tcp"), security=security, timeout=2)
    print("carried out:", client.submit(abs, -3).result(timeout=4))
except Exception as error:
    print("refused:", type(error).__name__)
"""


@pytest.mark.parametrize("kind", ["no key", "another key"])
def test_who_has_not_the_key_of_a_sweep_gives_it_no_code(client, kind):
    address = client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    assert all(worker.startswith("tls://127.0.0.1:") for worker in client.scheduler_info(n_workers=-1)["workers"])
    for target in (address, *client.scheduler_info(n_workers=-1)["workers"]):
        command = [sys.executable, "-c", INTRUDER, target, kind]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100)
        assert done.stdout.startswith("refused: "), (target, done.stdout, done.stderr)
    assert client.submit(abs, -3).result(timeout=20) == 3


def test_a_cluster_with_tls_of_its_own_is_joined(house):
    key, tls = Security.temporary(), {}
    for name, text in (
        ("ca-file", key.tls_ca_file),
        ("client.cert", key.tls_client_cert),
        ("client.key", key.tls_client_key),
    ):
        (house / name).write_text(text)
        tls[f"distributed.comm.tls.{name}"] = str(house / name)
    options = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(protocol="tls://", security=key, **options) as local:
        address = local.scheduler_address
        with (
            pytest.raises(sweeps.SweepError, match="DASK_DISTRIBUTED__COMM__TLS__CA_FILE"),
            sweeps.connect_cluster(address),
        ):
            pass
        with dask.config.set(tls), sweeps.connect_cluster(address) as client:
            assert client.submit(abs, -3).result(timeout=20) == 3


def test_without_shared_memory_one_line_says_so(monkeypatch):
    class Context:
        def Lock(self):
            raise OSError(30, "Read-only file system")

    monkeypatch.setattr("multiprocessing.get_context", lambda method: Context())
    with (
        pytest.raises(sweeps.SweepError, match=r"/dev/shm: cannot be used \(Read-only file system\)"),
        sweeps.connect_cluster(),
    ):
        pass


# --- the store


def outcome(name="00-one-a", status="done", error=""):
    row = sweeps.Row(name, "00-one", "k", "", status, error, {})
    return sweeps.Outcome(row, b"{}", {"one-scores.csv": b"a\n1\n"})


def test_two_sweeps_do_not_write_to_one_folder(tmp_path):
    first, second = sweeps.OutcomeStore(tmp_path).locked(), sweeps.OutcomeStore(tmp_path).locked()
    with first, pytest.raises(sweeps.StoreError, match="locked by another sweep"), second:
        pass


def test_a_row_is_read_as_it_was_written_and_one_of_another_version_is_left_out(tmp_path):
    origin = provenance.Provenance("none", "2 cores", {"OpenMP": "1", "TensorFlow": "2"}, "3.11", {"numpy": "2"})
    row = sweeps.Row(
        "00-one-a", "00-one", "k", "d", "done", "", {"seed": 1}, {"x: value (a)": 0.5}, 7.0, "w:1", 2.5, 64.0, origin
    )
    store = sweeps.OutcomeStore(tmp_path)
    with store.locked():
        store.add(sweeps.Outcome(row, b"{}", {}).at_commit("ab"))
    with (tmp_path / "rows.jsonl").open("a") as file:
        file.write('{"name": "00-one-b", "status": "done"}\n')
    (read,) = store.rows().values()
    assert (read.done, read.metrics, read.provenance.commit) == (True, row.metrics, "ab")
    line = pd.read_csv(store.write_table([read])).iloc[0]
    assert (line["seed"], line["x: value (a)"], line["threads"]) == (1, 0.5, "OpenMP 1, TensorFlow 2")
    lost = outcome(status="failed", error="its worker died").row
    assert "worker" not in pd.read_csv(store.write_table([lost]))  # nobody knows which


def test_half_a_line_from_a_kill_is_cut_off_and_the_last_row_of_a_run_counts(tmp_path):
    store = sweeps.OutcomeStore(tmp_path)
    with store.locked():
        store.add(outcome(status="failed"))
        store.add(outcome())
    with (tmp_path / "rows.jsonl").open("ab") as file:
        file.write(b'{"name": "00-one-b", "sta')
    assert set(store.rows()) == {"00-one-a"}
    with store.locked():
        store.add(outcome("00-one-c"))
    assert {name: row.status for name, row in store.rows().items()} == {"00-one-a": "done", "00-one-c": "done"}


def test_a_full_disk_says_so_and_keeps_what_was_written(tmp_path):
    """A child process with a limit on the size of its files gets the error of the system, in the middle of a line."""
    code = """
    import resource, signal, sys
    from pathlib import Path
    from helpers import sweeps
    sys.path.insert(0, sys.argv[2])
    from test_sweeps import outcome
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = sweeps.OutcomeStore(Path(sys.argv[1]))
    with store.locked():
        store.add(outcome())
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        store.add(outcome("00-one-b", error="x" * 5000))
    """
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), here], capture_output=True, text=True
    )
    assert "StoreError" in done.stderr
    assert "00-one-b cannot be written" in done.stderr
    assert "it continues with this run" in done.stderr
    store = sweeps.OutcomeStore(tmp_path)
    with store.locked():
        assert set(store.rows()) == {"00-one-a"}
        store.add(outcome("00-one-b"))
    assert set(store.rows()) == {"00-one-a", "00-one-b"}


# --- what a profile may say, and the report


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("grid: {sede: [1]}", "no notebook of this profile has the parameter sede"),
        ("grid: {seed: 3}", "'grid' has a list of values"),
        ("grid: {seed: []}", "'grid' has a list of values"),
        ("grid: {seed: [1, two]}", "00-one has seed = 'two', but its default is 0"),
        ("grid: {seed: [1]}\ntimeout_s: -1", "'timeout_s' is a number of seconds"),
        ("grid: {seed: [1]}\nreport_metrics: AUC", "'report_metrics' is a list of patterns"),
    ],
)
def test_a_wrong_grid_is_refused_before_anything_runs(house, text, complaint):
    with pytest.raises(profiles.ProfileError, match=complaint):
        sweep(house, f"notebooks: {{00-one: }}\n{text}\n")


def test_a_table_of_a_part_that_was_left_out_measures_nothing(tmp_path):
    (tmp_path / "outputs").mkdir()
    pd.DataFrame().to_csv(tmp_path / "outputs" / "transfer-scaling.csv", index=False)
    pd.DataFrame(columns=["way", "value"]).to_csv(tmp_path / "outputs" / "transfer-background.csv", index=False)
    pd.DataFrame({"way": ["a"], "value": [0.5]}).to_csv(tmp_path / "outputs" / "transfer-scores.csv", index=False)
    found = tables.read_tables(tmp_path / "outputs", "transfer")
    assert [table.path.name for table in found] == ["transfer-scores.csv"]
    assert worker._measures(found) == {"transfer-scores: value (a)": 0.5}


def test_rows_that_a_number_names_are_all_measured(tmp_path):
    curve = pd.DataFrame({"images": [10, 60], "AUC": [0.5, 0.9], "learner": "5 interpretable features"})
    tables.save_table(
        curve.assign(interval=["95 %", "range of groups"]), tmp_path / "curve.csv", index=["learner", "images"]
    )
    found = worker._measures(tables.read_tables(tmp_path, "classify"))
    assert found == {
        "curve: AUC (5 interpretable features, 10)": 0.5,
        "curve: AUC (5 interpretable features, 60)": 0.9,
    }


def test_two_numbers_of_one_name_are_refused(tmp_path):
    frame = pd.DataFrame({"way": ["a"], "value": [1.0]})
    tables.save_table(frame, tmp_path / "x.csv", ["way"])
    tables.save_table(frame.rename(columns={"value": "y: value"}), tmp_path / "x: y.csv", ["way"])
    tables.save_table(frame.rename(columns={"value": "y: y: value"}), tmp_path / "x.1.csv", ["way"])
    assert len(worker._measures(tables.read_tables(tmp_path, "classify"))) == 3
    tables.save_table(frame.rename(columns={"value": "y: value"}), tmp_path / "x.csv", ["way"])
    tables.save_table(frame, tmp_path / "x: y.csv", ["way"])
    with pytest.raises(tables.TableError, match=r"two numbers are named x: y: value \(a\); rename a column"):
        worker._measures(tables.read_tables(tmp_path, "classify"))


def test_seeds_and_tested_folds_repeat_a_run_and_other_parameters_change_it():
    table = pd.DataFrame(
        {
            "status": "done",
            "networks": ['["a"]'] * 4 + ['["b"]'] * 4,
            "tested_folds": ["[0]", "[1]"] * 4,
            "seed": [20, 20, 21, 21] * 2,
            "transfer-scores: value (x)": [0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5],
        }
    )
    found = sweeps.mean_metrics(table, ["networks", "tested_folds", "seed"], ["transfer-scores: value (x)"])
    assert found[["networks", "level", "runs"]].to_numpy().tolist() == [["a", "x", 4], ["b", "x", 4]]
    assert found["mean"].tolist() == pytest.approx([0.25, 0.5])
    reach = 3.182 * np.std([0.1, 0.2, 0.3, 0.4], ddof=1) / 2  # Student's t of three degrees of freedom
    assert found["low"].tolist() == pytest.approx([0.25 - reach, 0.5], abs=1e-4)


def test_a_notebook_that_lacks_a_parameter_of_the_grid_is_in_the_report(house, client):
    write_notebook(house / "notebooks", "01-two", MEASURED.replace("one-", "two-"), parameters="value = 9\nseed = 0")
    write_notebook(house / "notebooks", "00-one", MEASURED, parameters="value = 9\nseed = 0\ncurve = 1")
    profile = sweep(house, "notebooks: {00-one: , 01-two: }\ngrid: {curve: [1, 2], seed: [1, 2]}\n")
    sweeps.run(profile, client)
    text = sweeps.write_report(profile).read_text()
    assert "6 of 6 runs are done" in text
    assert text.count("\n## ") == 2
    half = 12.706 * 0.1 / 2  # Student's t of one degree of freedom; deviation 0.1 / sqrt 2, two seeds
    assert "| curve | level | mean (95 % interval) | runs |" in text
    assert f"| 1 | a | 9.150 [{9.15 - half:.3f}, {9.15 + half:.3f}] | 2 |" in text
    assert f"| – | a | 9.150 [{9.15 - half:.3f}, {9.15 + half:.3f}] | 2 |" in text


def test_the_report_has_means_with_intervals_over_repetitions(house, client):
    profile = sweep(house, GRID + "report_metrics: ['one-scores: score (a)']\n")
    with pytest.raises(sweeps.SweepError, match="no run is done"):
        sweeps.write_report(profile)
    sweeps.run(profile, client)
    text = sweeps.write_report(profile).read_text()
    assert "6 of 6 runs are done" in text
    assert "Repeated over 3 of seed" in text
    half = 4.303 * 0.1 / 3**0.5  # Student's t of two degrees of freedom, deviation 0.1, three seeds
    assert "## one-scores: score\n" in text
    assert f"| 1 | a | 1.200 [{1.2 - half:.3f}, {1.2 + half:.3f}] | 3 |" in text
    assert "| b |" not in text
    assert (house / "build" / "try" / "sweep" / "report-0.png").stat().st_size > 5000
    with pytest.raises(sweeps.SweepError, match="no metric matches report_metrics nothing"):
        sweeps.write_report(sweep(house, GRID + "report_metrics: [nothing]\n"))


def test_a_measure_may_itself_be_called_low_or_high(house, client):
    table = """
    import pathlib, pandas as pd
    pathlib.Path("outputs").mkdir()
    found = pd.DataFrame({"method": ["a"], "value": [0.5], "low": [0.4 + seed / 100], "high": [0.6]})
    found.to_csv("outputs/one-scores.csv", index=False)
    """
    write_notebook(house / "notebooks", "00-one", table)
    profile = sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1, 2]}\nreport_metrics: ['one-scores: *']\n")
    sweeps.run(profile, client)
    text = sweeps.write_report(profile).read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## one-scores: value",
        "## one-scores: low",
        "## one-scores: high",
    ]
    half = 12.706 * 0.01 / 2  # Student's t of one degree of freedom; deviation 0.01 / sqrt 2, two seeds
    assert f"| a | 0.415 [{0.415 - half:.3f}, {0.415 + half:.3f}] | 2 |" in text
    assert text.count("No figure: there is one ") == 3
    assert "No figure: there is one low over repetitions only, a, 2 runs 0.4" in text
    assert not list((house / "build" / "try" / "sweep").glob("report-*.png"))


# --- the command line, in a process of its own


def command(*words):
    return [sys.executable, "-m", "helpers", *words]


def test_a_client_that_is_killed_goes_on_with_what_was_left(house):
    write_notebook(house / "notebooks", "00-one", "import time; time.sleep(1)", MEASURED)
    sweep(house, FOUR)
    rows = house / "build" / "try" / "sweep" / "rows.jsonl"
    words = ["run", str(house / "try.yaml"), "--workers", "1"]
    going = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until = time.time() + 120
    while time.time() < until and not (rows.exists() and rows.read_text().count("\n") >= 1):
        time.sleep(0.1)
    going.send_signal(signal.SIGSTOP)  # it still has its folder
    second = subprocess.run(command(*words), capture_output=True, text=True)
    assert second.returncode == 1
    assert "locked by another sweep" in second.stderr
    going.kill()
    going.communicate()
    kept = rows.read_text().count("\n")
    assert 1 <= kept < 4
    done = subprocess.run(command(*words), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{4 - kept} to do on 1 workers, about 0." in done.stdout
    assert "4 of 4 runs are done" in done.stdout
    assert len({json.loads(line)["name"] for line in rows.read_text().splitlines()}) == 4
    reported = subprocess.run(command("report", str(house / "try.yaml")), capture_output=True, text=True)
    assert "report.md" in reported.stdout, reported.stderr


def test_publishing_runs_everything_and_keeps_what_went_well_with_where_it_comes_from(house):
    for name, text in {
        "sweep-good": GRID + "report_metrics: ['one-scores: score (a)']\n",
        "full-bad": "notebooks: {00-one: {words: ['a']}, 01-bad: }\n",
        "full-one": "notebooks: {00-one: {value: 5}}\n",
        "quick": "notebooks: {00-one: {value: 7}}\n",
    }.items():
        (house / "profiles" / f"{name}.yaml").write_text(text)
    write_notebook(house / "notebooks", "01-bad", "1 / 0")
    done = subprocess.run(command("publish"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "Not published: full-bad" in done.stderr
    kept = house / "book" / "results"
    assert sorted(path.name for path in kept.glob("*.csv")) == ["full-one-one-scores.csv", "sweep-good.csv"]
    means = pd.read_csv(kept / "sweep-good.csv")
    assert list(means.columns) == ["value", "measure", "level", "mean", "low", "high", "runs"]
    assert list(means["mean"]) == [1.2, 2.2]
    assert list(means["runs"]) == [3, 3]
    note = json.loads((kept / "sweep-good.json").read_text())
    assert note["command"] == "python -m helpers publish sweep-good"
    assert note["made_by"] == "a sweep of 6 runs of one"
    assert note["parameters"] == {"one": {"value": [1, 2], "seed": [1, 2, 3], "words": ["a"]}}
    assert list(pd.read_csv(kept / "full-one-one-scores.csv")["score"]) == [5.0, 5.0]


def test_a_sweep_that_is_not_whole_is_not_published(house, client):
    write_notebook(house / "notebooks", "00-one", MEASURED, "1 / (seed - 1)")
    profile = sweep(house, GRID)
    rows = sweeps.run(profile, client)
    with pytest.raises(sweeps.SweepError, match="4 of 6 runs are done, and only complete sweeps are published"):
        sweeps.publish(profile, rows, "command")


def test_a_sweep_is_published_with_the_provenance_of_its_workers_and_not_after_a_change(house, client, monkeypatch):
    profile = sweep(house, GRID + "report_metrics: ['one-scores: score (a)']\n")
    first, *others = sweeps.run(profile, client)
    here = first.provenance
    elsewhere = replace(here, hardware="8 cores, aarch64, Linux", commit="ab" * 20)
    rows = [replace(first, provenance=elsewhere), *others]
    monkeypatch.setattr(provenance, "current", None)  # what publishes has nothing to do with it
    note = json.loads(sweeps.publish(profile, rows, "command").with_suffix(".json").read_text())
    assert note["hardware"] == " or ".join(sorted({"8 cores, aarch64, Linux", here.hardware}))
    assert note["commit"] == f"{'ab' * 20} or none"
    assert note["threads"] == {"OpenMP": "1", "TensorFlow": "1"}
    assert note["versions"] == provenance.versions()
    write_notebook(house / "notebooks", "00-one", MEASURED.replace("value +", "7 +"))
    with pytest.raises(sweeps.SweepError, match="no run is done"):
        sweeps.publish(profile, rows, "command")


def test_two_notebooks_that_save_a_table_of_one_name_are_not_mixed(house, client):
    declared = """
    import pathlib, pandas as pd
    from helpers.reports.tables import save_table
    pathlib.Path("outputs").mkdir()
    save_table(pd.DataFrame({"method": ["a"], "score": [value]}), pathlib.Path("outputs/scores.csv"), ["method"])
    """
    for name in ("00-one", "01-two"):
        write_notebook(house / "notebooks", name, declared)
    profile = sweep(house, "notebooks: {00-one: , 01-two: }\ngrid: {seed: [1]}\n")
    sweeps.run(profile, client)
    with pytest.raises(sweeps.SweepError, match="00-one and 01-two both save a table scores; rename one of them"):
        sweeps.write_report(profile)


def test_a_run_whose_table_loses_rows_fails_and_says_why(house, client):
    lost = MEASURED.replace('"method": ["a", "b"]', '"method": [10, 60]')
    write_notebook(house / "notebooks", "00-one", lost)
    (row,) = sweeps.run(sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1]}\n"), client)
    assert row.status == "failed"
    assert "one-scores.csv: '' identifies several rows; save it with tables.save_table" in row.error


def test_the_command_says_what_failed_and_exits_with_1(house):
    write_notebook(house / "notebooks", "00-one", "1 / (seed - 1)")
    sweep(house, "notebooks: {00-one: }\ngrid: {seed: [1, 2]}\n")
    done = subprocess.run(command("run", str(house / "try.yaml")), capture_output=True, text=True)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "1 of 2 runs are done" in done.stdout
    booked = subprocess.run(command("book", str(house / "try.yaml")), capture_output=True, text=True)
    assert booked.returncode == 1
    assert "try is a sweep" in booked.stderr
