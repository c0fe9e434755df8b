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
from nbformat import NotebookNode

from helpers import datasets, files
from helpers.project import Project
from helpers.publication import without_paths
from helpers.runs import execution, notebooks, provenance
from helpers.runs.execution import ExecutionError
from helpers.runs.notebooks import Parameters
from helpers.runs.profiles import Chapter, Profile, profile_datasets
from helpers.runs.records import Record, RunError, RunFolder, locked


def run(profile: Profile, say: Callable[[str], None] = print) -> list[Record]:
    """Execute every notebook of a profile whose code, parameters, helpers, libraries, threads or data have changed.

    A notebook that fails does not stop the others. Results appear whole or not at all, so a run that was killed goes on
    where it was when it is started again. Records of notebooks that have left the profile are removed.

    Args:
        profile: from :func:`helpers.runs.profiles.read_profile`.
        say: gets one line per notebook.

    Returns:
        One record per notebook, in the profile's order; the book and :func:`helpers.book.results.publish` take them.

    Raises:
        RunError: another process runs this profile.
    """
    folder, records, once = (
        Project.current().build / profile.name,
        [],
        functools.cache(fingerprint),
    )  # each dataset is read once
    with locked(folder):
        for path in (folder / "records").glob("*.json"):
            if path.stem not in profile.notebooks:
                path.unlink()
        for name, chapter in profile.notebooks.items():
            record = _record(RunFolder(folder, name), chapter, once)
            outcome = f"{record.status} in {record.seconds:.1f} s" if record.repeated else "unchanged"
            say(f"{name}: {outcome}" + (f"\n  {record.error}" if record.error else ""))
            records.append(record)
    return records


def _record(place: RunFolder, chapter: Chapter, fingerprint: Callable[[tuple[str, str]], str]) -> Record:
    """Execute a notebook unless its record is of the code, parameters, data and threads of now; return its record."""
    start = time.perf_counter()
    record = Record(place.notebook, "failed", 0.0, without_paths(chapter.parameters), "", provenance.current())
    try:
        content, data = _content(place.notebook, chapter), data_digest(chapter.values(), fingerprint)
        key, previous = run_key(content, chapter.parameters, data), place.read_record()
        if previous is not None and previous.key == key and previous.done and place.is_whole(previous):
            _take_over_text(_source(place.notebook), place.executed)
            return replace(previous, repeated=False)
        saved = _executed(place, chapter, content)
        record = replace(record, status="done", key=key, data=data, tables=saved)
    except (datasets.DatasetError, notebooks.NotebookError, ExecutionError) as error:
        record = replace(record, error=str(error))
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    record = replace(record, seconds=round(time.perf_counter() - start, 2), finished=finished)
    place.write_record(replace(record, error=without_paths(record.error)))
    return record


def _source(name: str) -> Path:
    return Project.current().notebooks / f"{name}.ipynb"


def _content(name: str, chapter: Chapter) -> str:
    """Digest the code of a notebook, which must have the parameters that its profile was checked against."""
    notebook = notebooks.read(_source(name))
    if notebooks.parameters_code(notebook) != chapter.code:
        raise ExecutionError(f"{name}: its parameters were changed after the profile was read; run it again")
    return content_digest(name, notebook)


def _executed(place: RunFolder, chapter: Chapter, content: str) -> dict[str, str]:
    """Execute a notebook in an empty folder; return the digests of its tables."""
    name = place.notebook
    place.prepare()
    partial = place.failed.with_name(f"{name}.partial.ipynb")
    try:
        saved = execution.execute(_source(name), partial, chapter.parameters, place.work)
    except ExecutionError as error:
        kept = ""
        if partial.exists():  # not where its kernel has not started
            partial.replace(place.failed)
            kept = f"\n  What it had done: {place.failed}"
        raise ExecutionError(f"{name}, {error}{kept}") from None
    if content_digest(name, notebooks.read(_source(name))) != content:
        raise ExecutionError(f"{name}: its code was changed while it ran; run it again")
    partial.replace(place.executed)
    return place.digests(saved)


def _take_over_text(source: Path, executed: Path) -> None:
    """Bring prose and comments of an executed notebook to those of its source, whose code is the same."""
    text = nbformat.writes(notebooks.with_outputs(notebooks.read(source), notebooks.read(executed)))
    if executed.read_text(encoding="utf-8") != text:
        files.write_text(executed, text)


def fingerprint(dataset: tuple[str, str]) -> str:
    """Of one of :func:`profile_datasets` as it lies here.

    Raises:
        DataError: it cannot be read.
    """
    return datasets.load(dataset[0], **json.loads(dataset[1])).fingerprint()


def combined_fingerprint(found: Sequence[str]) -> str:
    """Of all data that a notebook reads: of one dataset its own, of several a digest of theirs; else empty."""
    return found[0] if len(found) == 1 else digest(list(found)) if found else ""


def digest(value: Any) -> str:
    """SHA-256 of a value as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def data_digest(values: Parameters, fingerprint: Callable[[tuple[str, str]], str] = fingerprint) -> str:
    """Combine the fingerprints of all data that a notebook with these parameters reads; empty where it reads none.

    Args:
        values: of all parameters, defaults included.
        fingerprint: of one dataset.

    Raises:
        DataError: a dataset cannot be read.
    """
    return combined_fingerprint([fingerprint(dataset) for dataset in profile_datasets(values)])


def run_key(content: str, parameters: Parameters, data: str) -> str:
    """Digest all that decides the outputs of a notebook: :func:`content_digest`, parameters, data and threads."""
    return digest([content, parameters, data, provenance.threads()])


def content_digest(name: str, notebook: NotebookNode) -> str:
    """SHA-256 over the code of a notebook, the helpers that it uses, its quiz, Python and the installed libraries."""
    whole = hashlib.sha256(json.dumps([notebooks.code_text(notebook), platform.python_version(), installed()]).encode())
    for path in notebooks.helpers_used(notebook):
        whole.update(f"{path.relative_to(Project.current().root).as_posix()} {files.code_digest(path)}\n".encode())
    quiz = Project.current().root / "helpers" / "quizzes" / f"{name[:2]}.yaml"
    if quiz.exists():
        whole.update(quiz.read_bytes())
    return whole.hexdigest()


def installed() -> dict[str, str]:
    """List the versions of the libraries that the lock file names, as they are installed here."""
    return _installed(Project.current().lock)


@functools.cache
def _installed(lock: Path) -> dict[str, str]:
    wanted = set(re.findall(r"(?m)^([\w.-]+)==", lock.read_text(encoding="utf-8")))
    found = {re.sub(r"[-_.]+", "-", made.name).lower(): made.version for made in importlib.metadata.distributions()}
    return {name: found[name] for name in sorted(wanted & set(found))}


def require_current(profile: Profile, records: Sequence[Record]) -> None:
    """Refuse records unless every notebook of a profile is done with the code, parameters, data and threads of now.

    Args:
        profile: that was run.
        records: from :func:`run`.

    Raises:
        RunError: a notebook has not run, has failed, or has changed since.
    """
    record_of, once = {record.notebook: record for record in records}, functools.cache(fingerprint)
    for name, chapter in profile.notebooks.items():
        record = record_of.get(name)
        try:
            key = run_key(_content(name, chapter), chapter.parameters, data_digest(chapter.values(), once))
        except (datasets.DatasetError, notebooks.NotebookError, ExecutionError) as error:
            raise RunError(str(error)) from None
        if record is None or record.key != key:
            reason = "has not run" if record is None else "has failed" if record.error else "has changed since it ran"
            raise RunError(f"{profile.name}: {name} {reason}; `python -m helpers run {profile.name}` runs it")
