"""Stage executed notebooks and prose in one folder and render them with Jupyter Book, with warnings as errors."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from helpers import files, processes
from helpers.book import api, glossary, pages, paths, times
from helpers.book.try_it import page as try_it
from helpers.errors import LeukobookError
from helpers.project import Project
from helpers.runs import notebooks, runner
from helpers.runs.records import Record, locked

# Note below the title of a chapter that a profile leaves out.
NOT_RUN = """:::{{note}}
This chapter is not part of the run `{}`. It has the numbers of the quick run, on synthetic cells, and no figures.
:::"""


class BookError(LeukobookError):
    """The book could not be rendered; the message contains the renderer's warnings."""


def build(name: str, records: Sequence[Record]) -> Path:
    """Render the book from a finished run, unless nothing has changed since the last build.

    Chapters that are not part of the run are shown as committed, with a note. Pages rendered with warnings are removed.
    The renderer dies with this process.

    Args:
        name: name of the profile that was run.
        records: records of its notebooks, from :func:`helpers.runs.runner.run`.

    Returns:
        Path of the start page.

    Raises:
        BookError: Jupyter Book reported a warning or an error.
        ValueError: a figure has no alt text, or a result does not match its note.
        RunError: another process works on this run.
    """
    folder = Project.current().build / name
    with locked(folder):
        return _build(name, records, folder / "book")


def _build(name: str, records: Sequence[Record], stage: Path) -> Path:
    _stage(name, records, stage)
    page, stamp = stage / "_build" / "html" / "index.html", stage.with_name("book.stamp")
    content = hashlib.sha256(json.dumps(runner.installed()).encode())
    for path in sorted(p for p in stage.rglob("*") if p.is_file() and "_build" not in p.parts):
        content.update(path.relative_to(stage).as_posix().encode() + b"\0" + path.read_bytes())
    for path in sorted(Project.current().package.rglob("*.py")):  # the reference shows its docstrings
        content.update(path.read_bytes())
    if page.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == content.hexdigest():
        return page
    stamp.unlink(missing_ok=True)  # before its pages are removed
    shutil.rmtree(stage / "_build", ignore_errors=True)
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    command = [jupyter_book, "build", str(stage), "-W", "-n", "--keep-going", "--all"]
    done = processes.run(command, {**os.environ, "PYTHONWARNINGS": "ignore"})
    if done.returncode != 0 or not page.exists():
        shutil.rmtree(stage / "_build", ignore_errors=True)
        problems = [line for line in (done.stdout + done.stderr).splitlines() if re.search("WARNING|ERROR|rror:", line)]
        raise BookError("\n".join(["the book has warnings or errors:", *problems, (done.stdout + done.stderr)[-3000:]]))
    files.write_text(stamp, content.hexdigest())
    return page


def _stage(name: str, records: Sequence[Record], stage: Path) -> None:
    project = Project.current()
    for old in ("book", "notebooks"):
        shutil.rmtree(stage / old, ignore_errors=True)
    (stage / "notebooks").mkdir(parents=True)
    shutil.copytree(project.book, stage / "book")
    for file in ("_config.yml", "_toc.yml"):
        shutil.copy(project.root / file, stage / file)
    modules = api.read_modules()
    done = {record.notebook for record in records if record.done}
    chapters, terms = times.read_chapters(name, done), glossary.read_terms()
    for source in sorted(project.notebooks.glob("*.ipynb")):
        executed = project.build / name / "notebooks" / source.name
        notebook = notebooks.prepare_for_book(notebooks.read(executed if source.stem in done else source))
        sections = chapters[source.stem]
        notebook.cells[0].source = times.state_minutes(notebook.cells[0].source, sections)
        glossary.link_terms(notebook, terms)
        notebook.cells.insert(1, nbformat.v4.new_markdown_cell(times.section_table(sections)))
        if source.stem not in done:
            notebook.cells.insert(1, nbformat.v4.new_markdown_cell(NOT_RUN.format(name)))
        if links := api.link_functions(notebook, modules):
            notebook.cells.append(nbformat.v4.new_markdown_cell(links))
        nbformat.write(notebook, stage / "notebooks" / source.name)
    for file, text in api.pages(modules).items():
        (stage / "book" / "api" / file).write_text(text, encoding="utf-8")
    generated = stage / "book" / "_generated"
    generated.mkdir()
    (generated / "api-rooms.md").write_text(api.room_table(modules), encoding="utf-8")
    (generated / "times.md").write_text(times.chapter_table(chapters), encoding="utf-8")
    for file, text in paths.generated_files(chapters).items():
        (generated / file).write_text(text, encoding="utf-8")
    for file, content in pages.generated_files(name, records).items():
        (generated / file).write_bytes(content)
    for file, content in try_it.generated_files(name, records).items():
        (stage / "book" / file).write_bytes(content)


def _refresh_cover(executed: Path) -> list[str]:
    """Update the image of README and start page with the figure of the cell tagged ``cover``; return changed files."""
    cell = next(cell for cell in notebooks.read(executed).cells if "cover" in notebooks.tags(cell))
    cover = next(base64.b64decode(o["data"]["image/png"]) for o in cell.outputs if "image/png" in o.get("data", {}))
    path = Project.current().book / "figures" / "cells.png"
    if path.exists() and path.read_bytes() == cover:
        return []
    path.write_bytes(cover)
    return [path.name]


def refresh_notebooks(name: str, records: Sequence[Record]) -> list[str]:
    """Write the normalised outputs of a finished run into the committed notebooks, with the minutes that they take.

    The cover image and the repository URL in ``_config.yml`` are updated as well.

    Args:
        name: name of the profile that was run.
        records: records of its notebooks, from :func:`helpers.runs.runner.run`, all done.

    Returns:
        Names of the changed files.
    """
    changed, project = [], Project.current()
    executed_notebooks = project.build / name / "notebooks"
    for record in records:
        executed = executed_notebooks / f"{record.notebook}.ipynb"
        target = project.notebooks / executed.name
        sections = times.read_sections(notebooks.read(executed))
        text = times.state_minutes(notebooks.committed_text(executed), sections)
        if target.read_text(encoding="utf-8") != text:
            files.write_text(target, text)
            changed.append(executed.stem)
    changed += _refresh_cover(executed_notebooks / "00-start-here.ipynb")
    config = project.root / "_config.yml"
    old = config.read_text(encoding="utf-8")
    new = re.sub(r"(?m)^( +url: ).*$", rf"\g<1>{notebooks.repository_url()}", old)
    if new != old:
        config.write_text(new, encoding="utf-8")
        changed.append(config.name)
    return changed
