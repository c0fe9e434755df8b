"""Distribute the runs of a sweep to the workers of a Dask cluster and collect their outcomes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import dask
from dask.distributed import Client, Future, LocalCluster, as_completed
from distributed.comm import connect
from distributed.scheduler import KilledWorker
from distributed.security import Security
from tqdm import tqdm

from helpers import processes
from helpers.errors import LeukobookError
from helpers.project import Project
from helpers.publication import without_paths
from helpers.runs import profiles, provenance
from helpers.sweeps import worker
from helpers.sweeps.outcomes import OutcomeStore
from helpers.sweeps.plan import Task, expand
from helpers.sweeps.rows import Outcome, Row

# Runs submitted ahead per worker, and at least in total, so that workers that join later find some.
AHEAD, MIN_AHEAD = 2, 250
# Dask settings for local workers. By default, Dask gives up a worker that does not restart within 15 s, so that a sweep
# would wait for ever, and counts the death of a worker as a failure of queued runs, too.
LOCAL = {"distributed.deploy.lost-worker-timeout": "1 day", "distributed.scheduler.worker-saturation": 1.0}


class SweepError(LeukobookError):
    """A sweep failed; finished runs are kept. The message states how to continue."""


@contextlib.contextmanager
def connect_cluster(scheduler: str | None = None, workers: int | None = None) -> Iterator[Client]:
    """Connect to a Dask cluster: the one at ``scheduler``, or local processes, reachable only from this machine.

    Local processes communicate over TLS with a temporary key in memory, because a scheduler executes any code sent to
    it, and its port on 127.0.0.1 is open to every user of the machine.

    Args:
        scheduler: address such as ``tcp://host:8786``, or ``tls://host:8786`` with certificate and key in Dask's
            configuration, ``distributed.comm.tls``; None for local processes.
        workers: number of local processes, by default one per two cores. Each executes one run at a time.

    Yields:
        Client of the cluster.

    Raises:
        SweepError: no scheduler answers at the address, or this machine has no shared memory for processes.
    """
    if scheduler:
        try:
            asyncio.run(_require_scheduler(scheduler))
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            remedy = "start one with `dask scheduler` and give the address that it prints, such as tcp://10.0.0.1:8786"
            if scheduler.startswith("tls:"):
                remedy += "; set the certificates in Dask's configuration: DASK_DISTRIBUTED__COMM__TLS__CA_FILE, "
                remedy += "…__TLS__CLIENT__CERT and …__TLS__CLIENT__KEY"
            raise SweepError(f"{scheduler}: no scheduler answers ({error}); {remedy}") from None
        with Client(scheduler, set_as_default=False) as client:
            yield client
        return
    if reason := processes.shared_memory_problem():
        raise SweepError(
            f"/dev/shm: cannot be used ({reason}), and the processes of a sweep share locks there; mount it "
            "(docker run --shm-size=256m), or give a cluster with --scheduler"
        )
    with (
        dask.config.set(LOCAL),
        LocalCluster(
            n_workers=workers or max(1, (os.cpu_count() or 2) // 2), threads_per_worker=1, processes=True,
            host="127.0.0.1", protocol="tls://", security=Security.temporary(), dashboard_address="127.0.0.1:0",
        ) as local,
        Client(local, set_as_default=False) as client,
    ):  # fmt: skip
        yield client


async def _require_scheduler(scheduler: str) -> None:
    """Raise an error unless a scheduler answers, without creating a client.

    The garbage collector closes an unconnected client, possibly in a thread that the next client starts and waits for,
    which would be a deadlock.
    """
    comm = await connect(scheduler, timeout=5, **Security().get_connection_args("client"))
    await comm.close()


def sweep_folder(name: str) -> Path:
    """Return the folder of a sweep's results.

    Args:
        name: name of the profile.
    """
    return Project.current().build / name / "sweep"


def run(profile: profiles.Profile, client: Client, log: Callable[[str], None] = print) -> list[Row]:
    """Execute the runs of a sweep that are not yet done with the same notebook, helpers, libraries and data.

    A failed run is recorded and does not stop the others. A run whose worker dies is retried on another worker, as
    often as Dask allows (``distributed.scheduler.allowed-failures``, three times).

    Args:
        profile: profile with a grid, from :func:`helpers.runs.profiles.read_profile`.
        client: from :func:`connect_cluster`.
        log: called with the plan, an estimate of the duration, and each failure.

    Returns:
        Rows of all runs, in the order of the grid.

    Raises:
        SweepError: the connection to the scheduler is lost. Finished runs are kept, and the next call continues.
        StoreError: another sweep writes to the same folder, or the disk is full.
    """
    store = OutcomeStore(sweep_folder(profile.name))
    with store.locked():
        tasks, before = list(expand(profile)), store.rows()
        ended = dict(before)
        todo = [task for task in tasks if not _done(task, before)]
        log(_plan(profile, tasks, todo, before, client))
        if todo and not client.scheduler_info()["workers"]:
            assert client.scheduler is not None  # the scheduler has just answered
            log(f"no worker is connected yet: waiting for one (dask worker {client.scheduler.address})")
        commit = provenance.commit()
        bar = tqdm(total=len(tasks), initial=len(tasks) - len(todo), desc=profile.name, unit="run", delay=2)
        with bar:
            for outcome in _outcomes(todo, client, profile.timeout_s):
                outcome = outcome.at_commit(commit)  # notebook and helpers are those of the client
                store.add(outcome)
                ended[outcome.row.name] = outcome.row
                if not outcome.row.done:
                    log(f"{outcome.row.name}: failed, {outcome.row.error}")
                bar.update()
        rows = [ended[task.name] for task in tasks]
        store.write_table(rows)
        return rows


def _done(task: Task, before: dict[str, Row]) -> bool:
    row = before.get(task.name)
    return row is not None and row.done and row.key == task.key


def _plan(
    profile: profiles.Profile, tasks: list[Task], todo: list[Task], before: dict[str, Row], client: Client
) -> str:
    """Describe the runs to execute, with a duration estimated from finished runs."""
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    seconds = [row.seconds for row in before.values() if row.done and row.seconds is not None]
    duration = "duration unknown until the first run ends"
    if seconds:
        duration = f"about {statistics.median(seconds) * len(todo) / max(1, workers) / 60:.1f} min"
    lines = [f"{profile.name}: {len(tasks)} runs, {len(todo)} to do on {workers} workers, {duration}"]
    if not workers:
        lines.append("  No worker has joined the cluster yet; the runs begin with the first one.")
    for notebook in profile.notebooks:
        each = "; ".join(
            f"{name} {', '.join(map(str, values))}" for name, values in profile.relevant_grid(notebook).items()
        )
        lines.append(f"  {notebook}: {each or 'once'}")
    return "\n".join(lines)


def _outcomes(todo: list[Task], client: Client, timeout_s: float) -> Iterator[Outcome]:
    """Yield outcomes as runs end, with a bounded number submitted ahead for workers that join later.

    The keys put all runs into one Dask task group, whose waiting runs stay on the scheduler: a worker that dies loses
    only the run that it was executing.
    """
    waiting, tasks = iter(todo), {}
    # Read when the keys are computed, so that later changes do not affect runs that are submitted later.
    folder = Project.current().notebooks
    sources = {name: (folder / f"{name}.ipynb").read_bytes() for name in {task.notebook for task in todo}}
    helpers = worker.helpers_digest()

    def submit() -> list[Future]:
        task = next(waiting, None)
        if task is None:
            return []
        future = client.submit(
            worker.execute_task, task, sources[task.notebook], helpers, timeout_s,
            key=("run", task.name, task.key[:12]), pure=False,
        )  # fmt: skip
        tasks[future.key] = task
        return [future]

    ahead = max(MIN_AHEAD, AHEAD * len(client.scheduler_info(n_workers=-1)["workers"]))
    first = [future for _ in range(ahead) for future in submit()]
    going = as_completed(first, loop=client.loop)
    for future in going:
        task = tasks.pop(future.key)
        yield _outcome(future, task, client)
        for more in submit():
            going.add(more)


def _outcome(future: Future, task: Task, client: Client) -> Outcome:
    try:
        return future.result()
    except KilledWorker as error:
        return _lost(task, f"its worker died {error.allowed_failures + 1} times")
    except Exception as error:
        if client.status != "running" or future.cancelled():
            raise SweepError("the connection to the scheduler is lost; start the sweep again to continue it") from error
        return _lost(task, f"{type(error).__name__}: {error}")


def _lost(task: Task, reason: str) -> Outcome:
    row = Row(
        task.name, task.notebook, task.key, task.data, "failed", without_paths(reason), without_paths(task.parameters)
    )
    return Outcome(row, (Project.current().notebooks / f"{task.notebook}.ipynb").read_bytes(), {})
