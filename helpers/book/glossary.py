"""Link the terms of a chapter to the glossary, each where it is emphasised first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nbformat import NotebookNode

from helpers.project import Project

_GLOSSARY = re.compile(r"(?ms)^```\{glossary\}\n(.*?)^```")
_EMPHASIS = re.compile(r"(?<![\w*`])(\*{1,2})(?=[^\s*])([^*`\n$\[\]]+(?:\n[^*`\n$\[\]]+)?)(?<=[^\s*])\1(?![\w*])")
_FENCE = re.compile(r"\s*(`{3,}|:{3,}|~{3,})")
_LITERAL = re.compile(r"\s*`{3,}(?!\{)\S|\s*`{3,}\{(?:code|figure|image|download|bibliography|math)")

# Other words of a term's family, as chapters emphasise them.
FAMILY = {
    "card": "dataset card",
    "clipped": "clipping",
    "generalises": "generalisation",
    "overfits": "overfitting",
    "test": "test set",
    "training": "training set",
    "underfits": "underfitting",
    "validation": "validation set",
}


def read_terms() -> dict[str, str]:
    """Read the terms of ``book/glossary.md``.

    Returns:
        The term as the glossary writes it, by its lower-case form and that of its plural.
    """
    text = (Project.current().book / "glossary.md").read_text(encoding="utf-8")
    lines = [line for block in _GLOSSARY.findall(text) for line in block.splitlines()]
    terms = [line for line in lines if line and not line.startswith(" ")]
    return {form: term for term in terms for form in (f"{term.lower()}s", term.lower())}


def emphasis(markdown: str) -> list[tuple[str, str]]:
    """List the words in bold or italics of a text, outside code and headings, each after its mark, ``**`` or ``*``."""
    prose = (part for part, is_prose in _split_prose(markdown) if is_prose)
    return [(match[1], match[2]) for part in prose for match in _EMPHASIS.finditer(part)]


def find_term(words: str, terms: Mapping[str, str]) -> str | None:
    """Return the term of the glossary that some words are, in any case and number.

    Args:
        words: words of a text.
        terms: from :func:`read_terms`.
    """
    lower = " ".join(words.lower().split()).rstrip(".,:;")
    lower = FAMILY.get(lower, lower)
    forms = (lower, lower.removesuffix("s"), lower.removesuffix("es"), re.sub("ies$", "y", lower))
    return next((terms[form] for form in forms if form in terms), None)


def link_terms(notebook: NotebookNode, terms: Mapping[str, str]) -> None:
    """Turn the first emphasis of each term in a chapter into a link to the glossary, in place.

    Args:
        notebook: the chapter.
        terms: from :func:`read_terms`.
    """
    linked: set[str] = set()

    def link(match: re.Match[str]) -> str:
        term = find_term(match[2], terms)
        if term is None or term in linked:
            return match[0]
        linked.add(term)
        return f"{match[1]}{{term}}`{' '.join(match[2].split())} <{term}>`{match[1]}"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts = _split_prose(cell.source)
            cell.source = "".join(_EMPHASIS.sub(link, part) if is_prose else part for part, is_prose in parts)


def _split_prose(markdown: str) -> Iterator[tuple[str, bool]]:
    """Split a text into prose and what is no prose: blocks of code, headings, and lines of directives."""
    fence, prose = "", ""
    for line in markdown.splitlines(keepends=True):
        opening = _FENCE.match(line)
        if fence or (opening and _LITERAL.match(line)):
            if prose:
                yield prose, True
            prose = ""
            yield line, False
            if fence:
                fence = "" if line.strip() == fence else fence
            elif opening:
                fence = opening[1]
        elif opening or line.startswith("#"):
            if prose:
                yield prose, True
            prose = ""
            yield line, False
        else:
            prose += line
    if prose:
        yield prose, True
