"""What is kept of a notebook that has run: its record, its outputs and the folder that it ran in."""

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

# Below outputs/, kept when a notebook runs again: trainings and features, each in a folder named after all that decides
# it. A killed training goes on from its last state there.
CACHES = ("*-training", "*.training", "*-features")


class RunError(LeukobookError):
    """A run that cannot be started, or whose results are not those of its profile; the message says what to do."""


@dataclass(frozen=True)
class Record:
    """What became of one notebook in one run.

    Attributes:
        status: "done" or "failed".
        seconds: how long it took.
        parameters: set by the profile, without places of this machine; the others had their defaults.
        finished: when it ended, in ISO format.
        provenance: of the time when it began.
        key: a digest of all that decides its outputs: code, libraries, parameters, data and threads; if it is done.
        data: fingerprint of all that it read; if it is done.
        error: what went wrong.
        tables: SHA-256 of every result table that it saved, by its path below the folder that it ran in.
        repeated: whether it was executed, and not found done.
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
        """Whether the notebook ran to its end, with its tables."""
        return self.status == "done"


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps what belongs to one of its notebooks.

    Attributes:
        folder: of the run.
        notebook: its name.
    """

    folder: Path
    notebook: str

    @property
    def record(self) -> Path:
        """The file of its record."""
        return self.folder / "records" / f"{self.notebook}.json"

    @property
    def executed(self) -> Path:
        """The notebook with all its outputs."""
        return self.folder / "notebooks" / f"{self.notebook}.ipynb"

    @property
    def failed(self) -> Path:
        """The notebook as far as it came, when it failed."""
        return self.folder / "failed" / f"{self.notebook}.ipynb"

    @property
    def work(self) -> Path:
        """The folder that it runs in."""
        return self.folder / "work" / self.notebook

    def prepare(self) -> None:
        """Remove the record, then what the notebook made, but :data:`CACHES`, and make an empty folder to run in.

        The old folder is moved away and not emptied: a process that has outlived a kill goes on writing there.
        """
        for path in (self.record, self.executed, self.failed):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
        old = self.folder / "old" / self.notebook
        _move_caches(old, self.work)  # of a kill in the middle of this function
        shutil.rmtree(old, ignore_errors=True)
        old.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.work.rename(old)
        self.work.mkdir(parents=True)
        _move_caches(old, self.work)
        shutil.rmtree(old, ignore_errors=True)

    def read_record(self) -> Record | None:
        """Read the record; None where there is none, or one of another version of this program."""
        try:
            content = json.loads(self.record.read_text(encoding="utf-8"))
            return Record(**{**content, "provenance": Provenance(**content["provenance"])})
        except (FileNotFoundError, json.JSONDecodeError, TypeError, KeyError):
            return None

    def write_record(self, record: Record) -> None:
        """Write the record, whole or not at all."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(self.record, json.dumps(asdict(record), indent=1))

    def digests(self, saved: Sequence[Table]) -> dict[str, str]:
        """Compute the SHA-256 of result tables that the notebook has saved, by path below the folder that it ran in."""
        return {table.path.relative_to(self.work).as_posix(): _digest(table.path.read_bytes()) for table in saved}

    def read_saved(self, path: str, digest: str) -> bytes:
        """Read a result table that a record lists.

        Raises:
            RunError: it is not there, or another one.
        """
        try:
            content = (self.work / path).read_bytes()
        except OSError:
            raise RunError(f"{self.work / path}: is not there; run {self.notebook} again") from None
        if _digest(content) != digest:
            raise RunError(f"{self.work / path}: is not the one that {self.notebook} saved; run it again")
        return content

    def is_whole(self, record: Record) -> bool:
        """Whether all that the notebook made is still there: outputs, the folder that it ran in, and its tables."""
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
    """While this process works in the folder of a run, no other may.

    Raises:
        RunError: another does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.locked(folder / "lock", wait=False))
        except files.LockedError as error:
            raise RunError(str(error)) from None
        yield
