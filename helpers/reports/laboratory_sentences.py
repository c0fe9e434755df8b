"""Sentences of chapter *Another laboratory*, computed from the tables that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from helpers import metrics
from helpers.markup import escape_markdown
from helpers.metrics import INTERVAL, Estimate
from helpers.reports.result_table import digits_beside_zero

TARGET, SOURCE = "target", "source"
OTHER_GROUPS, SAME_GROUPS, ALONE = "(other groups)", "(same groups)", " alone "  # in names of methods
LISTED = 4  # methods named in a sentence, the largest differences first


def describe_cross_tests(scores: Mapping[str, Estimate], source: str, target: str) -> str:
    """Compare the test within each laboratory with the test in the other.

    Args:
        scores: balanced accuracy by ``<trained on> → <tested on>``.
        source, target: names of the laboratories.
    """
    parts = []
    for own, other in ((source, target), (target, source)):
        home, away = scores[f"{own} → {own}"], scores[f"{own} → {other}"]
        kind = "intervals" if {home.interval, away.interval} == {INTERVAL} else "intervals, or ranges of groups,"
        verdict = f"less, and the {kind} do not meet" if away.high < home.low else f"and the {kind} overlap"
        parts.append(
            f"Trained on {_name(own)}: {home.value:.2f} in new groups of {_name(own)}, {away.value:.2f} in "
            f"{_name(other)}, {verdict}."
        )
    together = [scores[f"both → {name}"].value for name in (source, target)]
    alone = [scores[f"{name} → {name}"].value for name in (source, target)]
    parts.append(
        f"Trained on both: {together[0]:.2f} and {together[1]:.2f}, against {alone[0]:.2f} and {alone[1]:.2f} for "
        "training in the tested one alone."
    )
    if by_image := scores.get(f"{target} → {target}, by image"):
        by_group = scores[f"{target} → {target}"]
        parts.append(
            f"Within {_name(target)} a split by image gives {by_image.value:.2f} and one by group "
            f"{by_group.value:.2f}: the section on slides says why."
        )
    return " ".join(parts)


def describe_confusion(away: pd.DataFrame, home: pd.DataFrame) -> str:
    """Name the pair of classes that a table of predictions of the target confuses most, and say how often at home.

    Args:
        away, home: tables of predictions of the target and the source by models of the source.
    """
    counts = metrics.confusion_matrix(away)
    values = counts.to_numpy().astype(float)
    np.fill_diagonal(values, -1)
    row, column = divmod(int(values.argmax()), len(counts))
    true, predicted = counts.index[row], counts.columns[column]
    if values.max() <= 0:
        return "No cell of the target is confused."
    of_home = metrics.confusion_matrix(home)
    shares = [table.at[true, predicted] / max(table.loc[true].sum(), 1) for table in (counts, of_home)]
    called = counts.sum(axis=0) / counts.to_numpy().sum()
    most = called.idxmax()
    return (
        f"The commonest confusion in the target: {shares[0]:.0%} of {_name(true)} cells are called {_name(predicted)}, "
        f"{shares[1]:.0%} in the source. {called[most]:.0%} of all target cells are called {_name(most)}; "
        f"{counts.loc[most].sum() / counts.to_numpy().sum():.0%} are."
    )


def describe_methods(table: pd.DataFrame, n_seeds: int) -> str:
    """Say which methods helped in the target, which harmed, and what they cost in the source, as far as shown.

    Args:
        table: from :func:`helpers.learners.remedies.method_table`.
        n_seeds: number of seeds that it averages.
    """
    first = str(table["method"].iloc[0])
    by_place = {place: rows.set_index("method") for place, rows in table.groupby("laboratory")}
    target, source = by_place[TARGET], by_place[SOURCE]
    is_leaky = target.index.str.endswith(SAME_GROUPS)
    others = target[~is_leaky].drop(index=first)
    helped = others[others["difference low"] > 0].sort_values("difference", ascending=False)
    harmed = others[others["difference high"] < 0].sort_values("difference")
    cost = source[source.index.isin(others.index)]
    dear = cost[cost["difference high"] < 0].sort_values("difference")
    start_value = float(target["balanced accuracy"].loc[first])
    verbs = ["shown to help in the target", "Shown to harm there", "Not shown either way"]
    few = ""
    if (others["difference interval"] != INTERVAL).any():
        verbs = ["better for every group", "Worse for every group", "Better for some groups and worse for others"]
        few = " (The target has too few groups for intervals: its brackets are ranges of groups.)"
    return (
        f"Over {n_seeds} seeds, against *{first}* ({start_value:.2f} in the target): {verbs[0]}: {_listed(helped)}. "
        f"{verbs[1]}: {_listed(harmed)}. {verbs[2]}: {len(others) - len(helped) - len(harmed)} of {len(others)}. Shown "
        f"to cost in the source: {_listed(dear)}.{few}{_recognised_groups(target)}"
    )


def _recognised_groups(target: pd.DataFrame) -> str:
    """Compare the labelled images alone, tested on other groups and on the same ones."""
    alone = [name for name in target.index if ALONE in name and not name.endswith(SAME_GROUPS)]
    if not alone:
        return ""
    other = str(alone[0])
    same = other.replace(OTHER_GROUPS, SAME_GROUPS)
    values = [float(target["balanced accuracy"].loc[name]) for name in (other, same)]
    return (
        f" The labelled cells alone reach {values[0]:.2f} on other groups and {values[1]:.2f} where tested cells share "
        "their group. The difference includes what recognising a group is worth and also, where all cells of a class "
        "come from one group, that this class has no labelled cell when its group is tested."
    )


def _listed(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "none"
    words = []
    for name, row in zip(rows.index.astype(str), rows.head(LISTED).to_dict("records"), strict=False):
        low, high = row["difference low"], row["difference high"]
        digits = digits_beside_zero(low, high, 2)
        words.append(f"{name} {row['difference']:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]")
    more = len(rows) - LISTED
    return "; ".join(words) + (f"; and {more} more" if more > 0 else "")


def describe_coverage(table: pd.DataFrame, source: str, target: str, promised: float) -> str:
    """Compare promised and reached coverage of prediction sets in both laboratories, and the size of sets elsewhere.

    Args:
        table: from :func:`helpers.learners.doubt.coverage_table`.
        source, target: names of the laboratories.
        promised: promised coverage.
    """
    words = []
    for where in (source, target):
        covered = select_row(table, where=where, threshold="common", measure="coverage")
        size = select_row(table, where=where, threshold="common", measure="classes in a set")
        kept = "keeps" if covered["high"] >= promised else "breaks"
        words.append(
            f"in {_name(where)} the sets hold the class of {_percent(covered)} of the cells, with {size['value']:.1f} "
            f"classes each, which {kept} the promise of {promised:.0%}"
        )
    text = f"{words[0][0].upper()}{words[0][1:]}; {words[1]}."
    sizes = table[(table["threshold"] == "common") & (table["measure"] == "classes in a set")].set_index("where")
    strange = sizes["value"].drop(index=[source, target])
    if len(strange):
        text += (
            f" Nor does the size warn much: sets of images that no class fits hold from {strange.min():.1f} to "
            f"{strange.max():.1f} classes."
            if strange.max() < 2
            else f" Sets of images that no class fits hold from {strange.min():.1f} to {strange.max():.1f} classes."
        )
    by_class = select_row(table, where=source, threshold="by class", measure="coverage")
    size = select_row(table, where=source, threshold="by class", measure="classes in a set")
    return (
        f"{text} With a threshold for every class, in {_name(source)}: {by_class['value']:.0%}, with "
        f"{size['value']:.1f} classes each; a class with fewer than nine calibration groups is in every set."
    )


def describe_noticing(table: pd.DataFrame, target: str) -> str:
    """Say which score notices the other laboratory and which notices what no class fits.

    Args:
        table: from :func:`helpers.learners.doubt.noticing_table`.
        target: name of the other laboratory.
    """
    aucs = table.pivot(index="images", columns="score", values="AUC")
    away = pd.Series(aucs.loc[target]).sort_values(ascending=False)
    strange = aucs.drop(index=target)
    first = ", ".join(f"{name} {value:.2f}" for name, value in away.items())
    text = f"AUC between cells of the source and those of {_name(target)}: {first}; one half is chance."
    if strange.empty:
        return text
    worst = strange.min()
    least = ", ".join(f"{name} {worst[name]:.2f} ({strange[name].idxmin()})" for name in away.index)
    return f"{text} The least over the other kinds of image: {least}."


def describe_referral(table: pd.DataFrame, source: str, target: str, rule: str) -> str:
    """Say what a rule refers and what it saves in both laboratories.

    Args:
        table: from :func:`helpers.learners.doubt.referral_table`.
        source, target: names of the laboratories.
        rule: rule to describe.
    """
    words = []
    for where in (source, target):
        referred = select_row(table, where=where, rule=rule, measure="referred")
        before = select_row(table, where=where, rule="no rule", measure="wrong among the kept")
        kept = table[(table["where"] == where) & (table["rule"] == rule) & (table["measure"] != "referred")]
        after = f"none is kept, while {before['value']:.0%} of all are wrong"
        if len(kept):
            after = f"{kept['value'].iloc[0]:.0%} of the kept are wrong, against {before['value']:.0%} of all"
        words.append(f"in {_name(where)}, {_percent(referred)} are referred and {after}")
    return f"With the rule *{rule}*, {'; '.join(words)}."


def describe_audit(quality: pd.DataFrame, n_suspicions: int, n: int, share: float) -> str:
    """Say what the audit found of the planted errors, and how many labels it suspects where none is planted.

    Args:
        quality: columns ``precision`` and ``recall``, a row per seed.
        n_suspicions: suspicious labels among the original ones.
        n: images.
        share: share of labels that was exchanged.
    """
    low, high = quality.min(), quality.max()
    mean = quality.mean()
    return (
        f"With {share:.0%} of {n} labels exchanged, the audit finds {mean['recall']:.0%} of them (over {len(quality)} "
        f"seeds from {low['recall']:.0%} to {high['recall']:.0%}), and {mean['precision']:.0%} of its suspicions are "
        f"planted ({low['precision']:.0%} to {high['precision']:.0%}). Of the original labels it suspects "
        f"{n_suspicions}."
    )


def _name(text: object) -> str:
    return escape_markdown(str(text))


def select_row(table: pd.DataFrame, **where: str) -> Mapping[Any, Any]:
    """Return the first row with these values, by the names of their columns."""
    chosen = table
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return chosen.to_dict("records")[0]


def _percent(row: Mapping[Any, Any]) -> str:
    return f"{row['value']:.0%} [{row['low']:.0%}, {row['high']:.0%}]"
