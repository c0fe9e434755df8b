"""The explorer of a bootstrap: its AUCs and intervals agree with the package."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers import explorers, metrics


def make_table(spread, mixed=False):
    """Eighty cells of 20 patients; patients differ by ``spread``, and have both classes where ``mixed``."""
    random = np.random.default_rng(3)
    patient = np.repeat(np.arange(20), 4)
    positive = np.tile([True, True, False, False], 20) if mixed else patient < 10
    raw = 0.8 * positive + spread * random.normal(size=20)[patient] + random.normal(size=80)
    scores = (1 / (1 + np.exp(-raw))).round(2)
    return pd.DataFrame(
        {
            "group": [f"P{k:02}" for k in patient],
            "label": np.where(positive, "blast", "other"),
            "fold": 0,
            "p_blast": scores,
            "p_other": 1 - scores,
        }
    )


@pytest.fixture(scope="module")
def table():
    return make_table(spread=1.0)


def numbers(page):
    text = page.get_by_role("status").inner_text().replace(",", "")
    return [float(number) for number in re.findall(r"\d+\.\d+", text)]


def draw_all(page):
    page.get_by_role("button", name="Draw up to 2,000").press("Enter")
    return numbers(page)


@pytest.mark.parametrize("mixed", [False, True])
def test_after_2000_draws_the_intervals_are_those_of_the_package(show, mixed):
    table = make_table(1.0, mixed)
    page = show(explorers.resampling(table, "blast"))
    value, _, _, *ends = draw_all(page)
    by_patient = metrics.roc_auc(table, "blast", 20)
    by_cell = metrics.roc_auc(table.assign(group=np.arange(80)), "blast", 20)
    assert value == pytest.approx(by_patient.value, abs=5e-4)
    expected = [by_patient.low, by_patient.high, by_cell.low, by_cell.high]
    assert ends == pytest.approx(expected, abs=0.02)
    assert "Draw 2,000:" in page.get_by_role("status").inner_text()


def test_patients_that_differ_make_the_interval_over_patients_the_wider_one(show):
    widths = {}
    for spread in (0.0, 2.0):
        *_, low, high, cell_low, cell_high = draw_all(show(explorers.resampling(make_table(spread), "blast")))
        widths[spread] = (high - low) / (cell_high - cell_low)
    assert widths[2.0] > 1.5 > widths[0.0]


def test_an_interval_is_shown_from_twenty_draws_on(show, table):
    page = show(explorers.resampling(table, "blast"))
    assert "Draw more often for an interval." in page.get_by_role("status").inner_text()
    for _ in range(3):
        page.get_by_role("button", name="Draw once").press("Enter")
    assert "Draw 4:" in page.get_by_role("status").inner_text()
    page.get_by_role("button", name="Draw 20 times").press("Enter")
    assert "Draw 24:" in page.get_by_role("status").inner_text()
    assert len(numbers(page)) == 7
    page.get_by_role("button", name="Reset").press("Enter")
    assert "Draw 1:" in page.get_by_role("status").inner_text()


def test_of_ten_patients_of_a_class_nine_are_drawn_and_every_cell_comes_with_them(show, table):
    page = show(explorers.resampling(table, "blast"))
    for code in (0, 1):
        path = page.locator(f"[data-part=patients-{code}]").get_attribute("d")
        heights = [float(height) for height in re.findall(r"v-([\d.]+)h", path)]
        assert sum(heights) == pytest.approx(24 * 9)
        assert all(height % 24 == 0 for height in heights)


def test_the_keyboard_reaches_every_control_in_order(show, table):
    page = show(explorers.resampling(table, "blast"))
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.part"))
    assert reached == ["one", "twenty", "all", "reset"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, table, width, dark):
    accessible(explorers.resampling(table, "blast"), width, dark)


def test_too_few_patients_for_an_interval_have_a_sentence(table):
    few = table[table["group"].isin(["P00", "P01", "P10", "P11"])]
    assert repr(explorers.resampling(few, "blast")) == (
        "No figure: 4 groups are too few for an interval, which needs ten, and five of each class."
    )
