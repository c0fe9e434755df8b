"""Text that somebody else has chosen, inside Markdown and HTML: shown letter by letter, never carried out."""

from __future__ import annotations

import html
import re

# What begins markup in MyST Markdown inside a line: code, emphasis, links, mathematics, substitutions, struck text.
_MARKS = re.compile(r"[\\`*\[\]{}$~]|(?<!\w)_|_(?!\w)")
# What begins a heading, a list, a quotation or a rule at the start of a line.
_BLOCK = re.compile(r"^([#+\-=:])(?=[\s#\-=:]|$)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def escape_markdown(text: object) -> str:
    """Write any text so that Markdown, in a paragraph or in a cell of a table, shows exactly that text.

    Args:
        text: a class, a group, an id, a caption, a value; what is not text is written as ``str`` writes it.

    Returns:
        One line. HTML and the bars of tables are written as entities, marks of Markdown after a backslash; a name such
        as ``normal_lymphocyte`` stays as it is.
    """
    line = " ".join(str(text).split())
    marked = _MARKS.sub(lambda found: "\\" + found.group(), html.escape(line, quote=False))
    marked = _NUMBERED.sub(r"\1\\\2", _BLOCK.sub(r"\\\1", marked))
    return marked.replace("|", "&#124;")
