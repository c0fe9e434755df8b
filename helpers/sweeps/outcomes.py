"""What a sweep has found so far, on the client's disk: written run by run, so that a kill loses none that has ended."""

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
    """Results that cannot be written; what was written before is whole. The message says what to do."""


class OutcomeStore:
    """The folder of a sweep; see :mod:`helpers.sweeps` for what is in it."""

    def __init__(self, folder: Path):
        self.folder, self._rows = folder, folder / "rows.jsonl"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """While this sweep writes, no other may.

        Raises:
            StoreError: another does.
        """
        (self.folder / "notebooks").mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(files.locked(self.folder / "lock", wait=False))
            except files.LockedError:
                raise StoreError(f"{self.folder}: another sweep writes here; wait for it, or stop it") from None
            self._cut_half_a_line()
            yield

    def _cut_half_a_line(self) -> None:
        """What a kill or a full disk has left of the last line."""
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
        """Keep what :func:`helpers.sweeps.worker.execute_task` has brought back: notebook and tables, and last the row.

        Raises:
            StoreError: the disk is full, or cannot be written to.
        """
        name = outcome.row.name
        line = (outcome.row.to_json() + "\n").encode()
        try:
            files.write_bytes(self.folder / "notebooks" / f"{name}.ipynb", outcome.notebook)
            place = self.folder / "tables" / name
            shutil.rmtree(place, ignore_errors=True)  # of another version of this run
            for table, content in outcome.tables.items():
                place.mkdir(parents=True, exist_ok=True)
                files.write_bytes(place / table, content)
            with self._rows.open("ab") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.folder}: {name} cannot be written ({error.strerror}); make room, and start the sweep again: "
                "it goes on with this run"
            ) from None

    def rows(self) -> dict[str, Row]:
        """Read the last row of every run that has ended, by name."""
        if not self._rows.exists():
            return {}
        with self._rows.open(encoding="utf-8") as file:
            rows = (row_from_json(line) for line in file if line.endswith("\n"))
            return {row.name: row for row in rows if row is not None}

    def write_table(self, rows: Iterable[Row]) -> Path:
        """Write :func:`extract_feature_table` as ``runs.csv`` and return its path."""
        target = self.folder / "runs.csv"
        files.write_text(target, tables.safe_text(table(rows)).to_csv(index=False))
        return target


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """Lay out a line per run: its task, how it went, what it was given, what it measured, and where."""
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
    """Provenance in columns of text; none of a run whose worker was lost."""
    if provenance is None:
        return {}
    lists = ("threads", "versions")
    values = asdict(provenance)
    return {**values, **{name: ", ".join(map(" ".join, values[name].items())) for name in lists}}
