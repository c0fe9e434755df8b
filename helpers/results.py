"""Numbers that are kept: tables in ``book/results/``, each with where it comes from."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib.metadata
import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files, notebooks, runs

ROOT = notebooks.ROOT
RESULTS = ROOT / "book" / "results"
LIBRARIES = (
    "numpy",
    "pandas",
    "scikit-learn",
    "scikit-image",
    "opencv-python-headless",
    "keras",
    "tensorflow",
    "tensorflow-cpu",
)


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from."""

    commit: str
    hardware: str
    python: str
    versions: dict[str, str]


def provenance() -> Provenance:
    """Commit (with ``+changes`` when anything but the results differs from it), machine and versions of now."""
    git = ["git", "-C", str(ROOT)]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    dirty = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no", "--", ":!book/results"], capture_output=True, text=True
    ).stdout
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS")  # another number of them trains another network
    limit = f" ({threads} for TensorFlow)" if threads else ""
    hardware = f"{os.cpu_count()} cores{limit}, {platform.machine()}, {platform.system()}"
    return Provenance((head or "none") + ("+changes" if dirty else ""), hardware, platform.python_version(), versions())


@functools.cache
def versions() -> dict[str, str]:
    """Of the libraries that decide a number, as far as they are installed."""
    found = {}
    for library in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[library] = importlib.metadata.version(library)
    return found


def markdown(table: pd.DataFrame) -> str:
    """A table in Markdown, with a dash where a value is missing."""
    shown = table.astype(object).fillna("–")
    lines = ["| " + " | ".join(table) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)


def save_result(name: str, table: pd.DataFrame, made_by: str, about: dict[str, Any], finished: str) -> Path:
    """Put a table into ``book/results/`` as CSV, with its provenance beside it; the results page shows both.

    Args:
        name: of the files, without suffix.
        table: rounded as it is to be read.
        made_by: the notebook or the benchmark.
        about: ``command`` that gives it again, ``parameters`` and ``data_sha256`` (of all data read).
        finished: time in ISO format.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    target = RESULTS / f"{name}.csv"
    files.write_text(target, table.to_csv(index=False))
    note = {"made_by": made_by, **about, "finished": finished, **dataclasses.asdict(provenance())}
    files.write_text(target.with_suffix(".json"), json.dumps(note, indent=1) + "\n")
    return target


def publish(name: str, command: str) -> list[Path]:
    """Copy the result tables that a run's notebooks saved to ``book/results/``, each with its provenance beside it.

    Args:
        name: of the profile that was run.
        command: what a reader types to get them again.
    """
    written = []
    for record in runs.read_records(name):
        parameters = {**notebooks.defaults(record.notebook), **record.parameters}
        about = {"command": command, "parameters": parameters, "data_sha256": record.data}
        for path, table in saved_tables(runs.BUILD / name / "work", record.notebook).items():
            target = f"{name}-{path.stem}"
            written.append(save_result(target, table, f"notebook {record.notebook}", about, record.finished))
    return written


def saved_tables(work: Path, notebook: str) -> dict[Path, pd.DataFrame]:
    """The tables that a notebook has saved in its folder, by path, but those of parts that were left out."""
    found = {}
    for path in sorted((work / "outputs").glob(f"{notebook[:2]}-*.csv")):
        with contextlib.suppress(pd.errors.EmptyDataError):
            found[path] = pd.read_csv(path)
    return {path: table for path, table in found.items() if len(table)}
