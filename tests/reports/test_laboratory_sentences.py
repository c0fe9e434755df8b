"""Sentences of chapter Another laboratory follow their tables, also where the effect is absent or reversed."""

import pandas as pd
import pytest

from helpers.metrics import Estimate
from helpers.reports import NO_BOOK, PublishedTable, published_table, stored_laboratories
from helpers.reports import laboratory_sentences as sentences


def scores(home, away, other=0.8):
    values = {"A → A": home, "B → B": 0.9, "A → B": away, "B → A": other, "both → A": 0.91, "both → B": 0.92}
    return {name: Estimate(value, value - 0.05, value + 0.05, n=100, groups=20) for name, value in values.items()}


def test_a_loss_is_said_only_where_intervals_do_not_meet():
    text = sentences.describe_cross_tests(scores(0.95, 0.40), "A", "B")
    assert "Trained on A: 0.95 in new groups of A, 0.40 in B, less, and the intervals do not meet." in text
    assert "Trained on B: 0.90 in new groups of B, 0.80 in A, and the intervals overlap." in text
    assert "Trained on both: 0.91 and 0.92, against 0.95 and 0.90" in text
    assert "0.95 in new groups of A, 0.93 in B, and the intervals overlap." in sentences.describe_cross_tests(
        scores(0.95, 0.93), "A", "B"
    )
    by_image = scores(0.95, 0.4) | {"B → B, by image": Estimate(0.99, 0.98, 1.0, n=100, groups=20)}
    assert "Within B a split by image gives 0.99 and one by group 0.90" in sentences.describe_cross_tests(
        by_image, "A", "B"
    )
    ranged = scores(0.95, 0.4)
    ranged["A → B"] = Estimate(0.4, 0.3, 0.5, n=100, groups=3, interval="range of groups")
    assert "less, and the intervals, or ranges of groups, do not meet" in sentences.describe_cross_tests(
        ranged, "A", "B"
    )


def predictions(pairs):
    rows = [
        {"group": f"g{k}", "label": label, "fold": 0, "p_a": float(called == "a"), "p_b": float(called == "b")}
        for k, (label, called) in enumerate(pairs)
    ]
    return pd.DataFrame(rows, pd.Index([f"i{k}" for k in range(len(rows))], name="image_id"))


def test_the_commonest_confusion_is_compared_with_home():
    away, home = predictions(["ab", "ab", "aa", "bb"]), predictions(["aa", "aa", "ab", "bb"])
    text = sentences.describe_confusion(away, home)
    assert "67% of a cells are called b, 33% in the source. 75% of all target cells are called b; 25% are." in text
    assert sentences.describe_confusion(predictions(["aa", "bb"]), home) == "No cell of the target is confused."


def test_methods_that_help_harm_or_cost_are_named_with_their_intervals():
    rows = [
        ("plain", "source", 0.9, None), ("plain", "target", 0.5, None),
        ("good", "source", 0.9, (0.0, -0.02, 0.02)), ("good", "target", 0.7, (0.2, 0.1, 0.3)),
        ("bad", "source", 0.8, (-0.1, -0.2, -0.05)), ("bad", "target", 0.4, (-0.1, -0.2, -0.01)),
        ("open", "source", 0.9, (0.0, -0.1, 0.1)), ("open", "target", 0.55, (0.05, -0.1, 0.2)),
    ]  # fmt: skip
    table = pd.DataFrame(
        {
            "method": method,
            "laboratory": laboratory,
            "balanced accuracy": value,
            **dict(zip(("difference", "difference low", "difference high"), ends or (None,) * 3, strict=True)),
            "difference interval": "95 %",
        }
        for method, laboratory, value, ends in rows
    ).astype({"difference": float, "difference low": float, "difference high": float})
    text = sentences.describe_methods(table, 5)
    assert text.startswith("Over 5 seeds, against *plain* (0.50 in the target)")
    assert "shown to help in the target: good +0.20 [+0.10, +0.30]." in text
    assert "Shown to harm there: bad -0.10 [-0.20, -0.01]. Not shown either way: 1 of 3." in text
    assert text.endswith("Shown to cost in the source: bad -0.10 [-0.20, -0.05].")
    ranged = sentences.describe_methods(table.assign(**{"difference interval": "range of groups"}), 5)
    assert "better for every group: good" in ranged
    assert ranged.endswith("its brackets are ranges of groups.)")
    none = sentences.describe_methods(table[table["method"].isin(["plain", "open"])], 5)
    assert "help in the target: none. Shown to harm there: none." in none


def coverage(home, away, strange):
    rows = []
    for where, value, size in (("A", home, 1.1), ("B", away, 1.2), ("photographs", None, strange)):
        for threshold in ("common", "by class"):
            rows.append((where, threshold, "classes in a set", size, size, size))
            if value is not None:
                rows.append((where, threshold, "coverage", value, value - 0.04, value + 0.04))
    return pd.DataFrame(rows, columns=["where", "threshold", "measure", "value", "low", "high"])


def test_a_promise_is_kept_or_broken_as_measured():
    text = sentences.describe_coverage(coverage(0.92, 0.3, 1.3), "A", "B", 0.9)
    assert text.startswith(
        "In A the sets hold the class of 92% [88%, 96%] of the cells, with 1.1 classes each, which keeps"
    )
    assert "in B the sets hold the class of 30% [26%, 34%] of the cells, with 1.2 classes each, which breaks" in text
    assert "Nor does the size warn much" in text
    other = sentences.describe_coverage(coverage(0.8, 0.95, 3.0), "A", "B", 0.9)
    assert "which breaks the promise of 90%; in B" in other
    assert "Nor does" not in other


@pytest.mark.parametrize(("best", "worst"), [("distance", "probability"), ("probability", "distance")])
def test_the_score_that_notices_most_comes_first(best, worst):
    rows = [("B", best, 0.9), ("B", worst, 0.6), ("platelets", best, 0.7), ("platelets", worst, 0.8)]
    text = sentences.describe_noticing(pd.DataFrame(rows, columns=["images", "score", "AUC"]), "B")
    assert f"those of B: {best} 0.90, {worst} 0.60; one half is chance." in text
    assert f"The least over the other kinds of image: {best} 0.70 (platelets), {worst} 0.80 (platelets)." in text
    alone = sentences.describe_noticing(pd.DataFrame(rows[:2], columns=["images", "score", "AUC"]), "B")
    assert "The least" not in alone


def test_what_a_rule_refers_and_saves():
    rows = []
    for where, referred, before, after in (("A", 0.1, 0.05, 0.02), ("B", 1.0, 0.5, None)):
        rows.append((where, "no rule", "wrong among the kept", before, before, before))
        rows.append((where, "r", "referred", referred, referred, referred))
        if after is not None:
            rows.append((where, "r", "wrong among the kept", after, after, after))
    table = pd.DataFrame(rows, columns=["where", "rule", "measure", "value", "low", "high"])
    assert sentences.describe_referral(table, "A", "B", "r") == (
        "With the rule *r*, in A, 10% [10%, 10%] are referred and 2% of the kept are wrong, against 5% of all; in B, "
        "100% [100%, 100%] are referred and none is kept, while 50% of all are wrong."
    )


def test_the_audit_is_described_by_its_recall_and_precision():
    quality = pd.DataFrame({"precision": [0.5, 0.7], "recall": [0.8, 1.0]})
    text = sentences.describe_audit(quality, 7, 200, 0.05)
    assert "With 5% of 200 labels exchanged, the audit finds 90% of them (over 2 seeds from 80% to 100%)" in text
    assert "60% of its suspicions are planted (50% to 70%). Of the original labels it suspects 7." in text


def test_without_the_book_a_line_says_where_the_stored_results_are():
    assert stored_laboratories.describe_stored_methods(None) == NO_BOOK
    assert stored_laboratories.describe_stored_doubt({"coverage": None, "noticing": None}, []) == [NO_BOOK]
    assert stored_laboratories.describe_stored_slides(None) == stored_laboratories.describe_partitions(None) == NO_BOOK
    assert stored_laboratories.describe_disagreement(pd.DataFrame(), None) == NO_BOOK


@pytest.mark.skipif(published_table("full-txl-another-laboratory-coverage") is None, reason="needs the book")
def test_stored_sentences_name_their_run_and_both_laboratories():
    names = ("coverage", "noticing", "referral")
    stored = {name: published_table(f"full-txl-another-laboratory-{name}") for name in names}
    origin, sets, distance, referral = stored_laboratories.describe_stored_doubt(stored, ["least confident tenth"])
    assert origin.startswith("Real blood, a stored result of a longer run on txl")
    assert sets.startswith("**Sets.** In pbc the sets hold the class")
    assert distance.startswith("**Distance.** AUC between cells of the source and those of raabin")
    assert referral.startswith("**Referral.** With the rule *least confident tenth*, in pbc")
    slides = stored_laboratories.describe_stored_slides(published_table("full-txl-another-laboratory-crossed"))
    assert "Within raabin, the same classifier has a balanced accuracy of **0.95** split by image" in slides
    methods = stored_laboratories.describe_stored_methods(published_table("full-txl-another-laboratory-methods"))
    assert "**Hand-crafted features.** Over 5 seeds" in methods
    assert "**Efficientnet-lite0 features.** Over 5 seeds" in methods


def test_what_recognising_a_group_is_worth_is_said_apart_from_what_helps():
    rows = [("plain", 0.5, None), ("5 alone (other groups)", 0.55, 0.05), ("5 alone (same groups)", 0.9, 0.4)]
    table = pd.DataFrame(
        {
            "method": method,
            "laboratory": laboratory,
            "balanced accuracy": value,
            "difference": difference,
            "difference low": difference,
            "difference high": difference,
            "difference interval": "95 %",
        }
        for method, value, difference in rows
        for laboratory in ("source", "target")
    )
    text = sentences.describe_methods(table, 2)
    assert "shown to help in the target: 5 alone (other groups) +0.05" in text
    assert "alone (same groups) +0.40" not in text
    assert "alone reach 0.55 on other groups and 0.90 where tested cells share their group" in text


def test_methods_of_another_sign_are_named():
    here = pd.DataFrame(
        {"method": ["crop", "red", "crop"], "laboratory": ["target", "target", "source"], "features": "f"}
    ).assign(difference=[0.2, 0.1, -1.0])
    stored = PublishedTable("x", here.assign(difference=[-0.1, 0.3, 1.0]), "stored result")
    assert stored_laboratories.describe_disagreement(here, stored) == (
        "Of 2 methods that both runs tried, tests on labelled groups included, 1 have another sign here than in the "
        "stored run on real blood: crop (+0.20 here, -0.10 there)."
    )


def test_networks_in_the_partitions_are_told_with_what_test_time_augmentation_adds():
    test = "cells of new subjects"
    rows = [
        ("frozen features", 1, test, 0.842, 0.732, 0.909, 20),
        ("frozen features", 8, test, 0.856, 0.76, 0.914, 20),
        ("hand-crafted features", 1, test, 0.873, 0.765, 0.949, 20),
        ("network", 1, test, 0.7, 0.6, 0.8, 1),
        ("network", 8, test, 0.69, 0.6, 0.8, 1),
        ("network", 8, "subjects", 0.9, 0.8, 1.0, 1),
    ]
    frame = pd.DataFrame(rows, columns=["model", "views", "test", "AUC", "low", "high", "partitions"])
    stored = PublishedTable("x", frame, "stored here", {})
    assert stored_laboratories.describe_partition_networks(stored) == (
        "AUC per cell of new subjects, stored here. In 20 partitions: hand-crafted features 0.873 [0.765, 0.949]; "
        "frozen features 0.856 [0.760, 0.914]. In one partition: network 0.690 [0.600, 0.800]. Test-time "
        "augmentation adds -0.010 to +0.014; where it is tested, it is in these numbers."
    )
    assert stored_laboratories.describe_partition_networks(None) == NO_BOOK
