"""Make slides of executed notebooks: one self-contained page per chapter, from the cells tagged ``slide``.

A tagged Markdown cell is a slide under each of its headings. A tagged code cell is a slide under the heading of its
section: its figures, tables and sentences, or its code if it shows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from nbformat import NotebookNode

from helpers import files
from helpers.book.formulas import formula_parser
from helpers.errors import LeukobookError
from helpers.pages import TEMPLATES, html_from_markdown, page_template
from helpers.project import Project
from helpers.publication import without_paths
from helpers.runs import notebooks
from helpers.runs.records import Record, RunFolder

TAG = "slide"
LEFT_OUT = ("Further reading", "Appendix")  # beginnings of sections in the same cell as the take-aways

_HEADING = re.compile(r"(?m)^(?:\A#|##) (.+)$")  # the title of the chapter, and of a section
_DIRECTIVE = re.compile(r"\s*([`:]{3,})\{([\w-]+)\}\s*(.*)")
_TITLED = ("admonition", "exercise-start")  # directives whose argument is a title
_OPTION = re.compile(r"\s*:[\w-]+:.*|.*\{download\}.*")  # options of directives, and the line of links below the title
_ROLE = re.compile(r"\{[\w:.-]+\}`([^`<]+?)(?:\s*<[^`>]*>)?`")
_LOCAL_LINK = re.compile(r"!?\[([^\]]*)\]\((?!https?:)[^)]*\)")


class SlideError(LeukobookError):
    """There is nothing to show; the message states a remedy."""


@dataclass(frozen=True)
class Slide:
    """One slide.

    Attributes:
        title: heading.
        content: HTML below the heading.
    """

    title: str
    content: Markup


def write_slides(run: str, records: Sequence[Record]) -> list[Path]:
    """Write the slides of every executed chapter that has tagged cells to ``build/<run>/slides/``.

    Args:
        run: name of the profile that was run.
        records: records of its notebooks, from :func:`helpers.runs.runner.run`.

    Returns:
        Paths of the pages.

    Raises:
        SlideError: no chapter has a tagged cell.
    """
    folder, template, written = Project.current().build / run, page_template(TEMPLATES / "slides.html"), []
    for record in records:
        slides = make_slides(notebooks.read(RunFolder(folder, record.notebook).executed)) if record.done else []
        if slides:
            path = folder / "slides" / f"{record.notebook}.html"
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_text(path, template.render(title=slides[0].title, slides=slides))
            written.append(path)
    if not written:
        raise SlideError(f"no chapter of {run} has slides: give the tag {TAG!r} to the cells that a slide shows")
    return written


def make_slides(notebook: NotebookNode) -> list[Slide]:
    """Make the slides of one executed notebook, in the order of its tagged cells.

    Args:
        notebook: executed notebook.
    """
    slides, title = [], ""
    for cell in notebook.cells:
        is_tagged = TAG in notebooks.tags(cell)
        if cell.cell_type == "markdown":
            sections = list(_sections(cell.source, title))
            title = sections[-1][0]
            slides += [
                Slide(heading, _html(text))
                for heading, text in sections
                if is_tagged and not heading.startswith(LEFT_OUT)
            ]
        elif is_tagged:
            slides.append(Slide(title, _outputs(cell)))
    return slides


def _sections(markdown: str, title: str) -> Iterator[tuple[str, str]]:
    """Split the text of a cell at its headings; what is above the first one belongs to the section before."""
    above, *rest = _HEADING.split(markdown)
    if above.strip() or not rest:
        yield title, above
    yield from zip((_title(heading) for heading in rest[::2]), rest[1::2], strict=True)


def _html(markdown: str) -> Markup:
    text = "\n".join(_without_directives(markdown.splitlines()))
    return html_from_markdown(without_paths(_plain(text)), "slide", formula_parser())


def _plain(text: str) -> str:
    """Replace roles and links to other pages of the book by their text."""
    return _LOCAL_LINK.sub(r"\1", _ROLE.sub(r"\1", text))


def _title(heading: str) -> str:
    """Return a heading without marks of code: a title is plain text."""
    return _plain(heading).replace("`", "")


def _without_directives(lines: Sequence[str]) -> Iterator[str]:
    """Remove the fences and options of MyST directives, keep their content, and the titles of those that have one."""
    fence = ""  # that closes an ordinary block of code
    for line in lines:
        if fence:
            yield line
            fence = "" if line.strip() == fence else fence
        elif directive := _DIRECTIVE.fullmatch(line):
            yield f"\n**{directive[3]}**\n" if directive[2] in _TITLED else ""
        elif opening := re.fullmatch(r"(`{3,})\w+", line.strip()):
            fence = opening[1]
            yield line
        elif not _OPTION.fullmatch(line) and not re.fullmatch(r"\s*[`:]{3,}\s*", line):
            yield line


def _outputs(cell: NotebookNode) -> Markup:
    """Return what a code cell shows, or its code."""
    outputs = notebooks.without_captions(cell.outputs)
    if not outputs:
        return Markup('<pre class="code">{}</pre>').format(without_paths(cell.source))
    return Markup("\n").join(map(_output, outputs))


def _output(output: NotebookNode) -> Markup:
    data = output.get("data", {})
    if "image/png" in data:
        image = output.metadata.get("image/png", {})
        figure = '<figure><img src="data:image/png;base64,{}" alt="{}"><figcaption>{}</figcaption></figure>'
        encoded = "".join(data["image/png"].split())
        return Markup(figure).format(encoded, image.get("alt", ""), without_paths(image.get("caption", "")))
    if "text/markdown" in data:
        return _html(data["text/markdown"])
    if "text/html" in data:
        return Markup(without_paths(data["text/html"]))
    return Markup("<pre>{}</pre>").format(without_paths(output.get("text") or data.get("text/plain", "")))
