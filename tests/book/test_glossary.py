"""The glossary holds what chapters define, and chapters lead to it."""

import re

import nbformat
import pytest

from helpers.book import glossary
from helpers.project import Project
from helpers.runs import notebooks

# Bold words that stress or label something and define nothing.
STRESSED = {
    "00": {"Shift+Enter", "patient", "Interactively", "As a book", "As a test"},
    "01": {"trained", "tested"},
    "02": {
        "green", "Two peaks", "One peak", "Three peaks", "HSV threshold", "Otsu on green",
        "k-means in Lab", "direction", "one",
    },
    "03": set(),
    "04": set(),
    "05": {"The diagnosis", "calibrated", "positive"},
    "06": {"Permute the labels"},
    "07": {"head"},
    "08": {"Insertion", "completeness axiom"},
    "09": set(),
    "10": {"Move the features"},
}  # fmt: skip
TERMS = glossary.read_terms()


def bold(markdown):
    """Bold words of a text, up to three, without those that end as a sentence or a label does."""
    found = [" ".join(text.split()) for mark, text in glossary.emphasis(markdown) if mark == "**"]
    return [text for text in found if len(text.split()) <= 3 and text[-1] not in ".:?!"]


@pytest.mark.parametrize("number", STRESSED)
def test_every_term_that_a_chapter_defines_is_in_the_glossary(number):
    (path,) = Project.current().notebooks.glob(f"{number}-*.ipynb")
    cells = [cell for cell in notebooks.read(path).cells if cell.cell_type == "markdown"]
    defined = {text for cell in cells for text in bold(cell.source)}
    missing = {text for text in defined if glossary.find_term(text, TERMS) is None}
    assert missing - STRESSED[number] == set(), "add them to book/glossary.md, or to STRESSED if they define nothing"
    assert STRESSED[number] - missing == set(), "no exceptions any more"


def test_every_term_has_one_definition_and_every_role_names_a_term():
    text = (Project.current().book / "glossary.md").read_text(encoding="utf-8")
    written = [line for block in re.findall(r"(?ms)^```\{glossary\}\n(.*?)^```", text) for line in block.splitlines()]
    terms = [line for line in written if line and not line.startswith(" ")]
    assert len(terms) > 200
    assert sorted({term for term in terms if terms.count(term) > 1}) == []
    roles = [" ".join(role.split()) for role in re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]+)>?`", text)]
    assert sorted({role for role in roles if role not in terms}) == []


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("Blasts", "blast"),
        ("nucleoli", "nucleoli"),
        ("overfits", "overfitting"),
        ("Otsu's method", "Otsu's method"),
        ("neural networks", "neural network"),
        ("only that cell", None),
    ],
)
def test_words_lead_to_their_term_in_any_case_and_number(words, term):
    assert glossary.find_term(words, TERMS) == term


def test_the_first_emphasis_of_a_term_becomes_a_link_and_code_and_headings_stay():
    texts = [
        "# A *mask*\n\nA **mask** and *masks*, a *word* and `**flag**`.\n\n```python\n**flag**\n```\n",
        ":::{admonition} A **flag**\nSome **flags**.\n:::\n",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in texts])
    glossary.link_terms(notebook, TERMS)
    first, second = (cell.source for cell in notebook.cells)
    assert first == texts[0].replace("A **mask**", "A **{term}`mask <mask>`**")
    assert second == texts[1].replace("Some **flags**", "Some **{term}`flags <flag>`**")
