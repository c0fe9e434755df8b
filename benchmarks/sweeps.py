"""What the engine of sweeps costs beside bare papermill, and whether it stays flat in the number of runs.

    python benchmarks/sweeps.py            # about 12 minutes on 2 cores
    python benchmarks/sweeps.py 40 2000    # fewer short runs, fewer simulated ones

*Bare*: ``papermill.execute_notebook`` in a loop, as many processes of it as there are workers. *Engine*:
``helpers.sweeps.run`` of the same notebook and parameters, from the profile to the written table; its workers are up
before the clock starts, as the processes of the other are. *Simulated*: the work of a run is replaced by nothing, so
that only the engine, the cluster and the disk are left; the client's memory is looked at as it goes.
"""

import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import papermill

from helpers import sweeps
from helpers.project import CHECKOUT
from helpers.runs import profiles
from helpers.sweeps import worker

WORKERS = 2
CELL = "total = sum(range(seed))\nprint(total)"


def notebook(folder: Path) -> None:
    cells = [
        nbformat.v4.new_code_cell("seed = 0", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(CELL),
    ]
    content = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
    nbformat.write(content, folder / "00-short.ipynb")


def bare(folder: Path, seeds: list[int]) -> None:
    for seed in seeds:
        papermill.execute_notebook(
            str(folder / "00-short.ipynb"), str(folder / f"out-{seed}.ipynb"), {"seed": seed}, kernel_name="python3",
            progress_bar=False,
        )  # fmt: skip


def bare_in_processes(folder: Path, n: int) -> float:
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.map(time.sleep, [1] * WORKERS)  # all processes are up, as the workers of the engine are
        start = time.perf_counter()
        pool.starmap(bare, [(folder, list(range(k, n, WORKERS))) for k in range(WORKERS)])
        return time.perf_counter() - start


def nothing(task: sweeps.Task, source: bytes, helpers: str, timeout_s: float) -> sweeps.Outcome:
    """As ``worker.execute_task`` brings it back, without a kernel."""
    row = sweeps.Row(
        task.name, task.notebook, task.key, task.data, "done", "", task.parameters, {"score": 1.0},
        seconds=0.0, peak_mib=0.0,
    )  # fmt: skip
    return sweeps.Outcome(row, source, {})


def engine(name: str, n: int, workers: int = WORKERS, log=lambda text: None) -> float:
    chapter = profiles.Chapter({}, {"seed": 0}, "seed = 0")
    profile = profiles.Profile(name, {"00-short": chapter}, {"seed": list(range(n))})
    with sweeps.connect_cluster(workers=workers) as client:
        client.run(os.getpid)  # all workers are up
        start = time.perf_counter()
        rows = sweeps.run(profile, client, log)
        seconds = time.perf_counter() - start
    assert len(rows) == n, len(rows)
    assert all(row.done for row in rows), rows[0]
    return seconds


def mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(short: int, simulated: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LEUKOBOOK_PROJECT"] = folder
        shutil.copy(CHECKOUT / "requirements.lock", folder)
        for name in ("notebooks", "helpers"):
            (Path(folder) / name).mkdir()
        (Path(folder) / "helpers" / "__init__.py").touch()
        notebook(Path(folder) / "notebooks")
        print(
            f"| {short} short runs, {WORKERS} processes unless stated | s | a run, s | of bare |\n|---|---:|---:|---:|"
        )
        seconds_of = {
            "bare papermill": bare_in_processes(Path(folder) / "notebooks", short),
            "engine": engine("short", short),
        }
        seconds_of["engine, one worker"] = engine("alone", short, 1)
        for method, seconds in seconds_of.items():
            print(
                f"| {method} | {seconds:.1f} | {seconds / short:.3f} | {seconds / seconds_of['bare papermill']:.2f} |"
            )
        worker.execute_task = nothing
        print("\n| simulated runs | s | a run, ms | client at most, MiB |\n|---|---:|---:|---:|")
        for n in (simulated // 100, simulated // 10, simulated):
            seconds = engine(f"simulated-{n}", n)
            print(f"| {n} | {seconds:.1f} | {1000 * seconds / n:.1f} | {mib():.0f} |")


if __name__ == "__main__":
    main(*(int(arg) for arg in (sys.argv[1:] or ("200", "10000"))))
