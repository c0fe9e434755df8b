"""Execute one run on a worker, which needs this package and the data but no folder shared with the client."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import time
from pathlib import Path

from dask.distributed import get_worker

from helpers import files
from helpers.publication import without_paths
from helpers.reports import tables
from helpers.runs import execution, provenance, runner
from helpers.runs.execution import ExecutionError, KernelMonitor
from helpers.sweeps.plan import Task
from helpers.sweeps.rows import Outcome, Row


def helpers_digest() -> str:
    """Return a SHA-256 of the installed files of this package, on which client and workers must agree."""
    whole, folder = hashlib.sha256(), Path(__file__).resolve().parents[1]
    for path in sorted(folder.rglob("*.py")):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def execute_task(task: Task, source: bytes, helpers: str, timeout_s: float) -> Outcome:
    """Execute a notebook and return its outcome.

    Args:
        task: task to execute.
        source: content of the notebook.
        helpers: :func:`helpers_digest` of the client.
        timeout_s: time limit in seconds after which the kernel is killed; it is also killed above the memory limit of
            its worker.

    Returns:
        Row, executed notebook and the tables saved below ``outputs/``; after an error the row is ``failed``, and the
        notebook has the outputs up to there.
    """
    begun, clock = time.time(), time.perf_counter()
    monitor, measures, error = KernelMonitor(timeout_s, _memory_limit()), {}, ""
    saved: list[tables.Table] = []
    with files.temporary_folder("sweep-") as folder:
        notebook, executed = folder / f"{task.notebook}.ipynb", folder / "executed.ipynb"
        try:
            _require_same_helpers(helpers)
            _require_same_data(task)
            notebook.write_bytes(source)
            saved = execution.execute(notebook, executed, task.parameters, folder, monitor=monitor)
            measures = _measures(saved)
            _require_same_helpers(helpers)  # must not have changed during the run
        except (ValueError, OSError) as caught:
            error = str(caught) or type(caught).__name__
        row = Row(
            task.name, task.notebook, task.key, task.data, "failed" if error else "done", without_paths(error),
            without_paths(task.parameters), measures, begun, f"{platform.node()}:{os.getpid()}",
            round(time.perf_counter() - clock, 3), round(monitor.peak / 2**20, 1), _provenance(),
        )  # fmt: skip
        content = {table.path.name: table.path.read_bytes() for table in saved}
        return Outcome(row, executed.read_bytes() if executed.exists() else source, content)


@functools.cache
def _known(dataset: tuple[str, str], expected: str) -> str:
    """Return the fingerprint of a dataset on this worker, cached until another one is expected."""
    return runner.fingerprint(dataset)


@functools.cache
def _provenance() -> provenance.Provenance:
    """Return the provenance of this worker, which does not change while it lives."""
    return provenance.current()


def _require_same_helpers(expected: str) -> None:
    if helpers_digest() != expected:
        raise ExecutionError("the helpers package on this worker differs from that on the client; install the same")


def _require_same_data(task: Task) -> None:
    for dataset, expected in task.datasets.items():
        actual = _known(dataset, expected)
        if actual != expected:
            source = f"{dataset[0]} on {platform.node()}"
            raise ExecutionError(
                f"{source} has the fingerprint {actual[:12]}, and {expected[:12]} on the client; fetch it again"
            )


def _measures(saved: list[tables.Table]) -> dict[str, float]:
    """Return all numbers in the saved tables of a run, by table, column and row label.

    Raises:
        TableError: two numbers have the same name.
    """
    numbers_by_name: dict[str, float] = {}
    for table in saved:
        numbers = [name for name in table.frame.select_dtypes("number") if name not in table.index]
        for label, line in zip(table.labels, table.frame[numbers].to_dict("records"), strict=True):
            for name, value in line.items():
                measure = f"{table.path.stem}: {name}" + (f" ({label})" if label else "")
                if measure in numbers_by_name:
                    raise tables.TableError(f"{table.path}: two numbers are named {measure}; rename a column")
                numbers_by_name[measure] = float(value)
    return numbers_by_name


def _memory_limit() -> float:
    """Return the memory limit of the Dask worker in bytes; Dask does not apply it to the worker's kernel."""
    try:
        return get_worker().memory_manager.memory_limit or float("inf")
    except ValueError:  # not in a worker
        return float("inf")
