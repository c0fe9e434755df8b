"""Outcome of one run of a sweep: a row of the table of runs, the executed notebook and its saved tables."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from helpers.runs.notebooks import Parameters
from helpers.runs.provenance import Provenance


@dataclass(frozen=True)
class Row:
    """One run in the table of runs. Values that are unknown after the loss of a worker are None.

    Attributes:
        name: name of the :class:`helpers.sweeps.plan.Task`.
        notebook: notebook of the task.
        key: key of the task.
        data: data fingerprint of the task.
        status: "done" or "failed".
        error: error message; empty if done.
        parameters: parameters of the task, without local paths of the worker.
        metrics: all numbers in the saved tables, by table, column and row label.
        begun: start as Unix time in seconds.
        worker: host and process id.
        seconds: duration in seconds.
        peak_mib: peak memory of the kernel in MiB.
        provenance: provenance of the worker, with the commit of the client.
    """

    name: str
    notebook: str
    key: str
    data: str
    status: str
    error: str
    parameters: Parameters
    metrics: dict[str, float] = field(default_factory=dict)
    begun: float | None = None
    worker: str | None = None
    seconds: float | None = None
    peak_mib: float | None = None
    provenance: Provenance | None = None

    @property
    def done(self) -> bool:
        """Whether the run completed and its tables were read."""
        return self.status == "done"

    def to_json(self) -> str:
        """Return the row as one line of JSON."""
        return json.dumps(asdict(self))


def row_from_json(line: str) -> Row | None:
    """Parse a line of :meth:`helpers.sweeps.Row.to_json`; None if it has the format of another version."""
    content = json.loads(line)
    try:
        origin = content["provenance"]
        return Row(**{**content, "provenance": origin and Provenance(**origin)})
    except (KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run, sent from worker to client.

    Attributes:
        row: row of the table of runs.
        notebook: content of the executed notebook, after an error with the outputs up to there.
        tables: content of the saved result tables by file name.
    """

    row: Row
    notebook: bytes
    tables: dict[str, bytes]

    def at_commit(self, commit: str) -> Outcome:
        """Return the outcome with the commit of the client, which provided the notebook."""
        if self.row.provenance is None:
            return self
        return replace(self, row=replace(self.row, provenance=replace(self.row.provenance, commit=commit)))
