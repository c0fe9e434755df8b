"""The table of parameters comes from the notebooks, and every parameter has a meaning."""

import nbformat
import pytest

from helpers.book import chapter_parameters
from helpers.project import Project
from helpers.runs import notebooks


def read(code):
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]})
    return chapter_parameters.read_parameters(nbformat.v4.new_notebook(cells=[cell]))


def test_meanings_are_the_comments_above_and_beside_a_parameter():
    assert read(
        "# a name\n# or a folder\ndata = 'x'\nsize = 8  # in # pixels\nrates = {\n    'a': 1  # of a\n}\nn = 1"
    ) == [
        chapter_parameters.Parameter("data", "x", "a name or a folder"),
        chapter_parameters.Parameter("size", 8, "in # pixels"),
        chapter_parameters.Parameter("rates", {"a": 1}, "of a"),
        chapter_parameters.Parameter("n", 1, ""),
    ]


@pytest.mark.parametrize("path", sorted(Project.current().notebooks.glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_parameter_of_a_chapter_has_a_meaning_and_a_row(path):
    notebook = notebooks.read(path)
    read_parameters = chapter_parameters.read_parameters(notebook)
    assert [one.name for one in read_parameters] == list(notebooks.parameters(notebook))
    assert [one.name for one in read_parameters if len(one.meaning) < 10] == []
    section = chapter_parameters.parameter_tables().partition(f"**[{path.stem}]")[2].partition("**[")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [one.name for one in read_parameters]


def test_the_page_shows_names_types_and_defaults():
    tables = chapter_parameters.parameter_tables()
    assert '| `curve` | mapping | `{"per class": [5, 10], "draws": 3}` | training images' in tables
    assert "| `positive` | text | empty | the class that must not be missed; empty: the leukaemic one |" in tables
    page = (Project.current().book / "how-to-use.md").read_text(encoding="utf-8")
    assert "```{include} _generated/parameters.md\n```" in page
