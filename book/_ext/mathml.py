"""Sphinx extension: formulas as MathML, so that a page needs no script and no network for them.

A formula that cannot be converted is a warning with file and line, thus an error of the build.
"""

from __future__ import annotations

import html

from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from helpers.book.formulas import FormulaError, to_mathml

logger = logging.getLogger(__name__)


def _converted(node: nodes.math | nodes.math_block) -> str:
    """Return the MathML of a node, or its TeX after a warning."""
    try:
        return to_mathml(node.astext(), is_block=isinstance(node, nodes.math_block))
    except FormulaError as error:
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
