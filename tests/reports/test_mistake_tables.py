"""Sentences on mistakes follow the numbers: raised, lowered, equal, and against stored results."""

import pandas as pd
import pytest

from helpers.metrics import Estimate
from helpers.reports import mistake_tables
from helpers.reports.published import PublishedTable

CORRECTED = 0.8


def table(**with_mistake):
    """A table of mistakes by name, each with the value 0.8 when corrected."""
    rows = [
        {"mistake": name.replace("_", " ").strip(), "variant": variant, "value": value}
        | {"low": value - 0.01, "high": value + 0.01, "n": 90, "groups": 30}
        for name, wrong in with_mistake.items()
        for variant, value in ((mistake_tables.WITH, wrong), (mistake_tables.WITHOUT, CORRECTED))
    ]
    return pd.DataFrame(rows)


HERE = table(_1_a=0.9, _2_b=0.7, _10_c=0.8)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (HERE, "raises 1 of 3 numbers, lowers 1 and leaves 1 unchanged"),
        (table(_1_a=0.9, _2_b=0.95), "raises 2 of 2 numbers, lowers 0 and leaves 0 unchanged"),
        (table(_1_a=0.80004), "raises 0 of 1 numbers, lowers 0 and leaves 1 unchanged"),
        (HERE.iloc[:0], "raises 0 of 0 numbers, lowers 0 and leaves 0 unchanged"),
    ],
)
def test_directions_are_counted_as_they_are_shown(numbers, words):
    assert mistake_tables.count_directions(numbers).startswith(f"the mistake {words}; ")


def exchanged(numbers):
    """The same table with the numbers of both variants exchanged."""
    other = {mistake_tables.WITH: mistake_tables.WITHOUT, mistake_tables.WITHOUT: mistake_tables.WITH}
    return numbers.assign(variant=numbers["variant"].map(other))


def test_raised_is_counted_apart_from_shown():
    numbers = table(_1_a=0.9, _2_b=0.805, _3_c=0.5)
    shown = "the interval of the difference lies above 0 in {} rows and below 0 in {}"
    assert mistake_tables.count_directions(numbers) == (
        f"the mistake raises 2 of 3 numbers, lowers 1 and leaves 0 unchanged; {shown.format(1, 1)}"
    )
    more = table(_1_a=0.9, _2_b=0.95, _3_c=0.5)
    assert mistake_tables.count_directions(more).endswith(shown.format(2, 1))
    assert mistake_tables.count_directions(exchanged(more)).endswith(shown.format(1, 2))
    assert mistake_tables.differences_shown(exchanged(numbers)).tolist() == [-1, 0, 1]


def test_a_paired_difference_takes_the_place_of_the_one_from_two_intervals():
    numbers = table(_1_a=0.805, _2_b=0.9)
    matched = {"1 a": Estimate(0.005, 0.001, 0.009, 90, 30), "2 b": Estimate(0.1, -0.01, 0.2, 90, 30)}
    assert mistake_tables.differences_shown(numbers).tolist() == [0, 1]
    assert mistake_tables.differences_shown(numbers, matched).tolist() == [1, 0]


@pytest.mark.parametrize("column", [{"groups": 9}, {"low": float("nan")}])
def test_without_intervals_no_difference_is_shown(column):
    assert mistake_tables.differences_shown(table(_1_a=0.9).assign(**column)).tolist() == [0]


def test_the_interval_from_two_is_that_of_zou_and_donner():
    """With half-widths of 0.06 and 0.08 towards each other, its end is 0.1 from the difference."""
    rows = [
        ["1 a", mistake_tables.WITH, 0.9, 0.84, 0.95, 90, 30],
        ["1 a", mistake_tables.WITHOUT, 0.8, 0.7, 0.88, 90, 30],
    ]
    numbers = pd.DataFrame(rows, columns=["mistake", "variant", "value", "low", "high", "n", "groups"])
    assert mistake_tables.differences_shown(numbers.replace(0.9, 0.901).replace(0.84, 0.841)).tolist() == [1]
    assert mistake_tables.differences_shown(numbers.replace(0.9, 0.899).replace(0.84, 0.839)).tolist() == [0]


def test_rows_that_move_the_other_way_than_the_stored_ones_are_named():
    stored = table(_1_a=0.95, _2_other_name=0.9, _10_c=0.8, _12_d=0.9)
    assert mistake_tables.compare_directions(HERE, stored) == (
        "In 2 of 3 rows it moves the number in the direction of the stored results; not so in *2 b*."
    )
    assert mistake_tables.compare_directions(HERE, HERE).endswith("direction of the stored results.")
    assert mistake_tables.compare_directions(HERE, HERE.iloc[:0]).startswith("Stored results on real blood are on")


def test_rows_are_sorted_by_number_and_not_by_letter():
    mixed = pd.concat([HERE.iloc[4:], HERE.iloc[:4]])
    assert mistake_tables.sort_by_number(mixed)["mistake"].tolist() == ["1 a", "1 a", "2 b", "2 b", "10 c", "10 c"]


def test_the_stored_rows_are_those_of_real_blood_and_the_synthetic_ones_are_named():
    stored = mistake_tables.stored_mistakes(mistake_tables.BLOOD, mistake_tables.TWO_STAINS)
    names = list(dict.fromkeys(stored["mistake"]))
    assert [int(name.split()[0]) for name in names] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14]
    assert [name for name in names if name.endswith("(synthetic)")] == [
        "4 the same cell twice (synthetic)", "11 a shortcut (synthetic)",
    ]  # fmt: skip
    stain = stored[stored["mistake"] == "12 another stain"]
    assert stain["n"].tolist() == [300, 100]


def test_without_the_book_there_are_no_stored_rows(monkeypatch, tmp_path):
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path))
    (tmp_path / "helpers").mkdir()
    assert mistake_tables.stored_mistakes(mistake_tables.BLOOD, mistake_tables.TWO_STAINS).empty


def test_both_numbers_are_told_with_their_measures():
    pair = [("with the mistake", "accuracy", Estimate(0.9, 0.8, 0.95, 20, 12)),
            ("corrected", "balanced accuracy", Estimate(0.5, 0.5, 0.5, 20, 12))]  # fmt: skip
    assert mistake_tables.pair_words("14 a rare class", pair) == (
        "**14 a rare class**: with the mistake, accuracy 0.900 [0.800, 0.950] (n=20, groups=12); "
        "corrected, balanced accuracy 0.500 [0.500, 0.500] (n=20, groups=12). An interval without width is no "
        "certainty: hits and errors that did not happen are in no resample."
    )
    assert mistake_tables.pair_words("a", pair[:1]).endswith("(n=20, groups=12).")


@pytest.mark.parametrize(
    ("passing", "wrong", "words"), [(3, 1, "1 of these has"), (2, 0, "None of these"), (0, 0, "may be a limit")]
)
def test_a_passed_check_is_no_proof(passing, wrong, words):
    assert words in mistake_tables.passing_words(passing, wrong)


def test_near_duplicates_of_a_whole_set_are_told_with_what_they_do_to_scores():
    what = ["pairs of near-duplicates", "pairs separated", "images whose near-duplicate is in another fold"]
    counted = pd.DataFrame(
        {"what": what, "value": [10, 8.2, 15.6], "lowest": [10, 7, 13], "highest": [10, 9, 18], "splits": 20, "n": 5000}
    )
    difference = "by image − near-duplicates together"
    scores = pd.DataFrame(
        {
            "views": [1, 8, 8, 8],
            "split": [difference, "by image", difference, difference],
            "tested": ["all images", "all images", "all images", "near-duplicates"],
            "measure": ["macro F1", "macro F1", "macro F1", "accuracy"],
            "value": [0.5, 0.9, 0.001, 0.2],
            "low": [0.4, 0.8, -0.001, 0.1],
            "high": [0.6, 1.0, 0.003, 0.3],
            "n": [5000, 5000, 5000, 20],
            "groups": [4990, 4990, 4990, 10],
        }
    )
    text = mistake_tables.describe_near_duplicates(
        PublishedTable("counted", counted, "", {"n_splits": 3}), PublishedTable("scores", scores, "a stored result", {})
    )
    assert text == (
        "In 5,000 images the search found 10 pairs of near-duplicates; how many it missed is not known. A random split "
        "into 3 parts separates 8 of them (7 to 9 in "
        "20 splits), and 16 images have one in another part. The random split against one that keeps them together: "
        "macro F1 on all images, no difference shown (0.0010 [-0.0010, 0.0030]); accuracy on near-duplicates, higher "
        "by 0.2000 [0.1000, 0.3000] (a stored result)."
    )
