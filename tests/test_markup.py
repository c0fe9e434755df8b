"""Names that hold markup are shown, and not carried out."""

import html
import re

import pytest
from markdown_it import MarkdownIt

from helpers.markup import escape_markdown, join_words

HOSTILE = [
    "<script>alert(1)</script>",
    "a|b",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![x](http://a/b.png)",
    "`code` and ``more``",
    "**bold** _slanted_ ~~struck~~",
    "{cite}`x` {{ name }} $x^2$",
    r"back\slash \| &amp; &lt;",
    "normal_lymphocyte, 3 < 4 & 5 > 2",
    "# a heading", "- a list", "+ a list", "7. a list", "7) a list", "---", "===", "> a quotation", ":::{note}",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_is_shown_letter_by_letter_in_a_paragraph_and_in_a_table(text):
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for page in (escape_markdown(text), f"| name | n |\n|---|---|\n| {escape_markdown(text)} | 7 |"):
        shown = markdown.render(page)
        assert set(re.findall(r"</?(\w+)", shown)) <= {"p", "table", "thead", "tbody", "tr", "th", "td"}
        assert text in html.unescape(re.sub("<[^>]*>", "", shown))
        assert shown.count("<td>") in (0, 2)


def test_a_plain_name_stays_and_lines_become_one():
    assert escape_markdown("normal_lymphocyte 0.5") == "normal_lymphocyte 0.5"
    assert escape_markdown("a\n# b\r\n\n- c") == "a # b - c"
    assert escape_markdown(3) == "3"
    assert [escape_markdown(number) for number in (-1.5, 0.25, "7", "-a")] == ["-1.5", "0.25", "7", "-a"]


def test_words_are_listed_as_one_reads_them_out():
    assert [join_words(words) for words in (["a"], ["a", 2], ["a", 2, "c"])] == ["a", "a and 2", "a, 2 and c"]
