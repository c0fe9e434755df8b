"""The explorer of counting: its numbers are those of the package, for every number of cells and every share."""

import re
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from helpers import explorers, metrics
from helpers.explorers.cell_counts import PERCENTS, SIZES

PICTURED = [(20, 0.2), (50, 50), (100, 1), (200, 3), (1000, 0.2), (1000, 80)]


def set_sliders(page, n, percent):
    for name, position in (("Cells counted", SIZES.index(n)), ("True share", PERCENTS.index(percent))):
        slider = page.get_by_role("slider", name=name)
        slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", position)


def readout(page):
    return page.get_by_role("status").inner_text()


def expected_text(n, percent):
    """The sentence of the explorer, with a gap for each number that is rounded, and these numbers in per cent."""
    share = percent / 100
    low, high = metrics.count_limits(share, n)
    likely = int(binom.pmf(np.arange(n + 1), n, share).argmax())
    text = (
        f"True share {percent} %, {n:,} cells: 95 % of counts find {low} to {high} cells of this type, most likely "
        f"{likely}. One would then report # %, with a 95 % interval (Wilson) of # % to # %; exact limits (Rümke) # % "
        f"to # %. Chance to see none: # %. Two observers who count {n:,} cells each differ by at most # percentage "
        "points in at least 95 % of cases, by chance alone."
    )
    numbers = [
        likely / n,
        *metrics.wilson_interval(likely, n),
        *metrics.rumke_limits(likely / n, n),
        metrics.chance_of_none(share, n),
        metrics.difference_limit(share, n, n),
    ]
    return text, [100 * number for number in numbers]


def bars(page, part):
    """Left side and height of every bar of a path, in units of the picture."""
    path = page.locator(f"[data-part={part}]").get_attribute("d")
    return [(float(left), float(height)) for left, height in re.findall(r"M([\d.]+) 212v-([\d.]+)h", path)]


@pytest.mark.parametrize("n", SIZES)
def test_the_numbers_are_those_of_the_package(show, n):
    page = show(explorers.counting())
    for percent in PERCENTS:
        set_sliders(page, n, percent)
        text, numbers = expected_text(n, percent)
        pattern = re.escape(text).replace(r"\#", r"(0|less than 0\.01|\d+\.\d+)")
        found = re.fullmatch(pattern, readout(page))
        assert found, (readout(page), text)
        for shown, number in zip(found.groups(), numbers, strict=True):
            if shown.startswith("less than"):
                assert 0 < number < 0.005
            elif shown == "0":
                assert number == 0
            else:
                assert float(shown) == pytest.approx(number, abs=0.0051 if number < 10 else 0.051)


@pytest.mark.parametrize(("n", "percent"), PICTURED)
def test_the_bars_are_the_binomial_distribution_and_the_dark_ones_95_per_cent_of_counts(show, n, percent):
    page = show(explorers.counting())
    set_sliders(page, n, percent)
    chance = binom.pmf(np.arange(n + 1), n, percent / 100)
    low, high = metrics.count_limits(percent / 100, n)
    central = [height for _, height in bars(page, "central-bars")]
    assert central == pytest.approx(170 * chance[low : high + 1] / chance.max(), abs=0.006)
    others = len(bars(page, "bars"))
    shown = chance[max(0, low - others) : high + others + 1].sum()
    assert shown > 0.998
    lefts = [left for part in ("bars", "central-bars") for left, _ in bars(page, part)]
    assert 44 <= min(lefts) < max(lefts) < 390


@pytest.mark.parametrize(("n", "percent"), PICTURED)
def test_the_intervals_are_drawn_to_the_scale_of_their_axis(show, n, percent):
    page = show(explorers.counting())
    set_sliders(page, n, percent)
    ticks = page.locator("[data-part=share-ticks] text").evaluate_all(
        "all => all.map(t => [t.textContent, t.getAttribute('x')])"
    )
    (first, left), (last, right) = [(float(value), float(x)) for value, x in (ticks[0], ticks[-1])]
    likely = int(binom.pmf(np.arange(n + 1), n, percent / 100).argmax())
    limits = metrics.count_limits(percent / 100, n)
    rows = [
        [count / n for count in limits],
        metrics.wilson_interval(likely, n),
        metrics.rumke_limits(likely / n, n),
    ]
    for k, ends in enumerate(rows):
        path = page.locator(f"[data-part=row-{k}]").get_attribute("d")
        drawn = [float(x) for x in re.findall(r"M([\d.]+) ", path)]
        expected = [left + (100 * end - first) / (last - first) * (right - left) for end in ends]
        assert [drawn[0], drawn[-1]] == pytest.approx(expected, abs=0.06)
        assert left <= drawn[0] <= drawn[-1] <= right


def test_one_count_is_the_most_likely_for_every_pair_of_values():
    for n, percent in product(SIZES, PERCENTS):
        first, second = np.sort(binom.pmf(np.arange(n + 1), n, percent / 100))[:-3:-1]
        assert first > second * (1 + 1e-6)


def test_the_buttons_show_the_cases(show):
    page = show(explorers.counting())
    for name, start in (
        ("neutrophils 60 %, 100 cells", "True share 60 %, 100 cells: 95 % of counts find 50 to 69 cells"),
        ("eosinophils 3 %, 200 cells", "True share 3 %, 200 cells: 95 % of counts find 2 to 11 cells"),
        ("blasts 1 %, 100 cells", "True share 1 %, 100 cells: 95 % of counts find 0 to 3 cells"),
    ):
        page.get_by_role("button", name=name, exact=True).press("Enter")
        assert readout(page).startswith(start)
    assert "Chance to see none: 36.6 %." in readout(page)


def test_the_keyboard_reaches_every_control_in_order_and_moves_the_sliders(show):
    page = show(explorers.counting())
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.part"))
    assert reached == ["size", "share", "case-0", "case-1", "case-2"]
    slider = page.get_by_role("slider", name="True share")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "2 %"
    page.get_by_role("slider", name="Cells counted").press("End")
    assert readout(page).startswith("True share 2 %, 1,000 cells: ")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, width, dark):
    accessible(explorers.counting(), width, dark)
