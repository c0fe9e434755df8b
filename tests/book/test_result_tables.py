"""The appendix of tables: titles in words, and headings that sort and a field that filters, in a browser."""

import re

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers import reports
from helpers.book import result_tables
from helpers.project import CHECKOUT, Project

STATIC = CHECKOUT / "book" / "_static"


def test_every_published_table_has_a_title_in_words_and_an_anchor_of_its_name():
    names = [path.stem for path in sorted(Project.current().results.glob("*.csv"))]
    assert [name for name in names if result_tables.title(name) == name] == []
    anchors = re.findall(r"(?m)^\((\S+)\)=$", result_tables.appendix())
    assert sorted(anchors) == sorted(names)


def test_every_link_to_a_table_names_a_published_one():
    texts = {path: path.read_text(encoding="utf-8") for path in [CHECKOUT / "README.md", *CHECKOUT.glob("book/*.md")]}
    links = [
        (path.name, name) for path, text in texts.items() for name in re.findall(r"[\w-]+\.md#(full-[\w-]+)", text)
    ]
    assert len(links) >= 9
    assert [name for _, name in links if not (Project.current().results / f"{name}.csv").exists()] == []
    assert not any("results.md#full-" in text for text in texts.values())


def test_headings_are_words():
    table = pd.DataFrame({"rule": ["Otsu"], "iou": [0.9], "low": [0.8], "high": [0.95], "n": [7], "groups": [5]})
    assert result_tables.word_headings(reports.show_table(table), "x").headings == (
        "method", "IoU (95 % interval)", "tested images", "groups",
    )  # fmt: skip
    curve = reports.show_table(pd.DataFrame({"images": [10], "AUC": [0.5], "n": [7]}))
    assert result_tables.word_headings(curve, "x-learning-curve").headings == (
        "training images",
        "AUC",
        "tested images",
    )


@pytest.fixture
def page(browser, tmp_path):
    """A page of two tables under two headings."""
    tables = {
        "Cells": pd.DataFrame({"model": ["b", "a", "c"], "AUC": [0.9, None, 0.1], "n": [10, 9, 100]}),
        "Stains": pd.DataFrame({"model": ["d"], "Dice": [0.5]}),
    }
    sections = "".join(
        f"<section><h2>Set of {title}</h2><section><h3>{title}</h3><p>about</p>"
        f'<div class="sortable">{reports.show_table(table).to_html()}</div></section></section>'
        for title, table in tables.items()
    )
    file = tmp_path / "page.html"
    file.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Tables</title>'
        f"<style>{(STATIC / 'tables.css').read_text()}</style><script>{(STATIC / 'sortable-tables.js').read_text()}"
        f'</script><main><h1>Tables</h1><div id="table-filter"></div>{sections}</main></html>',
        encoding="utf-8",
    )
    opened = browser.new_page()
    opened.goto(file.as_uri())
    yield opened
    opened.close()


def column(page, number):
    return page.locator(f".sortable >> nth=0 >> tbody tr >> :nth-child({number})").all_inner_texts()


def test_a_heading_sorts_by_key_as_numbers_up_and_down_and_tells_so(page):
    page.get_by_role("button", name="n", exact=True).focus()
    page.keyboard.press("Enter")
    assert column(page, 3) == ["9", "10", "100"]
    heading = page.locator("th", has=page.get_by_role("button", name="n", exact=True))
    assert heading.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Space")
    assert column(page, 3) == ["100", "10", "9"]
    assert heading.get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="AUC").click()
    assert column(page, 2) == ["0.100", "0.900", "–"]
    assert heading.get_attribute("aria-sort") is None


def test_the_field_filters_rows_and_hides_tables_without_any(page):
    field, status = page.get_by_label("Filter all tables by words"), page.get_by_role("status")
    assert status.inner_text() == "4 rows in 2 tables"
    field.fill("Cells 0.9")
    assert status.inner_text() == "1 row in 1 table"
    assert page.locator("tbody tr:visible").count() == 1
    assert page.locator("h2:visible").all_inner_texts() == ["Set of Cells"]
    field.fill("")
    assert page.locator("tbody tr:visible").count() == 4


def test_the_tables_have_no_serious_accessibility_violation(page):
    page.get_by_role("button", name="AUC").click()
    found = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in found if violation["impact"] in ("serious", "critical")] == []


def test_what_is_counted_in_fields_is_not_called_an_image():
    assert "cells or fields" in result_tables.result_table("counting-detection")
    assert "tested images" not in result_tables.result_table("counting-differential")
    assert "tested images" in result_tables.result_table("full-wbc1-segment-dice")
