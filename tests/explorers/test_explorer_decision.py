"""The explorer of a decision: its rates and errors are those of the package, at every threshold and prevalence."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers import explorers, metrics

PER_1000 = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500]


@pytest.fixture(scope="module")
def table():
    """Sixty cells of 12 patients, half of them blasts, whose probabilities overlap; some lie on a threshold."""
    random = np.random.default_rng(5)
    labels = np.repeat(["blast", "other"], 30)
    scores = np.clip(np.where(labels == "blast", 0.6, 0.4) + random.normal(0, 0.2, 60), 0, 1).round(2)
    groups = [f"P{k // 5:02}" for k in range(60)]
    return pd.DataFrame({"group": groups, "label": labels, "fold": 0, "p_blast": scores, "p_other": 1 - scores})


def set_slider(page, name, value):
    slider = page.get_by_role("slider", name=name)
    slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", value)


def readout(page):
    return page.get_by_role("status").inner_text()


@pytest.mark.parametrize("percent", [0, 30, 50, 62, 100])
@pytest.mark.parametrize("step", [0, 3, 10])
def test_the_numbers_are_those_of_the_package(show, table, percent, step):
    page = show(explorers.decision(table, "blast"))
    set_slider(page, "Threshold", percent)
    set_slider(page, "Prevalence", step)
    rates = metrics.binary_metrics(table, "blast", percent / 100, seed=1).set_index("measure")["value"]
    expected = metrics.expected_outcomes(rates["sensitivity"], rates["specificity"], PER_1000[step] / 1000)
    verb = "is" if PER_1000[step] == 1 else "are"
    values = [expected.positive_predictive_value, expected.negative_predictive_value]
    ppv, npv = ("undefined" if np.isnan(value) else f"{value:.3f}" for value in values)
    assert readout(page) == (
        f"Threshold {percent / 100:.2f}: sensitivity {rates['sensitivity']:.3f}, specificity "
        f"{rates['specificity']:.3f}. Of 1,000 cells, {PER_1000[step]} {verb} blast: {expected.missed:.1f} missed, "
        f"{expected.false_alarms:.1f} false alarms; positive predictive value {ppv}, negative predictive value {npv}."
    )


def test_where_half_are_positive_the_positive_predictive_value_is_the_precision_of_the_table(show, table):
    page = show(explorers.decision(table, "blast"))
    set_slider(page, "Prevalence", 10)
    precision = metrics.binary_metrics(table, "blast", 0.5, seed=1).set_index("measure")["value"]["precision"]
    assert f"positive predictive value {precision:.3f}" in readout(page)


def test_the_symbols_are_a_thousand_and_follow_the_numbers(show, table):
    page = show(explorers.decision(table, "blast"))
    set_slider(page, "Prevalence", 6)
    numbers = re.search(r"([\d.]+) missed, ([\d.]+) false", readout(page))
    drawn = {
        name: page.locator(f"[data-part={name}]").get_attribute("d").count("M")
        for name in ("found", "missed", "alarms", "cleared")
    }
    assert sum(drawn.values()) == 1000
    assert drawn["found"] + drawn["missed"] == 100
    assert [drawn["missed"], drawn["alarms"]] == pytest.approx([float(n) for n in numbers.groups()], abs=0.51)


def test_a_button_sets_the_highest_threshold_that_finds_95_per_cent(show, table):
    page = show(explorers.decision(table, "blast"))
    page.get_by_role("button", name="Find at least 95 %").press("Enter")
    chosen = metrics.threshold_at_sensitivity(table, "blast", 0.95)
    assert readout(page).startswith(f"Threshold {chosen.value:.2f}: sensitivity {chosen.found / 30:.3f}")
    page.get_by_role("button", name="0.5", exact=True).press("Enter")
    assert readout(page).startswith("Threshold 0.50")


def test_the_keyboard_reaches_every_control_in_order(show, table):
    page = show(explorers.decision(table, "blast"))
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.part"))
    assert reached == ["threshold", "half", "target", "prevalence"]


def test_films_and_names_are_shown_literally(show, table):
    renamed = table.rename(columns={"p_blast": "p_<b>blast</b>"}).replace({"label": {"blast": "<b>blast</b>"}})
    explorer = explorers.decision(renamed, "<b>blast</b>", unit="films")
    assert repr(explorer) == (
        "Explorer: a threshold on the probability of <b>blast</b> of 60 films, and its errors among 1,000 at any "
        "prevalence."
    )
    page = show(explorer)
    assert "Of 1,000 films, 10 are <b>blast</b>" in readout(page)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, table, width, dark):
    accessible(explorers.decision(table, "blast"), width, dark)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.head(3), r"the table must have 4 to 5,000 rows, got 3"),
        (lambda t: pd.concat([t] * 90), r"got 5,400; give a sample of it"),
        (lambda t: t[t["label"] == "blast"], "needs rows that are blast and rows that are not"),
        (lambda t: t.drop(columns="p_blast"), "unknown class 'blast'; choose from other"),
        (lambda t: t.assign(p_blast=np.nan), "probabilities of blast must be from 0 to 1"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_a_remedy(table, change, message):
    with pytest.raises(ValueError, match=message):
        explorers.decision(change(table), "blast")


def test_a_table_without_rows_has_a_sentence(table):
    shown = explorers.decision(table.iloc[:0], "blast", "films")
    assert repr(shown) == "No figure: there are no films with a label of their own."
