"""The casebook explorer: a check tells what it found, a case keeps what was looked at, and suspicion is ranked."""

import pandas as pd
import pytest

from helpers import explorers
from helpers.checks import Finding

ROW = {"measure": "AUC", "value": 0.9, "low": 0.8, "high": 0.95, "interval": "95 %", "n": 200, "groups": 20}
REPORTS = pd.DataFrame([ROW | {"method": "Five <b>folds</b>."}, ROW | {"method": "Ten folds."}], ["A", "B"])
LEAK = Finding("data leakage", "20 overlaps between splits", "that the split is by patient")
FINDINGS = {"A": {"leakage": [LEAK], "probabilities": []}, "B": {"leakage": [], "probabilities": []}}


@pytest.fixture
def page(show):
    return show(explorers.casebook(REPORTS, FINDINGS))


def press(page, name):
    page.get_by_role("button", name=name, exact=True).press("Enter")


def test_a_check_says_what_it_found_and_each_case_keeps_its_own(page):
    report = page.locator("[data-part=report]")
    assert report.inner_text() == "Case A: AUC 0.900 [0.800, 0.950], 200 cells, n = 20. “Five <b>folds</b>.”"
    press(page, "leakage")
    readout = page.locator("[data-part=readout]")
    assert readout.inner_text() == ("leakage: fails. 20 overlaps between splits. Checks run: 1 on case A, 1 in all.")
    press(page, "B")
    assert report.inner_text().startswith("Case B: ")
    assert page.locator("li").count() == 0
    press(page, "leakage")
    press(page, "probabilities")
    assert page.locator("li").all_inner_texts() == ["leakage: passes.", "probabilities: passes."]
    assert readout.inner_text().endswith("Checks run: 2 on case B, 3 in all.")
    press(page, "A")
    assert page.locator("li").all_inner_texts() == ["leakage: fails. 20 overlaps between splits."]
    assert page.get_by_role("button", name="leakage").get_attribute("aria-pressed") == "true"


def test_suspicion_is_set_by_the_keyboard_and_ranked(page):
    slider = page.get_by_role("slider", name="Your suspicion")
    slider.press("ArrowRight")
    press(page, "B")
    assert slider.input_value() == "0"
    slider.press("End")
    assert page.locator("[data-part=ranking]").inner_text() == "Your order of suspicion: B (10), A (1)."


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, width, dark):
    accessible(explorers.casebook(REPORTS, FINDINGS), width, dark)


def test_other_cases_in_reports_and_findings_are_refused():
    with pytest.raises(ValueError, match=r"must have the same cases, got \['A', 'B'\], \['A'\]"):
        explorers.casebook(REPORTS, {"A": {}})
