"""Sentences of the chapter on saliency: what counterfactuals, controls, baselines and sanity checks have shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

SMALL_GAP = 0.02  # of the mean difference of scores, within which the shares of a map add up to it
SEVERAL = 5  # times the energy of chance that show a mark
LITTLE = 0.05  # difference of two deletions or insertions within which neither counts as better
HARDLY = 0.1  # change of a probability, or rank correlation, below which hardly anything has changed or is left


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


def judge_controls(controls: pd.DataFrame, chance: float) -> str:
    """Judge which of two properties of a network keeps Grad-CAM from showing a planted dot.

    Args:
        controls: three rows: the network, a control whose head reads the last map alone, and one with a finer last map;
            columns ``original`` and ``mark moved`` (accuracy), and ``Grad-CAM in ninth``.
        chance: share of a constant map in that region.
    """
    shares = controls["Grad-CAM in ninth"]
    clauses = [f"{100 * share:.0f} % for *{name}*" for name, share in shares.items()]
    relies = controls["original"] - controls["mark moved"] > HARDLY
    unlike = [str(name) for name in controls.index[~relies]]
    same = (
        f"These do not rely on the dot and are no fair control: {', '.join(unlike)}."
        if unlike
        else "All three lose their accuracy when the mark moves, so all rely on the dot."
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


def describe_scores(scores: pd.DataFrame, methods: Sequence[str]) -> str:
    """Describe which maps lie in the cell more than a spot in the middle, and which lower the probability faster.

    Args:
        scores: scores by method, with the columns ``energy in cell``, ``deletion`` and ``insertion``, and rows
            ``middle`` and ``chance``.
        methods: methods to describe.
    """
    energy, deletion = scores["energy in cell"], scores["deletion"]
    ahead = [name for name in methods if energy[name] > energy["middle"]]
    faithful = [name for name in methods if deletion[name] < deletion["middle"]]
    best = max(methods, key=lambda name: float(energy[name]))
    fastest = min(methods, key=lambda name: float(deletion[name]))
    back = max(methods, key=lambda name: float(scores["insertion"][name]))
    gain = deletion["chance"] - deletion[fastest]
    against = "hardly lower" if gain < LITTLE else f"{gain:.2f} lower"
    agree = "The three numbers choose the same method" if best == fastest == back else "The numbers do not agree"
    return (
        f"A spot in the middle has {energy['middle']:.2f} of its energy in the cell; more have: "
        f"{_listed(ahead)}. Its deletion is {deletion['middle']:.2f}, that of random ranks "
        f"{deletion['chance']:.2f}; lower than the spot's is that of: {_listed(faithful)}. "
        f"{agree}: {best} has most energy in the cell ({energy[best]:.2f}), {fastest} the lowest deletion "
        f"({deletion[fastest]:.2f}, {against} than random ranks), {back} the highest insertion "
        f"({scores['insertion'][back]:.2f})."
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
    if agreement < 0:
        return "the order is partly turned round"
    return "part of the map is left that was not learnt"
