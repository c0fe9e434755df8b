"""Diagrams of *Classify*: they name what they show, and the broken models are broken in the way that is stated."""

import re

import pytest
from layout import misplaced

from helpers.diagrams import classification as diagrams


def test_the_three_levels_are_in_the_alt_text_in_their_order():
    diagram = diagrams.cell_film_patient()
    assert re.findall(r"\b(cell|film|patient):", diagram.alt) == ["cell", "film", "patient"]
    assert "Is it leukaemia?, judged by marrow, immunophenotype, genetics" in diagram.alt


def test_the_outcomes_have_the_names_of_the_classes():
    diagram = diagrams.error_costs("lymphoblast", "lymphocyte")
    texts = {text.get_text() for text in diagram.figure.axes[0].texts}
    assert {"really\nlymphoblast", "really\nlymphocyte", "false negative", "false positive"} <= texts
    assert "false negative, missed: found late, or not at all" in diagram.alt


@pytest.mark.parametrize("seed", [20, 21])
def test_broken_models_have_the_auc_and_the_spread_that_their_names_say(seed):
    alt = diagrams.broken_models(seed).alt
    found = re.findall(
        r"(works|at chance|inverted|collapsed): AUC (\d\.\d+), probabilities from (\d\.\d+) to (\d\.\d+)", alt
    )
    auc = {name: float(value) for name, value, _, _ in found}
    spread = {name: float(high) - float(low) for name, _, low, high in found}
    assert auc["works"] > 0.75
    assert auc["inverted"] < 0.35
    assert 0.42 < auc["at chance"] < 0.58
    assert spread["collapsed"] < 0.05 < 0.5 < spread["at chance"]


@pytest.mark.parametrize("diagram", [diagrams.cell_film_patient(), diagrams.error_costs("lymphoblast", "lymphocyte")])
def test_texts_are_inside_and_none_covers_another(diagram):
    assert misplaced(diagram.figure) == []
