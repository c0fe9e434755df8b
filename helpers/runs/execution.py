"""Execute one notebook and return its result tables or one error.

Runs and sweeps both execute notebooks through :func:`execute`, so that a failure has the same message in both: an error
in a cell, a kernel that died, did not start or exceeded a limit, a missing notebook, an unreadable table.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from pathlib import Path

import psutil
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from helpers.errors import LeukobookError
from helpers.reports import tables
from helpers.runs import kernels, notebooks
from helpers.runs.notebooks import Parameters

POLL_S = 0.5  # polling interval in seconds


class ExecutionError(LeukobookError):
    """A notebook has no results; the message states the cell that failed or another reason."""


class KernelMonitor(threading.Thread):
    """Monitor the memory of a kernel twice a second and kill it at a limit; a context manager around its execution.

    Attributes:
        peak: peak memory of the kernel and its children in bytes.
        reason: reason why the kernel was killed; empty if it was not.

    Args:
        timeout_s: time limit in seconds.
        memory_limit: memory limit in bytes.
    """

    def __init__(self, timeout_s: float, memory_limit: float = math.inf):
        super().__init__(daemon=True)
        self.timeout_s, self.memory_limit = timeout_s, memory_limit
        self.peak, self.reason = 0, ""
        self._ended = threading.Event()

    def __enter__(self) -> KernelMonitor:
        self._until = time.monotonic() + self.timeout_s
        self._before = {child.pid for child in psutil.Process().children(recursive=True)}
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Poll until the execution ends; called by :meth:`threading.Thread.start`."""
        while not self._ended.wait(POLL_S):
            children = psutil.Process().children(recursive=True)
            kernel = [child for child in children if child.pid not in self._before]
            self.peak = max(self.peak, sum(map(_memory, kernel)))
            if time.monotonic() > self._until:
                self.reason = f"stopped after {self.timeout_s:g} s, its limit"
            elif self.peak > self.memory_limit:
                peak, limit = self.peak / 2**20, self.memory_limit / 2**20
                self.reason = f"stopped at {peak:.0f} MiB; its worker may have {limit:.0f}"
            for process in kernel if self.reason else ():
                _kill(process)


def _memory(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.Error):  # the process has already ended
        process.kill()


def execute(
    source: Path,
    target: Path,
    parameters: Parameters,
    work: Path,
    *,
    monitor: KernelMonitor | None = None,
    progress: bool = False,
) -> list[tables.Table]:
    """Execute a notebook and read the result tables that it saved below ``outputs/``.

    Args:
        source: notebook, under its own name.
        target: executed notebook to write; after an error it holds the outputs up to there.
        parameters: parameters of the run; others keep their defaults.
        work: working directory of the kernel.
        monitor: enforces time and memory limits; without it there are no limits.
        progress: show a progress bar.

    Raises:
        ExecutionError: a cell failed, the kernel did not start, died or was killed, or a table is unreadable.
    """
    try:
        with monitor or contextlib.nullcontext():
            kernels.execute(source, target, parameters, work, progress=progress)
        return tables.read_tables(work / "outputs", notebooks.chapter_name(source.stem))
    except PapermillExecutionError as error:
        reason = f"cell {error.cell_index + 1}: {error.ename}: {error.evalue}"
    except DeadKernelError as error:
        reason = _limit_reached(monitor) or f"the kernel died ({error})"
    except kernels.KernelError as error:  # the monitor may have killed it during startup
        reason = _limit_reached(monitor) or str(error)
    except (ValueError, OSError) as error:
        reason = str(error)
    raise ExecutionError(reason)


def _limit_reached(monitor: KernelMonitor | None) -> str:
    return monitor.reason if monitor else ""
