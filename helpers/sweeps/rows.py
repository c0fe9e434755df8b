"""What one run of a sweep brings back: a row of the table, the executed notebook, and the tables that it saved."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from helpers.runs.notebooks import Parameters
from helpers.runs.provenance import Provenance


@dataclass(frozen=True)
class Row:
    """What became of one run of a sweep. What the client does not know of a run whose worker was lost is None.

    Attributes:
        name, notebook, key, data: of its :class:`helpers.sweeps.plan.Task`.
        status: "done" or "failed".
        error: what went wrong.
        parameters: set by the sweep, without places of the worker.
        metrics: every number of the tables that it saved, by table, column and what names its row.
        begun: Unix time in seconds.
        worker: host and process.
        seconds: that it took.
        peak_mib: memory of its kernel at most, MiB.
        provenance: of the worker; the commit is that of the client.
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
        """Whether the run came to its end, with its tables."""
        return self.status == "done"

    def to_json(self) -> str:
        """Write the row as one line."""
        return json.dumps(asdict(self))


def row_from_json(line: str) -> Row | None:
    """Read a line of :meth:`Row.to_json`; None for one of another version of this program."""
    content = json.loads(line)
    try:
        origin = content["provenance"]
        return Row(**{**content, "provenance": origin and Provenance(**origin)})
    except (KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Outcome:
    """What a worker sends to the client.

    Attributes:
        row: of the table.
        notebook: executed, as far as it came.
        tables: files that the notebook saved, by name.
    """

    row: Row
    notebook: bytes
    tables: dict[str, bytes]

    def at_commit(self, commit: str) -> Outcome:
        """Return the outcome with the commit of the client, where the notebook came from."""
        if self.row.provenance is None:
            return self
        return replace(self, row=replace(self.row, provenance=replace(self.row.provenance, commit=commit)))
