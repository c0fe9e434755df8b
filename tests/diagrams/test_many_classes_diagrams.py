"""The diagrams of chapter 06: softmax of any logits, copies on both sides of a split, notes on kinds of cell."""

import pytest
from layout import misplaced

from helpers.diagrams import many_classes


@pytest.mark.parametrize("logits", [{"a": 2.0, "b": 0.0}, {"a": -1000.0, "b": 1000.0, "c": 0.0}])
def test_probabilities_of_the_bars_are_those_of_softmax(logits):
    picture = many_classes.softmax_bars(logits)
    wanted = {2: "a 2.00 becomes 0.88; b 0.00 becomes 0.12", 3: "b 1000.00 becomes 1.00"}[len(logits)]
    assert wanted in picture.alt
    assert len(picture.figure.axes) == 2


def test_notes_are_shown_for_kinds_of_the_atlas_only():
    shown = repr(many_classes.show_notes(["lymphocyte", "lymphoblast", "platelet"]))
    assert "fine, even" in shown
    assert "platelet" not in shown
    assert "no notes" in repr(many_classes.show_notes(["lymphocyte", "platelet"]))


def test_both_orders_of_copying_and_splitting_are_drawn_without_overlaps():
    picture = many_classes.copies_and_splits()
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert "test: A2, B, B1" in texts
    assert "test: B" in texts
    assert misplaced(picture.figure) == []
