"""Sentences of the chapter on saliency: what counterfactuals, controls, baselines and sanity checks have shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.markup import escape_markdown
from helpers.metrics import Estimate
from helpers.reports.result_table import format_estimate
from helpers.reports.statements import shown_direction

SMALL_GAP = 0.02  # of the mean difference of scores, within which the shares of a map add up to it
SEVERAL = 5  # times the energy of chance that show a mark
HARDLY = 0.1  # change of a probability, or rank correlation, below which hardly anything has changed or is left
# Mean rank correlation of eight maps of nine values each below which it may be chance: 2.5 standard deviations of 0.12.
BY_CHANCE = 0.3
ALIKE = 0.5  # correlation of two maps from which they count as alike, and below its negative as opposed
BETTER = {"energy in cell": 1, "deletion": -1, "insertion": 1}  # sign of a better score
BEST = {
    "energy in cell": "Most energy in the cell",
    "deletion": "the lowest deletion",
    "insertion": "the highest insertion",
}


def describe_edits(probability: pd.DataFrame, class_name: str) -> str:
    """Describe how the mean probability of a class changes when images are changed on purpose.

    Args:
        probability: one row per image; the first column is of the original images, the others of one change each.
        class_name: class of the probability, safe in Markdown.
    """
    means = probability.mean()
    original, changes = means.iloc[0], means.iloc[1:] - means.iloc[0]
    words = [f"{name} {means[name]:.2f} ({change:+.2f})" for name, change in changes.items()]
    hardly = [str(name) for name, change in changes.items() if abs(change) < HARDLY]
    steady = f"It hardly changes (by less than {HARDLY}) with: {', '.join(hardly)}." if hardly else (
        f"Every change moves it by {HARDLY} or more."
    )  # fmt: skip
    largest = changes.abs().idxmax()
    return (
        f"Mean predicted probability of {class_name} over {len(probability)} cells: {original:.2f} for the original "
        f"images; {'; '.join(words)}. It changes most with *{largest}*. {steady}"
    )


def describe_levels(shares: Mapping[str, float], chance: float) -> str:
    """Describe on which feature maps of one network Grad-CAM marks a planted dot.

    Args:
        shares: share of Grad-CAM in the ninth of the picture with the dot, by feature map; the last one is the last.
        chance: share of a constant map in that region.
    """
    clauses = [f"{100 * share:.0f} % on the *{name}*" for name, share in shares.items()]
    marked = [name for name, share in shares.items() if share > chance + HARDLY]
    *_, last = shares
    if last in marked:
        verdict = "The last map marks the dot already."
    elif marked:
        verdict = f"So the network has the dot where the last map does not show it; it is marked on: {_listed(marked)}."
    else:
        verdict = "None of these maps marks the dot."
    return (
        f"Of Grad-CAM, the ninth with the dot has {'; '.join(clauses)}; a grey map has {100 * chance:.0f} %. {verdict}"
    )


def judge_controls(controls: pd.DataFrame, chance: float) -> str:
    """Judge which of two properties of a network keeps Grad-CAM from showing a planted dot.

    Args:
        controls: three rows: the network, a control whose head reads the last map alone, and one with a finer last map;
            columns ``original`` and ``dot on the other class`` (accuracy), and ``Grad-CAM in ninth``.
        chance: share of a constant map in that region.
    """
    shares = controls["Grad-CAM in ninth"]
    clauses = [f"{100 * share:.0f} % for *{name}*" for name, share in shares.items()]
    relies = controls["original"] - controls["dot on the other class"] > HARDLY
    unlike = [str(name) for name in controls.index[~relies]]
    same = (
        f"These do not rely on the dot and are no fair control: {', '.join(unlike)}."
        if unlike
        else "All three lose their accuracy when the dot is put on the other class, so all rely on the dot."
    )
    first, head, finer = shares > chance + HARDLY
    if unlike:
        verdict = "So the comparison decides nothing"
    elif first:
        verdict = "Grad-CAM marks the ninth with the dot for the first network already; there is nothing to explain"
    else:
        verdict = {
            (True, True): "Either change alone lets Grad-CAM mark the dot's ninth, so both suspicions hold",
            (True, False): "The first suspicion holds, the head; a finer last map alone does not help",
            (False, True): "The second suspicion holds, the coarse map; a head that reads it alone does not help",
            (False, False): "Neither change lets Grad-CAM mark the dot's ninth; the reason lies elsewhere",
        }[bool(head), bool(finer)]
    return (
        f"{same} Of Grad-CAM, the ninth with the dot has {'; '.join(clauses)}; a grey map has {100 * chance:.0f} %. "
        f"{verdict}. This is one training of each network: another seed is another experiment."
    )


def describe_completeness(sums: pd.DataFrame) -> str:
    """Describe how far the shares of integrated gradients are from the difference of the scores.

    Args:
        sums: one row per image; the first column is the difference of scores, the others are sums of shares, from few
            to many steps.
    """
    gaps = sums.iloc[:, 1:].sub(sums.iloc[:, 0], axis=0).abs().max()
    size = sums.iloc[:, 0].abs().mean()
    reached = gaps.iloc[-1] < SMALL_GAP * size
    return (
        f"The largest gap over {len(sums)} cells is {gaps.iloc[0]:.2f} ({gaps.index[0]}) and {gaps.iloc[-1]:.3f} "
        f"({gaps.index[-1]}), where the scores differ by {size:.1f} on average. "
        f"{'With enough steps the promise is kept.' if reached else 'The promise is not kept yet: take more steps.'}"
    )


def describe_marks(scores: pd.DataFrame, methods: Sequence[str]) -> str:
    """Describe which methods point to a planted mark.

    Args:
        scores: scores by method, with the columns ``energy in mark`` and ``pointing to mark``, and a row ``chance``.
        methods: methods to describe.
    """
    pointing = scores["pointing to mark"]
    at_mark = [f"{name} ({pointing[name]:.2f})" for name in methods if pointing[name] > 0.5]
    elsewhere = [f"{name} ({pointing[name]:.2f})" for name in methods if pointing[name] <= 0.5]
    energy = scores["energy in mark"]
    chance, best = float(energy["chance"]), max(methods, key=lambda name: float(energy[name]))
    bright = [name for name in methods if energy[name] >= SEVERAL * chance]
    return (
        f"The largest value lies in the box with the mark for more than half of the cells with: "
        f"{_listed(at_mark)}; for half of them or fewer with: "
        f"{_listed(elsewhere)}. Most energy in the box has {best} "
        f"({100 * energy[best]:.0f} %; the box is {100 * chance:.0f} % of the picture). At least {SEVERAL} times the "
        f"energy of chance have: {_listed(bright)}."
    )


def describe_network(scores: pd.DataFrame) -> str:
    """Describe the test score of the network whose maps are scored, and whether it is shown to be above chance.

    Args:
        scores: table with the columns ``method``, ``score``, ``value``, ``low``, ``high``, ``interval``, ``n`` and
            ``groups``; its rows ``network`` and ``chance`` of the balanced accuracy are read.
    """
    rows = _rows(scores, "balanced accuracy")
    if not rows:
        return "The test score of the network was not stored, so read no explanation into its maps."
    found, chance = Estimate.from_row(rows["network"], "value"), rows["chance"]["value"]
    above = replace(found, value=found.value - chance, low=found.low - chance, high=found.high - chance)
    level = f"chance ({chance:.2f})"
    verdict = {
        1: f"is shown to be above {level}",
        0: f"is not shown to be above {level}, so the maps may explain noise",
        -1: f"is below {level}, so the maps explain errors",
    }[shown_direction(above)]
    numbers = format_estimate(found.value, found.low, found.high, found.interval, 2)
    return f"The test score, a balanced accuracy of {numbers} over {found.n} cells of {found.groups} groups, {verdict}."


def describe_scores(scores: pd.DataFrame, methods: Sequence[str]) -> str:
    """Describe which maps lie in the cell more than a spot in the middle, and which lower the probability faster.

    Args:
        scores: table with the columns ``method``, ``score``, ``value``, ``low``, ``high``, ``interval``, ``n`` and
            ``groups``, of the scores ``energy in cell``, ``deletion`` and ``insertion``. Its rows are the methods,
            ``middle``, ``chance``, and differences from :func:`helpers.metrics.summarise_differences`, without which
            no method is called better.
        methods: methods to describe.
    """
    values = {score: _rows(scores, score) for score in BETTER}
    energy, deletion = values["energy in cell"], values["deletion"]
    of_baselines = (
        f"A spot in the middle has {energy['middle']['value']:.2f} of its energy in the cell, and a deletion of "
        f"{deletion['middle']['value']:.2f}; that of random ranks is {deletion['chance']['value']:.2f}."
    )
    if not scores["method"].str.contains(" − ").any():
        return f"{of_baselines} Differences between methods were not stored, so none is called better."
    winners = {score: _winner(scores, score, methods, sign) for score, sign in BETTER.items()}
    shown = {score: best for score, (best, rivals) in winners.items() if not rivals}
    if len(shown) == len(BETTER) and len(set(shown.values())) == 1:
        verdict = "The three numbers choose the same method."
    elif len(set(shown.values())) > 1:
        verdict = "The numbers do not agree on the best method."
    else:
        verdict = "No method is shown to be the best by all three."
    clauses = [
        f"{BEST[score]} has {best} ({values[score][best]['value']:.2f}, "
        + (f"not shown against {', '.join(rivals)})" if rivals else "shown against every other)")
        for score, (best, rivals) in winners.items()
    ]
    return (
        f"{of_baselines} Energy, compared with the spot: {_compared(scores, 'energy in cell', methods, 'middle')}. "
        f"Deletion, compared with the spot: {_compared(scores, 'deletion', methods, 'middle')}; and with random ranks: "
        f"{_compared(scores, 'deletion', methods, 'chance')}. {'; '.join(clauses)}. {verdict}"
    )


def _rows(scores: pd.DataFrame, score: str) -> dict[str, dict[Any, Any]]:
    """Return the rows of a score by method."""
    return {row["method"]: row for row in scores[scores["score"] == score].to_dict("records")}


def _direction(scores: pd.DataFrame, score: str, first: str, second: str) -> int:
    """Return the sign of a difference (first − second) that is shown, else 0; it may be stored either way round."""
    rows = _rows(scores, score)
    for name, sign in ((f"{first} − {second}", 1), (f"{second} − {first}", -1)):
        if name in rows:
            return sign * shown_direction(Estimate.from_row(rows[name], "value"))
    return 0


def _compared(scores: pd.DataFrame, score: str, methods: Sequence[str], reference: str) -> str:
    """List the methods that are shown to have a higher or a lower score than a reference, and the others."""
    by_direction: dict[int, list[str]] = {1: [], -1: [], 0: []}
    for name in methods:
        by_direction[_direction(scores, score, name, reference)].append(name)
    words = {1: "higher for", -1: "lower for", 0: "no difference shown for"}
    return ", ".join(f"{words[sign]} {_listed(names)}" for sign, names in by_direction.items() if names)


def _winner(scores: pd.DataFrame, score: str, methods: Sequence[str], sign: int) -> tuple[str, list[str]]:
    """Return the method with the best mean, and the methods against which it is not shown to be better."""
    rows = _rows(scores, score)
    best = max(methods, key=lambda name: sign * rows[name]["value"])
    return best, [name for name in methods if name != best and _direction(scores, score, best, name) != sign]


def describe_rivals(maps: np.ndarray, names: Sequence[str]) -> str:
    """Describe how the maps of two classes for one image differ.

    Args:
        maps: ``float (2, size, size)``, signed maps whose values add up to a change of the score of their class.
        names: the two classes, the predicted one first.
    """
    first, second = (escape_markdown(name) for name in names)
    gains, correlation = maps.sum((1, 2)), np.corrcoef(maps.reshape(2, -1))[0, 1]
    if correlation < -ALIKE:
        verdict = "what raises one score mostly lowers the other"
    elif correlation > ALIKE:
        verdict = "the same pixels raise both scores, so neither map shows what tells the classes apart"
    else:
        verdict = "what raises one score says little about whether it raises the other"
    return (
        f"The shares add up to {gains[0]:+.1f} for {first} and {gains[1]:+.1f} for {second}. The correlation of the "
        f"two maps is {correlation:.2f}: {verdict}."
    )


def describe_cascade(cascade: pd.DataFrame) -> str:
    """Describe what is left of the maps when the weights of all layers have been drawn anew.

    Args:
        cascade: from :func:`helpers.explain.cascade_agreement`.
    """
    last = cascade[cascade["layers drawn anew"] == cascade["layers drawn anew"].max()]
    agreement = last.set_index("method")["agreement"]
    clauses = [f"{name} {value:.2f}, {_left(value)}" for name, value in agreement.items()]
    return (
        f"With all {cascade['layers drawn anew'].max()} layers drawn anew, the rank correlation with the map of the "
        f"trained network is: {'; '.join(clauses)}."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none of them"


def _left(agreement: float) -> str:
    """Say what a rank correlation with the original map means."""
    if np.isnan(agreement):
        return "no map is left to compare"
    if abs(agreement) < HARDLY:
        return "hardly anything is left"
    if abs(agreement) < BY_CHANCE:
        return "of few cells and one draw of the weights this may be chance"
    if agreement < 0:
        return "the order is partly turned round"
    return "part of the map is left that was not learnt"
