"""The README shows published results as they are: its figure and its table are those of book/results."""

import csv
import re
import runpy

import pytest
from PIL import Image

from helpers.project import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
RESULTS = CHECKOUT / "book" / "results"
ROW = re.compile(
    r"\| (?P<value>[\d.]+) \[(?P<low>[\d.]+), (?P<high>[\d.]+)\] \| (?P<n>\d+) \| (?P<groups>\d+) \| \[(?P<table>\S+)\]"
)
HEADLINES = [match.groupdict() for match in ROW.finditer(README)]


def test_the_figure_shows_the_published_table_and_says_it_in_words(tmp_path):
    script = runpy.run_path(str(CHECKOUT / "book" / "figures" / "mistakes.py"))
    table = RESULTS / script["TABLE"]
    alt = script["draw"](table, tmp_path / "mistakes.png")
    assert f"![{alt}](book/figures/mistakes.png)" in README
    with Image.open(CHECKOUT / "book" / "figures" / "mistakes.png") as image:
        assert image.text[script["KEY"]] == script["table_checksum"](table)


def test_the_table_has_the_headline_numbers():
    assert len(HEADLINES) == README.partition("## Headline results")[2].partition("##")[0].count("\n| ") - 1


@pytest.mark.parametrize("headline", HEADLINES, ids=lambda row: f"{row['table']} {row['value']}")
def test_a_headline_number_is_a_row_of_its_published_table(headline):
    with (RESULTS / f"{headline['table']}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = ("low", "high", "n", "groups")
    shown = tuple(float(headline[name]) for name in ("value", *numbers))
    for row in rows:
        for name in set(row) - set(numbers):
            values = (row[name], *(row[number] for number in numbers))
            if rounded(values) == shown:
                return
    pytest.fail(f"no row of {headline['table']} has {shown}")


def rounded(values):
    """Numbers as the README shows them; None where one is no number."""
    try:
        return tuple(round(float(value), 3) for value in values)
    except ValueError:
        return None
