"""Escape untrusted text in Markdown and HTML, so that it is displayed literally and never interpreted."""

from __future__ import annotations

import html
import re

# Inline markup of MyST Markdown: code, emphasis, links, mathematics, substitutions, strikethrough.
_MARKS = re.compile(r"[\\`*\[\]{}$~]|(?<!\w)_|_(?!\w)")
# Markup at the start of a line: headings, lists, quotations, rules.
_BLOCK = re.compile(r"^([#+\-=:])(?=[\s#\-=:]|$)")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def escape_markdown(text: object) -> str:
    """Escape text for a paragraph or table cell in Markdown.

    Args:
        text: untrusted text, such as a class, group, id or caption; other values are converted with ``str``.

    Returns:
        One line, with HTML and vertical bars as entities and Markdown markup after a backslash; a name such as
        ``normal_lymphocyte`` is unchanged.
    """
    line = " ".join(str(text).split())
    marked = _MARKS.sub(lambda match: "\\" + match.group(), html.escape(line, quote=False))
    marked = _NUMBERED.sub(r"\1\\\2", _BLOCK.sub(r"\\\1", marked))
    return marked.replace("|", "&#124;")
