"""Sentences of chapter Count follow their tables, also where the effect is absent or reversed."""

import numpy as np
import pandas as pd
import pytest

from helpers.reports import counting_sentences as sentences
from helpers.reports.published import NO_BOOK, PublishedTable


def detectors(sensitivity, precision):
    measures = ["sensitivity", "precision", "mean absolute counting error"]
    return pd.DataFrame({"detector": "network", "measure": measures, "value": [sensitivity, precision, 0.056]})


def test_detector_is_described_by_what_it_misses_and_invents():
    assert sentences.describe_detectors(detectors(0.988, 0.9)) == (
        "*Network* misses 1.2% of the cells, 10.0% of its boxes are no cell, and a field is miscounted by 0.06 cells "
        "on average."
    )
    both = pd.concat([detectors(0.988, 0.9), detectors(0.9, 0.9).assign(detector="threshold", value=0.01)])
    assert sentences.describe_detectors(both).endswith("*Threshold* counts these fields better.")


def test_stored_detector_of_a_source_is_the_one_with_most_sources_that_has_not_seen_it():
    rows = [
        ("(threshold)", "Raabin", 0.99, 0.9),
        ("synthetic", "Raabin", 0.90, 0.95),
        ("synthetic, PBC", "Raabin", 0.95, 0.96),
        ("synthetic, PBC, Raabin", "Raabin", 1.0, 1.0),
        ("(threshold)", "synthetic (new)", 1.0, 1.0),
        ("synthetic", "synthetic (new)", 1.0, 1.0),
    ]
    frame = pd.DataFrame(
        [
            {"trained on": trained, "tested on": tested, "measure": measure, "value": value, "n": 508}
            for trained, tested, *values in rows
            for measure, value in zip(("sensitivity", "precision"), values, strict=True)
        ]
    )
    assert sentences.describe_stored_detectors(PublishedTable("t", frame, "a run")) == (
        "Real blood, a run. Raabin (508 cells): the network, trained on synthetic, PBC, misses 5.0% of the cells, and "
        "4.0% of its boxes are no cell; threshold misses 1.0% of the cells, and 10.0% of its boxes are no cell."
    )
    assert sentences.describe_stored_detectors(None) == NO_BOOK


def test_stored_classifiers_are_described_with_the_shares_that_they_miss():
    types = pd.DataFrame(
        {
            "trained on": ["txl", "txl"],
            "tested on": "BCCD",
            "measure": ["accuracy", "macro F1"],
            "value": [0.3, 0.2],
            "low": 0.2,
            "high": 0.4,
            "n": 350,
        }
    )
    counted = pd.DataFrame(
        {
            "trained on": ["txl", "txl", "BCCD"],
            "class": ["basophil", "monocyte", "monocyte"],
            "true share": 0.1,
            "share": [0.1, 0.4, 0.11],
            "holds the true share": [True, False, True],
        }
    )
    stored = [PublishedTable(name, frame, "a run") for name, frame in (("types", types), ("counted", counted))]
    assert sentences.describe_stored_types(*stored) == (
        "Real blood, a run. Accuracy: trained on txl, tested on BCCD 0.30 [0.20, 0.40], 350 cells. Differential, "
        "trained on txl: 1 of 2 intervals hold the share among the annotated cells. Not held: monocyte 40.0% in place "
        "of 10.0%. Differential, trained on BCCD: 1 of 1 intervals hold the share among the annotated cells."
    )
    assert sentences.describe_stored_types(None, None) == NO_BOOK


def test_intervals_that_miss_are_named():
    table = pd.DataFrame({"group": "P1", "class": ["a", "b"], "share": [0.5, 0.5], "low": 0.4, "high": 0.6})
    blood = pd.DataFrame({"group": ["P1", "P1", "P2"], "class": ["a", "b", "a"], "share": [0.45, 0.7, 0.1]})
    text = sentences.describe_coverage(table, blood)
    assert text.startswith("1 of 2 intervals hold the share in the blood; of perfect counts, 2 would on average.")
    assert "Not held: b of P1 (50.0% [40.0%, 60.0%], in the blood 70.0%)." in text
    assert "Not held" not in sentences.describe_coverage(table.head(1), blood)


def test_intervals_that_hold_together_are_compared_with_single_ones():
    single = pd.DataFrame({"group": ["P1", "P1", "P2", "P2"], "class": ["a", "b"] * 2, "low": 0.4, "high": 0.6})
    blood = single[["group", "class"]].assign(share=[0.45, 0.62, 0.5, 0.5])
    together = single.assign(low=0.35, high=0.65)
    assert sentences.compare_with_simultaneous(single, together, blood) == (
        "A mean interval is 20.0 percentage points wide by itself and 30.0 if all are to hold together (1.50 times). "
        "All shares lie in their single intervals in 1 of 2 patients, and in the wider ones in 2."
    )


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (
            7,
            "show no difference (exact test, p = 0.331), which does not prove that there is none. Together they are 10 "
            "of 200, 5.0% [2.4%, 9.0%].",
        ),
        (25, "Chance alone seldom makes two counts so different (exact test, p < 0.001)."),
    ],
)
def test_two_counts_differ_by_chance_or_by_more(second, verdict):
    text = sentences.answer_the_ward(3, second, 100)
    assert text.startswith("3 of 100 cells means 0.6% to 8.5%")
    assert verdict in text


@pytest.mark.parametrize(("last", "words"), [(1.5, "lowers that (-0.8)"), (2.8, "does not lower that here (+0.5)")])
def test_step_that_adds_most_and_each_remedy_are_named(last, words):
    steps = ["all cells", "found cells", "named cells", "looked at", "corrected"]
    table = pd.DataFrame({"step": steps, "mean absolute error": [1.0, 1.2, 2.3, 1.9, last]})
    text = sentences.describe_steps(table, ["looked at", "corrected"])
    assert "The sample alone (all cells) is off by 1.0 percentage points" in text
    assert "*named cells* adds most (+1.1), and the count ends at 2.3" in text
    assert "*Looked at* lowers that (-0.4)." in text
    assert f"*Corrected* {words}." in text


@pytest.mark.parametrize(
    ("refer", "text"),
    [
        (
            [True, True, False, False],
            "2 of 4 boxes are referred (50%). Wrong names: 2, of which 1 on boxes without a cell. "
            "Of the referred, 50% are named wrongly (1 of 2). Of the others, 50% are named "
            "wrongly (1 of 2).",
        ),
        (
            [False] * 4,
            "0 of 4 boxes are referred (0%). Wrong names: 2, of which 1 on boxes without a cell. Of the others, 50% "
            "are named wrongly (2 of 4).",
        ),
    ],
)
def test_wrong_names_are_counted_among_the_referred_and_the_others(refer, text):
    cells = pd.DataFrame({"label": ["a", "b", "a", ""], "predicted_class": ["a", "a", "a", "b"], "refer": refer})
    assert sentences.describe_referred_cells(cells) == text


def test_called_cells_are_compared_with_the_truth_by_patient():
    cells = pd.DataFrame(
        {
            "group": ["P1", "P1", "P2", "P3"],
            "label": ["blast", "", "monocyte", "blast"],
            "predicted_class": ["blast", "blast", "blast", "monocyte"],
            "refer": [False, True, True, False],
        }
    )
    assert sentences.describe_called_cells(cells, "blast") == (
        "P1: 2 called blast, 1 rightly, 1 referred. P2: 1 called blast, 0 rightly, 1 referred."
    )
    assert sentences.describe_called_cells(cells, "neutrophil") == "No cell is called neutrophil."


def test_fields_are_counted_by_patient_and_split():
    frame = pd.DataFrame({"group": ["P1", "P1", "P2"]})
    cells = pd.DataFrame({"group": ["P1", "P2", "P2"], "label": ["a", "a", "b"]})
    table = sentences.count_fields(frame, cells, ["P1"])
    assert table[["patient", "split"]].to_numpy().tolist() == [["P1", "train"], ["P2", "test"]]
    assert table[["fields", "cells", "a", "b"]].to_numpy().tolist() == [[2, 1, 1, 0], [1, 2, 1, 1]]


def fields_of(names, group="P1", label=None):
    """Eight fields of four cells, with the predicted names of their cells in turn."""
    image = np.repeat([f"{group}-{k}" for k in range(8)], 4)
    return pd.DataFrame({"image": image, "group": group, "predicted_class": names, "label": label or names})


def test_overdispersion_is_compared_with_shuffled_and_with_annotated_names():
    apart, mixed = ["a"] * 16 + ["b"] * 16, ["a", "b"] * 16
    text = sentences.describe_overdispersion(
        pd.concat([fields_of(mixed), fields_of(apart, "P2", label=mixed)]), seed=20
    )
    assert text == (
        "Overdispersion by patient: P1 1.00, P2 4.00. With the annotated names, that of P2 is 1.00. With the names "
        "shuffled among a patient's fields, the largest is as large in 0 of 200 shuffles: chance alone seldom makes it "
        "so large."
    )
    assert sentences.describe_overdispersion(fields_of(mixed), 20).endswith(
        "no sign that cells of one field are alike."
    )
    assert sentences.describe_overdispersion(fields_of(mixed)[:8], 20).startswith("No patient has enough fields")
    of_one_class = sentences.describe_overdispersion(fields_of(apart, label=["a"] * 32), 20)
    assert of_one_class.startswith("Overdispersion by patient: P1 4.00. With the names shuffled")
    shuffled = [fields_of(np.random.default_rng(seed).permutation(mixed)) for seed in range(12)]
    texts = [sentences.describe_overdispersion(cells, 20) for cells in shuffled]
    assert any("may well be chance" in one for one in texts)
    assert not any("seldom" in one for one in texts)
