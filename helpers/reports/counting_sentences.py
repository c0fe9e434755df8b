"""Sentences on detectors and differential counts, computed with the numbers that they are about."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import metrics
from helpers.reports.published import NO_BOOK, PublishedTable

_SENSITIVITY, _PRECISION = "sensitivity", "precision"


def count_fields(frame: pd.DataFrame, cells: pd.DataFrame, train_groups: Sequence[str]) -> pd.DataFrame:
    """Tabulate fields, white blood cells and blasts by patient.

    Args:
        frame: table of the fields, with ``group``.
        cells: annotated cells with ``group`` and ``label``.
        train_groups: patients for training.

    Returns:
        Columns ``patient``, ``split``, ``fields``, ``cells`` and one per type.
    """
    by_type = pd.crosstab(cells["group"], cells["label"])
    table = pd.DataFrame({"fields": frame.groupby("group").size(), "cells": by_type.sum(axis=1)}).join(by_type)
    split = ["train" if name in set(train_groups) else "test" for name in table.index]
    table.insert(0, "split", split)
    return table.rename_axis("patient").reset_index()


def describe_detectors(compared: pd.DataFrame) -> str:
    """Say of each detector how many cells it misses and how many of its boxes are none, and how far its count is off.

    Args:
        compared: columns ``detector``, ``measure`` and ``value``.
    """
    sentences = []
    for name, own in compared.groupby("detector", sort=False):
        value = own.set_index("measure")["value"]
        sentences.append(
            f"*{str(name).capitalize()}* misses {1 - value[_SENSITIVITY]:.1%} of the cells, "
            f"{1 - value[_PRECISION]:.1%} of its boxes are no cell, and a field is miscounted by "
            f"{value['mean absolute counting error']:.2f} cells on average."
        )
    return " ".join(sentences)


def describe_stored_detectors(stored: PublishedTable | None) -> str:
    """Say how detectors of a stored run do on sources that they were not trained on.

    Args:
        stored: columns ``trained on``, ``tested on``, ``measure``, ``value``, ``low`` and ``high``; None where only
            the package is installed.
    """
    if stored is None:
        return NO_BOOK
    frame = stored.frame
    sentences = [f"Real blood, a {stored.origin}."]
    for (trained, tested), own in frame.groupby(["trained on", "tested on"], sort=False):
        if str(tested).startswith("synthetic"):
            continue
        row = own.set_index("measure")
        sentences.append(
            f"{tested}, by {trained}: average precision at IoU 0.5 "
            f"{_interval(row.loc['AP at IoU 0.5'])}, sensitivity {_interval(row.loc[_SENSITIVITY])}, precision "
            f"{_interval(row.loc[_PRECISION])}."
        )
    return " ".join(sentences)


def _interval(row: pd.Series) -> str:
    return f"**{row['value']:.3f}** [{row['low']:.3f}, {row['high']:.3f}]"


def describe_coverage(differential: pd.DataFrame, blood: pd.DataFrame) -> str:
    """Say how many intervals of the shares hold the share in the blood, and name those that do not.

    Args:
        differential: columns ``group``, ``class``, ``low`` and ``high``.
        blood: columns ``group``, ``class`` and ``share``, the true one.
    """
    joined = differential.merge(blood, on=["group", "class"], suffixes=("", "_blood"))
    held = (joined["low"] <= joined["share_blood"]) & (joined["share_blood"] <= joined["high"])
    missed = [
        f"{row['class']} of {row['group']} ({row['share']:.1%}, in the blood {row['share_blood']:.1%})"
        for _, row in joined[~held].iterrows()
    ]
    words = f"{held.sum()} of {len(joined)} intervals hold the share in the blood; of perfect counts, about 95 % would."
    return f"{words} Not held: {'; '.join(missed)}." if missed else words


def answer_the_ward(first: int, second: int, n: int) -> str:
    """Say whether two counts of a type in the same blood differ by more than chance.

    Args:
        first: cells of the type in the first count.
        second: cells of the type in the second count.
        n: cells in each count.
    """
    (low_a, high_a), (low_b, high_b) = (metrics.rumke_limits(number / n, n) for number in (first, second))
    p_value = metrics.difference_p_value(first, n, second, n)
    verdict = "more than chance explains" if p_value < 0.05 else "no more than chance explains"
    return (
        f"{first} of {n} cells means {low_a:.1%} to {high_a:.1%}, and {second} of {n} means {low_b:.1%} to "
        f"{high_b:.1%} "
        f"(95 % limits). The two counts differ by {verdict} (exact test, p = {p_value:.2f})."
    )


def describe_steps(by_step: pd.DataFrame) -> str:
    """Say which step adds most to the error of the shares, and whether the correction takes some back.

    Args:
        by_step: columns ``step`` and ``mean absolute error``, in percentage points, in the order of the steps; the
            last is the correction.
    """
    error = by_step.set_index("step")["mean absolute error"]
    first, before, last = error.index[0], error.index[-2], error.index[-1]
    added = error.diff().iloc[1:-1]
    most = added.idxmax()
    change = error[last] - error[before]
    words = "takes some of it back" if change < 0 else "does not take it back here"
    return (
        f"The sample alone ({first}) is off by {error[first]:.1f} percentage points on average. Of the steps of the "
        f"machine, *{most}* adds most ({added[most]:+.1f}), and the count ends at {error[before]:.1f}. The correction "
        f"{words} ({change:+.1f})."
    )
