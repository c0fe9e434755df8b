"""Execute notebooks with parameters; repeat only what has changed; lose nothing when killed.

A run is a profile (notebooks and their parameters) and ends in ``build/<profile>/``::

    notebooks/NAME.ipynb   executed, whole
    failed/NAME.ipynb      what a failed notebook had done so far
    records/NAME.json      key, status, seconds, parameters, error
    work/                  the folder the notebooks run in; what they save is here
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from helpers import datasets, files, notebooks
from helpers.profiles import Profile, datasets_of

BUILD = notebooks.ROOT / "build"
LOCK = notebooks.ROOT / "requirements.lock"
# Quiet and repeatable kernels: no TensorFlow chatter, no progress bars in stored outputs, one hash seed.
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1", "PYTHONHASHSEED": "0"}


@dataclass
class Record:
    """What became of one notebook in one run."""

    notebook: str
    key: str
    status: str  # "done" or "failed"
    seconds: float
    parameters: dict[str, Any]
    finished: str
    data: str = ""
    error: str = ""
    repeated: bool = field(default=True, compare=False)


def run(profile: Profile, say: Callable[[str], None] = print) -> list[Record]:
    """Execute every notebook of a profile whose content, parameters, helpers, libraries or data have changed.

    A notebook that fails does not stop the others. Results appear whole or not at all, so a run that was killed goes on
    where it was when it is started again.

    Args:
        profile: from :func:`helpers.profiles.read_profile`.
        say: gets one line per notebook.

    Returns:
        One record per notebook, in the profile's order.
    """
    folder = BUILD / profile.name
    for name in ("notebooks", "failed", "records", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    records, once = [], functools.cache(fingerprint)  # each dataset is looked at once
    for name, given in profile.notebooks.items():
        record = _one(folder, name, given, once)
        shown = f"{record.status} in {record.seconds:.1f} s" if record.repeated else "unchanged"
        say(f"{name}: {shown}" + (f"\n  {record.error}" if record.error else ""))
        records.append(record)
    return records


def _one(folder: Path, name: str, given: dict[str, Any], fingerprint: Callable[[tuple[str, str]], str]) -> Record:
    source, record_path = notebooks.NOTEBOOKS / f"{name}.ipynb", folder / "records" / f"{name}.json"
    final, failed = folder / "notebooks" / f"{name}.ipynb", folder / "failed" / f"{name}.ipynb"
    start = time.perf_counter()

    def ended(status: str, key: str = "", data: str = "", error: str = "") -> Record:
        now, seconds = datetime.now(UTC).isoformat(timespec="seconds"), round(time.perf_counter() - start, 2)
        record = Record(name, key, status, seconds, given, now, data, error)
        files.write_text(record_path, json.dumps(asdict(record), indent=1))
        return record

    try:
        read = datasets_of({**notebooks.defaults(name), **given})
        data = fingerprint_of_all([fingerprint(dataset) for dataset in read])
    except datasets.DataError as error:
        return ended("failed", error=str(error))
    key = digest([content_digest(source), given, data])
    before = _read_record(record_path)
    if before is not None and before.key == key and before.status == "done" and final.exists():
        before.repeated = False
        return before
    partial = failed.with_name(f"{name}.partial.ipynb")
    try:
        execute(source, partial, given, folder / "work")
        partial.replace(final)
        failed.unlink(missing_ok=True)
    except (PapermillExecutionError, DeadKernelError) as error:
        partial.replace(failed)
        where = f"cell {error.cell_index + 1}" if isinstance(error, PapermillExecutionError) else "a cell"
        what = f"{error.ename}: {error.evalue}" if isinstance(error, PapermillExecutionError) else str(error)
        return ended("failed", key, data, f"{name}, {where}: {what}\n  What it had done: {failed}")
    return ended("done", key, data)


def execute(source: Path, target: Path, given: dict[str, Any], work: Path, progress: bool = True) -> None:
    """Execute one notebook in a kernel of its own, with quiet and repeatable settings.

    Args:
        source, target: the notebook, and where it goes with its outputs, as far as it comes.
        given: its parameters.
        work: the folder it runs in.
        progress: show a bar.

    Raises:
        PapermillExecutionError: a cell failed.
        DeadKernelError: the kernel died.
    """
    environment = {**ENVIRONMENT, "LEUKOBOOK_DATA": str(datasets.data_root())}
    saved = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        with tempfile.TemporaryDirectory(prefix="kernel-") as sockets:
            papermill.execute_notebook(
                str(source), str(target), parameters=given, kernel_name="python3", cwd=str(work),
                progress_bar=progress, config=_connection(Path(sockets)),
            )  # fmt: skip
    finally:
        for name, value in saved.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _connection(folder: Path) -> Config:
    """Where a kernel listens: on sockets in a folder of its own, since kernels that start at once may pick one port.

    Nobody else can listen there. The name of a socket has at most about a hundred letters, so the folder is a temporary
    one and not the user's.
    """
    if os.name == "nt":  # has none
        return Config()
    return Config(KernelManager={"transport": "ipc", "connection_file": str(folder / "kernel.json")})


def fingerprint(dataset: tuple[str, str]) -> str:
    """Of one of :func:`datasets_of` as it lies here.

    Raises:
        DataError: it cannot be read.
    """
    return datasets.load(dataset[0], **json.loads(dataset[1])).fingerprint()


def fingerprint_of_all(found: Sequence[str]) -> str:
    """Of all data that a notebook reads: of one dataset its own, of several a digest of theirs; else empty."""
    return found[0] if len(found) == 1 else digest(list(found)) if found else ""


def digest(value: Any) -> str:
    """SHA-256 of a value as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def content_digest(source: Path) -> str:
    """SHA-256 over a notebook's cells, the helpers that it uses, its quiz and the libraries that are installed."""
    notebook = notebooks.read(source)
    whole = hashlib.sha256(json.dumps([cell.source for cell in notebook.cells]).encode())
    quiz = notebooks.ROOT / "helpers" / "quizzes" / f"{source.stem[:2]}.yaml"
    whole.update(json.dumps(_installed()).encode())
    for path in (*notebooks.helpers_used(notebook), quiz):
        if path.exists():
            whole.update(path.relative_to(notebooks.ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


@functools.cache
def _installed() -> dict[str, str]:
    """Versions of the libraries that the lock file names, as they are installed here, whatever it says of them."""
    locked = set(re.findall(r"(?m)^([\w.-]+)==", LOCK.read_text(encoding="utf-8")))
    found = {re.sub(r"[-_.]+", "-", made.name).lower(): made.version for made in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(locked & set(found))}


def read_records(name: str) -> list[Record]:
    """The records of the notebooks of a run, sorted by notebook; empty if it has not been started."""
    found = (_read_record(path) for path in sorted((BUILD / name / "records").glob("*.json")))
    return [record for record in found if record is not None]


def _read_record(path: Path) -> Record | None:
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None  # none yet, or from another version of this program: the notebook simply runs again
