"""Sentences on scores of many classes, computed from the tables that they describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from helpers.markup import escape_markdown
from helpers.metrics import Estimate
from helpers.reports.published import NO_BOOK, PublishedTable
from helpers.reports.result_table import format_estimate
from helpers.reports.statements import difference_words, shown_direction

RECOGNISED = 0.1  # balanced accuracy above that of permuted labels without copies that shows memory
SMALL = 0.02  # differences of means below this are called small
MIN_CONFUSED = 5  # images of the smallest pair of confused classes that is named


def describe_left_out(classes: Sequence[str], kept: Sequence[str], n_splits: int) -> str:
    """Name the classes that are too rare to be tested.

    Args:
        classes: all classes.
        kept: classes that remain.
        n_splits: number of folds.
    """
    left_out = [f"*{escape_markdown(name)}*" for name in classes if name not in kept]
    if not left_out:
        return f"All {len(kept)} classes have enough groups for {n_splits} folds; none is left out."
    return (
        f"Left out, for want of groups: {', '.join(left_out)}. {len(kept)} classes remain. A real laboratory needs the "
        "others too: what follows says nothing about them."
    )


def describe_averages(scores: pd.Series) -> str:
    """Say how far accuracy and balanced accuracy of one model agree.

    Args:
        scores: value by measure, with ``accuracy`` and ``balanced accuracy``.
    """
    accuracy, balanced = scores["accuracy"], scores["balanced accuracy"]
    values = f"Accuracy is {accuracy:.2f}, balanced accuracy {balanced:.2f}"
    if abs(accuracy - balanced) < SMALL:
        return f"{values}: the model does about as well on rare classes as on common ones."
    if accuracy > balanced:
        return f"{values}: the common classes hide that the rare ones go worse. Report both, and every class."
    return (
        f"{values}: the rare classes have the higher recall here. A mean over classes counts a few images of a rare "
        "one as much as all of a common one, so that this may be chance. Report both, and every class."
    )


def describe_weakest_class(by_class: pd.DataFrame) -> str:
    """Name the class with the lowest recall, and say on how much its number rests.

    Args:
        by_class: rows of classes of :func:`helpers.metrics.classification_report`.
    """
    recalls = by_class[by_class["measure"] == "recall"].dropna(subset=["value"])
    weakest = recalls.iloc[int(recalls["value"].argmin())]
    value = format_estimate(weakest["value"], weakest["low"], weakest["high"], weakest["interval"], 2)
    ties = recalls.loc[recalls["value"] == weakest["value"], "class"]
    names = " and ".join(f"*{escape_markdown(name)}*" for name in ties)
    groups = "one group" if weakest["groups"] == 1 else f"{weakest['groups']} groups"
    return (
        f"The lowest recall is that of {names}: {value}, which rests on {weakest['n']} images of {groups}. "
        "Before you improve the model for it, ask whether more patients of this class can be had."
    )


def describe_pairs(pairs: pd.DataFrame) -> str:
    """Name the pair with the largest share of its class, and say whether it is confused in both directions.

    No pair is named with fewer than five images, as another test would have another order.

    Args:
        pairs: from :func:`helpers.metrics.confusion_pairs`.
    """
    if pairs.empty:
        return "No image of this test is confused. With so few images that is no proof of a perfect model."
    enough = pairs[pairs["images"] >= MIN_CONFUSED]
    if enough.empty:
        return (
            f"The test has {pairs['images'].sum()} errors, and no pair has {MIN_CONFUSED} of them or more: too few to "
            "name the worst one, as another test would have another order. Look at the cells before you see a pattern."
        )
    first = enough.iloc[int(enough["rate"].argmax())]
    true, predicted = escape_markdown(first["true"]), escape_markdown(first["predicted"])
    is_back = (pairs["true"] == first["predicted"]) & (pairs["predicted"] == first["true"])
    back, direction = f"none is predicted *{true}*", f"one direction, as where *{predicted}* is favoured"
    if is_back.any():
        other = pairs[is_back].iloc[0]
        back = f"{other['images']} of {other['n']} are predicted *{true}*, {other['rate']:.0%}"
        if 2 * other["rate"] >= first["rate"]:
            direction = "both directions, as of classes that look alike"
    return (
        f"The largest share: {first['images']} of {first['n']} images of *{true}* are predicted *{predicted}*, "
        f"{first['rate']:.0%}; that is {first['images'] / pairs['images'].sum():.0%} of all errors. Of *{predicted}*, "
        f"{back}: a mix-up in {direction}."
    )


def describe_changed_predictions(kept: pd.DataFrame, renamed: pd.DataFrame) -> str:
    """Say which class loses its predicted name most when images are changed more and more.

    Args:
        kept: share of images that keep the predicted class; a row per class of the unchanged image, a column per
            strength, weakest first.
        renamed: number of images by predicted class before (rows) and after the strongest change (columns).
    """
    strongest = kept.columns[-1]
    worst = str(kept[strongest].idxmin())
    share = 1 - float(kept[strongest].min())
    if share == 0:
        return f"No image is given another class, even at {strongest}: this network ignores the change."
    moved = renamed.loc[worst].drop(worst, errors="ignore").astype(int)
    return (
        f"At {strongest}, {share:.0%} of the images that were predicted *{escape_markdown(worst)}* are given another "
        f"class, most often *{escape_markdown(str(moved.idxmax()))}*."
    )


def describe_differences(differences: Mapping[str, Estimate], measure: str, baseline: str) -> str:
    """Say for each method whether it differs from a baseline.

    Args:
        differences: difference to the baseline by method.
        measure: name of the score.
        baseline: name of the baseline.
    """
    words = "; ".join(f"*{escape_markdown(name)}* {difference_words(value)}" for name, value in differences.items())
    shown = sum(shown_direction(value) != 0 for value in differences.values())
    return (
        f"{measure[0].upper()}{measure[1:]} against *{baseline}*: {words}. {shown} of {len(differences)} differences "
        "are shown; what is not shown is not refuted either."
    )


def describe_copies(scores: pd.Series) -> str:
    """Say what copies made before a split do to a score.

    Args:
        scores: value of the three methods, in the order: copies before the split, split by image, split by patient.
    """
    before, image, patient = scores
    return (
        f"Copies before the split score {before:.2f}, copies after the same kind of split {image:.2f} "
        f"({_change(before, image)}); with the split by group it is {patient:.2f} ({_change(image, patient)})."
    )


def describe_stored_copies(stored: PublishedTable | None) -> str:
    """Say what copies made before a split did to macro F1 in a stored comparison on real blood.

    Args:
        stored: table of the three methods of :func:`describe_copies`; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    rows = stored.frame[stored.frame["measure"] == "macro F1"]
    return f"{describe_copies(rows['value'])} Macro F1, {stored.origin}."


def _change(first: float, second: float) -> str:
    """Describe the step from the first score to the second."""
    if abs(first - second) < SMALL:
        return "about the same"
    return f"{abs(first - second):.2f} {'lower' if second < first else 'higher'}"


def describe_seeds(by_seed: pd.DataFrame, measure: str) -> str:
    """Compare the differences between methods with those between seeds.

    Args:
        by_seed: columns ``method``, ``seed`` and ``measure``.
        measure: name of the score.
    """
    wide = by_seed.pivot(index="method", columns="seed", values=measure).dropna(how="all")
    if wide.shape[1] < 2:
        return "With one seed, method and chance cannot be told apart; run at least two."
    spread = (wide.max(axis=1) - wide.min(axis=1)).max()
    between = wide.mean(axis=1).max() - wide.mean(axis=1).min()
    winners = wide.idxmax().nunique()
    verdict = (
        "The same method is best with every seed here."
        if winners == 1
        else f"{winners} methods are best, each with another seed: one seed alone picks its winner by chance."
    )
    return (
        f"With one and the same method, two seeds differ by up to {spread:.2f}; the means of the methods lie "
        f"{between:.2f} apart. {verdict}"
    )


def describe_ghosts(shares: Mapping[str, float]) -> str:
    """Say how often a change adds a cell to an image.

    Args:
        shares: share of images, 0 to 1, by change; NaN without masks.
    """
    if any(np.isnan(share) for share in shares.values()):
        return "There are no masks here, so the cells cannot be counted; look at the pictures."
    words = "; ".join(f"{name}: {share:.0%}" for name, share in shares.items())
    return f"Images with an additional cell after the change: {words}."


def describe_stored_methods(stored: PublishedTable | None) -> str:
    """Say which methods differ from none in a stored comparison on real blood.

    Args:
        stored: table of the differences of methods from none; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    rows = stored.frame[stored.frame["measure"] == "macro F1"].set_index("method")
    ends = rows["low"] * rows["high"] > 0
    better, worse = (rows.index[ends & (rows["difference from none"] * sign > 0)] for sign in (1, -1))
    words = []
    for verdict, names in (("raised", better), ("lowered", worse)):
        changes = [f"{escape_markdown(name)} ({rows['difference from none'][name]:+.3f})" for name in names]
        if changes:
            words.append(f"shown to be {verdict} by {', '.join(changes)}")
    first = rows.iloc[0]
    others = " The other intervals hold 0." if words and not ends.all() else ""
    return (
        f"Macro F1 is {' and '.join(words) or 'not shown to be changed by any method'}, on {first['n']} images of "
        f"{first['groups']} groups ({stored.origin}).{others}"
    )


def describe_memory(scores: Mapping[str, float], n_classes: int) -> str:
    """Say how far permuted labels are predicted with copies before the split and without.

    Args:
        scores: balanced accuracy on the originals with ``copies`` before the split and with ``no copies``.
        n_classes: number of classes.
    """
    return (
        f"With permuted labels, balanced accuracy is {scores['no copies']:.2f} without copies; chance level is "
        f"{1 / n_classes:.2f}. With copies made before the split it is {scores['copies']:.2f}"
        + (
            ". Nothing can be learnt here: the difference is copies of the test images, recognised."
            if scores["copies"] > scores["no copies"] + RECOGNISED
            else ", no more: by their colours these copies cannot be told from other images."
        )
    )
