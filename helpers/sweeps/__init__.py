"""Many runs of notebooks: a grid of parameters, on this machine or on a Dask cluster, and one table with a row per run.

What a sweep leaves in ``build/<profile>/sweep/``::

    rows.jsonl      a line per run that has ended, written as it ends; the last line of a run counts
    notebooks/      executed, one per run
    tables/ID/      the tables that a run has saved
    runs.csv        the table: parameters, measures, times, memory, versions, commit, data
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
