"""What an exercise consists of: its solution, a hint and the mistakes that are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.datasets import Dataset


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    Attributes:
        wrong: what the mistake gives: a function of the dataset for a :class:`ValueExercise`, a wrong version of the
            function for a :class:`FunctionExercise`.
        diagnosis: what was done wrong, after a colon, such as ``you counted images, not groups``.
    """

    wrong: Callable[..., Any]
    diagnosis: str


@dataclass(frozen=True)
class ValueExercise:
    """An exercise whose answer is a number or a name.

    Attributes:
        solve: function of the dataset that computes the answer; a whole number must match exactly, any other number
            within 1 %, text without regard to case.
        hint: how to get there, printed below a wrong answer that no mistake explains.
        mistakes: known wrong answers.
    """

    solve: Callable[[Dataset], float | int | str]
    hint: str
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class FunctionExercise:
    """An exercise whose answer is a function.

    Attributes:
        solve: correct function; its parameters name the inputs in messages.
        cases: function that makes the inputs, one tuple of arguments per call; the same ones every time. Together they
            must tell every mistake from the solution.
        hint: how to get there, printed below a wrong answer that no mistake explains.
        mistakes: known wrong versions of the function.
    """

    solve: Callable[..., Any]
    cases: Callable[[], Sequence[tuple[Any, ...]]]
    hint: str
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True)
class Fault:
    """A fault of an analysis that is to be repaired.

    Attributes:
        remains: returns whether the fault is still in the analysis, from its steps by name.
        diagnosis: step and fault, such as ``split: patients are on both sides``.
    """

    remains: Callable[[Mapping[str, Callable[..., Any]]], bool]
    diagnosis: str


@dataclass(frozen=True)
class RepairExercise:
    """An exercise whose answer is a repaired analysis.

    Attributes:
        steps: names of the functions that it consists of.
        mistakes: its faults, in the order in which they are listed.
        hint: how to start, printed where all faults remain.
    """

    steps: tuple[str, ...]
    mistakes: tuple[Fault, ...]
    hint: str


Exercise = ValueExercise | FunctionExercise | RepairExercise
