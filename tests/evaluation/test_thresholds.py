"""Rules that choose thresholds: by a target sensitivity, by the cost of errors, one per test fold."""

import pandas as pd
import pytest

from helpers import metrics
from helpers.evaluation.thresholds import ThresholdRule, ThresholdRuleError


def table(positive, other, fold=0):
    """Predictions with the given probabilities of ``blast``."""
    frame = pd.DataFrame({"label": ["blast"] * len(positive) + ["other"] * len(other), "p_blast": positive + other})
    frame = frame.assign(p_other=1 - frame["p_blast"], group=[str(k) for k in range(len(frame))], fold=fold)
    return frame.set_index(pd.Index([f"{fold}-{k}" for k in range(len(frame))], name="image_id"))


VALIDATION = table([0.9, 0.8, 0.3, 0.2], [0.5, 0.4, 0.1, 0.1, 0.1, 0.1])


def test_a_dear_miss_lowers_the_threshold_and_a_low_prevalence_raises_it():
    chosen = {
        (ratio, share): ThresholdRule(cost_ratio=ratio, prevalence=share).choose(VALIDATION, "blast").value
        for ratio, share in ((1, None), (20, None), (20, 0.01))
    }
    assert chosen == {(1, None): 0.8, (20, None): 0.2, (20, 0.01): 0.8}


def test_the_cost_of_a_threshold_is_the_least_of_all():
    """Compared with the cost of every threshold, counted image by image."""
    for ratio in (0.2, 0.5, 1, 3):
        value = ThresholdRule(cost_ratio=ratio).choose(VALIDATION, "blast").value
        scores, positive = VALIDATION["p_blast"], VALIDATION["label"] == "blast"

        def cost(limit, ratio=ratio, scores=scores, positive=positive):
            return ratio * (positive & (scores < limit)).sum() + (~positive & (scores >= limit)).sum()

        assert cost(value) == min(cost(limit) for limit in scores[positive])


def test_each_test_fold_has_the_threshold_of_its_own_validation_images():
    validation = pd.concat([table([0.9, 0.7], [0.1], 0), table([0.6, 0.5], [0.1], 1)])
    test = pd.concat([table([0.4], [0.2], 1), table([0.4], [0.2], 0)])
    limits = ThresholdRule(sensitivity=1).choose_per_fold(test, validation, "blast")
    assert limits.to_dict() == {"1-0": 0.5, "1-1": 0.5, "0-0": 0.7, "0-1": 0.7}


def test_a_rule_says_what_it_chose_for():
    assert ThresholdRule(0.9).describe("blast") == "a sensitivity of 0.9"
    assert ThresholdRule(cost_ratio=10, prevalence=0.02).describe("blast") == (
        "the least cost, where a missed blast costs 10 times as much as a false positive, at the prevalence of 0.02"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sensitivity": 0}, "sensitivity must be above 0 up to 1, got 0"),
        ({"cost_ratio": -1}, "the cost ratio must be above 0, got -1; 10 says"),
        ({"cost_ratio": float("nan")}, "the cost ratio must be above 0, got nan"),
        ({"prevalence": 2}, "the prevalence must be above 0 and below 1, got 2; 0.02 says"),
    ],
)
def test_values_out_of_range_are_refused(values, message):
    with pytest.raises(ThresholdRuleError, match=message):
        ThresholdRule(**values)


def test_a_cost_needs_images_of_both_kinds():
    with pytest.raises(ValueError, match="positive and other images, got 1 of 1"):
        metrics.sensitivity_of_least_cost(table([0.5], []), "blast", 2)
