"""Sentences on shifts follow the numbers, also where these are reversed."""

import pandas as pd
import pytest

from helpers import metrics
from helpers.metrics import Estimate
from helpers.reports import shift_sentences

BEFORE = Estimate(0.12, 0.02, 0.22, 168, 56)


def table(found, missed, false_alarms, cleared):
    labels = ["blast"] * (found + missed) + ["other"] * (false_alarms + cleared)
    scores = [0.9] * found + [0.1] * missed + [0.9] * false_alarms + [0.1] * cleared
    rows = pd.DataFrame({"label": labels, "fold": 0, "p_blast": scores})
    return rows.assign(p_other=1 - rows["p_blast"], group=[f"P{k}" for k in range(len(rows))])


def predictive_values(numbers):
    values = {
        share: metrics.predictive_value(numbers, "blast", 0.5, prevalence=share, seed=20) for share in (0.5, 0.01)
    }
    return shift_sentences.describe_predictive_values(numbers, "blast", values)


def test_a_predictive_value_is_told_with_what_it_rests_on():
    one = predictive_values(table(59, 1, 1, 119))
    assert "rests on 1 false alarm in 120 cells of 120 patients" in one
    assert "Wilson's interval of the specificity, which takes cells as independent, gives 18% to 87% at 0.01" in one
    many = predictive_values(table(59, 1, 30, 90))
    assert "rests on 30 false alarms in 120 cells" in many
    assert "Wilson" not in many
    assert "rests on 0 false alarms" in predictive_values(table(59, 1, 0, 120))


@pytest.mark.parametrize(
    ("share", "called", "solution", "estimate", "words"),
    [
        (0.11, 0.14, 0.12, BEFORE, "[2%, 22%], whose interval holds the true share, nearer to it than the count"),
        (0.50, 0.14, 0.12, BEFORE, "whose interval misses the true share, no nearer to it than the count"),
        (0.11, 0.14, 0.12, Estimate(0.12, float("nan"), float("nan"), 9, 3, metrics.NONE), "too few patients"),
        (0.11, 0.90, 1.17, Estimate(1.0, 0.9, 1.0, 168, 56), "was 117%: no mixture of the two classes gives so many"),
        (0.11, 0.01, -0.1, Estimate(0.0, 0.0, 0.05, 168, 56), "gives so few alarms"),
    ],
)  # fmt: skip
def test_an_estimated_prevalence_is_compared_with_the_true_one(share, called, solution, estimate, words):
    sentence = shift_sentences.describe_prevalence(share, called, solution, estimate)
    assert words in sentence
    assert ("no mixture" in sentence) == (not 0 <= solution <= 1)


def test_a_correction_is_told_with_its_price():
    uncorrected, corrected = table(18, 2, 30, 150), table(18, 2, 30, 150)
    corrected.loc[corrected.index[15:50], ["p_blast", "p_other"]] = [0.2, 0.8]
    words = shift_sentences.describe_adjustment(uncorrected, corrected, "blast", seed=20)
    assert "5 of 200 cells are wrong, 32 before; accuracy: higher by" in words
    assert "The price: 15 of 20 blasts are found and not 18." in words
    reversed_words = shift_sentences.describe_adjustment(corrected, uncorrected, "blast", seed=20)
    assert "32 of 200 cells are wrong, 5 before; accuracy: lower by" in reversed_words
    assert "Of 20 blasts 18 are found, 15 before." in reversed_words


def test_a_detector_is_told_by_target():
    words = shift_sentences.describe_detector({"the same stain": 0.7, "another stain": 0.998}, 240, 168)
    assert words.startswith("AUC 0.70 for the same stain, 1.00 for another stain (240 cells of the source, 168")
