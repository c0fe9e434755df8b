"""Quizzes, and automatic checks of answers to exercises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jupyterquiz import display_quiz

from helpers import yamlfile
from helpers.datasets import NUCLEUS, Dataset
from helpers.features import segment_foreground
from helpers.metrics import dice_and_iou
from helpers.preprocessing import segment_cell_otsu, segment_nucleus_otsu
from helpers.splits import group_folds, image_folds

QUIZZES = Path(__file__).parent / "quizzes"
# Contrast with white text of at least 4.5 to 1 (WCAG AA).
_QUIZ_COLOURS = {"--jq-multiple-choice-bg": "#1f4e79", "--jq-many-choice-bg": "#1f4e79"}


def quiz(chapter: str) -> None:
    """Show the quiz ``quizzes/<chapter>.yaml``; multiple choice only, as jupyterquiz's number fields lack a label."""
    display_quiz(yamlfile.read(QUIZZES / f"{chapter}.yaml").value, colors=_QUIZ_COLOURS)


def _largest_group(data: Dataset) -> float:
    return float(data.frame["group"].value_counts(normalize=True).iloc[0])


def _leaked_groups(data: Dataset) -> int:
    frame = data.frame.sort_index()
    half = np.arange(len(frame)) < len(frame) // 2
    return len(set(frame["group"][half]) & set(frame["group"][~half]))


def _widest_fold(data: Dataset) -> int:
    return int(group_folds(data.frame, 4, 20).value_counts().max())


def _spread_groups(data: Dataset) -> int:
    spread = image_folds(data.frame, 5, 20).groupby(data.frame["group"]).nunique()
    return int((spread > 1).sum())


def _otsu_on_first(data: Dataset) -> float:
    first = data.select(data.frame.index[:1])
    return dice_and_iou(first.load_masks(128)[0] == NUCLEUS, segment_nucleus_otsu(first.load_images(128)[0]))[0]


def _baseline_iou(data: Dataset) -> float:
    first = data.select(data.frame.index[:1])
    return dice_and_iou(first.load_masks(128)[0] > 0, segment_cell_otsu(first.load_images(128)[0]) > 0)[1]


def _median_ratio(data: Dataset) -> float:
    masks = data.load_masks(128)
    return float(np.median((masks == NUCLEUS).sum((1, 2)) / (masks > 0).sum((1, 2))))


def _share_of_cells(data: Dataset) -> float:
    cells = data.load_masks(64) > 0 if data.has_masks else [segment_foreground(image) for image in data.load_images(64)]
    return float(np.mean(cells))


# Exercise to (function that computes the answer, hint); integer answers must match exactly.
ANSWERS: dict[str, tuple[Callable[[Dataset], float | int], str]] = {
    "start-here-count": (len, "len(data) is the number of images in a dataset"),
    "start-here-groups": (
        lambda data: int(data.frame["group"].nunique()),
        "count the different values of data.frame['group']",
    ),
    "explore-the-cells-largest-group": (_largest_group, "value_counts(normalize=True) gives shares; take the largest"),
    "explore-the-cells-leaked-groups": (
        _leaked_groups,
        "sort by id, cut in two halves, and intersect the two sets of groups",
    ),
    "preprocess-otsu-dice": (
        _otsu_on_first,
        "compare load_masks(128)[0] == 2 with segment_nucleus_otsu(load_images(128)[0]); dice_and_iou gives Dice first",
    ),
    "preprocess-widest-fold": (_widest_fold, "splits.group_folds(data.frame, 4, 20).value_counts()"),
    "segment-baseline-iou": (
        _baseline_iou,
        "both masks are larger than 0 where the cell is; dice_and_iou gives IoU second",
    ),
    "segment-area-ratio": (
        _median_ratio,
        "count the 2s and the pixels above 0 of each mask; then the median of the ratios",
    ),
    "classify-always": (
        lambda data: float(data.frame["label"].value_counts(normalize=True).iloc[0]),
        "value_counts(normalize=True) gives the share of every class",
    ),
    "classify-leaked": (_spread_groups, "group the folds by data.frame['group'] and count the different ones"),
    "many-classes-constant": (
        lambda data: 1 / len(data.classes),
        "the mean over classes of: 1 for one, 0 for the others",
    ),
    "many-classes-copies": (
        lambda data: int((60 - data.frame["label"].value_counts()).clip(lower=0).sum()),
        "60 less the images of each class, where that is above 0, added up",
    ),
    "transfer-passes": (lambda data: 10, "epochs times 0.8 of the images, over 8 times the images"),
    "transfer-megabytes": (lambda data: len(data) * 8 * 1280 * 2 / 1e6, "images × 8 × 1280 numbers of two bytes each"),
    "saliency-chance": (
        _share_of_cells,
        "the mean of (data.load_masks(64) > 0) is the share that cells cover; without masks, that of "
        "features.segment_foreground",
    ),
    "saliency-passes": (
        lambda data: 50 * len(data),
        "patches begin at 0, 8, … 48 along each side; and one picture uncovered",
    ),
    "trust-share": (
        lambda data: (0.5972 - 0.1821) / (0.8179 - 0.1821),
        "accuracy is share × sensitivity + (1 - share) × specificity",
    ),
    "trust-tries": (lambda data: 1 - (39 / 40) ** 60, "one less the probability that none of sixty lies above"),
}


def check(exercise: str, answer: Any, data: Dataset) -> None:
    """Print whether an answer is correct, with a hint if it is not.

    Args:
        exercise: key of :data:`ANSWERS`.
        answer: number, which must match exactly if it is a count and within 1 % otherwise; None if not answered yet.
        data: dataset of the chapter.

    Example:
        >>> from helpers import datasets, teaching
        >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
        >>> teaching.check("start-here-count", len(data), data)
        ✅ 6 is right.
        >>> teaching.check("start-here-count", None, data)
        ⬜ Put your answer in place of None and run this cell again.
    """
    solve, hint = ANSWERS[exercise]
    if answer is None:
        print("⬜ Put your answer in place of None and run this cell again.")
        return
    expected = solve(data)
    kind = "a whole number" if isinstance(expected, int) else "a number"
    if not isinstance(answer, (int, float, np.number)) or isinstance(answer, bool):
        what = type(answer).__name__
        print(
            f"❌ {answer!r} is a {what}; the answer is {kind}, such as {'12' if isinstance(expected, int) else '0.5'}."
        )
        return
    right = bool(np.isclose(answer, expected, rtol=1e-9 if isinstance(expected, int) else 0.01, atol=0))
    shown = f"{answer:g}" if float(answer).is_integer() else f"{answer:.3g}"
    print(f"✅ {shown} is right." if right else f"❌ {shown} is not it; {kind} is wanted. Hint: {hint}.")
