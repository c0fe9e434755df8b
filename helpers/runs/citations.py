"""Convert citations in notebooks between readable links and Sphinx roles.

Jupyter, Colab and GitHub show a role such as ``{cite:p}`bain2015``` literally. Notebooks are therefore committed with
``([Bain, 2015](https://doi.org/…))``; the book is built with the role, so that it links to its list of references and
rejects unknown keys.
"""

from __future__ import annotations

import functools
import re

from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

from helpers.errors import LeukobookError
from helpers.project import CHECKOUT

REFERENCES = CHECKOUT / "book" / "references.bib"
# Where a reference without an address is looked up, from the folder of the notebooks.
PAGE = "../book/references.md"

_ROLE = re.compile(r"\{cite(?::([pt]))?\}`([^`]+)`")
_LINK = r"\[[^\]]+\]\([^)\s]+\)"
_GROUP = re.compile(rf"\(({_LINK}(?:; {_LINK})*)\)|({_LINK})")


class CitationError(LeukobookError):
    """A cited key is missing in ``book/references.bib``."""


def link_citations(text: str) -> str:
    """Replace citation roles by links with authors and year.

    Args:
        text: Markdown; ``{cite}`` and ``{cite:p}`` become links in parentheses, ``{cite:t}`` a textual link.

    Raises:
        CitationError: a key is not in ``book/references.bib``.
    """
    return _ROLE.sub(_links, text)


def cite_with_roles(text: str) -> str:
    """Replace the links written by :func:`link_citations` by citation roles; other links are kept."""
    return _GROUP.sub(_role, text)


def _links(role: re.Match[str]) -> str:
    kind = role[1] or "p"
    links = _links_of(kind)
    keys = [key.strip() for key in role[2].split(",")]
    unknown = [key for key in keys if key not in links]
    if unknown:
        raise CitationError(f"unknown reference {unknown[0]!r}; add it to {REFERENCES.name}, or correct the key")
    joined = "; ".join(links[key] for key in keys)
    return joined if kind == "t" else f"({joined})"


def _role(group: re.Match[str]) -> str:
    links, kind = (group[1].split("; "), "p") if group[1] else ([group[2]], "t")
    keys = {link: key for key, link in _links_of(kind).items()}
    if not all(link in keys for link in links):
        return group[0]
    return f"{{cite:{kind}}}`{','.join(keys[link] for link in links)}`"


@functools.cache
def _links_of(kind: str) -> dict[str, str]:
    """Map each key to a link, such as ``[Bain, 2015](…)`` for kind ``p`` and ``[Bain (2015)](…)`` for kind ``t``.

    The year is left out where the reference has none.
    """
    year = " ({})" if kind == "t" else ", {}"
    return {key: f"[{_authors(entry)}{_year(entry, year)}]({_address(entry)})" for key, entry in _entries().items()}


@functools.cache
def _entries() -> dict[str, Entry]:
    return dict(parse_file(str(REFERENCES), "bibtex").entries)


def _authors(entry: Entry) -> str:
    """Return the family names of one or two authors, or the first of more with "et al."."""
    names = [str(Text.from_latex(" ".join([*p.prelast_names, *p.last_names]))) for p in entry.persons["author"]]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


def _year(entry: Entry, pattern: str) -> str:
    return pattern.format(entry.fields["year"]) if "year" in entry.fields else ""


def _address(entry: Entry) -> str:
    address = f"https://doi.org/{entry.fields['doi']}" if "doi" in entry.fields else entry.fields.get("url", PAGE)
    return address.replace("(", "%28").replace(")", "%29")
