"""Convert formulas from TeX to MathML, which a browser shows without a script and without the network."""

from __future__ import annotations

import html
import re

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from helpers.errors import LeukobookError
from helpers.pages import markdown_parser

# An accent with a subscript, which Docutils sets below the letter unless it belongs to an empty group.
_ACCENT = re.compile(r"(\\(?:bar|dot|hat|overline|tilde|vec|widehat|widetilde)\b\s*(?:\w|\{[^{}]*\}))(?=\s*_)")
_BAR = re.compile(r"<mo([^>]*)>([|‖])</mo>")  # browsers leave room around bars, TeX does not
# A function such as ln, and the bracket behind it: Docutils leaves no room between it and its neighbours.
_FUNCTION = re.compile(r"<mi>(cos|exp|ln|log|sin|tan|tanh)</mi>(?:\s*<mo>&ApplyFunction;</mo>)?(?=(\s*<mo[^>]*>\()?)")


class FormulaError(LeukobookError):
    """A formula has an unknown command or environment, or its brackets do not match."""


def to_mathml(tex: str, *, is_block: bool) -> str:
    """Convert a formula to a MathML element, with the TeX as its alternative text.

    Args:
        tex: formula in TeX, without dollar signs. Lines below each other are ``aligned``, a function without a command
            of its own is ``\\operatorname{name}``.
        is_block: show it in a line of its own.

    Raises:
        FormulaError: the formula has an unknown command or environment, or its brackets do not match.
    """
    _require_pairs(tex)
    try:
        element = tex2mathml(_ACCENT.sub(r"\1{}", tex), as_block=is_block)
    except MathError as error:
        raise FormulaError(str(error)) from None
    alternative = html.escape(" ".join(tex.split()))
    element = element.replace("<math ", f'<math alttext="{alternative}" ', 1)
    element = _BAR.sub(r'<mo\1 lspace="0" rspace="0">\2</mo>', element)
    return _FUNCTION.sub(_spaced, element)


def _spaced(function: re.Match[str]) -> str:
    """Write a function as an operator with a thin space on both sides, on the right not before a bracket."""
    after = "0" if function[2] else "0.1667em"
    return f'<mo lspace="0.1667em" rspace="{after}">{function[1]}</mo>'


def _require_pairs(tex: str) -> None:
    """Check braces and growing brackets, of which Docutils accepts one without the other."""
    signs = re.findall(r"\\[A-Za-z]+|\\.|[{}]", tex)  # commands, escaped characters and braces
    for opening, closing in (("{", "}"), (r"\left", r"\right")):
        if signs.count(opening) != signs.count(closing):
            raise FormulaError(f"{signs.count(opening)} times {opening} but {signs.count(closing)} times {closing}")


def formula_parser() -> MarkdownIt:
    """Return a parser of Markdown with formulas between dollar signs; it raises :class:`FormulaError` as it renders."""

    def render(tex: str, options: dict[str, bool]) -> str:
        return to_mathml(tex, is_block=options["display_mode"])

    return markdown_parser().use(dollarmath_plugin, renderer=render)
