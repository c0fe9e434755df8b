"""Sentences on scores of many classes follow the numbers, also where the effect is reversed or absent."""

import numpy as np
import pandas as pd
import pytest

from helpers import reports
from helpers.metrics import Estimate


@pytest.mark.parametrize(
    ("accuracy", "balanced", "words"),
    [
        (0.9, 0.5, "the rare ones go worse"),
        (0.5, 0.9, "the rare classes have the higher recall here"),
        (0.8, 0.81, "about as well on rare"),
    ],
)
def test_averages_are_compared_as_they_are(accuracy, balanced, words):
    text = reports.describe_averages(pd.Series({"accuracy": accuracy, "balanced accuracy": balanced}))
    assert text.startswith(f"Accuracy is {accuracy:.2f}, balanced accuracy {balanced:.2f}: ")
    assert words in text


def test_left_out_classes_are_named_and_escaped():
    text = reports.describe_left_out(["a*b", "c", "d"], ["c", "d"], 5)
    assert "for want of groups: *a\\*b*. 2 classes remain." in text
    assert reports.describe_left_out(["c"], ["c"], 5).endswith("none is left out.")


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


def confused(forward, back):
    rows = [("a", "b", forward, forward / 20, 20), ("b", "a", back, back / 20, 20), ("a", "c", 6, 0.02, 300)]
    return pd.DataFrame(rows, columns=["true", "predicted", "images", "rate", "n"]).query("images > 0")


def test_directions_are_compared_by_shares_where_classes_differ_in_size():
    rows = [("a", "b", 5, 5 / 17, 17), ("b", "a", 2, 0.25, 8)]
    text = reports.describe_pairs(pd.DataFrame(rows, columns=["true", "predicted", "images", "rate", "n"]))
    assert "Of *b*, 2 of 8 are predicted *a*, 25%: a mix-up in both directions" in text


def test_the_largest_share_of_errors_is_named_with_its_direction():
    both = reports.describe_pairs(confused(9, 8))
    assert "The largest share: 9 of 20 images of *a* are predicted *b*, 45%; that is 39% of all errors" in both
    assert "Of *b*, 8 of 20 are predicted *a*, 40%: a mix-up in both directions" in both
    assert "9 of 20 images of *b* are predicted *a*" in reports.describe_pairs(confused(8, 9))
    assert "Of *b*, none is predicted *a*: a mix-up in one direction, as where *b*" in reports.describe_pairs(
        confused(9, 0)
    )


def test_no_pair_is_named_that_few_images_make():
    few = confused(4, 3).iloc[:2]
    assert "The test has 7 errors, and no pair has 5 of them or more: too few" in reports.describe_pairs(few)
    assert "6 of 300 images of *a* are predicted *c*" in reports.describe_pairs(confused(4, 3))
    assert "no proof of a perfect model" in reports.describe_pairs(confused(4, 3).iloc[:0])


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


def stored(rows, columns):
    return reports.PublishedTable("a-table", pd.DataFrame(rows, columns=columns), "stored result")


def methods(**ends):
    rows = [(name, "macro F1", (low + high) / 2, low, high, 160, 80) for name, (low, high) in ends.items()]
    return stored(rows, ["method", "measure", "difference from none", "low", "high", "n", "groups"])


def test_stored_methods_are_sorted_by_what_their_intervals_show():
    text = reports.describe_stored_methods(methods(views=(-0.01, 0.03), zoom=(-0.12, -0.04), weights=(0.0, 0.0)))
    assert text == (
        "Macro F1 is shown to be lowered by zoom (-0.080), on 160 images of 80 groups (stored result). The other "
        "intervals hold 0."
    )
    text = reports.describe_stored_methods(methods(zoom=(-0.12, -0.04), views=(0.01, 0.03)))
    assert text.startswith("Macro F1 is shown to be raised by views (+0.020) and shown to be lowered by zoom (-0.080)")
    assert "The other" not in text
    assert "not shown to be changed by any method" in reports.describe_stored_methods(methods(views=(-0.01, 0.03)))
    assert "results page" in reports.describe_stored_methods(None)


def test_stored_copies_are_compared_with_their_origin():
    columns = ["method", "measure", "value"]
    text = reports.describe_stored_copies(
        stored([(k, "macro F1", v) for k, v in enumerate((0.95, 0.88, 0.8))], columns)
    )
    assert text == (
        "Copies before the split score 0.95, copies after the same kind of split 0.88 (0.07 lower); with the split by "
        "group it is 0.80 (0.08 lower). Macro F1, stored result."
    )
    assert "results page" in reports.describe_stored_copies(None)
