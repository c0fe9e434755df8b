"""Sentences on scores of many classes follow the numbers, also where the effect is reversed or absent."""

import numpy as np
import pandas as pd
import pytest

from helpers import reports
from helpers.metrics import Estimate


@pytest.mark.parametrize(
    ("accuracy", "balanced", "words"),
    [(0.9, 0.5, "the rare ones go worse"), (0.5, 0.9, "are the harder ones"), (0.8, 0.81, "about as well on rare")],
)
def test_averages_are_compared_as_they_are(accuracy, balanced, words):
    text = reports.describe_averages(pd.Series({"accuracy": accuracy, "balanced accuracy": balanced}))
    assert text.startswith(f"Accuracy is {accuracy:.2f}, balanced accuracy {balanced:.2f}: ")
    assert words in text


def test_left_out_classes_are_named_and_escaped():
    text = reports.describe_left_out(["a*b", "c", "d"], ["c", "d"], 5)
    assert "for want of groups: *a\\*b*. 2 classes remain." in text
    assert reports.describe_left_out(["c"], ["c"], 5).endswith("none is left out.")


@pytest.mark.parametrize(
    ("validation", "words"),
    [
        ([1.0, 0.5, 0.6], ("0.50, in epoch 2 of 3", "has learnt something", "the training loss goes on to 0.10")),
        ([1.0, 0.9, 0.8], ("0.80, in epoch 3 of 3", "more epochs may help")),
        ([1.5, 1.6, 1.7], ("1.50, in epoch 1 of 3", "has not learnt anything yet")),
    ],
)
def test_a_training_is_judged_by_its_validation_loss(validation, words):
    history = pd.DataFrame({"epoch": range(3), "loss": [1.0, 0.4, 0.1], "val_loss": validation})
    text = reports.describe_training(history, 4)
    assert "ln 4 = 1.39" in text
    assert all(word in text for word in words)


def by_class(recalls):
    rows = {"class": list(recalls), "measure": "recall", "value": list(recalls.values()), "low": 0.0, "high": 1.0}
    return pd.DataFrame(rows).assign(interval="95 %", n=7, groups=[6, 1][: len(recalls)])


def test_the_weakest_class_is_named_with_what_its_number_rests_on():
    text = reports.describe_weakest_class(by_class({"monocyte": 0.5, "neutrophil": 0.9}))
    assert "is that of *monocyte*: 0.50" in text
    assert "7 images of 6 groups" in text
    text = reports.describe_weakest_class(by_class({"monocyte": 0.95, "neutrophil": 0.9}))
    assert "is that of *neutrophil*: 0.90" in text
    assert "7 images of one group" in text


def test_the_commonest_confusion_is_named_or_that_there_is_none():
    pairs = pd.DataFrame(
        {"true": ["a", "b"], "predicted": ["b", "a"], "images": [3, 1], "rate": [0.3, 0.1], "n": [10, 10]}
    )
    assert "3 of 10 images of *a* are predicted *b*; that is 75% of all errors" in reports.describe_pairs(pairs)
    assert "no proof of a perfect model" in reports.describe_pairs(pairs.iloc[:0])


def test_a_change_that_renames_cells_is_told_from_one_that_does_not():
    renamed = pd.DataFrame([[2, 8], [0, 5]], index=["a", "b"], columns=["a", "b"])
    kept = pd.DataFrame({"× 1": [1.0, 1.0], "× 2": [0.2, 1.0]}, index=["a", "b"])
    text = reports.describe_changed_predictions(kept, renamed)
    assert text.startswith("At × 2, 80% of the images that were predicted *a* are given another class, most often *b*")
    assert "ignores the change" in reports.describe_changed_predictions(kept.assign(**{"× 2": 1.0}), renamed)


def estimate(value, low, high):
    return Estimate(value, low, high, n=60, groups=30)


def test_differences_from_a_baseline_are_counted_only_where_shown():
    differences = {"flips": estimate(0.1, 0.05, 0.15), "weights": estimate(-0.02, -0.1, 0.06)}
    text = reports.describe_differences(differences, "macro F1", "none")
    assert "*flips* higher by 0.100 [0.050, 0.150]; *weights* no difference shown (-0.020 [-0.100, 0.060])" in text
    assert "1 of 2 differences are shown" in text
    text = reports.describe_differences({"flips": estimate(-0.1, -0.15, -0.05)}, "macro F1", "none")
    assert "lower by 0.100" in text
    assert "1 of 1 differences are shown" in text


def test_seeds_that_disagree_on_the_best_method_are_named_so():
    def seeds(scores):
        rows = [(method, seed, value) for method, values in scores.items() for seed, value in enumerate(values)]
        return pd.DataFrame(rows, columns=["method", "seed", "macro F1"])

    text = reports.describe_seeds(seeds({"a": [0.8, 0.6], "b": [0.7, 0.7]}), "macro F1")
    assert "two seeds differ by up to 0.20; the means of the methods lie 0.00 apart. 2 methods" in text
    text = reports.describe_seeds(seeds({"a": [0.9, 0.8], "b": [0.7, 0.7]}), "macro F1")
    assert "The same method is best with every seed here." in text
    assert "run at least two" in reports.describe_seeds(seeds({"a": [0.9], "b": [0.7]}), "macro F1")


def test_copies_before_a_split_are_compared_in_both_directions():
    text = reports.describe_copies(pd.Series([0.95, 0.88, 0.88]))
    assert "score 0.95, copies after the same kind of split 0.88 (0.07 lower)" in text
    assert "it is 0.88 (about the same)" in text
    assert "0.95 (0.07 higher)" in reports.describe_copies(pd.Series([0.88, 0.95, 0.95]))


def test_memory_is_claimed_only_above_the_score_without_copies():
    assert "recognised." in reports.describe_memory({"copies": 0.9, "no copies": 0.26}, 4)
    assert "cannot be told from other images" in reports.describe_memory({"copies": 0.26, "no copies": 0.26}, 4)


def test_ghosts_are_counted_or_the_masks_are_missed():
    assert reports.describe_ghosts({"up to 5%": 0.0, "up to 50%": 0.25}).endswith("up to 5%: 0%; up to 50%: 25%.")
    assert "no masks" in reports.describe_ghosts({"up to 5%": np.nan})


def test_stored_methods_are_sorted_by_what_their_intervals_show():
    stored = reports.published_table("full-pbc-many-classes-augmentation")
    assert "everything (-0.086)" in reports.describe_stored_methods(stored)
    assert "results page" in reports.describe_stored_methods(None)


def test_stored_copies_are_compared_with_their_origin():
    text = reports.describe_stored_copies(reports.published_table("full-pbc-many-classes-copies-before-split"))
    assert text.startswith("Copies before the split score 0.95, copies after the same kind of split 0.88 (0.07 lower)")
    assert "stored result of a longer run on pbc" in text
