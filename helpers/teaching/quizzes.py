"""Show quizzes that keyboard and screen reader can answer: one answer or several, with pictures."""

from __future__ import annotations

import base64
import html
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpers import yamlfile
from helpers.errors import LeukobookError
from helpers.plots import AccessibleFigure
from helpers.teaching import counting_pictures, laboratory_pictures, pictures

QUIZZES = Path(__file__).parents[1] / "quizzes"
_KEYS = "a question has 'question', 'answers' and perhaps 'picture'; an answer has 'answer', 'correct' and 'feedback'"
_CODE = re.compile(r"`([^`]+)`")
_ASSETS = ("quiz.css", "quiz.js")
# JupyterLab takes keys such as the arrows for its own commands, unless the focused element itself has this attribute.
_OWN_KEYS = 'data-lm-suppress-shortcuts="true"'


class QuizError(LeukobookError):
    """An unusable quiz; the message states the file, the line and a remedy."""


class Answer(BaseModel):
    """One answer to choose.

    Attributes:
        answer: text of the answer; code stands between backticks.
        correct: whether it is to be chosen.
        feedback: explanation, shown once the answer is checked.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    answer: str = Field(min_length=1)
    correct: bool
    feedback: str = Field(min_length=1)


class Question(BaseModel):
    """A question, of which one answer or several are correct.

    Attributes:
        question: text of the question; code stands between backticks.
        picture: name of a function in :func:`known_pictures`; None for a question without a picture.
        answers: at least two answers; of several correct ones all are to be chosen.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    question: str = Field(min_length=1)
    picture: str | None = None
    answers: list[Answer] = Field(min_length=2)

    @property
    def n_correct(self) -> int:
        """Number of correct answers."""
        return sum(answer.correct for answer in self.answers)


@dataclass(frozen=True)
class Quiz:
    """A quiz, which a notebook shows as a form; it needs no network, and nothing is sent anywhere."""

    name: str
    questions: list[Question]

    def __repr__(self) -> str:
        return f"Quiz of {len(self.questions)} questions; it is answered in the notebook or on the page."

    def _repr_html_(self) -> str:
        style, script = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _ASSETS)
        forms = "\n".join(_form(number, question) for number, question in enumerate(self.questions, 1))
        opening = f'<section class="leukobook-quiz" aria-label="Quiz {self.name}">'
        return f"{opening}\n<style>{style}</style>\n{forms}\n<script>{script}</script>\n</section>"


def quiz(chapter: str) -> Quiz:
    """Return the quiz of a chapter, which the notebook shows.

    Args:
        chapter: name of a file in ``helpers/quizzes``, without its suffix.

    Raises:
        QuizError: the quiz does not exist or is not a list of questions.
        YamlError: the file is not YAML.

    Example:
        >>> from helpers import teaching
        >>> teaching.quiz("none")
        Traceback (most recent call last):
        helpers.teaching.quizzes.QuizError: there is no quiz 'none' in helpers/quizzes
    """
    path = QUIZZES / f"{chapter}.yaml"
    if not path.exists():
        raise QuizError(f"there is no quiz {chapter!r} in helpers/quizzes")
    return Quiz(chapter, read_questions(path))


def read_questions(path: Path) -> list[Question]:
    """Read the questions of a quiz.

    Raises:
        QuizError: the file is not a list of questions, a picture does not exist, or no answer is correct.
        YamlError: the file is not YAML.
    """
    document = yamlfile.read(path)
    if not isinstance(document.value, list) or not document.value:
        raise QuizError(f"{path.name}: is not a list of questions; {_KEYS}")
    questions = []
    for number, value in enumerate(document.value):
        try:
            question = Question.model_validate(value)
        except ValidationError as error:
            wrong = error.errors()[0]
            line = document.line((number, *wrong["loc"]))
            raise QuizError(f"{path.name}, line {line}: {_explain(wrong['type'], wrong['loc'])}") from None
        line = document.line((number,))
        if not 1 <= question.n_correct < len(question.answers):
            raise QuizError(
                f"{path.name}, line {line}: {question.n_correct} of {len(question.answers)} answers are "
                "correct; at least one must be correct and one wrong"
            )
        if question.picture is not None and question.picture not in known_pictures():
            line = document.line((number, "picture"))
            raise QuizError(
                f"{path.name}, line {line}: unknown picture {question.picture!r}; choose from "
                f"{', '.join(sorted(known_pictures()))}"
            )
        questions.append(question)
    return questions


def _explain(problem: str, location: tuple[str | int, ...]) -> str:
    """Say what is wrong with a value of a question, and what it should be."""
    key = str(location[-1]) if location else "the question"
    expected = {
        "extra_forbidden": f"unknown key {key!r}",
        "missing": f"{key!r} is missing",
        "string_type": f"{key!r} must be text; put numbers, yes and no in quotes",
        "string_too_short": f"{key!r} is empty",
        "bool_type": f"{key!r} must be true or false",
        "too_short": "a question needs at least two answers",
    }
    return f"{expected.get(problem, f'{key!r} has the wrong form')}; {_KEYS}"


def known_pictures() -> dict[str, Callable[[], AccessibleFigure]]:
    """Return the pictures for questions by name: the public functions of the three modules of pictures."""
    return {
        name: value
        for module in (pictures, laboratory_pictures, counting_pictures)
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and value.__module__ == module.__name__
    }


def _form(number: int, question: Question) -> str:
    """Return one question as a form; with a picture, answers keep their order, else a fixed random one."""
    answers = list(question.answers)
    if question.picture is None:
        random.Random(question.question).shuffle(answers)
    kind = "radio" if question.n_correct == 1 else "checkbox"
    instruction = "" if question.n_correct == 1 else '<p class="instruction">Choose all that apply.</p>'
    options = "\n".join(
        f'<label><input type="{kind}" name="answer" value="{place}" {_OWN_KEYS}> '
        f"<span>{_text(answer.answer)}</span></label>"
        for place, answer in enumerate(answers)
    )
    feedback = "\n".join(
        f'<p hidden data-correct="{str(answer.correct).lower()}">{"✅" if answer.correct else "❌"} '
        f"<strong>{_text(answer.answer)}</strong>: {_text(answer.feedback)}</p>"
        for answer in answers
    )
    return (
        f"<form><fieldset><legend>{number}. {_text(question.question)}</legend>\n{_picture(question)}{instruction}"
        f'{options}\n<button type="submit" {_OWN_KEYS}>Check the answer</button>\n'
        f'<div role="status"><p class="verdict" hidden></p>\n{feedback}</div></fieldset></form>'
    )


def _picture(question: Question) -> str:
    if question.picture is None:
        return ""
    figure = known_pictures()[question.picture]()
    image = base64.b64encode(figure.to_png()).decode("ascii")
    return f'<img src="data:image/png;base64,{image}" alt="{html.escape(figure.alt)}">\n'


def _text(text: str) -> str:
    """Escape text for HTML, with code between backticks."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))
