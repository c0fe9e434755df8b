"""What must be known of a dataset: source, licence, unit of independence, defects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetCard:
    """What one must know of a dataset before using it.

    ``unit`` is the unit of independence: what may be treated as one independent observation. ``citation`` is a key of
    ``book/references.bib``.
    """

    title: str
    licence: str
    citation: str
    homepage: str
    independent_unit: str
    known_issues: tuple[str, ...] = ()
