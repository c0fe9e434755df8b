"""Diagram of *Trust*: every one of the fourteen mistakes enters the path once."""

import re

from layout import misplaced

from helpers.diagrams import mistakes


def test_each_mistake_enters_at_one_stage_and_is_named_in_the_alt_text():
    diagram = mistakes.where_mistakes_enter()
    texts = [text.get_text() for text in diagram.figure.axes[0].texts]
    numbers = sorted(int(text.split()[0]) for text in texts if text[0].isdigit())
    assert misplaced(diagram.figure) == []
    assert numbers == list(range(1, 15))
    assert {int(number) for number in re.findall(r"\b\d+\b", diagram.alt)} == set(range(1, 15))
