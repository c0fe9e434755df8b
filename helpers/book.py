"""The book: executed notebooks and prose, staged in one folder and rendered by Jupyter Book with warnings as errors."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from helpers import datasets, notebooks, runs

ROOT = notebooks.ROOT
RESULTS = ROOT / "book" / "results"
COVER = ROOT / "book" / "figures" / "cells.png"
LIBRARIES = ("numpy", "pandas", "scikit-learn", "scikit-image", "opencv-python-headless", "keras", "tensorflow-cpu")


class BookError(RuntimeError):
    """The book could not be rendered; the message holds the renderer's own warnings."""


def build(name: str) -> Path:
    """Render the book from a finished run; a second call with nothing changed returns at once.

    Args:
        name: of the profile that was run.

    Returns:
        The start page.

    Raises:
        BookError: Jupyter Book gave a warning or an error.
        ValueError: a figure has no alt text.
    """
    stage = runs.BUILD / name / "book"
    _stage(name, stage)
    page, stamp = stage / "_build" / "html" / "index.html", stage.with_name("book.stamp")
    content = hashlib.sha256()
    for path in sorted(p for p in stage.rglob("*") if p.is_file() and "_build" not in p.parts):
        content.update(path.relative_to(stage).as_posix().encode() + b"\0" + path.read_bytes())
    if page.exists() and stamp.exists() and stamp.read_text() == content.hexdigest():
        return page
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    command = [jupyter_book, "build", str(stage), "-W", "-n", "--keep-going", "--all"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    if done.returncode != 0 or not page.exists():
        said = [line for line in (done.stdout + done.stderr).splitlines() if re.search("WARNING|ERROR|rror:", line)]
        raise BookError("\n".join(["the book has warnings or errors:", *said, (done.stdout + done.stderr)[-3000:]]))
    stamp.write_text(content.hexdigest())
    return page


def _stage(name: str, stage: Path) -> None:
    for old in ("book", "notebooks"):
        shutil.rmtree(stage / old, ignore_errors=True)
    (stage / "notebooks").mkdir(parents=True)
    shutil.copytree(ROOT / "book", stage / "book")
    for file in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / file, stage / file)
    for executed in sorted((runs.BUILD / name / "notebooks").glob("*.ipynb")):
        nbformat.write(notebooks.for_the_book(notebooks.read(executed)), stage / "notebooks" / executed.name)
    generated = stage / "book" / "_generated"
    generated.mkdir()
    (generated / "dataset-cards.md").write_text(dataset_cards(), encoding="utf-8")
    (generated / "status.md").write_text(status(name), encoding="utf-8")
    (generated / "results.md").write_text(results(), encoding="utf-8")


def dataset_cards() -> str:
    """One section per dataset, from the cards in the code, in Markdown."""
    parts = []
    for name, source in datasets.SOURCES.items():
        card = source.card
        how = "drawn by the code" if source.folder is None else "fetched" if source.remote else "on your request"
        parts += [f"## `{name}`", "", f"{card.title}.", "", "| Field | Value |", "|---|---|"]
        parts += [f"| Licence | {card.licence} |", f"| Unit of independence | {card.unit} |"]
        parts += (
            [f"| How it comes | {how}: `make data NAME={name}` |"] if source.folder else [f"| How it comes | {how} |"]
        )
        parts += [f"| Home | <{card.home}> |"] if card.home else []
        parts += [f"| Citation | {{cite:t}}`{card.citation}` |"] if card.citation else []
        parts += ["", "Known defects:", "", *(f"- {defect}" for defect in card.defects), ""]
    return "\n".join(parts)


def status(name: str) -> str:
    """What ran, how long it took, on which data and with which versions, in Markdown."""
    rows = ["| Notebook | Status | Seconds | Parameters | Data (SHA-256) |", "|---|---|---:|---|---|"]
    for record in runs.read_records(name):
        given = ", ".join(f"{k} = {v}" for k, v in record.parameters.items()) or "defaults"
        rows.append(f"| {record.notebook} | {record.status} | {record.seconds:.1f} | {given} | `{record.data[:12]}` |")
    facts = provenance()
    versions = "\n".join(f"| {library} | {version} |" for library, version in facts.versions.items())
    return "\n".join(
        [
            f"Run `{name}` at commit `{facts.commit[:12]}` on {facts.hardware}, Python {facts.python}.",
            "",
            *rows,
            "",
            "| Library | Version |",
            "|---|---|",
            versions,
            "",
        ]
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
    versions = {}
    for library in LIBRARIES:
        try:
            versions[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    hardware = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}"
    return Provenance((head or "none") + ("+changes" if dirty else ""), hardware, platform.python_version(), versions)


def publish(name: str, command: str) -> list[Path]:
    """Copy the result tables that a run's notebooks saved to ``book/results/``, each with its provenance beside it.

    Args:
        name: of the profile that was run.
        command: what a reader types to get them again.
    """
    written = []
    for record in runs.read_records(name):
        parameters = {**notebooks.parameters(notebooks.read(_source(record))), **record.parameters}
        for table in sorted((runs.BUILD / name / "work" / "outputs").glob(f"{record.notebook[:2]}-*.csv")):
            target = f"{name}-{table.stem}"
            about = {"command": command, "parameters": parameters, "data_sha256": record.data}
            written.append(
                save_result(target, pd.read_csv(table), f"notebook {record.notebook}", about, record.finished)
            )
    return written


def save_result(name: str, table: pd.DataFrame, made_by: str, about: dict[str, Any], finished: str) -> Path:
    """Put a table into ``book/results/`` as CSV, with its provenance beside it; the results page shows both.

    Args:
        name: of the files, without suffix.
        table: rounded as it is to be read.
        made_by: the notebook or the benchmark.
        about: ``command`` that gives it again, ``parameters`` and ``data_sha256`` (fingerprint of the data).
        finished: time in ISO format.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    target = RESULTS / f"{name}.csv"
    runs.write_atomically(target, table.to_csv(index=False))
    note = {"made_by": made_by, **about, "finished": finished, **dataclasses.asdict(provenance())}
    runs.write_atomically(target.with_suffix(".json"), json.dumps(note, indent=1) + "\n")
    return target


def _source(record: runs.Record) -> Path:
    return notebooks.NOTEBOOKS / f"{record.notebook}.ipynb"


def results() -> str:
    """The committed result tables with their provenance, in Markdown."""
    parts = []
    for path in sorted(RESULTS.glob("*.csv")):
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        table = pd.read_csv(path).astype(object).fillna("–")
        parts += [f"## {path.stem}", "", "| " + " | ".join(table) + " |", "|" + "---|" * len(table.columns)]
        parts += ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
        given = ", ".join(f"{key} = {value}" for key, value in about["parameters"].items())
        parts += [
            "",
            f"Made by {about['made_by']} ({given}); `{about['command']}`; data SHA-256 "
            f"`{about['data_sha256'][:16]}`; commit `{about['commit'][:12]}`; {about['hardware']}, "
            f"Python {about['python']}; {about['finished'][:10]}.",
            "",
        ]
    return "\n".join(parts) or "No full run has been published yet.\n"


def _refresh_cover(executed: Path) -> list[str]:
    """The picture of the README and the start page: the first figure of the first chapter."""
    drawn = (output for cell in notebooks.read(executed).cells for output in cell.get("outputs", []))
    cover = next(base64.b64decode(o["data"]["image/png"]) for o in drawn if "image/png" in o.get("data", {}))
    if COVER.exists() and COVER.read_bytes() == cover:
        return []
    COVER.write_bytes(cover)
    return [COVER.name]


def refresh_notebooks(name: str = "quick") -> list[str]:
    """Write the outputs of a finished run into the committed notebooks, normalised; returns the names that changed."""
    changed = []
    for executed in sorted((runs.BUILD / name / "notebooks").glob("*.ipynb")):
        target = notebooks.NOTEBOOKS / executed.name
        text = nbformat.writes(notebooks.normalise(notebooks.read(executed))) + "\n"
        if target.read_text(encoding="utf-8") != text:
            runs.write_atomically(target, text)
            changed.append(executed.stem)
    changed += _refresh_cover(runs.BUILD / name / "notebooks" / "00-start-here.ipynb")
    config = ROOT / "_config.yml"
    old = config.read_text(encoding="utf-8")
    new = re.sub(r"(?m)^( +url: ).*$", rf"\g<1>{notebooks.repository_url()}", old)
    if new != old:
        config.write_text(new, encoding="utf-8")
        changed.append(config.name)
    return changed
