"""Check answers to exercises, and say what is wrong with them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from helpers.datasets import Dataset
from helpers.errors import LeukobookError
from helpers.teaching.comparison import describe, difference
from helpers.teaching.declarations import FunctionExercise, RepairExercise, ValueExercise
from helpers.teaching.exercises import CHAPTERS

T = TypeVar("T", ValueExercise, FunctionExercise, RepairExercise)
_KINDS = {int: "a whole number", float: "a number", str: "a name"}
_EXAMPLES = {int: "12", float: "0.5", str: "'lymphocyte'"}

_ANSWERS: dict[type, tuple[str, str]] = {
    ValueExercise: ("a value", "check"),
    FunctionExercise: ("a function", "check_function"),
    RepairExercise: ("an analysis", "check_repair"),
}
_CHANGEABLE = (np.ndarray, pd.DataFrame, pd.Series, list, dict, set)


class ExerciseError(LeukobookError):
    """A notebook checks an exercise that is not declared, or with the wrong function."""


def check(exercise: str, answer: Any, data: Dataset) -> None:
    """Print whether an answer is correct; if not, which mistake it comes from, or a hint.

    Args:
        exercise: name of a :class:`~helpers.teaching.declarations.ValueExercise`.
        answer: number, which must match exactly if it is a count and within 1 % otherwise, or a name; None if not
            answered yet.
        data: dataset of the chapter.

    Raises:
        ExerciseError: the exercise does not exist or asks for a function.

    Example:
        >>> from helpers import datasets, teaching
        >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
        >>> teaching.check("start-here-count", len(data), data)
        ✅ 6 is right.
        >>> teaching.check("start-here-count", 3, data)
        ❌ 3 is not it: you counted groups, not images.
        >>> teaching.check("start-here-count", None, data)
        ⬜ Put your answer in place of None and run this cell again.
    """
    wanted = _find(exercise, ValueExercise)
    print(_judge_value(wanted, answer, data))


def check_function(exercise: str, function: Callable[..., Any] | None) -> None:
    """Run a function on inputs that the reader does not see, and print whether it returns what is expected.

    Args:
        exercise: name of a :class:`~helpers.teaching.declarations.FunctionExercise`.
        function: the reader's function; None if not written yet.

    Raises:
        ExerciseError: the exercise does not exist or asks for a value.
    """
    wanted = _find(exercise, FunctionExercise)
    print(_judge_function(wanted, function))


def check_repair(exercise: str, steps: Mapping[str, Callable[..., Any]] | None) -> None:
    """Run the steps of an analysis on data that the reader does not see, and print which of its faults remain.

    Args:
        exercise: name of a :class:`~helpers.teaching.declarations.RepairExercise`.
        steps: the reader's functions by the name of their step; None if nothing is repaired yet.

    Raises:
        ExerciseError: the exercise does not exist or asks for something else.
    """
    wanted = _find(exercise, RepairExercise)
    print(_judge_repair(wanted, steps))


def _find(exercise: str, kind: type[T]) -> T:
    known = {name: one for exercises in CHAPTERS.values() for name, one in exercises.items()}
    if exercise not in known:
        raise ExerciseError(f"unknown exercise {exercise!r}; choose from {', '.join(known)}")
    wanted = known[exercise]
    if not isinstance(wanted, kind):
        answer, checker = _ANSWERS[type(wanted)]
        raise ExerciseError(f"exercise {exercise!r} asks for {answer}; use teaching.{checker}")
    return wanted


def _judge_value(wanted: ValueExercise, answer: Any, data: Dataset) -> str:
    if answer is None:
        return "⬜ Put your answer in place of None and run this cell again."
    expected = wanted.solve(data)
    kind = _kind(expected)
    if not _has_kind(answer, kind):
        what = type(answer).__name__
        return f"❌ {answer!r} is a {what}; the answer is {_KINDS[kind]}, such as {_EXAMPLES[kind]}."
    shown = _shown(answer)
    if _equal(answer, expected):
        return f"✅ {shown} is right."
    for mistake in wanted.mistakes:
        if _equal(answer, mistake.wrong(data)):
            return f"❌ {shown} is not it: {mistake.diagnosis}."
    if not isinstance(expected, str) and abs(expected) <= 1 and _equal(answer, 100.0 * expected):
        return f"❌ {shown} is not it: you gave per cent; give a number between 0 and 1."
    return f"❌ {shown} is not it; {_KINDS[kind]} is wanted. Hint: {wanted.hint}."


def _judge_repair(wanted: RepairExercise, steps: Mapping[str, Callable[..., Any]] | None) -> str:
    if steps is None:
        return "⬜ Put your analysis in place of None and run this cell again."
    if absent := [name for name in wanted.steps if not callable(steps.get(name))]:
        return f"❌ There is no function for {', '.join(absent)}; the steps are {', '.join(wanted.steps)}."
    remaining = []
    for fault in wanted.mistakes:
        try:
            if fault.remains(steps):
                remaining.append(fault.diagnosis)
        except Exception as error:  # whatever a reader's function raises is part of the answer
            step = fault.diagnosis.partition(":")[0]
            remaining.append(f"{step}: raises {type(error).__name__} ({' '.join(str(error).split())})")
    total = len(wanted.mistakes)
    if not remaining:
        return f"✅ None of {total} faults is left."
    hint = f"\nHint: {wanted.hint}." if len(remaining) == total else ""
    return "\n- ".join([f"❌ {len(remaining)} of {total} faults remain:", *dict.fromkeys(remaining)]) + hint


def _kind(expected: Any) -> type:
    if isinstance(expected, str):
        return str
    return int if isinstance(expected, int | np.integer) else float


def _has_kind(answer: Any, kind: type) -> bool:
    if kind is str:
        return isinstance(answer, str)
    return isinstance(answer, int | float | np.integer | np.floating) and not isinstance(answer, bool)


def _shown(answer: Any) -> str:
    if isinstance(answer, str):
        return answer
    return f"{answer:g}" if float(answer).is_integer() else f"{answer:.3g}"


def _equal(answer: Any, value: Any) -> bool:
    """Return whether an answer is a value: whole numbers exactly, others within 1 %, text without regard to case."""
    if isinstance(value, str):
        return isinstance(answer, str) and answer.strip().casefold() == value.strip().casefold()
    return bool(np.isclose(answer, value, rtol=1e-9 if _kind(value) is int else 0.01, atol=0))


@dataclass(frozen=True)
class _Outcome:
    """What a function did with one input: the value that it returned, or the error that it raised."""

    value: Any
    error: Exception | None
    changed: str | None  # name of an argument that the function changed


def _judge_function(wanted: FunctionExercise, function: Any) -> str:
    if function is None:
        return "⬜ Put your function in place of None and run this cell again."
    if not callable(function):
        return f"❌ {describe(function)} is a {type(function).__name__}; give the function itself, without brackets."
    cases = wanted.cases()
    names = list(inspect.signature(wanted.solve).parameters)
    expected = [_run(wanted.solve, case, names) for case in cases]
    outcomes = [_run(function, case, names) for case in cases]
    if all(outcome.value is None and outcome.error is None for outcome in outcomes):
        return "⬜ Your function returns None: write its body, with return at its end, and run this cell again."
    differences = [_outcome_difference(*pair) for pair in zip(expected, outcomes, strict=True)]
    if any(differences) and (diagnosis := _diagnose(wanted, cases, outcomes)):
        return f"❌ Not it: {diagnosis}."
    for case, text in zip(cases, differences, strict=True):
        if text:
            return f"❌ {_describe_case(names, case)}: {text}. Hint: {wanted.hint}."
    for outcome in outcomes:
        if outcome.changed:
            return (
                f"❌ The values are right, but your function changes its input {outcome.changed}; change a copy of it."
            )
    return f"✅ Right for all {len(cases)} inputs that were tried."


def _run(function: Callable[..., Any], case: tuple[Any, ...], names: Sequence[str]) -> _Outcome:
    """Call a function on copies of the arguments, which it may change."""
    arguments = copy.deepcopy(case)
    try:
        value, error = function(*arguments), None
    except Exception as raised:  # whatever a reader's function raises is part of the answer
        value, error = None, raised
    return _Outcome(value, error, _changed_input(names, case, arguments))


def _changed_input(names: Sequence[str], before: tuple[Any, ...], after: tuple[Any, ...]) -> str | None:
    """Return the name of the first array, collection or table that a function has changed."""
    for name, old, new in zip(names, before, after, strict=False):
        if isinstance(old, _CHANGEABLE) and difference(old, new):
            return name
    return None


def _outcome_difference(expected: _Outcome, got: _Outcome) -> str | None:
    """Describe how an outcome differs from the expected one, of which an error may be part."""
    if got.error is not None:
        if type(got.error) is type(expected.error):
            return None
        message = " ".join(str(got.error).split())
        return f"your function raises {type(got.error).__name__}" + (f" ({message})" if message else "")
    if expected.error is not None:
        return f"expected a {type(expected.error).__name__}, got {describe(got.value)}"
    return difference(expected.value, got.value)


def _diagnose(wanted: FunctionExercise, cases: Sequence[tuple[Any, ...]], outcomes: list[_Outcome]) -> str | None:
    """Return the diagnosis of the known mistake that does the same on every input."""
    for mistake in wanted.mistakes:
        wrong = [_run(mistake.wrong, case, ()) for case in cases]
        if not any(_outcome_difference(*pair) for pair in zip(wrong, outcomes, strict=True)):
            return mistake.diagnosis
    return None


def _describe_case(names: Sequence[str], case: tuple[Any, ...]) -> str:
    inputs = (f"{name} = {describe(value)}" for name, value in zip(names, case, strict=False))
    return f"For {', '.join(inputs)}"
