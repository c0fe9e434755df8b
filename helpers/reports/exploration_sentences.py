"""Sentences that read the plots of *Explore the cells* aloud, computed from the tables that they describe.

A function returns None, which a notebook does not display, where a dataset has nothing to describe.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.markup import escape_markdown
from helpers.reports.statements import Statement, show_text

RATIO, AREA = "nucleus_to_cell_area", "cell_area"


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


def describe_clipping(pictures: np.ndarray) -> Statement:
    """Say which share of all values lies at one end of the scale, where a camera or a program may have clipped them.

    Args:
        pictures: ``uint8 (n, height, width, 3)``.
    """
    black, white = (pictures == 0).mean(), (pictures == 255).mean()
    advice = "so little was lost there" if black + white < 0.01 else "so ask what was brighter or darker there"
    return show_text(f"Of all values in these images, {black:.1%} are 0 and {white:.1%} are 255: {advice}.")


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


def describe_misfits(frame: pd.DataFrame, cloud: pd.Series, has_clouds: bool) -> Statement | None:
    """Say whether the stain batch is enough to explain two clouds, or whether groups lie apart from their batch.

    Args:
        frame: table of the dataset with ``group`` and, where it is known, ``stain_batch``.
        cloud: name of the cloud of each image.
        has_clouds: whether there is a second cloud.
    """
    if not has_clouds or "stain_batch" not in frame:
        return None
    cloud_of_batch = pd.crosstab(frame["stain_batch"], cloud).idxmax(axis=1)
    misfits = cloud[cloud != frame["stain_batch"].map(cloud_of_batch)]
    counted = f"Images that do not lie in the cloud of their batch: {len(misfits)}"
    if misfits.empty:
        return show_text(f"{counted}. The batch alone is enough; the patient adds nothing.")
    names = sorted(frame.loc[misfits.index, "group"].astype(str).unique())
    return show_text(
        f"{counted}, from {escape_markdown(', '.join(names[:5]))}. The batch alone is not enough; the patient's slide "
        "matters."
    )


def describe_classes(explained: pd.Series, guess: float, has_clouds: bool) -> Statement | None:
    """Say whether two clouds follow the classes; parameters as of :func:`describe_second_cloud`."""
    if not has_clouds or "label" not in explained:
        return None
    more = "more" if explained["label"] - guess > 1e-9 else "no more"
    return show_text(
        f"*label* is right for {explained['label']:.1%} of the images, {more} than without any column ({guess:.1%})."
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


def describe_wrong_orders(wrong: Mapping[str, float]) -> Statement | None:
    """Name the neighbours that a feature confuses most often and least often.

    Args:
        wrong: share of pairs of cells in the wrong order, 0 to 1, by the names of two neighbouring classes.
    """
    if not wrong:
        return None
    worst, best = max(wrong, key=wrong.__getitem__), min(wrong, key=wrong.__getitem__)
    most = f"In {wrong[worst]:.0%} of the pairs of {escape_markdown(worst)} the two cells are in the wrong order"
    if wrong[worst] == wrong[best]:
        return show_text(f"{most}; chance level is 50%.")
    return show_text(f"{most}, in {wrong[best]:.0%} of those of {escape_markdown(best)}; chance level is 50%.")


def describe_rules(pair: pd.DataFrame, thresholds: pd.Series) -> Statement | None:
    """Compare a rule on the N:C ratio with one that asks for the cell's area, too.

    The class with the higher median ratio is to be found. Its side of the second threshold is where its median lies.

    Args:
        pair: cells of two classes: ``label``, ``nucleus_to_cell_area`` and ``cell_area``.
        thresholds: threshold by column.
    """
    medians = pair.groupby("label")[[RATIO, AREA]].median().sort_values(RATIO)
    if len(medians) != 2:
        return None
    other, first = medians.index
    is_target = pair["label"] == first
    is_larger = medians[AREA][first] >= medians[AREA][other]
    by_ratio = pair[RATIO] >= thresholds[RATIO]
    by_both = by_ratio & ((pair[AREA] >= thresholds[AREA]) == is_larger)
    wrong_ratio, wrong_both = (by_ratio != is_target).sum(), (by_both != is_target).sum()
    verdict = "as many" if wrong_both == wrong_ratio else "fewer" if wrong_both < wrong_ratio else "more"
    size = "large" if is_larger else "small"
    return show_text(
        f"The rule on the ratio alone finds {by_ratio[is_target].mean():.0%} of {escape_markdown(first)} and takes "
        f"{by_ratio[~is_target].mean():.0%} of {escape_markdown(other)} for it. If the cell must be {size}, too, the "
        f"rule finds {by_both[is_target].mean():.0%} and takes {by_both[~is_target].mean():.0%}. Of {len(pair)} cells "
        f"it has {wrong_both} wrong, {verdict} {'as' if verdict == 'as many' else 'than'} the ratio alone "
        f"({wrong_ratio})."
    )
