"""What a reader is told about a right, a wrong and a missing answer."""

import numpy as np
import pytest

from helpers import datasets, teaching
from helpers.teaching import checking
from helpers.teaching.declarations import FunctionExercise, Mistake, ValueExercise
from helpers.teaching.exercises import CHAPTERS


def dice(truth, predicted):
    total = truth.sum() + predicted.sum()
    return 1.0 if total == 0 else float(2 * (truth & predicted).sum() / total)


def iou(truth, predicted):
    return (truth & predicted).sum() / max((truth | predicted).sum(), 1)


def cases():
    full, empty = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    return [(full, np.eye(2, dtype=bool)), (full, full), (empty, empty)]


def unguarded(truth, predicted):
    return 2 * int((truth & predicted).sum()) / int(truth.sum() + predicted.sum())


DICE = FunctionExercise(
    dice,
    cases,
    "twice the overlap over the sum of the areas",
    (
        Mistake(iou, "you divided by the union (that is IoU)"),
        Mistake(unguarded, "two empty masks agree, so Dice is 1; you divided by zero"),
    ),
)
LIGHTER = FunctionExercise(
    lambda image, step: np.clip(image.astype(int) + step, 0, 255).astype("uint8"),
    lambda: [(np.full((8, 8, 3), 250, "uint8"), 10)],
    "add as int, clip, and convert to uint8",
)
RAREST = ValueExercise(lambda data: "basophil", "the class with the fewest images")


@pytest.fixture
def say(monkeypatch, capsys):
    monkeypatch.setitem(CHAPTERS, "made", {"dice": DICE, "lighter": LIGHTER, "rarest": RAREST})

    def run(exercise, answer):
        if exercise in ("dice", "lighter"):
            teaching.check_function(exercise, answer)
        else:
            teaching.check(exercise, answer, datasets.load("synthetic", n_images=24, n_patients=4))
        return capsys.readouterr().out.rstrip("\n")

    return run


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        ("start-here-count", None, "⬜ Put your answer in place of None and run this cell again."),
        ("start-here-count", 24, "✅ 24 is right."),
        ("start-here-count", 24.0, "✅ 24 is right."),
        ("start-here-count", 24.2, "❌ 24.2 is not it; a whole number is wanted. Hint: len(data) is"),
        ("start-here-count", 4, "❌ 4 is not it: you counted groups, not images."),
        ("start-here-count", 6, "❌ 6 is not it: you counted classes, not images."),
        ("start-here-count", "24", "❌ '24' is a str; the answer is a whole number, such as 12."),
        ("start-here-count", [24], "❌ [24] is a list; the answer is a whole number, such as 12."),
        ("start-here-count", True, "❌ True is a bool"),
        ("start-here-groups", 24, "❌ 24 is not it: you counted images, not groups (patients, where they are known)."),
        ("many-classes-baseline", 1 / 6 + 0.001, "✅ 0.168 is right."),
        ("many-classes-baseline", 1 / 6 + 0.01, "❌ 0.177 is not it; a number is wanted. Hint: "),
        ("many-classes-baseline", 100 / 6, "❌ 16.7 is not it: you gave per cent; give a number between 0 and 1."),
        ("many-classes-baseline", "0.17", "❌ '0.17' is a str; the answer is a number, such as 0.5."),
        ("rarest", " Basophil", "✅  Basophil is right."),
        ("rarest", "monocyte", "❌ monocyte is not it; a name is wanted. Hint: the class with the fewest images."),
        ("rarest", 3, "❌ 3 is a int; the answer is a name, such as 'lymphocyte'."),
    ],
)
def test_values(say, exercise, answer, words):
    assert say(exercise, answer).startswith(words)


def test_241_is_not_240(capsys):
    teaching.check("start-here-count", 241, datasets.load("synthetic", n_images=240, n_patients=12, size=32))
    assert "❌ 241 is not it" in capsys.readouterr().out


def raises(truth, predicted):
    raise ValueError("no\nmasks")


def spoils(truth, predicted):
    value = dice(truth, predicted)
    truth[:] = False
    return value


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "⬜ Put your function in place of None and run this cell again."),
        (
            lambda truth, predicted: None,
            "⬜ Your function returns None: write its body, with return at its end, and run this cell again.",
        ),
        (dice, "✅ Right for all 3 inputs that were tried."),
        (0.5, "❌ 0.5 is a float; give the function itself, without brackets."),
        (lambda a, b: iou(a, b), "❌ Not it: you divided by the union (that is IoU)."),
        (unguarded, "❌ Not it: two empty masks agree, so Dice is 1; you divided by zero."),
        (spoils, "❌ The values are right, but your function changes its input truth; change a copy of it."),
        (
            raises,
            "❌ For truth = array([[True, True], [True, True]]), predicted = array([[True, False], [False, True]]): "
            "your function raises ValueError (no masks). Hint: twice the overlap over the sum of the areas.",
        ),
        (
            lambda truth, predicted: float((truth & predicted).sum()),
            "❌ For truth = array([[True, True], [True, True]]), predicted = array([[True, False], [False, True]]): "
            "expected 0.666667, got 2. Hint: twice the overlap over the sum of the areas.",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_functions(say, answer, words):
    assert say("dice", answer) == words


def test_a_function_that_takes_too_few_inputs_is_told_so(say):
    assert "your function raises TypeError (" in say("dice", lambda truth: 1.0)


def test_large_inputs_are_summarised_and_shape_and_dtype_are_compared(say):
    inputs = "❌ For image = an array of shape (8, 8, 3), uint8, 250 to 250, step = 10: "
    hint = ". Hint: add as int, clip, and convert to uint8."
    wrapped = "192 of 192 values differ, the first at [0, 0, 0]: expected 255, got 4"
    assert say("lighter", lambda image, step: image + np.uint8(step)) == inputs + wrapped + hint
    as_float = say("lighter", lambda image, step: np.clip(image + 10.0, 0, 255))
    assert as_float == f"{inputs}expected an array of dtype uint8, got dtype float64{hint}"
    grey = say("lighter", lambda image, step: image[..., 0])
    assert grey == f"{inputs}expected an array of shape (8, 8, 3), got shape (8, 8){hint}"


def test_an_exercise_that_must_raise_is_right_with_the_same_error(monkeypatch, capsys):
    def first(values):
        if not values:
            raise ValueError("values is empty")
        return values[0]

    monkeypatch.setitem(CHAPTERS, "made", {"first": FunctionExercise(first, lambda: [([1],), ([],)], "raise")})
    teaching.check_function("first", lambda values: next(iter(values), None))
    teaching.check_function("first", first)
    assert capsys.readouterr().out.splitlines() == [
        "❌ For values = []: expected a ValueError, got None. Hint: raise.",
        "✅ Right for all 2 inputs that were tried.",
    ]


def test_an_unknown_exercise_and_the_wrong_kind_of_check_are_errors(say):
    data = datasets.load("synthetic", n_images=6, n_patients=3, size=32)
    with pytest.raises(checking.ExerciseError, match="unknown exercise 'start'; choose from start-here-count, "):
        teaching.check("start", 3, data)
    with pytest.raises(checking.ExerciseError, match=r"'dice' asks for a function; use teaching\.check_function"):
        teaching.check("dice", 3, data)
    with pytest.raises(checking.ExerciseError, match=r"'rarest' asks for a value; use teaching\.check"):
        teaching.check_function("rarest", dice)
