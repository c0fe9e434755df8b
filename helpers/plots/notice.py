"""Notices in place of figures that would show nothing, and labels of figures."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.text import Text


@dataclass(frozen=True)
class NoFigure:
    """A notice in place of a figure that would show nothing.

    Attributes:
        reason: a clause without a full stop, such as ``all 40 images are 64×64 pixels``.
    """

    reason: str

    def __repr__(self) -> str:
        return f"No figure: {self.reason}."

    def _repr_html_(self) -> str:
        return f'<p class="no-figure">{html.escape(repr(self))}</p>'


def short_label(name: object, width: int = 24, lines: int = 2) -> str:
    """Wrap a name for a legend or an axis; replace the middle of a name that is too long by an ellipsis.

    Args:
        name: name of a class, group or model; untrusted text.
        width: characters in a line.
        lines: maximum number of lines.
    """
    text, room = str(name), width * lines
    if len(text) > room:
        half = (room - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    wrapped = "\n".join(textwrap.fill(line, width) for line in text.split("\n"))
    return f" {wrapped}" if wrapped.startswith("_") else wrapped  # matplotlib hides labels that begin with "_"


def show_letter_by_letter(figure: Figure) -> None:
    """Show all text of a figure literally; by default matplotlib typesets text between two ``$`` as mathematics."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)
