"""A result table is the same table in a notebook, on a page and in a report, whatever its names are."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers import metrics, reports
from helpers.project import Project

HOSTILE = 'a|b <i>"x"</i> $y_1$'
RATES = pd.DataFrame(
    {
        "measure": ["sensitivity", "specificity", "F1", "precision"],
        "value": [0.94, 0.5, np.nan, 1.0],
        "low": [0.8891, 0.25, np.nan, np.nan],
        "high": [0.986, 0.75, np.nan, np.nan],
        "interval": ["95 %", "range of groups", "none", "none"],
        "n": [150, 2000, 0, 7],
        "groups": [25, 3, 0, 1],
        "seconds": [1.0, 12.25, np.nan, -0.0001],
    }
)


def cells(text, tag):
    return re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", text)


def test_value_and_interval_are_one_column_and_n_and_groups_come_last():
    assert repr(reports.show_table(RATES)) == (
        "measure                       value (95 % interval)  seconds     n  groups\n"
        "sensitivity                    0.940 [0.889, 0.986]    1.000   150      25\n"
        "specificity  0.500 (range of groups 0.250 to 0.750)   12.250  2000       3\n"
        "F1                                      not defined        –     0       0\n"
        "precision                       1.000 (no interval)    0.000     7       1"
    )


def test_markdown_has_the_same_cells_and_aligns_numbers_to_the_right():
    assert reports.show_table(RATES[:2]).to_markdown().splitlines() == [
        "| measure | value (95 % interval) | seconds | n | groups |",
        "|---|---:|---:|---:|---:|",
        "| sensitivity | 0.940 [0.889, 0.986] | 1.000 | 150 | 25 |",
        "| specificity | 0.500 (range of groups 0.250 to 0.750) | 12.250 | 2000 | 3 |",
    ]


def test_html_has_header_cells_for_columns_and_rows_and_the_same_cells():
    text = reports.show_table(RATES[:1])._repr_html_()
    heads = re.findall(r'<th scope="(\w+)" class="(\w+)" style="text-align: \w+">(.*?)</th>', text)
    assert heads == [
        ("col", "left", "measure"),
        ("col", "right", "value (95 % interval)"),
        ("col", "right", "seconds"),
        ("col", "right", "n"),
        ("col", "right", "groups"),
        ("row", "left", "sensitivity"),
    ]
    assert cells(text, "td") == ["0.940 [0.889, 0.986]", "1.000", "150", "25"]
    assert re.match(
        r'<div class="result-table" role="group" aria-label="Table of measure, value \(95 % interval\), seconds, n, '
        r'groups" tabindex="0" style="overflow-x: auto">',
        text,
    )


@pytest.mark.parametrize(
    ("kinds", "heading", "cell"),
    [
        (["range of groups"] * 2, "value", "0.940 (range of groups 0.889 to 0.986)"),
        (None, "value (95 % interval)", "0.940 [0.889, 0.986]"),
    ],
)
def test_the_heading_says_95_percent_only_where_an_interval_is_one(kinds, heading, cell):
    table = RATES[:2].drop(columns="interval") if kinds is None else RATES[:2].assign(interval=kinds)
    shown = reports.show_table(table)
    assert (shown.headings[1], shown.rows[0][1]) == (heading, cell)


def test_a_table_without_any_interval_does_not_say_so_in_every_row():
    shown = reports.show_table(RATES[2:].assign(value=0.25))
    assert shown.headings[1] == "value"
    assert [row[1] for row in shown.rows] == ["0.250", "0.250"]
    undefined = pd.DataFrame({"measure": ["F1"], "value": [None], "low": [None], "high": [None], "n": [0]})
    assert reports.show_table(undefined).rows == (("F1", "–", "0"),)


def test_names_in_an_index_become_columns_and_one_that_counts_rows_goes():
    counts = pd.DataFrame({"label": ["x", "x", "y"], "source": ["a", "b", "a"]})
    shown = reports.show_table(pd.crosstab(counts["label"], counts["source"]))
    assert (shown.headings, shown.rows, shown.n_labels) == (("class", "a", "b"), (("x", "1", "1"), ("y", "1", "0")), 1)
    two = counts.assign(images=1).set_index(["label", "source"])
    assert reports.show_table(two).headings == ("class", "source", "images")
    assert reports.show_table(two).n_labels == 2
    assert reports.show_table(pd.concat([RATES, RATES])).headings == reports.show_table(RATES).headings
    numbers = pd.DataFrame({"dice": [0.5]}, pd.Index([3], name="fold"))
    assert (reports.show_table(numbers).headings, reports.show_table(numbers).rows) == (
        ("fold", "Dice"),
        (("3", "0.500"),),
    )
    assert 'scope="row"' in reports.show_table(numbers).to_html()
    unnamed = pd.DataFrame({"x": [1.0]}, index=["gradient"])
    assert cells(reports.show_table(unnamed).to_html(), "td") == ["", "1.000"]


def test_column_names_of_two_levels_and_of_the_code_are_in_plain_words():
    table = pd.DataFrame({"nucleus_to_cell_area": [0.5], "image_a": ["p"], "exact": [True], "iou": [0.25]})
    shown = reports.show_table(table, digits=1)
    assert shown.headings == ("nucleus to cell area", "image A", "exact", "IoU")
    assert shown.rows == (("0.5", "p", "yes", "0.2"),)
    deep = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("value", "F1"), ("n", "F1")]))
    assert reports.show_table(deep).headings == ("value, F1", "n, F1")


def test_whole_numbers_stay_whole_where_one_is_missing_and_zero_has_no_sign():
    table = pd.DataFrame({"images": [4.0, np.nan], "difference": [-1e-9, -0.25]})
    assert reports.show_table(table).rows == (("4", "0.000"), ("–", "-0.250"))


def test_any_name_is_shown_letter_by_letter():
    shown = reports.show_table(pd.DataFrame({HOSTILE: [HOSTILE], "n": [1]}), caption=HOSTILE)
    page = shown.to_html()
    written = "a|b &lt;i&gt;&quot;x&quot;&lt;/i&gt; $y 1$"
    assert f'aria-label="{written.replace("y 1", "y_1")}"' in page
    assert f"<caption>{written.replace('y 1', 'y_1')}</caption>" in page
    assert cells(page, "th")[0] == written
    assert cells(page, "th")[2] == written.replace("y 1", "y_1")
    assert "<i>" not in page
    lines = shown.to_markdown().splitlines()
    assert lines[0] == r"a&#124;b &lt;i&gt;" '"x"' r"&lt;/i&gt; \$y_1\$"
    assert lines[4] == r"| a&#124;b &lt;i&gt;" '"x"' r"&lt;/i&gt; \$y_1\$ | 1 |"
    assert repr(shown).splitlines()[0] == HOSTILE
    assert reports.show_table(pd.DataFrame({"": ["`code`"]})).to_markdown(str).splitlines()[2] == "| `code` |"


def test_a_table_without_rows_is_a_sentence():
    shown = reports.show_table(pd.DataFrame(columns=["image_a", "image_b", "<i>"]))
    assert repr(shown) == shown.to_markdown(str) == "No rows in the table of image A, image B, <i>."
    assert shown._repr_html_() == "<p>No rows in the table of image A, image B, &lt;i&gt;.</p>"


def test_a_number_that_is_not_within_its_interval_is_refused():
    table = RATES.drop(columns="interval").assign(median=0.99)
    moved = table[["measure", "value", "median", "low", "high"]]
    with pytest.raises(ValueError, match=r"median 0.990 is outside its interval \[0.889, 0.986\]; put the column of"):
        reports.show_table(moved)
    with pytest.raises(ValueError, match="low and high have no value; put its column to the left of low"):
        reports.show_table(RATES[["low", "high"]])


def test_every_estimate_of_the_package_is_written_as_its_row_is_shown():
    for estimate in (
        metrics.Estimate(0.5, 0.25, 0.75, 10, 10),
        metrics.Estimate(0.5, 0.25, 0.75, 10, 3, metrics.RANGE),
        metrics.Estimate(0.5, float("nan"), float("nan"), 10, 1, metrics.NONE),
    ):
        rows = [{"measure": "a"} | estimate.row("value"), {"measure": "b"} | RATES.loc[0].drop("measure").to_dict()]
        shown = reports.show_table(pd.DataFrame(rows).drop(columns="seconds")).rows[0]
        text = reports.format_estimate(estimate.value, estimate.low, estimate.high, estimate.interval)
        assert shown == ("a", text, "10", str(estimate.groups))
        assert text.startswith("0.500 ")
    assert reports.format_estimate(None, None, None, metrics.NONE) == "not defined"


def test_the_book_loads_the_style_of_the_tables_and_that_is_of_their_classes():
    config = yaml.safe_load((Project.current().root / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    (folder,) = config["html_static_path"]
    styles = {
        name: (Project.current().root / folder / name).read_text(encoding="utf-8") for name in config["html_css_files"]
    }
    page = reports.show_table(RATES).to_html()
    for name in ("result-table", "right"):
        assert f'class="{name}"' in page and f".{name}" in styles["tables.css"]
