"""Sentences of chapter *Another laboratory* on stored runs on real blood, computed from their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.markup import escape_markdown
from helpers.reports.laboratory_sentences import (
    TARGET,
    describe_coverage,
    describe_methods,
    describe_noticing,
    describe_referral,
    select_row,
)
from helpers.reports.published import NO_BOOK, PublishedTable


def describe_stored_slides(stored: PublishedTable | None) -> str:
    """Say what a split by image and one by group give within the target of a stored run.

    Args:
        stored: table of the tests in both laboratories; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    _, target = stored.parameters["laboratories"][stored.parameters["dataset"]]
    rows = stored.frame.set_index("trained → tested")
    pair = [rows.loc[f"{target} → {target}{ending}"].to_dict() for ending in (", by image", "")]
    return (
        f"Real blood, a {stored.origin}. Within {escape_markdown(target)}, the same classifier has a balanced accuracy "
        f"of **{pair[0]['balanced accuracy']:.2f}** split by image and **{pair[1]['balanced accuracy']:.2f}** split "
        f"by slide ({pair[0]['n']} cells, {pair[0]['groups']} groups)."
    )


def describe_stored_methods(stored: PublishedTable | None) -> str:
    """Say what helped on real blood, for every kind of features, with the origin.

    Args:
        stored: table of the methods from a longer run; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    n_seeds, parts = len(stored.parameters["seeds"]), []
    for kind, rows in stored.frame.groupby("features", sort=False):
        parts.append(f"**{str(kind).capitalize()} features.** {describe_methods(rows, n_seeds)}")
    return f"Real blood, a {stored.origin}. {' '.join(parts)}"


def describe_disagreement(here: pd.DataFrame, stored: PublishedTable | None) -> str:
    """Name the methods whose difference in the target has another sign in a stored run.

    Args:
        here: from :func:`helpers.learners.remedies.method_table`, with a column ``features``.
        stored: the same of a longer run; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    both = []
    for table in (here, stored.frame):
        rows = table[(table["laboratory"] == TARGET) & (table["features"] == here["features"].iloc[0])]
        both.append(rows.set_index("method")["difference"].dropna())
    shared = [name for name in both[0].index if name in both[1].index]
    opposite = [name for name in shared if both[0][name] * both[1][name] < 0]
    words = "; ".join(f"{name} ({both[0][name]:+.2f} here, {both[1][name]:+.2f} there)" for name in opposite)
    return (
        f"Of {len(shared)} methods that both runs tried, tests on labelled groups included, {len(opposite)} have "
        f"another sign here than in the stored run on real blood{f': {words}' if opposite else ''}."
    )


def describe_stored_doubt(stored: Mapping[str, PublishedTable | None], rules: Sequence[str]) -> list[str]:
    """Say how sets, distances and referral did on real blood, a paragraph each, the first with the origin.

    Args:
        stored: tables ``coverage``, ``noticing`` and ``referral`` of a longer run; None where only the package is
            installed.
        rules: rules of referral to describe.
    """
    tables = {name: table for name, table in stored.items() if table is not None}
    if len(tables) < len(stored):
        return [NO_BOOK]
    parameters = tables["coverage"].parameters
    source, target = parameters["laboratories"][parameters["dataset"]]
    referral = " ".join(describe_referral(tables["referral"].frame, source, target, rule) for rule in rules)
    return [
        f"Real blood, a {tables['coverage'].origin}.",
        f"**Sets.** {describe_coverage(tables['coverage'].frame, source, target, 0.9)}",
        f"**Distance.** {describe_noticing(tables['noticing'].frame, target)}",
        f"**Referral.** {referral}",
    ]


def describe_partitions(stored: PublishedTable | None) -> str:
    """Say how far an AUC depends on the partition, on the subjects and on the choice of a model, with the origin.

    Args:
        stored: table of ``benchmarks/partitions.py``; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    by_cell = stored.frame[stored.frame["test"] == "cells of new subjects"]
    inside = select_row(by_cell, model="chosen inside")
    candidates = by_cell[by_cell["model"] != "chosen inside"].sort_values("AUC")
    worst, best = candidates.iloc[0].to_dict(), candidates.iloc[-1].to_dict()
    subjects = select_row(stored.frame, model="chosen inside", test="subjects")
    last = stored.frame[stored.frame["test"] == "cells of the subjects set aside"].iloc[0].to_dict()
    spread, width = inside["highest partition"] - inside["lowest partition"], inside["high"] - inside["low"]
    wider = "wider" if width > spread else "narrower"
    return (
        f"Real blood, a {stored.origin}. With the choice of the model made inside, the AUC per cell is "
        f"{inside['AUC']:.3f}, in {inside['partitions']} partitions from {inside['lowest partition']:.3f} to "
        f"{inside['highest partition']:.3f}. The interval over {inside['groups']} subjects, [{inside['low']:.3f}, "
        f"{inside['high']:.3f}], is {wider} than that spread: another partition is no other patient. Per subject the "
        f"AUC is {subjects['AUC']:.3f} [{subjects['low']:.3f}, {subjects['high']:.3f}]. Of the "
        f"models alone, *{best['model']}* has the highest, {best['AUC']:.3f}, and *{worst['model']}* the lowest, "
        f"{worst['AUC']:.3f}. On the {last['groups']} subjects that were set aside, "
        f"looked at once: {last['AUC']:.3f} (range of groups from {last['low']:.3f} to {last['high']:.3f}), "
        f"{last['AUC'] - inside['AUC']:+.3f} against the mean of the partitions."
    )


def describe_partition_networks(stored: PublishedTable | None) -> str:
    """Say how features and networks did in the partitions, what test-time augmentation adds, and the origin.

    Args:
        stored: table of ``benchmarks/partition_networks.py``; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    by_cell = stored.frame[stored.frame["test"] == "cells of new subjects"]
    best_views = by_cell.sort_values("views").groupby("model", sort=False).tail(1)
    parts = []
    for partitions, rows in best_views.groupby("partitions", sort=False):
        listed = [
            f"{row['model']} {row['AUC']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
            for row in rows.sort_values("AUC", ascending=False).to_dict("records")
        ]
        number = "one partition" if partitions == 1 else f"{partitions} partitions"
        parts.append(f"In {number}: {'; '.join(listed)}.")
    pairs = by_cell.pivot(index="model", columns="views", values="AUC").dropna()
    gains = pairs[8] - pairs[1]
    return (
        f"AUC per cell of new subjects, {stored.origin}. {' '.join(parts)} Test-time augmentation adds "
        f"{gains.min():+.3f} to {gains.max():+.3f}; where it is tested, it is in these numbers."
    )
