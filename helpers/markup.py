"""Join words to a sentence, and escape untrusted text in Markdown and HTML, so that it is displayed literally."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

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


def join_words(words: Sequence[Any]) -> str:
    """Join words as in a sentence: ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
