"""Formulas as MathML: what is in them, how they are spaced, and which mistakes are errors."""

import re
from xml.etree import ElementTree

import pytest

from helpers.book.formulas import FormulaError, formula_parser, to_mathml
from helpers.pages import html_from_markdown
from helpers.project import Project
from helpers.runs import notebooks


def tag(element):
    return element.tag.rpartition("}")[2]


def test_a_formula_becomes_mathml_with_its_tex_as_alternative_text():
    tex = r"\mathrm{Dice} = \frac{2\,|A \cap B|}{|A| + |B|} < 1"
    element = ElementTree.fromstring(to_mathml(tex, is_block=True))
    assert (tag(element), element.get("display"), element.get("alttext")) == ("math", "block", tex)
    fraction = next(child for child in element if tag(child) == "mfrac")
    assert ["".join(part.itertext()).split() for part in fraction] == [list("2|A∩B|"), list("|A|+|B|")]
    assert ElementTree.fromstring(to_mathml("x", is_block=False)).get("display") is None


def test_bars_leave_no_room_and_a_subscript_stands_beside_an_accented_letter():
    element = ElementTree.fromstring(to_mathml(r"|\hat{p}_k|", is_block=False))
    bars = [child for child in element if child.text == "|"]
    assert [(bar.get("lspace"), bar.get("rspace")) for bar in bars] == [("0", "0")] * 2
    assert [tag(child) for child in element] == ["mo", "mover", "msub", "mo"]


@pytest.mark.parametrize(("tex", "after"), [(r"y \ln p", "0.1667em"), (r"y\ln(p)", "0"), (r"\log_2 p", "0.1667em")])
def test_a_function_has_room_on_both_sides_but_none_before_a_bracket(tex, after):
    element = ElementTree.fromstring(to_mathml(tex, is_block=False))
    (function,) = (child for child in element.iter() if child.text in ("ln", "log"))
    assert (tag(function), function.get("lspace"), function.get("rspace")) == ("mo", "0.1667em", after)


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        (r"\dice", r'Unknown LaTeX command "\dice"'),
        (r"\begin{align} a \end{align}", 'Environment "align" not supported'),
        (r"a_{i", "1 times { but 0 times }"),
        (r"\{a}", "0 times { but 1 times }"),
        (r"\left( a \leftarrow b )", r"1 times \left but 0 times \right"),
    ],
)
def test_a_formula_with_a_mistake_is_an_error(tex, message):
    with pytest.raises(FormulaError, match=re.escape(message)):
        to_mathml(tex, is_block=False)


def test_markdown_with_dollar_signs_has_formulas_and_says_which_is_wrong():
    html = html_from_markdown("A $x$, and\n\n$$\ny\n$$", "card", formula_parser())
    assert re.findall(r'<math alttext="(\w)"[^>]*?(display="block")?>', html) == [("x", ""), ("y", 'display="block"')]
    with pytest.raises(FormulaError, match="Unknown LaTeX command"):
        html_from_markdown(r"$\dice$", "card", formula_parser())


@pytest.mark.parametrize("path", sorted(Project.current().notebooks.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_formulas_of_the_chapters_can_be_shown(path):
    cells = [cell.source for cell in notebooks.read(path).cells if cell.cell_type == "markdown"]
    html = html_from_markdown("\n\n".join(cells), "chapter", formula_parser())
    assert html.count("<math ") == html.count("</math>") >= ("$" in "".join(cells))
