"""Sentences on detectors and differential counts, computed with the numbers that they are about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import metrics
from helpers.metrics.overdispersion import dispersion_of_cells
from helpers.reports.published import NO_BOOK, PublishedTable

_SENSITIVITY, _PRECISION = "sensitivity", "precision"
N_SHUFFLES = 200


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
    error = compared[compared["measure"] == "mean absolute counting error"].set_index("detector")["value"]
    if len(error) > 1 and error.nunique() > 1:
        sentences.append(f"*{str(error.idxmin()).capitalize()}* counts these fields better.")
    return " ".join(sentences)


def describe_stored_detectors(stored: PublishedTable | None) -> str:
    """Say how a detector of a stored run does on real blood of a source that it was not trained on.

    Of the detectors that have not seen a source, the one with the most sources is described, beside the one that is not
    trained at all, whose sources are in brackets.

    Args:
        stored: columns ``trained on``, ``tested on``, ``measure``, ``value`` and ``n``; None where only the package is
            installed.
    """
    if stored is None:
        return NO_BOOK
    sentences = [f"Real blood, {stored.origin}."]
    for tested, rows in stored.frame.groupby("tested on", sort=False):
        trained = [str(name) for name in rows["trained on"].unique() if str(tested) not in str(name)]
        untrained = [name for name in trained if name.startswith("(")]
        if str(tested).startswith("synthetic") or not untrained or trained[-1] in untrained:
            continue
        words = [
            f"{name} misses {1 - value[_SENSITIVITY]:.1%} of the cells, and {1 - value[_PRECISION]:.1%} of its boxes "
            "are no cell"
            for name, value in (
                (f"the network, trained on {trained[-1]},", _values(rows, trained[-1])),
                (untrained[0].strip("()"), _values(rows, untrained[0])),
            )
        ]
        n = rows.loc[rows["measure"] == _SENSITIVITY, "n"].iloc[0]
        sentences.append(f"{tested} ({n} cells): {'; '.join(words)}.")
    return " ".join(sentences)


def _values(rows: pd.DataFrame, trained: str) -> pd.Series:
    return rows[rows["trained on"] == trained].set_index("measure")["value"]


def describe_stored_types(types: PublishedTable | None, counted: PublishedTable | None) -> str:
    """Say how well classifiers of a stored run name cells of real blood, and which shares their intervals hold.

    Args:
        types: columns ``trained on``, ``tested on``, ``measure``, ``value``, ``low``, ``high`` and ``n``; None where
            only the package is installed.
        counted: columns ``trained on``, ``class``, ``true share``, ``share`` and ``holds the true share``.
    """
    if types is None or counted is None:
        return NO_BOOK
    accuracy = types.frame[types.frame["measure"] == "accuracy"]
    named = [
        f"trained on {row['trained on']}, tested on {row['tested on']} {row['value']:.2f} "
        f"[{row['low']:.2f}, {row['high']:.2f}], {row['n']} cells"
        for _, row in accuracy.iterrows()
    ]
    sentences = [f"Real blood, {types.origin}. Accuracy: {'; '.join(named)}."]
    for trained, own in counted.frame.groupby("trained on", sort=False):
        missed = [
            f"{row['class']} {row['share']:.1%} in place of {row['true share']:.1%}"
            for _, row in own[~own["holds the true share"]].iterrows()
        ]
        words = f" Not held: {', '.join(missed)}." if missed else ""
        sentences.append(
            f"Differential, trained on {trained}: {own['holds the true share'].sum()} of {len(own)} intervals hold the "
            f"share among the annotated cells.{words}"
        )
    return " ".join(sentences)


def describe_coverage(differential: pd.DataFrame, blood: pd.DataFrame) -> str:
    """Say how many intervals of the shares hold the share in the blood, and name those that do not.

    Args:
        differential: columns ``group``, ``class``, ``low`` and ``high``.
        blood: columns ``group``, ``class`` and ``share``, the true one.
    """
    joined = _with_blood(differential, blood)
    held = joined["held"]
    missed = [
        f"{row['class']} of {row['group']} ({row['share']:.1%} [{row['low']:.1%}, {row['high']:.1%}], in the blood "
        f"{row['share_blood']:.1%})"
        for _, row in joined[~held].iterrows()
    ]
    words = (
        f"{held.sum()} of {len(joined)} intervals hold the share in the blood; of perfect counts, "
        f"{0.95 * len(joined):.0f} would on average."
    )
    return f"{words} Not held: {'; '.join(missed)}." if missed else words


def _with_blood(differential: pd.DataFrame, blood: pd.DataFrame) -> pd.DataFrame:
    """Join the true shares as ``share_blood``, and say in ``held`` whether the interval holds them."""
    joined = differential.merge(blood.rename(columns={"share": "share_blood"}), on=["group", "class"])
    return joined.assign(held=joined["share_blood"].between(joined["low"], joined["high"]))


def compare_with_simultaneous(single: pd.DataFrame, together: pd.DataFrame, blood: pd.DataFrame) -> str:
    """Say how much wider intervals that hold together are, and of how many patients each kind holds every share.

    Args:
        single: columns ``group``, ``class``, ``low`` and ``high``, each interval for itself.
        together: the same columns of simultaneous intervals.
        blood: columns ``group``, ``class`` and ``share``, the true one.
    """
    widths, whole = [], []
    for intervals in (single, together):
        joined = _with_blood(intervals, blood)
        widths.append((joined["high"] - joined["low"]).mean())
        whole.append(int(joined.groupby("group")["held"].all().sum()))
    return (
        f"A mean interval is {100 * widths[0]:.1f} percentage points wide by itself and {100 * widths[1]:.1f} if all "
        f"are to hold together ({widths[1] / widths[0]:.2f} times). All shares lie in their single intervals in "
        f"{whole[0]} of {single['group'].nunique()} patients, and in the wider ones in {whole[1]}."
    )


def answer_the_ward(first: int, second: int, n: int) -> str:
    """Say whether two counts of a type in the same blood differ by more than chance.

    Args:
        first: cells of the type in the first count.
        second: cells of the type in the second count.
        n: cells in each count.
    """
    (low_a, high_a), (low_b, high_b) = (metrics.rumke_limits(number / n, n) for number in (first, second))
    p_value = metrics.difference_p_value(first, n, second, n)
    text = (
        f"{first} of {n} cells means {low_a:.1%} to {high_a:.1%}, and {second} of {n} means {low_b:.1%} to "
        f"{high_b:.1%} (exact two-sided 95 % limits). "
    )
    p_words = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    if p_value < 0.05:
        return text + f"Chance alone seldom makes two counts so different (exact test, {p_words})."
    both = first + second
    low, high = metrics.rumke_limits(both / (2 * n), 2 * n)
    return (
        f"{text}The two counts show no difference (exact test, {p_words}), which does not prove that there is "
        f"none. Together they are {both} of {2 * n}, {both / (2 * n):.1%} [{low:.1%}, {high:.1%}]."
    )


def describe_referred_cells(cells: pd.DataFrame) -> str:
    """Say how many detections are referred, and how many of them and of the others are named wrongly.

    Args:
        cells: detections with ``label``, the true class and "" where there is no cell, ``predicted_class`` and
            ``refer``.
    """
    wrong = cells["predicted_class"] != cells["label"]
    parts = [
        f"{cells['refer'].sum()} of {len(cells)} boxes are referred ({cells['refer'].mean():.0%}). Wrong "
        f"names: {wrong.sum()}, of which {(cells['label'] == '').sum()} on boxes without a cell."
    ]
    for words, own in (("the referred", wrong[cells["refer"]]), ("the others", wrong[~cells["refer"]])):
        if len(own):
            parts.append(f"Of {words}, {own.mean():.0%} are named wrongly ({own.sum()} of {len(own)}).")
    return " ".join(parts)


def describe_called_cells(cells: pd.DataFrame, name: str) -> str:
    """Say of each patient with cells that are called a class how many of them belong to it, and how many are referred.

    Args:
        cells: detections with ``group``, ``label``, ``predicted_class`` and ``refer``.
        name: the class.
    """
    called = cells[cells["predicted_class"] == name]
    parts = [
        f"{group}: {len(own)} called {name}, {(own['label'] == name).sum()} rightly, {own['refer'].sum()} referred."
        for group, own in called.groupby("group")
    ]
    return " ".join(parts) if parts else f"No cell is called {name}."


def describe_overdispersion(cells: pd.DataFrame, seed: int) -> str:
    """Say by how much fields multiply the variance of each patient's shares, and whether the largest factor is chance.

    The names of every patient are shuffled among its fields, which leaves the number of cells of each field and each
    class as it is, and the largest factor is compared with the largest of each shuffle; one patient's would seem rare
    too often, as it was picked. The factor is estimated from the annotated names as well.

    Args:
        cells: detections with ``image``, ``group``, ``label`` (annotated; of what is no cell, another name) and
            ``predicted_class``.
        seed: random seed of the shuffles.
    """
    factors = {str(group): dispersion_of_cells(own, own["predicted_class"]) for group, own in cells.groupby("group")}
    known = {group: factor for group, factor in factors.items() if not np.isnan(factor)}
    if not known:
        return "No patient has enough fields for an estimate of the overdispersion."
    group = max(known, key=lambda name: known[name])
    listed = ", ".join(f"{name} {factor:.2f}" for name, factor in known.items())
    if known[group] == 1:
        return f"Overdispersion by patient: {listed}. There is no sign that cells of one field are alike."
    patients = [own for name, own in cells.groupby("group") if name in known]
    random = np.random.default_rng(seed)
    largest = []
    for _ in range(N_SHUFFLES):
        shuffled = [pd.Series(random.permutation(own["predicted_class"].to_numpy())) for own in patients]
        largest.append(max(dispersion_of_cells(*pair) for pair in zip(patients, shuffled, strict=True)))
    n_as_large = int(np.sum(np.array(largest) >= known[group]))
    own = cells[cells["group"] == group]
    annotated = dispersion_of_cells(own, own["label"])
    known_names = "" if np.isnan(annotated) else f" With the annotated names, that of {group} is {annotated:.2f}."
    chance = (n_as_large + 1) / (N_SHUFFLES + 1)
    return (
        f"Overdispersion by patient: {listed}.{known_names} With the names shuffled among a patient's fields, the "
        f"largest is as large in {n_as_large} of {N_SHUFFLES} shuffles"
        + (", so that it may well be chance." if chance >= 0.05 else ": chance alone seldom makes it so large.")
    )


def describe_steps(by_step: pd.DataFrame, remedies: Sequence[str]) -> str:
    """Say which step adds most to the error of the shares, and whether each remedy lowers it.

    Args:
        by_step: columns ``step`` and ``mean absolute error``, in percentage points; the steps in their order, then
            the remedies.
        remedies: those steps that are to lower the error, each compared with the last step before them.
    """
    error = by_step.set_index("step")["mean absolute error"]
    steps = error.drop(list(remedies))
    added = steps.diff().iloc[1:]
    most = str(added.idxmax())
    sentences = [
        f"The sample alone ({steps.index[0]}) is off by {steps.iloc[0]:.1f} percentage points on average. Of the steps "
        f"of the machine, *{most}* adds most ({added[most]:+.1f}), and the count ends at {steps.iloc[-1]:.1f}."
    ]
    for remedy in remedies:
        change = error[remedy] - steps.iloc[-1]
        words = "lowers that" if change < 0 else "does not lower that here"
        sentences.append(f"*{remedy.capitalize()}* {words} ({change:+.1f}).")
    return " ".join(sentences)
