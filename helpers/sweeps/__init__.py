"""Sweeps: run notebooks over a grid of parameters, on this machine or a Dask cluster, into a table of one row per run.

Files of a sweep in ``build/<profile>/sweep/``::

    rows.jsonl      one line per run when it ends; the last of a run is valid
    notebooks/      executed notebooks, one per run
    tables/ID/      saved result tables of a run
    runs.csv        table of runs: parameters, metrics, times, memory, versions, commit, data
"""

from helpers.sweeps.outcomes import OutcomeStore, StoreError
from helpers.sweeps.plan import Task, expand
from helpers.sweeps.report import mean_metrics, publish, write_report
from helpers.sweeps.rows import Outcome, Row
from helpers.sweeps.runner import SweepError, connect_cluster, run, sweep_folder

__all__ = [
    "Outcome",
    "OutcomeStore",
    "Row",
    "StoreError",
    "SweepError",
    "Task",
    "connect_cluster",
    "expand",
    "mean_metrics",
    "publish",
    "run",
    "sweep_folder",
    "write_report",
]
