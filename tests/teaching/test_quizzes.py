"""Quizzes: what a file must contain, and the form that it becomes."""

import re

import pytest

from helpers.teaching import quizzes
from helpers.yamlfile import YamlError

ONE = """
- question: Which images does `fit` see?
  answers:
    - {answer: Those for training, correct: true, feedback: Right.}
    - {answer: "All, <b>even</b> the test", correct: false, feedback: Then the test would be spoilt.}
"""
SEVERAL = """
- question: Which curves rise?
  picture: overfitting_curves
  answers:
    - {answer: A, correct: true, feedback: It rises.}
    - {answer: B, correct: false, feedback: It falls.}
    - {answer: C, correct: true, feedback: It rises later.}
"""


@pytest.fixture
def read(tmp_path):
    def questions(text):
        path = tmp_path / "made.yaml"
        path.write_text(text, encoding="utf-8")
        return quizzes.read_questions(path)

    return questions


def test_one_correct_answer_gives_radio_buttons_and_several_give_checkboxes(read):
    one, several = (quizzes.Quiz("made", read(text))._repr_html_() for text in (ONE, SEVERAL))
    assert re.findall(r'type="(\w+)" name', one) == ["radio"] * 2
    assert re.findall(r'type="(\w+)" name', several) == ["checkbox"] * 3
    assert "Choose all that apply." in several
    assert "Choose all that apply." not in one


def test_jupyterlab_leaves_the_keys_to_every_control(read):
    form = quizzes.Quiz("made", read(ONE + SEVERAL))._repr_html_()
    assert form.count('data-lm-suppress-shortcuts="true">') == len(re.findall("<input|<button", form)) == 7


def test_text_is_escaped_and_code_is_code(read):
    form = quizzes.Quiz("made", read(ONE))._repr_html_()
    assert "1. Which images does <code>fit</code> see?" in form
    assert "All, &lt;b&gt;even&lt;/b&gt; the test" in form
    assert "<b>" not in form


def test_answers_are_mixed_the_same_way_every_time_and_keep_their_order_beside_a_picture(read):
    lines = "".join(f"    - {{answer: '{n}', correct: {str(n == 0).lower()}, feedback: f}}\n" for n in range(8))
    mixed = quizzes.Quiz("made", read(f"- question: Which?\n  answers:\n{lines}"))
    order = re.findall(r"<span>(\d)</span>", mixed._repr_html_())
    assert sorted(order) == list("01234567") != order
    assert mixed._repr_html_() == mixed._repr_html_()
    beside = quizzes.Quiz("made", read(SEVERAL))._repr_html_()
    assert re.findall(r"<span>(\w)</span>", beside) == ["A", "B", "C"]


def test_a_picture_is_in_the_question_with_its_alt_text(read):
    form = quizzes.Quiz("made", read(SEVERAL))._repr_html_()
    (alt,) = re.findall(r'<img src="data:image/png;base64,[A-Za-z0-9+/=]+" alt="([^"]+)">', form)
    assert alt == quizzes.known_pictures()["overfitting_curves"]().alt


def test_nothing_is_loaded_from_a_network_and_a_quiz_without_a_screen_is_a_sentence(read):
    quiz = quizzes.Quiz("made", read(ONE + SEVERAL))
    assert "http" not in quiz._repr_html_()
    assert repr(quiz) == "Quiz of 2 questions; it is answered in the notebook or on the page."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("question: Which?", "made.yaml: is not a list of questions; a question has 'question', 'answers' and"),
        ("[]", "made.yaml: is not a list of questions"),
        ("- Which?", "made.yaml, line 1: 'the question' has the wrong form"),
        (ONE.replace("question:", "q:"), "made.yaml, line 2: 'question' is missing"),
        (ONE.replace("  answers", "  type: many\n  answers"), "made.yaml, line 3: unknown key 'type'"),
        (ONE.replace("Those for training", "12"), "line 4: 'answer' must be text; put numbers, yes and no in quotes"),
        (ONE.replace("correct: true", "correct: perhaps"), "made.yaml, line 4: 'correct' must be true or false"),
        (ONE.replace(", feedback: Right.", ""), "made.yaml, line 4: 'feedback' is missing"),
        (ONE.replace("feedback: Right.", 'feedback: ""'), "made.yaml, line 4: 'feedback' is empty"),
        (ONE.replace("Those for", "Those, for"), "made.yaml, line 4: unknown key 'for training'"),
        (ONE.rpartition("    - ")[0], "made.yaml, line 3: a question needs at least two answers"),
        (ONE.replace("true", "false"), "line 2: 0 of 2 answers are correct; at least one must be correct and one wr"),
        (ONE.replace("false", "true"), "made.yaml, line 2: 2 of 2 answers are correct"),
        (SEVERAL.replace("overfitting_", ""), "made.yaml, line 3: unknown picture 'curves'; choose from "),
    ],
)
def test_an_unusable_file_is_refused_with_its_line_and_a_remedy(read, text, complaint):
    with pytest.raises(quizzes.QuizError) as error:
        read(text)
    assert complaint in str(error.value)


def test_what_is_not_yaml_and_a_quiz_that_does_not_exist_are_refused(read):
    with pytest.raises(YamlError, match=r"made.yaml, line 1: not YAML"):
        read("- question: a: b")
    with pytest.raises(quizzes.QuizError, match="there is no quiz 'none' in helpers/quizzes"):
        quizzes.quiz("none")


@pytest.mark.parametrize("path", sorted(quizzes.QUIZZES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_quizzes_of_the_course_can_be_shown(path):
    quiz = quizzes.quiz(path.stem)
    assert quiz._repr_html_().count("<fieldset>") == len(quiz.questions) >= 3
