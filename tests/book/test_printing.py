"""Chapters as PDF: what is folded is open, code is whole, and a machine without a browser is told."""

import re
import shutil

import pytest

from helpers.book import printing
from helpers.project import CHECKOUT

STYLE = CHECKOUT / "book" / "_static" / "leukobook.css"
CODE = "result = " + " + ".join(f"variable_number_{number}" for number in range(12))  # 250 characters


def page_text(body):
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title>'
        f'<link rel="stylesheet" href="{STYLE}">'
        f'<article class="bd-article"><h1>Page</h1>{body}</article></html>'
    )


FOLDED = page_text(
    f"<details><summary>Code</summary><pre>{CODE}</pre></details><details open><p>open</p></details>"
    f'<div class="admonition dropdown note"><p class="admonition-title">A</p><p>inside</p></div>'
)


def test_everything_folded_is_open_and_nothing_else_changed():
    opened = printing.unfold(FOLDED)
    assert opened.count("<details open") == 2
    assert 'class="admonition  note"' in opened
    assert re.sub(r"\W|open|dropdown", "", opened) == re.sub(r"\W|open|dropdown", "", FOLDED)


def test_code_is_broken_on_paper_rather_than_cut(browser, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(printing.unfold(FOLDED), encoding="utf-8")
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.goto(file.as_uri())
    over = "document.querySelector('pre').scrollWidth > document.querySelector('pre').clientWidth"
    assert page.evaluate(over), "on the screen it scrolls"
    page.emulate_media(media="print")
    assert not page.evaluate(over)
    assert page.get_by_text("variable_number_11").is_visible()
    assert page.get_by_text("inside").is_visible()
    page.close()


@pytest.mark.skipif(not any(map(shutil.which, printing.BROWSERS)), reason="no Chromium or Chrome on this machine")
def test_each_chapter_is_printed_to_a_pdf_of_its_own_and_no_copy_stays(tmp_path):
    chapters = tmp_path / "html" / "notebooks"
    chapters.mkdir(parents=True)
    (chapters / "00-short.html").write_text(page_text("<p>short</p>"), encoding="utf-8")
    (chapters / "01-long.html").write_text(page_text("<details><p>line</p>" + "<p>line</p>" * 200 + "</details>"))
    short, long = printing.print_chapters(tmp_path / "html", tmp_path / "pdf")
    assert [short.name, long.name] == ["00-short.pdf", "01-long.pdf"]
    pages = [len(re.findall(rb"/Type\s*/Page\b", path.read_bytes())) for path in (short, long)]
    assert pages[0] == 1
    assert pages[1] > 2, "the folded lines are on paper"
    assert sorted(path.name for path in chapters.iterdir()) == ["00-short.html", "01-long.html"]


def test_without_a_browser_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(printing.PrintError, match="no browser to print with; install Chromium or Chrome"):
        printing.find_browser()
