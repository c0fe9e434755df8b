"""The results page: sentences beside a figure say what its table says, also where the table says the opposite."""

import re
import shutil

import pandas as pd
import pytest

from helpers.book import results, story
from helpers.book.findings import FINDINGS
from helpers.book.findings_classification import classifiers, mistakes, splits, transfer
from helpers.book.findings_segmentation import segmentation, stains
from helpers.metrics import Estimate
from helpers.project import CHECKOUT, Project


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """A function that changes a published table of a copy of the project."""
    root = tmp_path / "project"
    shutil.copytree(CHECKOUT / "book" / "results", root / "book" / "results")
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(root))

    def change(name, edit):
        table, note = results.read_result(name)
        results.save_result(name, edit(table), note)

    return change


def swap(table, column, one, other):
    """Exchange two values of a column."""
    return table.assign(**{column: table[column].replace({one: "?"}).replace({other: one}).replace({"?": other})})


@pytest.mark.parametrize("make", FINDINGS, ids=lambda make: make.__name__)
def test_a_finding_has_a_figure_two_sentences_and_its_origin(make):
    finding = make()
    assert finding.figure.to_png()[:4] == b"\x89PNG"
    assert len(finding.figure.alt) > 60
    assert all(re.search(r"\d\.\d\d|\d times", sentence) for sentence in finding.sentences[:1])
    assert all(sentence.endswith(".") for sentence in finding.sentences)
    assert re.search(
        r"\*\*Data:\*\* .+\*\*Split:\*\* .+\*\*n:\*\* [\d, to]+ images in .+\*\*Seed:\*\* 20\.", finding.label
    )
    assert (CHECKOUT / "notebooks" / f"{finding.chapter}.ipynb").exists()
    assert all((Project.current().results / f"{name}.csv").exists() for name in finding.tables)


def test_sentences_follow_the_table_where_it_says_the_opposite(publish):
    publish("full-cnmc-classify-split", lambda t: t.assign(AUC=-t["AUC"], low=-t["high"], high=-t["low"]))
    assert "by image lower by 0.09 [0.04, 0.15]" in splits().sentences[0]
    before = segmentation().sentences
    publish("full-wbc1-segment-dice", lambda t: swap(t, "method", "Otsu", "U-Net, TTA"))
    after = segmentation().sentences
    assert (
        "Otsu's thresholds it is higher, and the intervals do not overlap (whole cell, cytoplasm, nucleus)" in before[1]
    )
    assert (
        "Otsu's thresholds it is lower, and the intervals do not overlap (whole cell, cytoplasm, nucleus)" in after[1]
    )
    assert "one trained on wbc2 itself: lower, " in stains().sentences[0]
    publish("full-wbc1-segment-shift", lambda t: swap(t, "trained on", "source", "target"))
    assert "one trained on wbc2 itself: higher, " in stains().sentences[0]
    name = "full-cnmc-trust-trust-mistakes"
    auc = results.read_result(name)[0].set_index(["mistake", "variant"])["value"].unstack()
    effect = auc["with the mistake"] - auc["corrected"]
    publish(name, lambda t: swap(t, "variant", "with the mistake", "corrected"))
    rises, falls = mistakes().sentences[0].split(" and falls with ")
    assert f"labels by position ({-effect['1 labels by position']:+.2f})" in rises
    assert f"model chosen on the test ({-effect['6 model chosen on the test']:+.2f})" in falls
    publish(
        "full-pbc-transfer-differences", lambda t: t.assign(**{"difference in macro F1": 0.2, "low": 0.1, "high": 0.3})
    )
    assert transfer().sentences[1].endswith("higher by 0.20 [0.10, 0.30].")


def test_a_ranking_is_claimed_only_of_intervals_that_are_apart(publish):
    assert "the table alone shows no ranking" in classifiers().sentences[0]
    publish(
        "full-cnmc-classify-auc",
        lambda t: t.assign(low=t["low"].where(t["model"] != "140 hand-crafted features", t["value"] - 0.01)),
    )
    assert "only the interval of" in classifiers().sentences[0]
    assert "convolutional network" in classifiers().sentences[0]


def test_a_figure_whose_table_is_not_published_is_left_out_with_a_sentence(publish):
    (Project.current().results / "full-cnmc-classify-auc.csv").unlink()
    files = story.generated_files([classifiers, splits])
    text = files["story.md"].decode()
    assert "*A figure is left out: the table full-cnmc-classify-auc is not published yet.*" in text
    assert sorted(files) == ["story-split.png", "story.md"]
    assert "(result-split)=\n## Cells or patients" in text
    assert "[`full-cnmc-classify-split`](#full-cnmc-classify-split)" in text


def test_a_table_without_kinds_of_interval_has_95_percent_where_it_has_ends(publish):
    publish(
        "full-cnmc-classify-split",
        lambda t: t.drop(columns="interval", errors="ignore").assign(low=t["low"].where(t["split"] != "by image")),
    )
    (table,) = story.published("full-cnmc-classify-split")
    assert dict(zip(table["split"], table["interval"], strict=True)) == {
        "by patient": "95 %",
        "by image": "none",
        "difference": "95 %",
    }


def test_one_row_is_selected_or_none():
    table = pd.DataFrame({"tested on": ["a", "b", "b"], "dice": 0.5, "low": 0.4, "high": 0.6, "n": 9, "groups": 9})
    assert story.select(table, "dice", tested_on="a") == Estimate(0.5, 0.4, 0.6, 9, 9)
    with pytest.raises(results.ResultError, match="selects 2 rows"):
        story.select(table, "dice", tested_on="b")


def test_intervals_in_words():
    low, high, wide = (Estimate(v, v - d, v + d, 9, 9) for v, d in ((0.2, 0.1), (0.8, 0.1), (0.5, 0.4)))
    assert story.overlap_words(low, high) == "lower, and the intervals do not overlap"
    assert (
        story.overlap_words(high, wide) == "higher, but the intervals overlap, so the table alone shows no difference"
    )
    assert [story.position_words(value, high) for value in (0.1, 0.8, 0.95)] == ["below", "within", "above"]
