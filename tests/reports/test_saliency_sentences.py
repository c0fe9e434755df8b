"""Sentences of the chapter on saliency follow their numbers, also where an effect is reversed or absent."""

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
    controls = pd.DataFrame({"original": 1.0, "mark moved": 0.0, "Grad-CAM in ninth": shares}, names)
    words = saliency_sentences.judge_controls(controls, 1 / 9)
    assert expected in words
    assert "All three lose their accuracy when the mark moves" in words
    assert f"{100 * shares[2]:.0f} % for *finer last map*; a grey map has 11 %" in words
    controls.loc["finer last map", "mark moved"] = 0.95
    unfair = saliency_sentences.judge_controls(controls, 1 / 9)
    assert "no fair control: finer last map." in unfair
    assert "So the comparison decides nothing." in unfair
    assert expected not in unfair


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


@pytest.mark.parametrize(
    ("energy", "deletion", "expected"),
    [
        (
            [0.9, 0.5],
            [0.5, 0.2],
            ["more have: gradient.", "that of: Grad-CAM.", "do not agree", "0.20 lower than random"],
        ),
        ([0.9, 0.5], [0.2, 0.5], ["more have: gradient.", "that of: gradient.", "the same method: gradient has"]),
        ([0.9, 0.5], [0.38, 0.5], ["gradient the lowest deletion (0.38, hardly lower than random ranks)"]),
        ([0.1, 0.2], [0.8, 0.7], ["more have: none of them.", "that of: none of them.", "Grad-CAM has most energy"]),
    ],
)
def test_maps_are_compared_with_a_spot_in_the_middle(energy, deletion, expected):
    table = {
        "energy in cell": [*energy, 0.7, 0.3],
        "deletion": [*deletion, 0.3, 0.4],
        "insertion": [0.8, 0.6, 0.7, 0.5],
    }
    scores = pd.DataFrame(table, ["gradient", "Grad-CAM", "middle", "chance"])
    words = saliency_sentences.describe_scores(scores, ["gradient", "Grad-CAM"])
    assert words.startswith("A spot in the middle has 0.70 of its energy in the cell")
    assert words.endswith("gradient the highest insertion (0.80).")
    assert [part for part in expected if part not in words] == []


def test_what_is_left_after_the_last_layer_is_said():
    cascade = pd.DataFrame(
        {
            "layers drawn anew": [1, 1, 1, 1, 2, 2, 2, 2],
            "method": ["a", "b", "c", "d"] * 2,
            "agreement": [0.9, 0.9, 0.9, 0.9, 0.8, -0.5, 0.05, np.nan],
        }
    )
    words = saliency_sentences.describe_cascade(cascade)
    assert words.startswith("With all 2 layers drawn anew")
    assert "a 0.80, part of the map is left" in words
    assert "b -0.50, the order is partly turned round" in words
    assert "c 0.05, hardly anything is left" in words
    assert "d nan, no map is left to compare" in words
