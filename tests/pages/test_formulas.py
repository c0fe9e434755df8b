"""Formulas as MathML: what is in them, how they are spaced, and which mistakes are errors."""

import re
from xml.etree import ElementTree

import pytest

from helpers.pages.formulas import FormulaError, to_mathml


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
