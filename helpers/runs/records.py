"""Store the record, outputs and working directory of each executed notebook."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from helpers import files
from helpers.errors import LeukobookError
from helpers.reports.tables import Table
from helpers.runs.notebooks import Parameters
from helpers.runs.provenance import Provenance

# Folders below outputs/ that are kept when a notebook runs again: training checkpoints and cached features, each in a
# folder named after everything that determines it. An interrupted training resumes from its last checkpoint.
CACHES = ("*-training", "*.training", "*-features")


class RunError(LeukobookError):
    """A run cannot start, or its results do not belong to its profile; the message states a remedy."""


@dataclass(frozen=True)
class Record:
    """Outcome of one notebook in one run.

    Attributes:
        notebook: name of the notebook.
        status: "done" or "failed".
        seconds: duration in seconds.
        parameters: parameters set by the profile, without local paths; others had their defaults.
        finished: end time in ISO format.
        provenance: provenance at the start of the run.
        key: digest of everything that determines the outputs: code, libraries, parameters, data and threads; empty if
            failed.
        data: fingerprint of all data read; empty if failed.
        error: error message; empty if done.
        tables: SHA-256 of each saved result table, by its path below the working directory.
        repeated: whether the notebook was executed in this run; false if an earlier record was still valid.
    """

    notebook: str
    status: str
    seconds: float
    parameters: Parameters
    finished: str
    provenance: Provenance
    key: str = ""
    data: str = ""
    error: str = ""
    tables: dict[str, str] = field(default_factory=dict)
    repeated: bool = field(default=True, compare=False)

    @property
    def done(self) -> bool:
        """Whether the notebook completed and its tables were read."""
        return self.status == "done"


@dataclass(frozen=True)
class RunFolder:
    """Paths of one notebook in the folder of a run.

    Attributes:
        folder: folder of the run.
        notebook: name of the notebook.
    """

    folder: Path
    notebook: str

    @property
    def record(self) -> Path:
        """File of the record."""
        return self.folder / "records" / f"{self.notebook}.json"

    @property
    def executed(self) -> Path:
        """Executed notebook with all outputs."""
        return self.folder / "notebooks" / f"{self.notebook}.ipynb"

    @property
    def failed(self) -> Path:
        """Failed notebook with the outputs up to the error."""
        return self.folder / "failed" / f"{self.notebook}.ipynb"

    @property
    def work(self) -> Path:
        """Working directory of the notebook."""
        return self.folder / "work" / self.notebook

    def prepare(self) -> None:
        """Remove the record and outputs of an earlier run and create a working directory with only :data:`CACHES`.

        The old directory is moved away first, because a process that has survived a kill may still write there.
        """
        for path in (self.record, self.executed, self.failed):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        old = self.folder / "old" / self.notebook
        _move_caches(old, self.work)  # left if this function was killed half-way
        shutil.rmtree(old, ignore_errors=True)
        old.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.work.rename(old)
        self.work.mkdir(parents=True)
        _move_caches(old, self.work)
        shutil.rmtree(old, ignore_errors=True)

    def read_record(self) -> Record | None:
        """Read the record; None if it is missing or has the format of another version."""
        try:
            content = json.loads(self.record.read_text(encoding="utf-8"))
            return Record(**{**content, "provenance": Provenance(**content["provenance"])})
        except (FileNotFoundError, json.JSONDecodeError, TypeError, KeyError):
            return None

    def write_record(self, record: Record) -> None:
        """Write the record atomically."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(self.record, json.dumps(asdict(record), indent=1))

    def digests(self, saved: Sequence[Table]) -> dict[str, str]:
        """Compute the SHA-256 of saved result tables, by path below the working directory."""
        return {table.path.relative_to(self.work).as_posix(): _digest(table.path.read_bytes()) for table in saved}

    def read_saved(self, path: str, digest: str) -> bytes:
        """Read a result table listed in a record.

        Args:
            path: path below the working directory.
            digest: expected SHA-256.

        Raises:
            RunError: the table is missing or its digest differs.
        """
        try:
            content = (self.work / path).read_bytes()
        except OSError:
            raise RunError(f"{self.work / path}: is missing; run {self.notebook} again") from None
        if _digest(content) != digest:
            raise RunError(f"{self.work / path}: differs from the table that {self.notebook} saved; run it again")
        return content

    def is_complete(self, record: Record) -> bool:
        """Return whether the executed notebook, its working directory and its unchanged tables still exist."""
        if not self.executed.exists() or not self.work.is_dir():
            return False
        try:
            for path, digest in record.tables.items():
                self.read_saved(path, digest)
        except RunError:
            return False
        return True


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _move_caches(old: Path, new: Path) -> None:
    for pattern in CACHES:
        for cache in (old / "outputs").glob(pattern):
            target = new / "outputs" / cache.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                cache.rename(target)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the folder of a run for this process.

    Raises:
        RunError: another process holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.locked(folder / "lock", wait=False))
        except files.LockedError as error:
            raise RunError(str(error)) from None
        yield
