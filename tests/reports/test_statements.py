"""Sentences that are computed with what they describe."""

import numpy as np
import pandas as pd
import pytest

from helpers import metrics, reports
from helpers.metrics import NONE, RANGE, Estimate


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(0.12, 0.05, 0.19, 90, 30), "higher by 0.120 [0.050, 0.190]"),
        (Estimate(-0.12, -0.19, -0.05, 90, 30), "lower by 0.120 [0.050, 0.190]"),
        (Estimate(0.12, 0.0, 0.19, 90, 30), "no difference shown (0.120 [0.000, 0.190])"),
        (Estimate(-0.12, -0.19, 0.05, 90, 30), "no difference shown (-0.120 [-0.190, 0.050])"),
        (Estimate(-0.12, -0.2, 0.1, 9, 3, RANGE), "lower by 0.120 in these 3 groups, too few for an interval"),
        (Estimate(-0.12, -0.2, -0.0004, 90, 30), "lower by 0.1200 [0.0004, 0.2000]"),
        (Estimate(0.12, 1e-17, 0.2, 90, 30), "higher by 0.120000 [0.000000, 0.200000]"),  # of rounding, not endless
        (
            Estimate(-0.1, -0.2, 0.1, 90, 12, RANGE),
            "lower by 0.100 in these 12 groups, too few of some class for an interval",
        ),
        (Estimate(0.0, 0.0, 0.0, 9, 3, RANGE), "equal in these 3 groups, too few for an interval"),
        (Estimate(0.5, 0.5, 0.5, 9, 1, NONE), "higher by 0.500 in this one group, too few for an interval"),
        (Estimate(np.nan, np.nan, np.nan, 9, 3, NONE), "the difference is not defined"),
    ],
)
def test_a_difference_is_described_as_far_as_its_interval_allows(estimate, words):
    assert reports.difference_words(estimate) == words


def test_a_reversed_effect_reverses_the_words():
    groups = pd.Series(np.repeat([f"p{k}" for k in range(20)], 3))
    gain = pd.Series(np.random.default_rng(3).normal(0.2, 0.05, 60))
    words = [reports.difference_words(metrics.cluster_mean(sign * gain, groups, 0), "better") for sign in (1, -1)]
    assert [text.split(" [")[0] for text in words] == ["better by 0.199", "lower by 0.199"]


def test_a_statement_is_one_paragraph_of_prose_in_notebook_and_book():
    statement = reports.show_text("""
        The Dice is 0.9:
        good.
    """)
    assert statement._repr_mimebundle_() == {
        "text/markdown": "The Dice is 0.9: good.",
        "text/plain": "The Dice is 0.9: good.",
    }
    with pytest.raises(ValueError, match="a statement needs a sentence; the text is empty"):
        reports.show_text(" \n ")
