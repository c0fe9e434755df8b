"""Sphinx extension: formulas as MathML, which a browser shows without a script and without the network.

Docutils converts them from TeX. A formula that it cannot convert is a warning with file and line, thus an error of the
build. Aligned lines are written with ``aligned`` within ``$$``, functions without a command with ``\\operatorname``.
"""

from __future__ import annotations

import html
import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

# An accent with a subscript, which Docutils sets below the letter unless it belongs to an empty group.
_ACCENT = re.compile(r"(\\(?:bar|dot|hat|overline|tilde|vec|widehat|widetilde)\b\s*(?:\w|\{[^{}]*\}))(?=\s*_)")
_BAR = re.compile(r"<mo([^>]*)>([|‖])</mo>")  # browsers leave room around bars, TeX does not


def to_mathml(tex: str, *, is_block: bool) -> str:
    """Convert a formula to a MathML element, with the TeX as its alternative text.

    Args:
        tex: formula in TeX, without dollar signs.
        is_block: show it in a line of its own.

    Raises:
        MathError: the formula has an unknown command or environment, or its brackets do not match.
    """
    _require_pairs(tex)
    element = tex2mathml(_ACCENT.sub(r"\1{}", tex), as_block=is_block)
    alternative = html.escape(" ".join(tex.split()))
    element = element.replace("<math ", f'<math alttext="{alternative}" ', 1)
    return _BAR.sub(r'<mo\1 lspace="0" rspace="0">\2</mo>', element)


def _require_pairs(tex: str) -> None:
    """Check braces and growing brackets, of which Docutils accepts one without the other."""
    signs = re.findall(r"\\[A-Za-z]+|\\.|[{}]", tex)  # commands, escaped characters and braces
    for opening, closing in (("{", "}"), (r"\left", r"\right")):
        if signs.count(opening) != signs.count(closing):
            raise MathError(f"{signs.count(opening)} times {opening} but {signs.count(closing)} times {closing}")


def _converted(node: nodes.math | nodes.math_block) -> str:
    """Return the MathML of a node, or its TeX after a warning."""
    try:
        return to_mathml(node.astext(), is_block=isinstance(node, nodes.math_block))
    except MathError as error:
        logger.warning("formula %r: %s", node.astext(), error, location=node, type="mathml")
        return f"<code>{html.escape(node.astext())}</code>"


def visit_math(self, node):
    """Write a formula within a sentence."""
    self.body.append(f'<span class="math notranslate nohighlight">{_converted(node)}</span>')
    raise nodes.SkipNode


def visit_math_block(self, node):
    """Write a formula in a line of its own, with its number if it has a label; a keyboard scrolls a wide one."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    box = '<div class="formula" role="group" aria-label="Formula" tabindex="0">'
    self.body.append(f"{box}{_converted(node)}</div></div>\n")
    raise nodes.SkipNode


def setup(app):
    """Register the renderer, which ``html_math_renderer`` in ``_config.yml`` chooses."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_math_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
