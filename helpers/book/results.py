"""Publish and read result tables in ``book/results/``, each with its provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files
from helpers.project import Project
from helpers.publication import without_paths
from helpers.reports import ResultError, tables
from helpers.reports.published import read_pair
from helpers.runs import notebooks, runner
from helpers.runs.notebooks import Parameters
from helpers.runs.profiles import Profile
from helpers.runs.provenance import Provenance
from helpers.runs.records import Record, RunFolder


@dataclass(frozen=True)
class ResultNote:
    """Note on the origin of a published table, stored beside it as JSON.

    Attributes:
        made_by: chapter, sweep or benchmark that computed the table.
        command: command that reproduces the table.
        parameters: parameters of the notebook, including defaults.
        data_sha256: fingerprint of all data read.
        finished: end time in ISO format.
        provenance: provenance at the time of computation.
    """

    made_by: str
    command: str
    parameters: Parameters
    data_sha256: str
    finished: str
    provenance: Provenance

    def to_json(self, sha256: str) -> str:
        """Return the note as JSON, without local paths.

        Args:
            sha256: SHA-256 of the table.
        """
        content = asdict(self)
        content |= {**content.pop("provenance"), "sha256": sha256}
        return json.dumps(without_paths(content), indent=1) + "\n"


def save_result(name: str, table: pd.DataFrame, note: ResultNote) -> Path:
    """Save a table in ``book/results/`` as CSV with its note as JSON; the results page shows both.

    Args:
        name: file name without suffix.
        table: unrounded values; the page shows three decimals.
        note: origin of the table.

    Returns:
        Path of the CSV file.
    """
    return _save(name, tables.safe_text(table).to_csv(index=False).encode(), note)


def _save(name: str, content: bytes, note: ResultNote) -> Path:
    """Write the CSV, then its note, whose digest of the CSV makes the pair valid."""
    target = Project.current().results / f"{name}.csv"
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(target, content)
    files.write_text(target.with_suffix(".json"), note.to_json(hashlib.sha256(content).hexdigest()))
    return target


def read_result(name: str) -> tuple[pd.DataFrame, ResultNote]:
    """Read a table of ``book/results/`` and its note.

    Args:
        name: file name without suffix.

    Raises:
        ResultError: table or note is missing, or they do not belong together.
    """
    path = Project.current().results / f"{name}.csv"
    frame, content = read_pair(path)
    try:
        return frame, _note(content)
    except (KeyError, TypeError) as error:
        raise ResultError(f"{path}: table or note cannot be read ({error}); publish it again") from None


def _note(content: dict[str, Any]) -> ResultNote:
    names = ("commit", "hardware", "threads", "python", "versions")
    content = {"threads": {}, **content}  # notes from before threads were recorded have none
    origin = Provenance(**{name: content.pop(name) for name in names})
    return ResultNote(**content, provenance=origin)


def publish(
    profile: Profile, records: Sequence[Record], command: str, log: Callable[[str], None] = print
) -> list[Path]:
    """Publish the result tables of a run in ``book/results/``, each with its provenance.

    Tables that the same command published earlier and no longer produces are removed.

    Args:
        profile: profile that was run.
        records: from :func:`helpers.runs.runner.run`.
        command: command that reproduces the tables.
        log: called with one line per removed table.

    Returns:
        Paths of the CSV files.

    Raises:
        RunError: a notebook is not done with the current code, parameters and data, or a table is missing.
        ResultError: two notebooks saved tables of one name, or none saved any.
    """
    runner.require_current(profile, records)
    saved = _saved_tables(profile, records)
    if not saved:
        raise ResultError(f"{profile.name}: no notebook has saved a table, so there is nothing to publish")
    published = []
    for name, (content, record) in saved.items():
        values = {**profile.notebooks[record.notebook].defaults, **record.parameters}
        made_by = f"chapter {notebooks.chapter_name(record.notebook)}"
        note = ResultNote(made_by, command, values, record.data, record.finished, record.provenance)
        published.append(_save(name, content, note))
    remove_stale_results(command, published, log)
    return published


def _saved_tables(profile: Profile, records: Sequence[Record]) -> dict[str, tuple[bytes, Record]]:
    """Read content and record of each table of a run, by the name under which it is published."""
    saved: dict[str, tuple[bytes, Record]] = {}
    for record in records:
        run_folder = RunFolder(Project.current().build / profile.name, record.notebook)
        for path, digest in record.tables.items():
            name = f"{profile.name}-{Path(path).stem}"
            if name in saved:
                both = f"{saved[name][1].notebook} and {record.notebook}"
                raise ResultError(f"{both} both save a table {Path(path).stem}; rename one of them")
            saved[name] = run_folder.read_saved(path, digest), record
    return saved


def remove_stale_results(command: str, kept: list[Path], log: Callable[[str], None] = print) -> None:
    """Remove the tables that a command published earlier and no longer produces.

    Args:
        command: command in the notes of the tables.
        kept: CSV files that the command has now published.
        log: called with one line per removed table.
    """
    for note in sorted(Project.current().results.glob("*.json")):
        table = note.with_suffix(".csv")
        if table not in kept and json.loads(note.read_text(encoding="utf-8")).get("command") == command:
            note.unlink()
            table.unlink(missing_ok=True)
            log(f"  removed {table.name}: `{command}` no longer produces it")
