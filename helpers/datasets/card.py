"""Dataset card: licence, citation, unit of independence and known issues of a dataset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetCard:
    """Describe a dataset for its users.

    Attributes:
        title: full name.
        licence: licence or terms of access.
        citation: key in ``book/references.bib``; empty if there is none.
        homepage: URL; empty if there is none.
        independent_unit: what counts as one independent observation.
        known_issues: known issues of the data.
        classes: class names; empty where they depend on options or on the user's folders.
        published_images: number of images that its authors have published, with their unit; empty if not known.
        download_size: size of the download; empty if not known.
    """

    title: str
    licence: str
    citation: str
    homepage: str
    independent_unit: str
    known_issues: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    published_images: str = ""
    download_size: str = ""
