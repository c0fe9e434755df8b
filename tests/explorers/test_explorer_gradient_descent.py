"""The explorer of gradient descent: its steps, losses and gradients are those of NumPy, at every learning rate."""

import re

import numpy as np
import pandas as pd
import pytest

from helpers import explorers

NAMES = ("area", "N:C ratio")
STEADY = "reduce"  # with reduced motion, all steps are made at once


@pytest.fixture(scope="module")
def cells():
    """Sixty cells in two classes that overlap, and their features, standardised as the page has them."""
    random, labels = np.random.default_rng(3), np.repeat([0, 1], 30)
    features = random.normal([[50, 0.6]], [[8, 0.1]], (60, 2)) + labels[:, None] * [6, 0.12]
    standardised = ((features - features.mean(axis=0)) / features.std(axis=0)).round(6)
    return features, labels, standardised


def descend(x, y, weights, rate, n_steps):
    """Weights, loss, gradient and accuracy after some steps."""

    def gradient(w):
        return x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(y)

    w = np.array(weights, float)
    for _ in range(n_steps):
        w = w - rate * gradient(w)
    z = x @ w
    return [*w, np.mean(np.logaddexp(0, z) - y * z), *gradient(w), np.mean((z > 0) == (y == 1))]


def numbers(page):
    text = page.get_by_role("status").inner_text().replace("−", "-").split(" The loss rose")[0]
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


def set_rate(page, rate):
    slider = page.get_by_role("slider", name="Learning rate")
    slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", float(np.log10(rate)))
    assert float(slider.get_attribute("aria-valuetext")) == pytest.approx(rate, rel=0.03)
    return float(slider.get_attribute("aria-valuetext"))


def set_start(page, first, second):
    for name, value in (("Start w₁", first), ("Start w₂", second)):
        page.get_by_label(name).fill(str(value))
        page.get_by_label(name).press("Tab")


@pytest.mark.parametrize("rate", [0.01, 0.32, 2, 30])
@pytest.mark.parametrize("start", [(-4, 3), (0, 0), (2.5, -7)])
def test_weights_loss_and_gradient_are_those_of_numpy(show, cells, rate, start):
    features, labels, x = cells
    page = show(explorers.gradient_descent(features, labels, NAMES), motion=STEADY)
    rate = set_rate(page, rate)
    set_start(page, *start)
    assert numbers(page) == pytest.approx([0, *descend(x, labels, start, rate, 0)], abs=6e-4)
    page.get_by_role("button", name="Step", exact=True).click()
    page.get_by_role("button", name="Step", exact=True).click()
    assert numbers(page) == pytest.approx([2, *descend(x, labels, start, rate, 2)], abs=6e-4)
    page.get_by_role("button", name="Run 50 steps").click()
    assert numbers(page) == pytest.approx([52, *descend(x, labels, start, rate, 52)], abs=6e-4)
    page.get_by_role("button", name="Reset").click()
    assert numbers(page)[:3] == [0, *start]


def test_a_small_rate_lowers_the_loss_and_too_large_a_rate_raises_it_and_the_page_says_so(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES), motion=STEADY)
    losses, notices = [], []
    for rate in (0.32, 30):
        set_rate(page, rate)
        page.get_by_role("button", name="Reset").click()
        losses.append([])
        for _ in range(6):
            page.get_by_role("button", name="Step", exact=True).click()
            losses[-1].append(numbers(page)[3])
            notices.append("The loss rose" in page.get_by_role("status").inner_text())
    assert losses[0] == sorted(losses[0], reverse=True)
    assert losses[1] != sorted(losses[1], reverse=True)
    assert not any(notices[:6])
    assert notices[6:] == [False, *(np.diff(losses[1]) > 0)]


def test_the_map_is_doubled_until_it_shows_the_whole_path(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    assert page.locator("[data-part=map]").get_attribute("viewBox") == "-5 -5 10 10"
    set_start(page, -9, 3)
    assert page.locator("[data-part=map]").get_attribute("viewBox") == "-10 -10 20 20"
    assert page.locator("[data-part=map-high]").text_content() == "10"


def test_a_click_on_the_map_sets_the_start(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    box = page.locator("[data-part=hit]").bounding_box()
    page.mouse.click(box["x"] + 0.9 * box["width"], box["y"] + 0.2 * box["height"])
    assert numbers(page)[:3] == pytest.approx([0, 4, 3], abs=0.051)
    assert float(page.get_by_label("Start w₁").input_value()) == numbers(page)[1]


@pytest.mark.parametrize(("typed", "used"), [("99", 10), ("-11", -10), ("", 0)])
def test_a_start_outside_the_range_is_brought_into_it(show, cells, typed, used):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    set_start(page, typed, 1)
    assert numbers(page)[:3] == [0, used, 1]


def test_a_run_moves_and_stops_and_is_read_aloud_once(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    page.get_by_role("button", name="Run 50 steps").press("Enter")
    status = page.get_by_role("status")
    assert status.get_attribute("aria-live") == "off"
    page.wait_for_function("document.querySelector('.lbx-readout').textContent.startsWith('Step 3:')")
    page.get_by_role("button", name="Stop").press("Enter")
    assert status.get_attribute("aria-live") is None
    stopped = numbers(page)
    page.wait_for_timeout(200)
    assert numbers(page) == stopped
    assert stopped[0] < 50


def test_the_keyboard_reaches_every_control_in_order(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.dataset.part"))
    assert reached == ["rate", "start1", "start2", "step", "run", "reset"]


def test_weights_of_zero_draw_no_decision_line(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    assert page.locator("[data-part=side] path").is_visible()
    set_start(page, 0, 0)
    assert not page.locator("[data-part=side] path").is_visible()


def test_the_decision_line_is_at_right_angles_to_the_weights(show, cells):
    features, labels, _ = cells
    page = show(explorers.gradient_descent(features, labels, NAMES))
    set_start(page, 2, 2)
    assert page.locator("[data-part=side]").get_attribute("transform") == "rotate(45)"


def test_names_are_shown_literally_and_long_ones_shortened(show, cells):
    features, labels, _ = cells
    names = ("<b>area</b>", "nucleus-to-cell area ratio of the whole cell")
    explorer = explorers.gradient_descent(pd.DataFrame(features), labels == 1, names, ("<i>", "lymphoblast"))
    assert repr(explorer) == (
        "Explorer: gradient descent on the weights of <b>area</b> and nucleus-to-ce…he whole cell, with the loss "
        "surface of 60 cells."
    )
    page = show(explorer)
    assert page.get_by_text("w₁, weight of <b>area</b>").count() == 1
    assert page.get_by_text("<i>", exact=True).count() == 1


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_is_accessible(accessible, cells, width, dark):
    accessible(explorers.gradient_descent(*cells[:2], NAMES), width, dark)


X, Y = np.arange(10.0).reshape(5, 2) ** 2, [0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("features", "labels", "names", "message"),
    [
        (X[:, :1], Y, NAMES, r"features must be \(n, 2\) with 4 to 500 cells, got \(5, 1\)"),
        (X[:3], Y[:3], NAMES, r"with 4 to 500 cells, got \(3, 2\)"),
        (np.zeros((501, 2)), Y, NAMES, r"got \(501, 2\); give two columns, and a sample"),
        ([["a", "b"]] * 5, Y, NAMES, "features must be numbers"),
        (np.where(X == 4, np.nan, X), Y, NAMES, "features must be finite"),
        (X * [1, 0], Y, NAMES, "a feature is constant"),
        (X, Y[:4], NAMES, r"labels must be 0 or 1 for each of 5 cells, and both present, got \(4,\)"),
        (X, [0, 1, 2, 1, 1], NAMES, "with 3 different values; compare the class with the positive one"),
        (X, [1] * 5, NAMES, "with 1 different values"),
        (X, ["all", "hem", "all", "hem", "hem"], NAMES, "labels must be 0 or 1"),
        (X, Y, "ab", r"names must be two texts, got 'ab'"),
        (X, Y, ("area",), r"names must be two texts, got \('area',\)"),
    ],
)
def test_bad_input_is_refused_in_one_line(features, labels, names, message):
    with pytest.raises(ValueError, match=message) as error:
        explorers.gradient_descent(features, labels, names)
    assert "\n" not in str(error.value)
