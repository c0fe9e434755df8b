"""The explorer of rejection: its numbers are those of the package, at every threshold."""

import numpy as np
import pandas as pd
import pytest

from helpers import explorers, metrics


@pytest.fixture(scope="module")
def table():
    """Fifty images in each of two places; the second is less often right."""
    random = np.random.default_rng(5)
    where = np.repeat(["here", "there"], 50)
    uncertainty = random.uniform(0, 0.8, 100).round(2)
    wrong = (random.uniform(size=100) < np.where(where == "here", 0.5, 1.0) * uncertainty).astype(float)
    return pd.DataFrame({"where": where, "uncertainty": uncertainty, "wrong": wrong})


def set_share(page, percent):
    slider = page.get_by_role("slider", name="Referred of here")
    slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", percent)


def readout(page):
    return page.get_by_role("status").inner_text()


@pytest.mark.parametrize("percent", [0, 10, 40, 99, 100])
def test_the_numbers_are_those_of_the_package(show, table, percent):
    page = show(explorers.rejection(table, "here", "there"))
    set_share(page, percent)
    own = 1 - table.loc[table["where"] == "here", "uncertainty"]
    threshold = np.inf if percent == 100 else metrics.referral_threshold(own, percent / 100) if percent else 0.0
    words = []
    for where in ("here", "there"):
        rows = table[table["where"] == where]
        kept = rows[(1 - rows["uncertainty"]).round(8) >= np.round(threshold, 8)]
        error = f"{100 * kept['wrong'].mean():.1f} % of the kept are wrong" if len(kept) else "none kept"
        words.append(f"{where}: {100 * (1 - len(kept) / 50):.0f} % referred, {error}")
    least = "above 1" if percent == 100 else f"{threshold:.4f}"
    assert readout(page) == f"Least confidence {least}. {words[0]}. {words[1]}."


def test_a_button_refers_at_most_a_tenth_of_the_source(show, table):
    page = show(explorers.rejection(table, "here", "there"))
    page.get_by_role("button", name="Refer 10 % of here").click()
    share = int(readout(page).split("here: ")[1].split(" %")[0])
    assert 0 < share <= 10
    page.get_by_role("button", name="Keep all").click()
    assert "here: 0 % referred" in readout(page)


def test_it_fits_on_a_telephone(show, table):
    page = show(explorers.rejection(table, "here", "there"), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"where": "here"}, "there: an explorer shows 4 to 5000 images, got 0"),
        ({"uncertainty": 1.5}, "here: the uncertainty must be a number from 0 to 1"),
    ],
)
def test_what_it_cannot_show_is_refused(table, change, message):
    with pytest.raises(ValueError, match=message):
        explorers.rejection(table.assign(**change), "here", "there")
