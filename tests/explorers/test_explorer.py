"""An explorer as notebook output: stored as a sentence, shown as HTML that loads nothing, its values escaped."""

import re
import runpy
from types import SimpleNamespace

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter

from helpers import explorers
from helpers.explorers.explorer import render
from helpers.project import Project
from helpers.runs import notebooks

SENTENCE = "Explorer: a threshold on the green channel of an image of 48 x 40 pixels, with Dice and IoU."


@pytest.fixture
def output(cell):
    data, metadata = DisplayFormatter().format(explorers.threshold(*cell))
    return nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=1)


def test_a_committed_notebook_keeps_the_sentence_and_the_book_the_html(output):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f()", outputs=[output])])
    (stored,) = notebooks.normalise(notebook).cells[0].outputs
    assert (stored.data, stored.metadata) == ({"text/plain": SENTENCE}, {})
    (shown,) = notebooks.prepare_for_book(notebook).cells[0].outputs
    assert shown.data["text/html"] == output.data["text/html"]


def test_nbval_compares_the_sentence(output, monkeypatch):
    monkeypatch.setenv("LEUKOBOOK_BATCH", "1")  # set by the file, and removed after the test
    collected = runpy.run_path(str(Project.current().notebooks / "conftest.py"))["pytest_itemcollected"]
    item = SimpleNamespace(compare_outputs=lambda test, ref: [out.get("data", out.get("text")) for out in test] == ref)
    collected(item)
    printed = nbformat.v4.new_output("stream", text="1")
    assert item.compare_outputs([output, printed], [{"text/plain": SENTENCE}, "1"])
    assert not item.compare_outputs([output, printed], [{"text/plain": "Explorer: another."}, "1"])


def test_the_html_of_other_outputs_is_stored():
    table = nbformat.v4.new_output("display_data", {"text/html": "<table></table>", "text/plain": "1"})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f()", outputs=[table])])
    assert notebooks.normalise(notebook).cells[0].outputs[0].data == table.data


def test_the_html_names_no_address_and_no_id(output):
    html = output.data["text/html"]
    assert len(html) < 60_000
    assert set(re.findall(r"https?:[^\s\"')]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href|id)=|@import|url\(|fetch\(|import\(", html)


def test_values_are_escaped():
    hostile = "</script><script>alert('x')</script>"
    shown = render("threshold", hostile, hostile, {"width": 1, "height": 1, "rgb": hostile})
    assert hostile not in shown.html
    assert shown.html.count("<script>") == 1


def test_where_no_script_runs_the_sentence_stands(browser, cell):
    page = browser.new_page(java_script_enabled=False)
    page.set_content(explorers.threshold(*cell).html)
    assert page.locator(".lbx-fallback").inner_text() == (
        f"Here is an interactive picture: {SENTENCE.removeprefix('Explorer: ')} "
        "Run the cell, or open the page, to use it."
    )
    assert page.get_by_role("slider").count() == 0
    page.close()


def test_html_that_is_inserted_later_works_as_in_jupyterlab(show, cell):
    """JupyterLab sets innerHTML, puts a new script in place of each, and then attaches the output to the page."""
    page = show()
    page.evaluate(
        """html => {
            const host = document.createElement("div");
            host.innerHTML = html;
            for (const script of host.querySelectorAll("script")) {
                const copy = document.createElement("script");
                copy.textContent = script.textContent;
                script.replaceWith(copy);
            }
            document.querySelector("main").append(host);
        }""",
        explorers.threshold(*cell).html,
    )
    assert page.get_by_role("status").inner_text().startswith("Threshold ")
    controls = page.locator("main input, main button")
    own_keys = page.locator('[data-lm-suppress-shortcuts="true"]')
    assert own_keys.count() == controls.count() > 0
