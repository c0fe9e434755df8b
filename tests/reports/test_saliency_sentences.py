"""Sentences of the chapter on saliency follow their numbers, also where an effect is reversed or absent."""

import itertools

import numpy as np
import pandas as pd
import pytest

from helpers.reports import saliency_sentences


def edits(removed, nucleus):
    return pd.DataFrame({"original": [0.9, 1.0], "dot removed": removed, "nucleus repainted": nucleus})


def test_the_change_that_matters_is_named():
    words = saliency_sentences.describe_edits(edits([0.1, 0.0], [0.9, 0.96]), "lymphoblast")
    assert "of lymphoblast over 2 cells: 0.95 for the original images" in words
    assert "dot removed 0.05 (-0.90); nucleus repainted 0.93 (-0.02)" in words
    assert "changes most with *dot removed*" in words
    assert "less than 0.1) with: nucleus repainted." in words


def test_a_network_that_ignores_the_dot_is_said_to_ignore_it():
    words = saliency_sentences.describe_edits(edits([0.9, 1.0], [0.1, 0.2]), "lymphoblast")
    assert "changes most with *nucleus repainted*" in words
    assert "less than 0.1) with: dot removed." in words
    both = saliency_sentences.describe_edits(edits([0.5, 0.5], [0.2, 0.2]), "lymphoblast")
    assert "Every change moves it by 0.1 or more." in both


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.15, 0.12, 0.5], "The second suspicion holds, the coarse map"),
        ([0.15, 0.5, 0.12], "The first suspicion holds, the head"),
        ([0.15, 0.5, 0.4], "both suspicions hold"),
        ([0.15, 0.2, 0.1], "Neither change"),
        ([0.6, 0.2, 0.7], "there is nothing to explain"),
    ],
)
def test_the_suspicion_that_its_control_supports_is_named(shares, expected):
    names = ["first network", "head reads last map", "finer last map"]
    controls = pd.DataFrame({"original": 1.0, "dot on the other class": 0.0, "Grad-CAM in ninth": shares}, names)
    words = saliency_sentences.judge_controls(controls, 1 / 9)
    assert expected in words
    assert "All three lose their accuracy when the dot is put on the other class" in words
    assert f"{100 * shares[2]:.0f} % for *finer last map*; a grey map has 11 %" in words
    controls.loc["finer last map", "dot on the other class"] = 0.95
    unfair = saliency_sentences.judge_controls(controls, 1 / 9)
    assert "no fair control: finer last map." in unfair
    assert "So the comparison decides nothing." in unfair
    assert expected not in unfair


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.6, 0.15], "So the network has the dot where the last map does not show it; it is marked on: first level."),
        ([0.15, 0.6], "The last map marks the dot already."),
        ([0.12, 0.1], "None of these maps marks the dot."),
    ],
)
def test_the_map_on_which_a_dot_is_marked_is_named(shares, expected):
    words = saliency_sentences.describe_levels(dict(zip(["first level", "last map"], shares, strict=True)), 1 / 9)
    assert words.endswith(expected)
    assert f"{100 * shares[0]:.0f} % on the *first level*; {100 * shares[1]:.0f} % on the *last map*; a grey" in words


@pytest.mark.parametrize(
    ("factor", "noise", "expected"),
    [
        (-0.5, 0, "is -1.00: what raises one score mostly lowers the other."),
        (0.5, 0, "is 1.00: the same pixels raise both scores"),
        (0, 1, "says little about whether it raises the other."),
    ],
)
def test_the_maps_of_two_classes_are_opposed_alike_or_neither(factor, noise, expected):
    random = np.random.default_rng(0)
    first = random.normal(size=(8, 8))
    first += (3.2 - first.sum()) / 64
    second = factor * first + noise * random.normal(size=(8, 8))
    words = saliency_sentences.describe_rivals(np.stack([first, second]), ["blast*", "normal"])
    assert words.startswith(f"The shares add up to +3.2 for blast\\* and {second.sum():+.1f} for normal.")
    assert expected in words


@pytest.mark.parametrize(("gap", "expected"), [(0.08, "is kept."), (0.1, "is not kept yet: take more steps.")])
def test_completeness_is_judged_by_the_finest_steps(gap, expected):
    sums = pd.DataFrame({"difference": [5.0, -4.0], "sum, 2 steps": [4.0, -4.5], "sum, 9 steps": [5.0, -4.0 + gap]})
    words = saliency_sentences.describe_completeness(sums)
    assert words.endswith(expected)
    assert "is 1.00 (sum, 2 steps)" in words
    assert "differ by 4.5 on average" in words


def test_methods_that_point_to_the_mark_are_told_from_those_that_do_not():
    scores = pd.DataFrame(
        {"energy in mark": [0.4, 0.02, 0.01], "pointing to mark": [0.9, 0.5, 0.01]}, ["gradient", "Grad-CAM", "chance"]
    )
    words = saliency_sentences.describe_marks(scores, ["gradient", "Grad-CAM"])
    assert "with: gradient (0.90); for half of them or fewer with: Grad-CAM (0.50)." in words
    assert "has gradient (40 %; the box is 1 % of the picture)" in words
    assert words.endswith("At least 5 times the energy of chance have: gradient.")
    assert "fewer with: none of them." in saliency_sentences.describe_marks(scores, ["gradient"])


GRADIENT, CAM = "gradient", "Grad-CAM"
OTHERS = {"middle": 0.5, "chance": 0.4}


def score_rows(score, values, shown=(), *, interval="95 %"):
    """Means of a score, and all differences; those in ``shown`` exclude 0, the others are within the noise."""
    spread = {"n": 24, "groups": 12, "interval": interval, "score": score}
    rows = [{"method": name, "value": value, "low": value, "high": value} for name, value in values.items()]
    for first, second in itertools.combinations(values, 2):
        gap, half = values[first] - values[second], 0.01 if (first, second) in shown else 1.5
        rows.append({"method": f"{first} − {second}", "value": gap, "low": gap - half, "high": gap + half})
    return [row | spread for row in rows]


def all_scores(energy, deletion, insertion, shown, **kind):
    values = {"energy in cell": energy, "deletion": deletion, "insertion": insertion}
    rows = [
        score_rows(score, {GRADIENT: a, CAM: b, **OTHERS}, shown.get(score, ()), **kind)
        for score, (a, b) in values.items()
    ]
    return pd.DataFrame(list(itertools.chain(*rows)))


BOTH, AGAINST_SPOT, AGAINST_CHANCE = [(GRADIENT, CAM)], [(GRADIENT, "middle")], [(GRADIENT, "chance")]


@pytest.mark.parametrize(
    ("numbers", "shown", "expected"),
    [
        (
            ([0.9, 0.3], [0.2, 0.5], [0.8, 0.6]),
            {"energy in cell": BOTH + AGAINST_SPOT, "deletion": BOTH + AGAINST_CHANCE, "insertion": BOTH},
            [
                "Energy, compared with the spot: higher for gradient, no difference shown for Grad-CAM.",
                "Deletion, compared with the spot: no difference shown for gradient, Grad-CAM; and with random ranks: "
                "lower for gradient, no difference shown for Grad-CAM.",
                "Most energy in the cell has gradient (0.90, shown against every other);",
                "the lowest deletion has gradient (0.20, shown against every other)",
                "The three numbers choose the same method.",
            ],
        ),
        (
            ([0.3, 0.9], [0.5, 0.2], [0.6, 0.8]),
            {"energy in cell": BOTH + AGAINST_SPOT, "deletion": BOTH + AGAINST_CHANCE, "insertion": BOTH},
            [
                "Energy, compared with the spot: lower for gradient, no difference",
                "with random ranks: higher for gradient, no difference",
                "Most energy in the cell has Grad-CAM (0.90, shown against every other);",
                "The three numbers choose the same method.",
            ],
        ),
        (
            ([0.9, 0.3], [0.5, 0.2], [0.8, 0.6]),
            {"energy in cell": BOTH, "deletion": BOTH, "insertion": BOTH},
            ["the lowest deletion has Grad-CAM (0.20, shown", "The numbers do not agree on the best method."],
        ),
        (
            ([0.9, 0.3], [0.2, 0.5], [0.8, 0.6]),
            {},
            [
                "Energy, compared with the spot: no difference shown for gradient, Grad-CAM.",
                "Most energy in the cell has gradient (0.90, not shown against Grad-CAM);",
                "the highest insertion has gradient (0.80, not shown against Grad-CAM).",
                "No method is shown to be the best by all three.",
            ],
        ),
        (
            ([0.9, 0.3], [0.2, 0.5], [0.8, 0.6]),
            {"energy in cell": BOTH, "deletion": BOTH},
            ["highest insertion has gradient (0.80, not shown", "No method is shown to be the best by all three."],
        ),
    ],
    ids=["gradient", "reversed", "disagreement", "no effect", "one of three within the noise"],
)
def test_a_method_is_said_to_be_better_only_where_that_is_shown(numbers, shown, expected):
    words = saliency_sentences.describe_scores(all_scores(*numbers, shown), [GRADIENT, CAM])
    assert words.startswith("A spot in the middle has 0.50 of its energy in the cell, and a deletion of 0.50; that of ")
    assert [part for part in expected if part not in words] == []


def test_nothing_is_shown_by_a_range_of_groups_or_without_differences():
    numbers, every = ([0.9, 0.3], [0.2, 0.5], [0.8, 0.6]), BOTH + AGAINST_SPOT + AGAINST_CHANCE
    shown = dict.fromkeys(saliency_sentences.BETTER, every)
    few = all_scores(*numbers, shown, interval="range of groups")
    without = few[~few["method"].str.contains(" − ")]
    for scores in (few, without):
        words = saliency_sentences.describe_scores(scores, [GRADIENT, CAM])
        assert "higher for" not in words
        assert "lower for" not in words
        assert "shown against every other" not in words
    assert "not shown against Grad-CAM" in saliency_sentences.describe_scores(few, [GRADIENT, CAM])
    assert words.endswith("Differences between methods were not stored, so none is called better.")


@pytest.mark.parametrize(
    ("ends", "kind", "expected"),
    [
        ((0.7, 0.9), "95 %", "0.80 [0.70, 0.90] over 287 cells of 25 groups, is shown to be above chance (0.50)."),
        ((0.4, 0.9), "95 %", "is not shown to be above chance (0.50), so the maps may explain noise."),
        ((0.7, 0.9), "range of groups", "0.80 (range of groups 0.70 to 0.90) over 287 cells of 25 groups, is not"),
    ],
)
def test_the_score_of_the_network_is_compared_with_chance(ends, kind, expected):
    row = {"score": "balanced accuracy", "low": ends[0], "high": ends[1], "interval": kind, "n": 287, "groups": 25}
    table = pd.DataFrame([{"method": "network", "value": 0.8} | row, {"method": "chance", "value": 0.5} | row])
    assert expected in saliency_sentences.describe_network(table)
    worse = table.assign(value=[0.2, 0.5], low=0.1, high=0.3, interval="95 %")
    assert "0.20 [0.10, 0.30]" in saliency_sentences.describe_network(worse)
    assert "is below chance" in saliency_sentences.describe_network(worse)
    assert "was not stored" in saliency_sentences.describe_network(table.assign(score="deletion"))


def test_what_is_left_after_the_last_layer_is_said():
    cascade = pd.DataFrame(
        {
            "layers drawn anew": [1, 1, 1, 1, 1, 2, 2, 2, 2, 2],
            "method": ["a", "b", "c", "d", "e"] * 2,
            "agreement": [0.9, 0.9, 0.9, 0.9, 0.9, 0.8, -0.5, 0.05, np.nan, -0.2],
        }
    )
    words = saliency_sentences.describe_cascade(cascade)
    assert words.startswith("With all 2 layers drawn anew")
    assert "a 0.80, part of the map is left" in words
    assert "b -0.50, the order is partly turned round" in words
    assert "c 0.05, hardly anything is left" in words
    assert "d nan, no map is left to compare" in words
    assert "e -0.20, of few cells and one draw of the weights this may be chance" in words
