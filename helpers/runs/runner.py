"""Run a profile: execute its notebooks incrementally and safely against interruption.

A run executes the notebooks of a profile with their parameters and writes to ``build/<profile>/``::

    notebooks/NAME.ipynb   executed notebook
    failed/NAME.ipynb      failed notebook with the outputs up to the error
    records/NAME.json      key, status, seconds, parameters, provenance, tables, error
    work/NAME/             working directory of a notebook, with its saved files in outputs/

Record and outputs are removed before a notebook executes, and the new record is written last. An existing record thus
always belongs to the existing outputs, whenever a run is killed.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from tqdm import tqdm

from helpers import datasets, files
from helpers.project import Project
from helpers.publication import without_paths
from helpers.runs import execution, imports, notebooks, parallel, provenance
from helpers.runs.execution import ExecutionError
from helpers.runs.notebooks import Parameters
from helpers.runs.profiles import Chapter, Profile, profile_datasets
from helpers.runs.records import Record, RunError, RunFolder, locked


def run(profile: Profile, log: Callable[[str], None] = print) -> list[Record]:
    """Execute the notebooks of a profile whose code, parameters, helpers, libraries, threads or data have changed.

    A profile with ``workers`` has several executed at a time, each with its share of the cores, in processes that
    import the main module again: a script calls this function below ``if __name__ == "__main__"``. A failed notebook
    does not stop the others. Results are written atomically, so an interrupted run resumes when it is started again.
    Records of notebooks that are no longer in the profile are removed.

    Args:
        profile: from :func:`helpers.runs.profiles.read_profile`.
        log: called with one line per notebook as it ends.

    Returns:
        One record per notebook in the order of the profile, for the book and :func:`helpers.book.results.publish`.

    Raises:
        RunError: another process runs this profile.
        WorkerError: notebooks cannot run at a time here, or the process of one was killed.
    """
    folder = Project.current().build / profile.name
    records = {}
    with locked(folder):
        for path in (folder / "records").glob("*.json"):
            if path.stem not in profile.notebooks:
                path.unlink()
        for record in _records(profile, folder):
            outcome = f"{record.status} in {record.seconds:.1f} s" if record.repeated else "unchanged"
            log(f"{record.notebook}: {outcome}" + (f"\n  {record.error}" if record.error else ""))
            records[record.notebook] = record
    return [records[name] for name in profile.notebooks]


def _records(profile: Profile, folder: Path) -> Iterator[Record]:
    """Yield the record of each notebook of a profile as it ends."""
    with parallel.shared_cores(profile.workers) as workers:
        if workers == 1:
            once = functools.cache(fingerprint)  # each dataset is read once
            for name, chapter in profile.notebooks.items():
                yield _record(RunFolder(folder, name), chapter, once, progress=True)
            return
        calls = {name: (RunFolder(folder, name), chapter) for name, chapter in profile.notebooks.items()}
        ended = parallel.results_as_completed(_record_of_worker, calls, workers)
        for _, record in tqdm(ended, desc=profile.name, total=len(calls), unit="notebook", delay=2):
            yield record


@functools.cache
def _known_fingerprint(dataset: tuple[str, str]) -> str:
    """Return the fingerprint of a dataset, read once by each worker, which lives for one run."""
    return fingerprint(dataset)


def _record_of_worker(run_folder: RunFolder, chapter: Chapter) -> Record:
    return _record(run_folder, chapter, _known_fingerprint, progress=False)


def _record(
    run_folder: RunFolder, chapter: Chapter, fingerprint: Callable[[tuple[str, str]], str], progress: bool
) -> Record:
    """Execute a notebook unless its record matches the current code, parameters, data and threads; return a record."""
    start = time.perf_counter()
    record = Record(run_folder.notebook, "failed", 0.0, without_paths(chapter.parameters), "", provenance.current())
    try:
        content, data = _content(run_folder.notebook, chapter), data_digest(chapter.values(), fingerprint)
        key, previous = run_key(content, chapter.parameters, data), run_folder.read_record()
        if previous is not None and previous.key == key and previous.done and run_folder.is_complete(previous):
            _update_text(_source(run_folder.notebook), run_folder.executed)
            return replace(previous, repeated=False)
        saved = _execute(run_folder, chapter, content, progress)
        record = replace(record, status="done", key=key, data=data, tables=saved)
    except (datasets.DatasetError, notebooks.NotebookError, ExecutionError) as error:
        record = replace(record, error=str(error))
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    record = replace(record, seconds=round(time.perf_counter() - start, 2), finished=finished)
    run_folder.write_record(replace(record, error=without_paths(record.error)))
    return record


def _source(name: str) -> Path:
    return Project.current().notebooks / f"{name}.ipynb"


def _content(name: str, chapter: Chapter) -> str:
    """Digest the code of a notebook, whose parameters must be unchanged since the profile was validated."""
    notebook = notebooks.read(_source(name))
    if notebooks.parameters_code(notebook) != chapter.code:
        raise ExecutionError(f"{name}: its parameters were changed after the profile was read; run it again")
    return content_digest(name, notebook)


def _execute(run_folder: RunFolder, chapter: Chapter, content: str, progress: bool) -> dict[str, str]:
    """Execute a notebook in a new working directory and return the digests of its tables."""
    name = run_folder.notebook
    run_folder.prepare()
    partial = run_folder.failed.with_name(f"{name}.partial.ipynb")
    try:
        saved = execution.execute(_source(name), partial, chapter.parameters, run_folder.work, progress=progress)
    except ExecutionError as error:
        outputs = ""
        if partial.exists():  # missing if the kernel did not start
            partial.replace(run_folder.failed)
            outputs = f"\n  Its outputs up to there: {run_folder.failed}"
        raise ExecutionError(f"{name}, {error}{outputs}") from None
    if content_digest(name, notebooks.read(_source(name))) != content:
        raise ExecutionError(f"{name}: its code was changed while it ran; run it again")
    partial.replace(run_folder.executed)
    return run_folder.digests(saved)


def _update_text(source: Path, executed: Path) -> None:
    """Update prose and comments of an executed notebook from its source, whose code is the same."""
    text = nbformat.writes(notebooks.with_outputs(notebooks.read(source), notebooks.read(executed)))
    if executed.read_text(encoding="utf-8") != text:
        files.write_text(executed, text)


def fingerprint(dataset: tuple[str, str]) -> str:
    """Return the fingerprint of a local dataset.

    Args:
        dataset: name and options as JSON, from :func:`helpers.runs.profiles.profile_datasets`.

    Raises:
        DatasetError: the dataset is unreadable.
    """
    return datasets.load(dataset[0], **json.loads(dataset[1])).fingerprint()


def combined_fingerprint(fingerprints: Sequence[str]) -> str:
    """Combine fingerprints of datasets: one is returned unchanged, several are hashed, none gives an empty text."""
    if len(fingerprints) == 1:
        return fingerprints[0]
    return digest(list(fingerprints)) if fingerprints else ""


def digest(value: Any) -> str:
    """Return the SHA-256 of a value as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def data_digest(values: Parameters, fingerprint: Callable[[tuple[str, str]], str] = fingerprint) -> str:
    """Return the fingerprint of all data that a notebook with these parameters reads; empty if it reads none.

    Args:
        values: values of all parameters, including defaults.
        fingerprint: function that returns the fingerprint of one dataset.

    Raises:
        DatasetError: a dataset is unreadable.
    """
    return combined_fingerprint([fingerprint(dataset) for dataset in profile_datasets(values)])


def run_key(content: str, parameters: Parameters, data: str) -> str:
    """Digest everything that determines the outputs of a notebook: content digest, parameters, data and threads."""
    return digest([content, parameters, data, provenance.threads()])


def content_digest(name: str, notebook: NotebookNode) -> str:
    """Digest what a notebook is made of: code, helpers it imports, its quiz, published tables, Python and libraries."""
    code = notebooks.code_text(notebook)
    content = hashlib.sha256(json.dumps([code, platform.python_version(), installed()]).encode())
    modules = imports.helpers_used(notebook)
    for path in modules:
        content.update(f"{path.relative_to(Project.current().root).as_posix()} {files.code_digest(path)}\n".encode())
    quiz = Project.current().package / "quizzes" / f"{notebooks.chapter_name(name)}.yaml"
    for path in (quiz, *_named_results(notebook), *_page_sources(modules)):
        if path.exists():
            content.update(path.read_bytes())
    return content.hexdigest()


def _named_results(notebook: NotebookNode) -> list[Path]:
    """List the stored results that a chapter names in quotes, whichever function shows them."""
    source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    quoted = set(re.findall(r"""["']([\w-]+)["']""", source))
    return [path for path in sorted(Project.current().results.glob("*.csv")) if path.stem in quoted]


def _page_sources(modules: Sequence[Path]) -> list[Path]:
    """List the HTML, styles and scripts beside modules, of which quizzes and explorers are made."""
    folders = sorted({path.parent for path in modules})
    beside = [path for folder in folders for path in sorted([*folder.glob("*.*"), *folder.glob("templates/*.*")])]
    return [path for path in beside if path.suffix in (".html", ".css", ".js")]


def installed() -> dict[str, str]:
    """Return the installed versions of the libraries in the lock file."""
    return _installed(Project.current().lock)


@functools.cache
def _installed(lock: Path) -> dict[str, str]:
    locked_names = set(re.findall(r"(?m)^([\w.-]+)==", lock.read_text(encoding="utf-8")))
    distributions = importlib.metadata.distributions()
    versions = {re.sub(r"[-_.]+", "-", one.name).lower(): one.version for one in distributions}
    return {name: versions[name] for name in sorted(locked_names & set(versions))}


def require_current(profile: Profile, records: Sequence[Record]) -> None:
    """Check that every notebook of a profile is done with the current code, parameters, data and threads.

    Args:
        profile: profile that was run.
        records: from :func:`run`.

    Raises:
        RunError: a notebook has not run, has failed, or has changed since.
    """
    record_of, once = {record.notebook: record for record in records}, functools.cache(fingerprint)
    for name, chapter in profile.notebooks.items():
        record = record_of.get(name)
        try:
            with parallel.shared_cores(profile.workers):
                key = run_key(_content(name, chapter), chapter.parameters, data_digest(chapter.values(), once))
        except (datasets.DatasetError, notebooks.NotebookError, ExecutionError) as error:
            raise RunError(str(error)) from None
        if record is None or record.key != key:
            reason = "has not run" if record is None else "has failed" if record.error else "has changed since it ran"
            raise RunError(f"{profile.name}: {name} {reason}; `python -m helpers run {profile.name}` runs it")
