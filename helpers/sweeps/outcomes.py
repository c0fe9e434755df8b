"""Store the outcomes of a sweep on the client's disk, run by run, so that a kill loses no finished run."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from helpers import files
from helpers.errors import LeukobookError
from helpers.reports import tables
from helpers.runs.provenance import Provenance
from helpers.sweeps.rows import Outcome, Row, row_from_json


class StoreError(LeukobookError):
    """Results cannot be written; earlier results are intact. The message states a remedy."""


class OutcomeStore:
    """Store of outcomes in the folder of a sweep, whose files :mod:`helpers.sweeps` lists.

    Args:
        folder: folder of the sweep.
    """

    def __init__(self, folder: Path):
        self.folder, self._rows = folder, folder / "rows.jsonl"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this sweep.

        Raises:
            StoreError: another sweep holds the lock.
        """
        (self.folder / "notebooks").mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(files.locked(self.folder / "lock", wait=False))
            except files.LockedError:
                raise StoreError(f"{self.folder}: locked by another sweep; wait for it, or stop it") from None
            self._remove_incomplete_line()
            yield

    def _remove_incomplete_line(self) -> None:
        """Remove an incomplete last line, left by a kill or a full disk."""
        if not self._rows.exists():
            return
        with self._rows.open("rb+") as file:
            size = whole = file.seek(0, os.SEEK_END)
            while whole and self._byte(file, whole - 1) != b"\n":
                whole -= 1
            if whole != size:
                file.truncate(whole)

    @staticmethod
    def _byte(file: BinaryIO, at: int) -> bytes:
        file.seek(at)
        return file.read(1)

    def add(self, outcome: Outcome) -> None:
        """Store an outcome of :func:`helpers.sweeps.worker.execute_task`: notebook, tables, and the row last.

        Raises:
            StoreError: the disk is full or not writable.
        """
        name = outcome.row.name
        line = (outcome.row.to_json() + "\n").encode()
        try:
            files.write_bytes(self.folder / "notebooks" / f"{name}.ipynb", outcome.notebook)
            table_folder = self.folder / "tables" / name
            shutil.rmtree(table_folder, ignore_errors=True)  # tables of an earlier execution of this run
            for table, content in outcome.tables.items():
                table_folder.mkdir(parents=True, exist_ok=True)
                files.write_bytes(table_folder / table, content)
            with self._rows.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.folder}: {name} cannot be written ({error.strerror}); free disk space, and start the sweep "
                "again: it continues with this run"
            ) from None

    def rows(self) -> dict[str, Row]:
        """Read the last row of each finished run, by name."""
        if not self._rows.exists():
            return {}
        with self._rows.open(encoding="utf-8") as file:
            rows = (row_from_json(line) for line in file if line.endswith("\n"))
            return {row.name: row for row in rows if row is not None}

    def write_table(self, rows: Iterable[Row]) -> Path:
        """Write the :func:`helpers.sweeps.outcomes.table` of all runs as ``runs.csv`` and return its path."""
        target = self.folder / "runs.csv"
        files.write_text(target, tables.safe_text(table(rows)).to_csv(index=False))
        return target


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """Return a table of one row per run: task, status, parameters, metrics and provenance."""
    return pd.DataFrame([_line(row) for row in rows])


def _line(row: Row) -> dict[str, Any]:
    outer = ("name", "notebook", "key", "data", "status", "error", "begun", "worker", "seconds", "peak_mib")
    values = {name: getattr(row, name) for name in outer}
    parameters = {
        name: value if isinstance(value, int | float | str) else json.dumps(value)
        for name, value in row.parameters.items()
    }
    return {k: v for k, v in values.items() if v is not None} | parameters | row.metrics | _origin(row.provenance)


def _origin(provenance: Provenance | None) -> dict[str, str]:
    """Flatten provenance into text columns; none for a run whose worker was lost."""
    if provenance is None:
        return {}
    lists = ("threads", "versions")
    values = asdict(provenance)
    return {**values, **{name: ", ".join(map(" ".join, values[name].items())) for name in lists}}
