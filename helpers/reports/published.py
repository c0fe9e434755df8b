"""Read the published result tables of ``book/results``, each with its provenance."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from helpers.errors import LeukobookError
from helpers.project import Project
from helpers.reports.tables import plain_text

# In place of a stored result, where only the package is installed, without the book.
NO_BOOK = "Results on real blood are on the results page of the book."


class ResultError(LeukobookError):
    """A result cannot be published or shown; the message states the result and a remedy."""


@dataclass(frozen=True)
class PublishedTable:
    """A stored result of a longer run.

    Attributes:
        name: file name without suffix, such as ``full-wbc1-segment-dice``.
        frame: unrounded values.
        origin: where the numbers come from, for the sentence or caption beside them.
        parameters: parameters of the chapter in that run.
    """

    name: str
    frame: pd.DataFrame
    origin: str
    parameters: dict[str, Any] = field(default_factory=dict)


def read_pair(path: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read a published table and its note, and check that they belong together.

    Args:
        path: CSV file; the note lies beside it as JSON.

    Returns:
        The table, and the note without the digest.

    Raises:
        ResultError: table or note is missing, or they do not belong together.
    """
    try:
        content, note = path.read_bytes(), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        sha256 = note.pop("sha256")
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ResultError(f"{path}: table or note cannot be read ({error}); publish it again") from None
    if sha256 != hashlib.sha256(content).hexdigest():
        raise ResultError(f"{path}: is not the table of {path.stem}.json; publish it again")
    return plain_text(pd.read_csv(io.BytesIO(content))), note


def published_table(name: str) -> PublishedTable | None:
    """Read a stored result to show beside a short run, labelled with its origin.

    Args:
        name: file name in ``book/results`` without suffix.

    Returns:
        The table, or None where only the package is installed, without the book.

    Raises:
        ResultError: table or note is missing, or they do not belong together.

    Example:
        >>> from helpers import reports
        >>> stored = reports.published_table("full-wbc1-preprocess-nucleus-dice")
        >>> stored.origin.startswith("stored result of a longer run on wbc1")
        True
    """
    folder = Project.current().results
    if not folder.is_dir():
        return None
    frame, note = read_pair(folder / f"{name}.csv")
    dataset = note["parameters"].get("dataset")
    on = f" on {dataset}" if dataset else ""
    origin = f"stored result of a longer run{on} (`{note['command']}`, {note['finished'][:10]})"
    return PublishedTable(name, frame, origin, note["parameters"])
