"""Learning curve of an evaluation: the score by number of training groups, and by images of all groups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from helpers.datasets import Dataset, DatasetError
from helpers.evaluation.candidates import Candidate
from helpers.evaluation.design import Design
from helpers.evaluation.protocol import Predictions
from helpers.evaluation.results import main_estimate
from helpers.learners.cross_validation import Learner
from helpers.splits import Fold

SHARES = (0.25, 0.5, 0.75)  # of the training groups, or of the images of each; then all
COLUMNS = ["counted", "size", "value", "low", "high", "interval", "n", "groups"]


def learning_curve(
    design: Design, candidate: Candidate, test: Callable[[Candidate], Predictions], *, positive: str, seed: int
) -> pd.DataFrame:
    """Compute how the score grows with training groups, and with training images of all groups, on nested subsets.

    Args:
        design: images, folds and tested folds.
        candidate: the model; it trains on validation images too.
        test: tests a candidate in the design, see :func:`helpers.evaluation.protocol.cross_validate`.
        positive: positive class; empty for balanced accuracy.
        seed: random seed of the subsets.

    Returns:
        Columns ``counted`` (``groups`` or ``images``), ``size`` (mean number of them that a fold trains on), ``value,
        low, high, interval, n, groups``; sizes with which a fold cannot be trained are left out.
    """
    rows, frame = [], design.dataset.frame
    whole = main_estimate(test(candidate).test, positive, seed)
    for counted, subset in (("groups", _some_groups), ("images", _some_images)):
        for share in SHARES:
            choose = partial(subset, frame, share=share, seed=seed)
            restricted = _restricted(candidate, f"{share:.0%} of the training {counted}", choose)
            try:
                estimate = main_estimate(test(restricted).test, positive, seed)
            except DatasetError:  # too few groups of a class for inner folds
                continue
            rows.append(_row(design, counted, choose, estimate.row("value")))
        rows.append(_row(design, counted, lambda known: known, whole.row("value")))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(design: Design, counted: str, choose: Callable[[pd.Index], pd.Index], score: dict) -> dict:
    chosen = [choose(fold.train.append(fold.val)) for fold in design.splits()]
    frame = design.dataset.frame
    sizes = [frame.loc[ids, "group"].nunique() if counted == "groups" else len(ids) for ids in chosen]
    return {"counted": counted, "size": float(np.mean(sizes)), **score}


def _some_groups(frame: pd.DataFrame, known: pd.Index, *, share: float, seed: int) -> pd.Index:
    """Choose the images of a random share of the groups of every class, by the commonest class of each group."""
    rows = frame.loc[known]
    label = rows.groupby("group")["label"].agg(lambda labels: labels.mode().iloc[0])
    chosen: list[str] = []
    for _, groups in label.groupby(label):
        order = np.random.default_rng(seed).permutation(sorted(groups.index))
        chosen += list(order[: max(1, round(share * len(order)))])
    return rows.index[rows["group"].isin(chosen)]


def _some_images(frame: pd.DataFrame, known: pd.Index, *, share: float, seed: int) -> pd.Index:
    """Choose a random share of the images of every group and class, at least one."""
    rows = frame.loc[known].sample(frac=1, random_state=seed)
    of_kind = rows.groupby(["group", "label"])
    limit = (share * of_kind["label"].transform("size")).round().clip(lower=1)
    return known[known.isin(rows.index[of_kind.cumcount() < limit])]


def _restricted(candidate: Candidate, part: str, choose: Callable[[pd.Index], pd.Index]) -> Candidate:
    """Restrict a candidate to a subset of the images that it may train on."""

    def learner() -> Learner:
        unrestricted = candidate.learner()

        def learn(dataset: Dataset, fold: Fold, ids: pd.Index) -> np.ndarray:
            chosen = choose(fold.train.append(fold.val))
            known = Fold(fold.train[fold.train.isin(chosen)], fold.val[fold.val.isin(chosen)], fold.test)
            return unrestricted(dataset, known, ids)

        return learn

    return Candidate(f"{candidate.name}, {part}", learner)
