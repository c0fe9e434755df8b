"""Call a function several times at a time, in processes that share the cores of this machine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from helpers import processes
from helpers.errors import LeukobookError
from helpers.runs import provenance


class WorkerError(LeukobookError):
    """Processes cannot run at a time here, or one was killed; the message states a remedy."""


@contextlib.contextmanager
def shared_cores(workers: int) -> Iterator[int]:
    """Limit the threads of processes that start inside to their share of the cores, unless the user has set a limit.

    With one process nothing is set. More processes than cores would compete for them.

    Args:
        workers: number of processes wanted.

    Yields:
        Number of processes to use: at most one per core.
    """
    workers = min(workers, processes.cores())
    saved = {variable: os.environ.get(variable) for variable in provenance.LIMITS.values()}
    if workers > 1:
        for variable, limit in saved.items():
            os.environ[variable] = limit or str(processes.cores() // workers)
    try:
        yield workers
    finally:
        for variable, limit in saved.items():
            os.environ.pop(variable, None) if limit is None else os.environ.__setitem__(variable, limit)


def results_as_completed(
    function: Callable[..., Any], calls: Mapping[str, tuple[Any, ...]], workers: int
) -> Iterator[tuple[str, Any]]:
    """Call a function in other processes and yield each result as it is ready.

    The processes are new ones, which import the module of the function, and end with this one.

    Args:
        function: function of a module; arguments and results are pickled.
        calls: arguments of each call, by its name.
        workers: number of processes.

    Yields:
        Name and result of a call. If the caller stops, calls that have not begun are dropped.

    Raises:
        WorkerError: this machine has no shared memory for processes, or one of them was killed.
    """
    if reason := processes.shared_memory_problem():
        raise WorkerError(
            f"/dev/shm: cannot be used ({reason}), and the processes of a run share locks there; mount it "
            "(docker run --shm-size=256m), or set `workers: 1` in the profile"
        )
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=processes.die_with, initargs=(os.getpid(),)
    )
    try:
        name_of = {pool.submit(function, *arguments): name for name, arguments in calls.items()}
        for future in as_completed(name_of):
            yield name_of[future], future.result()
    except BrokenProcessPool:
        raise WorkerError(
            "a process of the run was killed, as the system does when memory is short; what had ended is kept. Run it "
            "again, with `workers: 1` in the profile if memory is short"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
