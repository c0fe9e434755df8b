"""Pages in one style: values are escaped, local paths removed, and Markdown keeps no HTML."""

from pathlib import Path

import jinja2
import pytest

from helpers.pages import html_from_markdown, page_template

TEMPLATE = """{% extends "page.html" %}
{% from "macros.html" import facts %}
{% block title %}{{ name }}{% endblock %}
{% block main %}{{ facts({"name": name}) }}{% endblock %}
"""


def test_a_template_has_the_common_frame_and_escapes_its_values(tmp_path):
    path = tmp_path / "small.html"
    path.write_text(TEMPLATE, encoding="utf-8")
    html = page_template(path).render(name=f"<i>{Path.home()}/cells")
    assert "<title>&lt;i&gt;~/cells</title>" in html
    assert "<dt>name</dt><dd>&lt;i&gt;~/cells</dd>" in html
    assert "default-src 'none'" in html
    assert "@page { size: A4; margin: 15mm; }" in html
    with pytest.raises(jinja2.UndefinedError, match="name"):
        page_template(path).render()


def test_markdown_becomes_html_without_html_of_its_own():
    html = html_from_markdown("# Card\n\n<b>x</b>\n\n| a |\n|---|\n| 1 |", "model card")
    assert html.startswith("<h3>Card</h3>")
    assert "&lt;b&gt;x&lt;/b&gt;" in html
    assert 'aria-label="Table of the model card" tabindex="0"><table>' in html
