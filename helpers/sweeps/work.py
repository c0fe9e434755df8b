"""One run, in a process of a worker: needs this package there and the data, and no folder shared with the client."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
from dask.distributed import get_worker
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from helpers import files, kernels, notebooks, provenance, runs, tables
from helpers.publication import published
from helpers.sweeps.plan import Task


def helpers_digest() -> str:
    """Of the files of this package where it is installed, as they are now: client and workers must agree."""
    whole, folder = hashlib.sha256(), Path(__file__).resolve().parents[1]
    for path in sorted(folder.rglob("*.py")):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def carry_out(task: Task, source: bytes, helpers: str, limit_s: float) -> dict[str, Any]:
    """Execute a notebook and bring back all that it made.

    Args:
        task: what to run.
        source: the notebook.
        helpers: digest of the package on the client.
        limit_s: seconds after which its kernel is killed. It is killed, too, when it needs more memory than its worker
            may have.

    Returns:
        ``row`` (what stands in the table; ``status`` is ``done`` or ``failed``, ``error`` says why), ``notebook``
        (bytes, as far as it went) and ``tables`` (bytes by name) that it saved below ``outputs/``.
    """
    begun, clock = time.time(), time.perf_counter()
    row: dict[str, Any] = {"name": task.name, "notebook": task.notebook, "key": task.key, "data": task.data}
    row |= {"status": "failed", "error": "", "begun": begun, "worker": f"{platform.node()}:{os.getpid()}"}
    row |= {"parameters": published(task.parameters), "measures": {}, "provenance": asdict(_provenance())}
    saved: list[tables.Table] = []
    with files.temporary_folder("sweep-") as place:
        watch = _Watch(limit_s)
        try:
            _same_helpers(helpers)
            _same_data(task)
            (place / "in.ipynb").write_bytes(source)
            with watch:
                kernels.execute(place / "in.ipynb", place / "out.ipynb", task.parameters, place, progress=False)
            saved = tables.read_tables(place / "outputs", notebooks.chapter_name(task.notebook))
            row["measures"] = _measures(saved)
            _same_helpers(helpers)  # nor have they changed meanwhile
            row["status"] = "done"
        except PapermillExecutionError as error:
            row["error"] = f"cell {error.cell_index + 1}: {error.ename}: {error.evalue}"
        except DeadKernelError as error:
            row["error"] = watch.why or f"the kernel died ({error})"
        except kernels.KernelError as error:  # maybe killed before it could answer
            row["error"] = watch.why or str(error)
        except (ValueError, OSError) as error:
            row["error"] = str(error)
        out = place / "out.ipynb"
        row["error"] = published(row["error"])
        row |= {"seconds": round(time.perf_counter() - clock, 3), "peak_mib": round(watch.peak / 2**20, 1)}
        return {
            "row": row,
            "notebook": out.read_bytes() if out.exists() else source,
            "tables": {table.path.name: table.path.read_bytes() for table in saved},
        }


@functools.cache
def _known(dataset: tuple[str, str], expected: str) -> str:
    """The fingerprint of a dataset here; read once in the life of a worker, and again when another one is expected."""
    return runs.fingerprint(dataset)


@functools.cache
def _provenance() -> provenance.Provenance:
    """Machine, threads and libraries of this worker, which stay what they are while it lives."""
    return provenance.current()


def _same_helpers(expected: str) -> None:
    if helpers_digest() != expected:
        raise ValueError("the helpers package on this worker is another than on the client; install the same")


def _same_data(task: Task) -> None:
    for dataset, expected in task.datasets.items():
        found = _known(dataset, expected)
        if found != expected:
            where = f"{dataset[0]} on {platform.node()}"
            raise ValueError(f"{where} has the content {found[:12]}, and {expected[:12]} on the client; fetch it again")


def _measures(saved: list[tables.Table]) -> dict[str, float]:
    """Every number of the tables that a run has saved, by table, column and what names its row.

    Raises:
        TableError: two numbers would have one name.
    """
    found: dict[str, float] = {}
    for table in saved:
        numbers = [name for name in table.frame.select_dtypes("number") if name not in table.index]
        for label, line in zip(table.labels, table.frame[numbers].to_dict("records"), strict=True):
            for name, value in line.items():
                measure = f"{table.path.stem}: {name}" + (f" ({label})" if label else "")
                if measure in found:
                    raise tables.TableError(f"{table.path}: a second number is called {measure}; rename its column")
                found[measure] = float(value)
    return found


class _Watch(threading.Thread):
    """Looks at the kernel twice a second, and kills it when it is over its time or its memory; ``why`` then says so."""

    def __init__(self, limit_s: float):
        super().__init__(daemon=True)
        self.limit_s, self.peak, self.why = limit_s, 0, ""
        self._allowed, self._ended = _memory_limit(), threading.Event()

    def __enter__(self) -> _Watch:
        self._until = time.monotonic() + self.limit_s
        self._before = {child.pid for child in psutil.Process().children(recursive=True)}
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        while not self._ended.wait(0.5):
            children = psutil.Process().children(recursive=True)
            kernels = [child for child in children if child.pid not in self._before]
            self.peak = max(self.peak, sum(map(_memory, kernels)))
            if time.monotonic() > self._until:
                self.why = f"stopped after {self.limit_s:g} s, its limit"
            elif self.peak > self._allowed:
                self.why = f"stopped at {self.peak / 2**20:.0f} MiB; its worker may have {self._allowed / 2**20:.0f}"
            for child in kernels if self.why else ():
                _kill(child)


def _memory_limit() -> float:
    """Bytes that the Dask worker of this process may have; Dask itself looks at the worker, not at its kernel."""
    try:
        return get_worker().memory_manager.memory_limit or float("inf")
    except ValueError:  # not in a worker
        return float("inf")


def _memory(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):  # it has ended by itself meanwhile
        process.kill()
