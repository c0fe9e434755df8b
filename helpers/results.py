"""Numbers that are kept: tables in ``book/results/``, each with where it comes from."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import files, notebooks, records, runs, tables
from helpers.errors import LeukobookError
from helpers.markup import escape_markdown
from helpers.profiles import Profile
from helpers.provenance import Provenance
from helpers.publication import published

ROOT = notebooks.ROOT
RESULTS = ROOT / "book" / "results"


class ResultError(LeukobookError):
    """A result that cannot be published or shown; the message names it and what to do."""


def markdown(table: pd.DataFrame, shown_as: Callable[[object], str] = escape_markdown) -> str:
    """Write a table in Markdown, numbers to three decimals, with a dash where a value is missing.

    Args:
        table: whose names and texts may be anybody's.
        shown_as: writes a name or a value; ``str`` for a table that is Markdown itself.
    """
    shown = table.round(3).astype(object).fillna("–")
    lines = ["| " + " | ".join(map(shown_as, table)) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(map(shown_as, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)


def save_result(
    name: str, table: pd.DataFrame, made_by: str, *, about: dict[str, Any], finished: str, provenance: Provenance
) -> Path:
    """Put a table into ``book/results/`` as CSV, with its provenance beside it; the results page shows both.

    Args:
        name: of the files, without suffix.
        table: not rounded; the page shows three decimals.
        made_by: the notebook or the benchmark.
        about: ``command`` that gives it again, ``parameters`` and ``data_sha256`` (of all data read).
        finished: time in ISO format.
        provenance: of the time when it was made.
    """
    note = {"made_by": made_by, **about, "finished": finished}
    return _save(name, tables.safe_text(table).to_csv(index=False).encode(), note, provenance)


def _save(name: str, content: bytes, note: dict[str, Any], provenance: Provenance) -> Path:
    """Write CSV and note; the note, which holds the digest of the CSV, makes the pair count."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    target = RESULTS / f"{name}.csv"
    files.write_bytes(target, content)
    whole = published({**note, **asdict(provenance), "sha256": hashlib.sha256(content).hexdigest()})
    files.write_text(target.with_suffix(".json"), json.dumps(whole, indent=1) + "\n")
    return target


def read_result(name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a table of ``book/results/`` and its note.

    Raises:
        ResultError: one of the two is missing, or they do not belong together.
    """
    path = RESULTS / f"{name}.csv"
    try:
        content, note = path.read_bytes(), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ResultError(f"{path}: table or note cannot be read ({error}); publish it again") from None
    if note.get("sha256") != hashlib.sha256(content).hexdigest():
        raise ResultError(f"{path}: is not the table that {name}.json is about; publish it again")
    return tables.plain_text(pd.read_csv(io.BytesIO(content))), note


def publish(profile: Profile, command: str, say: Callable[[str], None] = print) -> list[Path]:
    """Copy the result tables that a run's notebooks saved to ``book/results/``, each with its provenance beside it.

    Tables that this profile has published before and does not make any more are removed.

    Args:
        profile: that was run.
        command: what a reader types to get them again.
        say: gets a line for what is removed.

    Raises:
        RunError: a notebook is not done with the code, parameters and data of now, or a table is not there.
        ResultError: two notebooks have saved tables of one name, or none has saved any.
    """
    found: dict[str, tuple[bytes, records.Record]] = {}
    for record in runs.current_records(profile):
        place = records.Place(runs.BUILD / profile.name, record.notebook)
        for path, digest in record.tables.items():
            name = f"{profile.name}-{Path(path).stem}"
            if name in found:
                both = f"{found[name][1].notebook} and {record.notebook}"
                raise ResultError(f"{both} both save a table {Path(path).stem}; rename one of them")
            found[name] = place.read_saved(path, digest), record
    if not found:
        raise ResultError(f"{profile.name}: no notebook has saved a table, so there is nothing to publish")
    written = []
    for name, (content, record) in found.items():
        note = {
            "made_by": f"notebook {record.notebook}",
            "command": command,
            "parameters": {**notebooks.defaults(record.notebook), **record.parameters},
            "data_sha256": record.data,
            "finished": record.finished,
        }
        written.append(_save(name, content, note, record.provenance))
    remove_others(command, written, say)
    return written


def remove_others(command: str, kept: list[Path], say: Callable[[str], None] = print) -> None:
    """Remove the tables that a command has published before, but those that it has published now.

    Args:
        command: that stands in their notes.
        kept: the CSV files of now.
        say: gets a line for each.
    """
    for note in sorted(RESULTS.glob("*.json")):
        table = note.with_suffix(".csv")
        if table not in kept and json.loads(note.read_text(encoding="utf-8")).get("command") == command:
            note.unlink()
            table.unlink(missing_ok=True)
            say(f"  removed {table.name}: `{command}` does not make it any more")
