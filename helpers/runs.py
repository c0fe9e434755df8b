"""Execute notebooks with parameters; repeat only what has changed; lose nothing when killed.

A run is a profile (notebooks and their parameters) and ends in ``build/<profile>/``::

    notebooks/NAME.ipynb   executed, whole
    failed/NAME.ipynb      what a failed notebook had done so far
    records/NAME.json      key, status, seconds, parameters, provenance, tables, error
    work/NAME/             the folder that a notebook runs in; what it saves is in outputs/ there

Record and outputs go before a notebook executes, and the new record comes last. So the record that is there belongs to
the outputs that are there, whenever a run is killed.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from helpers import datasets, files, kernels, notebooks, provenance, tables
from helpers.profiles import Profile, datasets_of
from helpers.publication import published
from helpers.records import Place, Record, RunError, locked

BUILD = notebooks.ROOT / "build"
LOCK = notebooks.ROOT / "requirements.lock"


def run(profile: Profile, say: Callable[[str], None] = print) -> list[Record]:
    """Execute every notebook of a profile whose code, parameters, helpers, libraries, threads or data have changed.

    A notebook that fails does not stop the others. Results appear whole or not at all, so a run that was killed goes on
    where it was when it is started again. Records of notebooks that have left the profile are removed.

    Args:
        profile: from :func:`helpers.profiles.read_profile`.
        say: gets one line per notebook.

    Returns:
        One record per notebook, in the profile's order.

    Raises:
        RunError: another process runs this profile.
    """
    folder, found, once = BUILD / profile.name, [], functools.cache(fingerprint)  # each dataset is looked at once
    with locked(folder):
        for path in (folder / "records").glob("*.json"):
            if path.stem not in profile.notebooks:
                path.unlink()
        for name, given in profile.notebooks.items():
            record = _one(Place(folder, name), given, once)
            shown = f"{record.status} in {record.seconds:.1f} s" if record.repeated else "unchanged"
            say(f"{name}: {shown}" + (f"\n  {record.error}" if record.error else ""))
            found.append(record)
    return found


def _one(place: Place, given: dict[str, Any], fingerprint: Callable[[tuple[str, str]], str]) -> Record:
    name, source = place.notebook, notebooks.NOTEBOOKS / f"{place.notebook}.ipynb"
    start, made = time.perf_counter(), provenance.current()

    def ended(status: str, **known: Any) -> Record:
        now, seconds = datetime.now(UTC).isoformat(timespec="seconds"), round(time.perf_counter() - start, 2)
        record = Record(name, status, seconds, given, now, made, **known)
        place.write_record(replace(record, parameters=published(given), error=published(record.error)))
        return record

    try:
        data = data_digest(name, given, fingerprint)
    except datasets.DataError as error:
        return ended("failed", error=str(error))
    content, before = content_digest(source), place.read_record()
    key = run_key(content, given, data)
    if before is not None and before.key == key and before.status == "done" and place.is_whole(before):
        _take_over_text(source, place.executed)
        before.repeated = False
        return before
    place.prepare()
    partial = place.failed.with_name(f"{name}.partial.ipynb")
    try:
        kernels.execute(source, partial, given, place.work)
        saved = place.saved_tables()
    except (PapermillExecutionError, DeadKernelError, kernels.KernelError, tables.TableError) as error:
        done = ""
        if partial.exists():  # not where its kernel has not started
            partial.replace(place.failed)
            done = f"\n  What it had done: {place.failed}"
        return ended("failed", error=f"{name}, {_what_failed(error)}{done}")
    if content_digest(source) != content:
        return ended("failed", error=f"{name}: its code was changed while it ran; run it again")
    partial.replace(place.executed)
    return ended("done", key=key, data=data, tables=saved)


def _what_failed(error: Exception) -> str:
    match error:
        case PapermillExecutionError():
            return f"cell {error.cell_index + 1}: {error.ename}: {error.evalue}"
        case DeadKernelError():
            return f"a cell: {error}"
    return str(error)


def _take_over_text(source: Path, executed: Path) -> None:
    """Bring prose and comments of an executed notebook to those of its source, whose code is the same."""
    text = nbformat.writes(notebooks.with_outputs(notebooks.read(source), notebooks.read(executed)))
    if executed.read_text(encoding="utf-8") != text:
        files.write_text(executed, text)


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


def data_digest(name: str, given: dict[str, Any], fingerprint: Callable[[tuple[str, str]], str] = fingerprint) -> str:
    """Fingerprint of all data that a notebook with these parameters reads; empty where it reads none.

    Raises:
        DataError: a dataset cannot be read.
    """
    read = datasets_of({**notebooks.defaults(name), **given})
    return fingerprint_of_all([fingerprint(dataset) for dataset in read])


def run_key(content: str, given: dict[str, Any], data: str) -> str:
    """Digest all that decides the outputs of a notebook: :func:`content_digest`, parameters, data and threads."""
    return digest([content, given, data, provenance.threads()])


def content_digest(source: Path) -> str:
    """SHA-256 over the code of a notebook, the helpers that it uses, its quiz, Python and the installed libraries."""
    notebook = notebooks.read(source)
    whole = hashlib.sha256(json.dumps([notebooks.code_of(notebook), platform.python_version(), installed()]).encode())
    for path in notebooks.helpers_used(notebook):
        whole.update(f"{path.relative_to(notebooks.ROOT).as_posix()} {files.code_digest(path)}\n".encode())
    quiz = notebooks.ROOT / "helpers" / "quizzes" / f"{source.stem[:2]}.yaml"
    if quiz.exists():
        whole.update(quiz.read_bytes())
    return whole.hexdigest()


@functools.cache
def installed() -> dict[str, str]:
    """List the versions of the libraries that the lock file names, as they are installed here."""
    wanted = set(re.findall(r"(?m)^([\w.-]+)==", LOCK.read_text(encoding="utf-8")))
    found = {re.sub(r"[-_.]+", "-", made.name).lower(): made.version for made in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(wanted & set(found))}


def read_records(name: str) -> list[Record]:
    """The records of the notebooks of a run, sorted by notebook; empty if it has not been started."""
    paths = sorted((BUILD / name / "records").glob("*.json"))
    found = (Place(BUILD / name, path.stem).read_record() for path in paths)
    return [record for record in found if record is not None]


def current_records(profile: Profile) -> list[Record]:
    """The records of all notebooks of a profile, each done with the code, parameters, data and threads of now.

    Raises:
        RunError: a notebook has not run, has failed, or has changed since.
    """
    found, once = [], functools.cache(fingerprint)
    for name, given in profile.notebooks.items():
        record = Place(BUILD / profile.name, name).read_record()
        try:
            key = run_key(content_digest(notebooks.NOTEBOOKS / f"{name}.ipynb"), given, data_digest(name, given, once))
        except datasets.DataError as error:
            raise RunError(str(error)) from None
        if record is None or record.key != key:
            why = "has not run" if record is None else "has failed" if record.error else "has changed since it ran"
            raise RunError(f"{profile.name}: {name} {why}; `python -m helpers run {profile.name}` runs it")
        found.append(record)
    return found
