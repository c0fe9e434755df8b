"""Differences between values, in words."""

import numpy as np
import pandas as pd
import pytest

from helpers.teaching.comparison import describe, difference

SERIES = pd.Series([1, 2], index=["a", "b"])
TABLE = pd.DataFrame({"fold": [0, 1], "share": [0.5, 0.25]})


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (0.5, np.float32(0.50001)),
        (3, 3.0),
        (float("nan"), np.nan),
        (True, np.True_),
        (np.array([0.1, np.nan]), np.array([0.1, np.nan], "float32")),
        (np.arange(3, dtype="int32"), np.arange(3)),
        ([1, (2, 3)], (1, [2, 3])),
        ({"a": 1}, {"a": 1}),
        ({1, 2}, {2, 1}),
        (SERIES, SERIES.copy()),
        (TABLE, TABLE.copy()),
        ("blast", "blast"),
    ],
)
def test_values_that_differ_by_rounding_or_precision_alone_are_the_same(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "words"),
    [
        (0.5, 0.51, "expected 0.5, got 0.51"),
        (3, 3.2, "expected 3, got 3.2"),
        (3, "3", "expected 3, got the str '3'"),
        (1, True, "expected 1, got the bool True"),
        (True, 1, "expected True, got the int 1"),
        (np.zeros(3), np.zeros(4), "expected an array of shape (3,), got shape (4,)"),
        (np.zeros(3), [0, 0, 0], "expected an array of shape (3,), got a list"),
        (np.zeros(3, bool), np.zeros(3, int), "expected an array of dtype bool, got dtype int64"),
        (np.zeros(3, "uint8"), np.zeros(3, int), "expected an array of dtype uint8, got dtype int64"),
        (np.zeros(3), np.zeros(3, int), "expected an array of dtype float64, got dtype int64"),
        (np.eye(2, dtype=int), np.ones((2, 2), int), "2 of 4 values differ, the first at [0, 1]: expected 0, got 1"),
        ([1, 2], [1, 3], "value 1: expected 2, got 3"),
        ([1, 2], [1], "expected 2 values, got 1"),
        ([1, 2], 1, "expected [1, 2], got the int 1"),
        ({"a": 1}, {"b": 1}, "expected the keys ['a'], got ['b']"),
        ({"a": 1}, {"a": 2}, "'a': expected 1, got 2"),
        ({"x", "y"}, {"x"}, "'y' is missing"),
        ({"x"}, {"x", "y"}, "'y' does not belong to it"),
        (SERIES, [1, 2], "expected a series of 2 values, got a list"),
        (SERIES, SERIES[:1], "expected a series of 2 values, got 1"),
        (SERIES, SERIES[::-1], "the index of the series differs from the expected one"),
        (SERIES, SERIES + 1, "2 of 2 values differ, the first at [0]: expected 1, got 2"),
        (TABLE, TABLE[["fold"]], "expected the columns ['fold', 'share'], got ['fold']"),
        (TABLE, TABLE.assign(fold=0), "column fold: 1 of 2 values differ, the first at [1]: expected 1, got 0"),
        ("blast", "lymphocyte", "expected 'blast', got 'lymphocyte'"),
        (None, 3, "expected None, got the int 3"),
    ],
)
def test_the_first_difference_is_described(expected, got, words):
    assert difference(expected, got) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([[1, 0], [0, 1]]), "array([[1, 0], [0, 1]])"),
        (np.zeros((8, 8, 3), "uint8"), "an array of shape (8, 8, 3), uint8, 0 to 0"),
        (np.full(20, True), "an array of shape (20,), bool"),
        (1234567, "1234567"),
        (np.float64(1 / 3), "0.333333"),
        ("blast", "'blast'"),
        (list(range(100)), "a list of 100"),
        (object(), "a object"),
        (TABLE, "a table of 2 rows with the columns fold, share"),
        (SERIES, "a series of 2 values"),
    ],
)
def test_inputs_are_described_in_one_short_line(value, words):
    assert describe(value) == words
