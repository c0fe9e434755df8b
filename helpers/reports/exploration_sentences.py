"""Sentences that read the plots of *Explore the cells* aloud, computed from the tables that they describe.

A function returns None, which a notebook does not display, where a dataset has nothing to describe.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.markup import escape_markdown
from helpers.metrics.resampling import MIN_GROUPS
from helpers.reports.statements import Statement, show_text

RATIO = "nucleus_to_cell_area"


def describe_display_range(channel: np.ndarray, low: int, high: int) -> Statement:
    """Say which share of the pixels a display range clips, and that their values stay the same.

    Args:
        channel: ``uint8 (height, width)``.
        low: value up to which pixels are shown black.
        high: value from which pixels are shown white.
    """
    below, above = (channel < low).mean(), (channel > high).mean()
    inside = np.unique(channel[(channel >= low) & (channel <= high)]).size
    return show_text(
        f"The display range from {low} to {high} clips {below + above:.0%} of the pixels: {below:.0%} lie below it and "
        f"are all shown black, {above:.0%} lie above it and are all shown white. The {inside} different values in "
        f"between get the whole scale from black to white. In the array nothing has changed: its values still run "
        f"from {channel.min()} to {channel.max()}."
    )


def describe_clipping(black: float, white: float, white_by_group: pd.Series) -> Statement:
    """Say which share of all values lies at one end of the scale, and in which group most values are 255.

    Args:
        black: share of all values that are 0.
        white: share of all values that are 255.
        white_by_group: share of the values of a group that are 255, by group.
    """
    shares = f"Of all values in these images, {black:.1%} are 0 and {white:.1%} are 255"
    group, largest = white_by_group.idxmax(), white_by_group.max()
    if largest < 0.01:
        return show_text(f"{shares}; in no group are more than {largest:.1%} of them 255.")
    others = white_by_group.drop(group)
    elsewhere = "" if others.empty else f", in no other group more than {others.max():.1%}"
    return show_text(
        f"{shares}. In group *{escape_markdown(group)}* {largest:.1%} of the values are 255{elsewhere}: look at its "
        "images before you trust their bright parts."
    )


def describe_second_cloud(explained: pd.Series, guess: float, has_clouds: bool) -> Statement:
    """Name the column of a table that explains two clouds best.

    Args:
        explained: share of images whose cloud is guessed right, by column, in descending order.
        guess: this share without any column.
        has_clouds: whether there is a second cloud.
    """
    if not has_clouds or explained.empty:
        return show_text("There is no second cloud to explain.")
    is_useful = explained.iloc[0] - guess > (1 - guess) / 2
    return show_text(
        f"The column *{escape_markdown(explained.index[0])}* explains the clouds "
        f"{'best' if is_useful else 'best, but hardly'}: it is right for {explained.iloc[0]:.1%} of the images. "
        f"Without any column, always guessing the larger cloud, it would be {guess:.1%}."
    )


def describe_misfits(misfits: pd.DataFrame, has_clouds: bool) -> Statement | None:
    """Say whether the stain batch is enough to explain two clouds, or whether groups lie apart from their batch.

    Args:
        misfits: rows of the images that do not lie in the cloud of their batch, with ``group`` and, where it is known,
            ``stain_batch``.
        has_clouds: whether there is a second cloud.
    """
    if not has_clouds or "stain_batch" not in misfits:
        return None
    counted = f"Images that do not lie in the cloud of their batch: {len(misfits)}"
    if misfits.empty:
        return show_text(f"{counted}. The batch alone is enough; the patient adds nothing.")
    names = sorted(misfits["group"].astype(str).unique())
    return show_text(
        f"{counted}, from {escape_markdown(', '.join(names[:5]))}. The batch alone is not enough; the patient's slide "
        "matters."
    )


def describe_classes(by_class: pd.DataFrame, smaller: str, has_clouds: bool) -> Statement | None:
    """Say whether two clouds follow the classes, and which classes have no image in the smaller cloud.

    Args:
        by_class: number of images by class (rows) and cloud (columns).
        smaller: name of the cloud with fewer images.
        has_clouds: whether there is a second cloud.
    """
    if not has_clouds or len(by_class) < 2:
        return None
    n_images, of_class = by_class.to_numpy().sum(), by_class.sum(axis=1)
    share, guess = by_class.max(axis=1).sum() / n_images, by_class.sum().max() / n_images
    compared = (
        f"*label* is right for {share:.1%} of the images, {'more' if share - guess > 1e-9 else 'no more'} than without "
        f"any column ({guess:.1%})."
    )
    is_absent = by_class[smaller] == 0
    if not is_absent.any():
        return show_text(f"{compared} Every class has images in the {smaller} cloud.")
    absent = ", ".join(f"*{escape_markdown(name)}* (0 of {n})" for name, n in of_class[is_absent].items())
    elsewhere = by_class.loc[~is_absent, smaller].sum() / of_class[~is_absent].sum()
    return show_text(
        f"{compared} No image in the {smaller} cloud: {absent}; of the other classes, {elsewhere:.0%} lie there."
    )


def describe_overlap(cells: pd.DataFrame) -> Statement | None:
    """Say how far the two classes with the highest median N:C ratio overlap.

    Args:
        cells: ``label`` and ``nucleus_to_cell_area``, one row per image.
    """
    medians = cells.groupby("label")[RATIO].median().sort_values()
    if len(medians) < 2:
        return None
    second, first = medians.index[-2:]
    smallest = cells.loc[cells["label"] == first, RATIO].min()
    overlap = (cells.loc[cells["label"] == second, RATIO] >= smallest).mean()
    return show_text(
        f"The highest medians are {medians[first]:.2f} ({escape_markdown(first)}) and {medians[second]:.2f} "
        f"({escape_markdown(second)}). But {overlap:.0%} of the second class lie at or above {smallest:.2f}, the "
        "smallest ratio of the first."
    )


def describe_orders(single: Mapping[str, float], medians: pd.Series) -> Statement | None:
    """Compare the order of single cells with that of the medians; None where the classes are others.

    Args:
        single: N:C ratio of one cell by class.
        medians: median N:C ratio by class.
    """
    if set(single) != set(medians.index):
        return None
    one, many = sorted(single, key=single.__getitem__), list(medians.sort_values().index)
    verdict = "the same order" if one == many else f"another order: {escape_markdown(', '.join(many))}"
    return show_text(
        f"One cell of each kind, in chapter 00, gave the order {escape_markdown(', '.join(one))}; the medians of many "
        f"cells give {verdict}."
    )


def describe_wrong_orders(orders: pd.DataFrame) -> Statement | None:
    """Name the neighbours that a feature confuses most often and least often, and how few cells the first rests on.

    Args:
        orders: by the names of two neighbouring classes, ``wrong order`` (share of pairs of cells, 0 to 1), and
            ``fewest cells`` and ``fewest groups`` of one of the two.
    """
    if orders.empty:
        return None
    wrong = orders["wrong order"]
    worst, best = str(wrong.idxmax()), str(wrong.idxmin())
    most = f"Of the pairs *{escape_markdown(worst)}*, {wrong[worst]:.0%} are in the wrong order"
    if wrong[worst] != wrong[best]:
        most += f"; of the pairs *{escape_markdown(best)}*, {wrong[best]:.0%}"
    n_cells, n_groups = (int(orders[column][worst]) for column in ("fewest cells", "fewest groups"))
    advice = ": read its share as a hint, as another few cells could change it" if n_groups < MIN_GROUPS else ""
    return show_text(
        f"{most}. Chance level is 50%. In the pair named first, the rarer class has {n_cells} cells, and the class "
        f"with fewer groups has {n_groups}{advice}."
    )


def describe_rules(errors: pd.DataFrame, medians: pd.Series) -> Statement | None:
    """Compare the errors of a rule on the N:C ratio with one that asks for the cell's area, too.

    Args:
        errors: ``false negatives`` and ``false positives`` by rule: ``always the commoner``, ``ratio`` and ``ratio and
            area``.
        medians: median N:C ratio by class, in ascending order; the last class is to be found.
    """
    if len(medians) < 2:
        return None
    wrong, missed = errors.sum(axis=1), errors["false negatives"]
    one, two = "ratio", "ratio and area"
    is_trade = wrong[two] < wrong[one] and missed[two] > missed[one]
    verdict = " The rule with fewer errors misses more: which one is better depends on the cost of a miss."
    return show_text(
        f"Always answering the commoner class has {wrong['always the commoner']} cells wrong, the rule on the ratio "
        f"{wrong[one]}, the rule on ratio and area {wrong[two]}. Of *{escape_markdown(medians.index[-1])}*, the ratio "
        f"misses {missed[one]}, ratio and area {missed[two]}.{verdict if is_trade else ''}"
    )
