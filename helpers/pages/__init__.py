"""Self-contained HTML pages in one style: one file, with its pictures inside, that loads nothing from the network."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
from markdown_it import MarkdownIt
from markupsafe import Markup
from PIL import Image

from helpers.publication import without_paths
from helpers.reports.result_table import show_table

TEMPLATES = Path(__file__).with_name("templates")


def page_template(path: Path, *folders: Path) -> jinja2.Template:
    """Read the template of a page, which extends ``page.html`` and may import ``macros.html``.

    Args:
        path: template file; it may also extend and import the files beside it.
        folders: further folders with files that it may extend and import.

    Returns:
        Template that escapes all values but :class:`markupsafe.Markup`, and removes local paths from them.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, path.parent, *folders]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else without_paths(value),
    )
    return environment.from_string(path.read_text(encoding="utf-8"))


def html_table(table: pd.DataFrame, caption: str, digits: int = 3) -> Markup:
    """Render a table in HTML, see :func:`helpers.reports.show_table`."""
    return Markup(show_table(table, digits=digits, caption=caption).to_html())


def data_uri(png: bytes) -> str:
    """Encode a PNG file as the address of an image within the page."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def png_uri(image: np.ndarray) -> str:
    """Encode an image ``uint8 (height, width, 3)`` RGB as :func:`data_uri`."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return data_uri(buffer.getvalue())


def markdown_parser() -> MarkdownIt:
    """Return a parser of Markdown with tables, which escapes HTML."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def html_from_markdown(text: str, title: str, parser: MarkdownIt | None = None) -> Markup:
    """Render Markdown as HTML, with headings two levels lower and tables in boxes that scroll, and escape HTML.

    Args:
        text: Markdown.
        title: what the text is, such as ``datasheet``, for the names of its tables.
        parser: parser with further syntax; that of :func:`markdown_parser` where none is passed.
    """
    parser = parser or markdown_parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + 2}"
    box = f'<div class="result-table" role="group" aria-label="Table of the {title}" tabindex="0">'
    rendered = parser.renderer.render(tokens, parser.options, {})
    return Markup(rendered.replace("<table>", f"{box}<table>").replace("</table>", "</table></div>"))
