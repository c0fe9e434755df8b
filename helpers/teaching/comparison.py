"""Compare what a reader's function returns with what is expected, and describe inputs, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

# Float32 and float64 agree within this share of a value.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-4, 1e-8
LONGEST_VALUE = 60  # characters of a value in a message; longer ones are summarised


def difference(expected: Any, got: Any) -> str | None:
    """Describe the first difference between two values.

    Numbers may differ by rounding. Arrays must agree in shape, in kind of dtype and in their values; lists and tuples
    count as the same; dictionaries, sets and tables are compared item by item.

    Returns:
        A sentence without its full stop, such as ``expected 0.5, got 0.25``, or None if the values are the same.

    Example:
        >>> difference(0.5, 0.25)
        'expected 0.5, got 0.25'
        >>> difference(np.zeros(4), np.zeros(3))
        'expected an array of shape (4,), got shape (3,)'
    """
    return _comparison(expected)(expected, got)


def describe(value: Any) -> str:
    """Describe a value in a few words: small ones as they are, large ones by type, shape and range.

    Example:
        >>> describe(np.zeros((8, 8), "uint8"))
        'an array of shape (8, 8), uint8, 0 to 0'
    """
    match value:
        case np.ndarray() if value.size > 12:
            limits = f", {value.min():.4g} to {value.max():.4g}" if value.dtype.kind in "iuf" else ""
            return f"an array of shape {value.shape}, {value.dtype}{limits}"
        case np.ndarray():
            return f"array({describe(value.tolist())})"
        case pd.DataFrame():
            return f"a table of {len(value)} rows with the columns {', '.join(map(str, value.columns))}"
        case pd.Series():
            return f"a series of {len(value)} values"
        case bool() | np.bool_():
            return str(bool(value))
        case int() | np.integer():
            return str(int(value))
        case float() | np.floating():
            return f"{value:.6g}"
    text = repr(value)
    short = f"a {type(value).__name__}" + (f" of {len(value)}" if hasattr(value, "__len__") else "")
    return text if len(text) <= LONGEST_VALUE and " object at 0x" not in text else short


def _comparison(expected: Any) -> Callable[[Any, Any], str | None]:
    """Return the comparison for a type of expected value."""
    match expected:
        case pd.DataFrame():
            return _frame_difference
        case pd.Series():
            return _series_difference
        case np.ndarray():
            return _array_difference
        case bool() | np.bool_():
            return _bool_difference
        case int() | float() | np.number():
            return _number_difference
        case dict():
            return _dict_difference
        case set() | frozenset():
            return _set_difference
        case list() | tuple():
            return _sequence_difference
    return _other_difference


def _wrong_type(expected: Any, got: Any) -> str:
    return f"expected {describe(expected)}, got the {type(got).__name__} {describe(got)}"


def _array_difference(expected: np.ndarray, got: Any) -> str | None:
    if not isinstance(got, np.ndarray):
        return f"expected an array of shape {expected.shape}, got a {type(got).__name__}"
    if got.shape != expected.shape:
        return f"expected an array of shape {expected.shape}, got shape {got.shape}"
    if _dtype_kind(got) != _dtype_kind(expected):
        return f"expected an array of dtype {expected.dtype}, got dtype {got.dtype}"
    return _value_difference(expected, got)


def _dtype_kind(array: np.ndarray) -> str:
    """Return what a dtype is for: images (uint8) and masks (bool) are exact, other numbers may have any precision."""
    if array.dtype == np.uint8:
        return "uint8"
    return {"i": "integer", "u": "integer", "f": "float"}.get(array.dtype.kind, array.dtype.kind)


def _value_difference(expected: np.ndarray, got: np.ndarray) -> str | None:
    """Describe where two arrays of one shape differ."""
    if expected.dtype.kind == "f":
        same = np.isclose(got, expected, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE, equal_nan=True)
    else:
        same = np.asarray(got == expected)
    if same.all():
        return None
    first = tuple(int(axis) for axis in np.argwhere(~same)[0])
    where = f" at [{', '.join(map(str, first))}]" if first else ""
    count = f"{(~same).sum()} of {same.size} values differ, the first{where}: " if same.size > 1 else ""
    return f"{count}expected {describe(expected[first])}, got {describe(got[first])}"


def _series_difference(expected: pd.Series, got: Any) -> str | None:
    if not isinstance(got, pd.Series):
        return f"expected a series of {len(expected)} values, got a {type(got).__name__}"
    if len(got) != len(expected):
        return f"expected a series of {len(expected)} values, got {len(got)}"
    if not got.index.equals(expected.index):
        return "the index of the series differs from the expected one"
    return _value_difference(expected.to_numpy(), got.to_numpy())


def _frame_difference(expected: pd.DataFrame, got: Any) -> str | None:
    if not isinstance(got, pd.DataFrame):
        return f"expected a table, got a {type(got).__name__}"
    if list(got.columns) != list(expected.columns):
        return f"expected the columns {list(expected.columns)}, got {list(got.columns)}"
    for column in expected.columns:
        if found := _series_difference(expected[column], got[column]):
            return f"column {column}: {found}"
    return None


def _bool_difference(expected: Any, got: Any) -> str | None:
    if not isinstance(got, bool | np.bool_):
        return _wrong_type(expected, got)
    return None if bool(got) == bool(expected) else f"expected {bool(expected)}, got {bool(got)}"


def _number_difference(expected: Any, got: Any) -> str | None:
    if not isinstance(got, int | float | np.number) or isinstance(got, bool):
        return _wrong_type(expected, got)
    tolerance = 0 if isinstance(expected, int | np.integer) else RELATIVE_TOLERANCE
    if np.isclose(got, expected, rtol=tolerance, atol=ABSOLUTE_TOLERANCE, equal_nan=True):
        return None
    return f"expected {describe(expected)}, got {describe(got)}"


def _dict_difference(expected: dict, got: Any) -> str | None:
    if not isinstance(got, dict):
        return _wrong_type(expected, got)
    if got.keys() != expected.keys():
        return f"expected the keys {describe(list(expected))}, got {describe(list(got))}"
    return next((f"{key!r}: {text}" for key in expected if (text := difference(expected[key], got[key]))), None)


def _set_difference(expected: set | frozenset, got: Any) -> str | None:
    if not isinstance(got, set | frozenset):
        return _wrong_type(expected, got)
    if missing := expected - got:
        return f"{describe(sorted(missing, key=repr)[0])} is missing"
    return f"{describe(sorted(got - expected, key=repr)[0])} does not belong to it" if got - expected else None


def _sequence_difference(expected: list | tuple, got: Any) -> str | None:
    if not isinstance(got, list | tuple):
        return _wrong_type(expected, got)
    if len(got) != len(expected):
        return f"expected {len(expected)} values, got {len(got)}"
    pairs = enumerate(zip(expected, got, strict=True))
    return next((f"value {place}: {text}" for place, (one, other) in pairs if (text := difference(one, other))), None)


def _other_difference(expected: Any, got: Any) -> str | None:
    if type(got) is not type(expected):
        return _wrong_type(expected, got)
    return None if got == expected else f"expected {describe(expected)}, got {describe(got)}"
