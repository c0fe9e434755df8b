"""A quiz in a real browser: answered by keyboard, on a telephone, and read by a screen reader."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers.teaching import quizzes

ANSWER = quizzes.Answer
QUIZ = quizzes.Quiz(
    "made",
    [
        quizzes.Question(
            question="Which curve overfits?",
            picture="overfitting_curves",
            answers=[
                ANSWER(answer="A", correct=False, feedback="Both of its losses fall."),
                ANSWER(answer="B", correct=True, feedback="Its validation loss rises."),
            ],
        ),
        quizzes.Question(
            question="Which letters are vowels?",
            picture="histograms",  # beside a picture, answers keep their order
            answers=[
                ANSWER(answer="a", correct=True, feedback="It is."),
                ANSWER(answer="b", correct=False, feedback="It is a consonant."),
                ANSWER(answer="e", correct=True, feedback="It is, too."),
            ],
        ),
    ],
)


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 390, "height": 844})
    opened.set_content(
        f'<!doctype html><html lang="en"><head><title>Quiz</title></head><body><main><h1>Quiz</h1>'
        f"{QUIZ._repr_html_()}</main></body></html>"
    )
    yield opened
    opened.close()


def status_lines(page, number):
    return page.get_by_role("status").nth(number).inner_text().split("\n\n")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_a_single_answer_is_chosen_with_the_arrows_and_judged_only_when_asked(page):
    press(page, "Tab", "Space", "ArrowDown", "ArrowUp")
    assert page.get_by_role("radio").nth(0).is_checked()
    assert status_lines(page, 0) == [""]
    press(page, "Enter")
    assert status_lines(page, 0) == ["That is not right: choose again.", "❌ A: Both of its losses fall."]
    press(page, "ArrowDown", "Tab", "Enter")
    assert status_lines(page, 0) == ["That is right.", "✅ B: Its validation loss rises."]


def test_several_answers_are_chosen_with_the_space_bar_past_a_wrong_one(page):
    page.get_by_role("checkbox").first.focus()
    press(page, "Enter")
    assert status_lines(page, 1) == ["Choose an answer first."]
    press(page, "Space", "Tab", "Space", "Enter")
    wrong = ["1 of 2 right answers chosen, and 1 wrong: choose again.", "✅ a: It is.", "❌ b: It is a consonant."]
    assert status_lines(page, 1) == wrong
    press(page, "Space", "Enter")
    assert status_lines(page, 1) == ["1 of 2 right answers chosen.", "✅ a: It is."]
    press(page, "Tab", "Space", "Enter")
    assert status_lines(page, 1) == ["2 of 2 right answers chosen.", "✅ a: It is.", "✅ e: It is, too."]


def test_a_question_is_the_name_of_its_group_of_answers(page):
    assert page.get_by_role("group", name=re.compile("Which curve overfits")).get_by_role("radio").count() == 2
    assert page.get_by_role("group", name=re.compile("vowels")).get_by_role("checkbox", name="e").count() == 1


def test_it_fits_a_telephone_and_the_accessibility_check_finds_nothing(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("radio").first.check()
    page.get_by_role("button").first.click()
    assert [violation["id"] for violation in Axe().run(page).response["violations"]] == []
