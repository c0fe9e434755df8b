"""Sentences on thresholds and stain normalisation, computed from the image or the tables that they describe."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.datasets import CYTOPLASM, NUCLEUS
from helpers.markup import escape_markdown, join_words
from helpers.metrics import INTERVAL, RANGE, dice_by_threshold
from helpers.metrics.resampling import MIN_GROUPS
from helpers.reports.result_table import format_estimate

CLEARLY_BETTER = 0.05  # gain in Dice above which another threshold counts as better
GOOD = 0.95  # Dice from which a threshold alone is good enough


def explain_threshold(channel: np.ndarray, mask: np.ndarray, threshold: int) -> str:
    """Say what a threshold takes for the nucleus of one cell, and whether another threshold would do better.

    Args:
        channel: ``uint8 (height, width)``, the channel that was thresholded; the nucleus is dark.
        mask: ground truth, ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus.
        threshold: pixels up to this value are taken for the nucleus.

    Raises:
        ValueError: the mask has no nucleus or no cytoplasm.
    """
    if not (mask == CYTOPLASM).any():
        raise ValueError("the mask has no cytoplasm to tell from the nucleus")
    dice = dice_by_threshold(channel, mask == NUCLEUS)
    best = int(dice.argmax())
    nucleus, cytoplasm = (np.median(channel[mask == label]) for label in (NUCLEUS, CYTOPLASM))
    taken = float((channel[mask == CYTOPLASM] <= threshold).mean())
    facts = (
        f"The median value is {nucleus:.0f} in the nucleus and {cytoplasm:.0f} in the cytoplasm. The threshold of "
        f"{threshold} takes {taken:.0%} of the cytoplasm for nucleus, and its Dice, before the clean-up, is "
        f"{dice[threshold]:.2f}."
    )
    if dice[best] - dice[threshold] <= CLEARLY_BETTER:
        return f"{facts} No other threshold is much better: the best, {best}, gives {dice[best]:.2f}."
    better = f"{facts} A threshold of {best} would give {dice[best]:.2f}"
    if dice[best] < GOOD:
        return f"{better}, no more: the rest of the error cannot be told from brightness alone."
    return (
        f"{better}. So the pixels can be told apart; the criterion looks for large groups of brightness, and does not "
        "know which of them is the nucleus."
    )


def describe_stain_batches(dice: pd.Series, frame: pd.DataFrame) -> str:
    """Say how a mean Dice differs between stain batches, on which it rests as much as on patients.

    Args:
        dice: Dice of each image, indexed by image.
        frame: table of the dataset; ``stain_batch`` says which images were stained together, where it is known.
    """
    if "stain_batch" not in frame or frame["stain_batch"].isna().any():
        return (
            "Patients whose slides were stained together share a stain. This dataset does not say which they are, so "
            "that nobody can tell on how many stains the mean rests."
        )
    means = dice.groupby(frame["stain_batch"]).mean()
    listed = join_words([f"{mean:.2f} ({batch})" for batch, mean in means.items()])
    few = "one batch says" if len(means) == 1 else f"{len(means)} batches say"
    return (
        f"Mean Dice by stain batch: {listed}. The interval is over patients, and those of one batch share its stain. "
        f"It promises nothing about another stain: {few} too little about how stains differ."
    )


def compare_with_stored(value: pd.Series, stored: pd.Series, column: str = "dice") -> str:
    """Compare a mean with that of a stored table, as far as their intervals allow.

    Args:
        value: row of this run, with ``column``, ``low``, ``high`` and ``groups``.
        stored: row of the stored table, likewise, with ``n``.
        column: name of the mean.
    """
    kinds = [INTERVAL if row["groups"] >= MIN_GROUPS else RANGE for row in (value, stored)]
    here, there = (
        format_estimate(row[column], row["low"], row["high"], kind)
        for row, kind in zip((value, stored), kinds, strict=True)
    )
    numbers = f"{here} here, {there} there ({stored['n']:.0f} images, {stored['groups']:.0f} groups)"
    if RANGE in kinds:
        return f"{numbers}; too few groups for a comparison"
    if value["low"] > stored["high"]:
        return f"{numbers}, so higher here"
    if value["high"] < stored["low"]:
        return f"{numbers}, so lower here"
    return f"{numbers}; no difference shown, as the intervals overlap"


def describe_normalisation(distances: pd.DataFrame) -> str:
    """Say for each method whether it brings the batches nearer to the target, and where it does not.

    Args:
        distances: table from :func:`helpers.preprocessing.batch_distances`.
    """
    table = distances.set_index("method")
    before = table.loc["before"]
    on_average = " on average" if len(before) > 2 else ""  # two columns are one batch and its mean
    sentences = []
    for label, after in table[table.index.str.endswith("each batch")].iterrows():
        method = str(label).partition(",")[0]
        direction = "nearer to" if after["mean"] < before["mean"] else "no nearer to"
        sentence = (
            f"*{method}*, fitted on each batch, takes the mean colours {direction} the target{on_average}: "
            f"{before['mean']:.1f} before, {after['mean']:.1f} after"
        )
        mixed = f"{method}, fitted on all batches"
        if mixed in table.index:
            sentence += f", and {table['mean'][mixed]:.1f} if fitted on all batches together"
        worse = [
            f"{escape_markdown(str(name))} ({before[name]:.1f} to {after[name]:.1f})"
            for name in table.columns.drop("mean")
            if after[name] > before[name]
        ]
        sentences.append(sentence + (f"; single batches that move further away: {', '.join(worse)}." if worse else "."))
    return " ".join(sentences)
