"""Scores of a classifier, from a table of predictions.

A table of predictions has one row per image: ``image_id`` (index), ``group``, ``label``, ``fold`` and, for every class,
``p_<class>``, its probability. Ids travel with predictions, so that nothing is paired by position.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import ENDS, Estimate, draws, estimate, sums_by_group

PREFIX = "p_"


def predictions(frame: pd.DataFrame, probabilities: np.ndarray, classes: tuple[str, ...], fold: int) -> pd.DataFrame:
    """The table of predictions of some images.

    Args:
        frame: rows of a dataset, with ``group`` and ``label``.
        probabilities: ``(n, classes)``, in the order of the rows.
        classes: in the order of the columns.
        fold: that the images were tested in.

    Raises:
        ValueError: not one row per image, one column per class, from 0 to 1 with sum 1.
    """
    if probabilities.shape != (len(frame), len(classes)):
        raise ValueError(f"{len(frame)} images of {len(classes)} classes, but probabilities {probabilities.shape}")
    if not (probabilities >= 0).all() or not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise ValueError("probabilities are from 0 to 1 and add up to 1 in every row")
    columns = {PREFIX + name: probabilities[:, k].astype(float) for k, name in enumerate(classes)}
    return frame[["group", "label"]].assign(fold=fold, **columns)


def classes_of(table: pd.DataFrame) -> list[str]:
    """The classes of a table of predictions, in the order of its columns."""
    return [column.removeprefix(PREFIX) for column in table.columns if column.startswith(PREFIX)]


def by_group(table: pd.DataFrame) -> pd.DataFrame:
    """One prediction per group, usually the patient: the mean over its images.

    Raises:
        ValueError: a group has images of several classes, so that it has no class of its own.
    """
    labels = table.groupby("group")["label"].nunique()
    if (labels > 1).any():
        raise ValueError(f"{labels.index[labels > 1][0]}: this group has images of several classes")
    columns = [PREFIX + name for name in classes_of(table)]
    means = table.groupby("group").agg({"label": "first", "fold": "first", **dict.fromkeys(columns, "mean")})
    return means.rename_axis("image_id").reset_index().assign(group=lambda t: t["image_id"]).set_index("image_id")


def predicted(table: pd.DataFrame) -> pd.Series:
    """The most probable class of every image."""
    classes = np.array(classes_of(table))
    return pd.Series(classes[table[[PREFIX + c for c in classes]].to_numpy().argmax(1)], table.index, name="predicted")


# --- two classes


def rates(table: pd.DataFrame, positive: str, threshold: float | pd.Series, seed: int) -> pd.DataFrame:
    """What follows from calling every image positive whose probability reaches a threshold.

    Args:
        table: of predictions.
        positive: the class that is looked for.
        threshold: 0 to 1, or one per image where folds have their own.
        seed: of the resamples.

    Returns:
        A row per ``measure`` with ``value, low, high, n, groups``: sensitivity, specificity, fall-out (1 less the
        specificity), precision, negative predictive value, F1, accuracy and balanced accuracy. NaN where a measure
        is not defined, such as the precision of a model that calls nothing positive.
    """
    limit = threshold.loc[table.index].to_numpy() if isinstance(threshold, pd.Series) else threshold
    true, said = _truth(table, positive), table[PREFIX + positive].to_numpy() >= limit
    counts = np.stack([true & said, true & ~said, ~true & said, ~true & ~said], axis=1).astype(float)
    sums = sums_by_group(counts, table["group"])
    tp, fn, fp, tn = range(4)
    measures: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "sensitivity": lambda s: s[:, tp] / (s[:, tp] + s[:, fn]),
        "specificity": lambda s: s[:, tn] / (s[:, tn] + s[:, fp]),
        "fall-out": lambda s: s[:, fp] / (s[:, tn] + s[:, fp]),
        "precision": lambda s: s[:, tp] / (s[:, tp] + s[:, fp]),
        "negative predictive value": lambda s: s[:, tn] / (s[:, tn] + s[:, fn]),
        "F1": lambda s: 2 * s[:, tp] / (2 * s[:, tp] + s[:, fp] + s[:, fn]),
        "accuracy": lambda s: (s[:, tp] + s[:, tn]) / s.sum(1),
        "balanced accuracy": lambda s: (s[:, tp] / (s[:, tp] + s[:, fn]) + s[:, tn] / (s[:, tn] + s[:, fp])) / 2,
    }
    rows = [
        {"measure": name} | estimate(sums, measure, len(table), seed).row("value") for name, measure in measures.items()
    ]
    return pd.DataFrame(rows)


def roc_auc(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Area under the ROC curve: how often a positive image has a higher probability than a negative one.

    A tie counts a half. The interval resamples groups.

    Raises:
        ValueError: only one class is there.
    """
    return estimate(np.eye(table["group"].nunique()), area_under_roc(table, positive), len(table), seed)


def compare_auc(one: pd.DataFrame, other: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Difference of two areas under ROC curves, ``one`` minus ``other``, on the same images.

    Both are resampled together, group by group, so that what both models find hard does not widen the interval.

    Raises:
        ValueError: the tables are not of the same images.
    """
    of_same_images(one, other)
    first, second = area_under_roc(one, positive), area_under_roc(other.loc[one.index], positive)
    return estimate(np.eye(one["group"].nunique()), lambda w: first(w) - second(w), len(one), seed)


def of_same_images(*tables: pd.DataFrame) -> None:
    """Refuse tables of predictions that cannot be compared.

    Raises:
        ValueError: the tables are not of the same images.
    """
    if any(not table.index.sort_values().equals(tables[0].index.sort_values()) for table in tables):
        raise ValueError("models are compared on the same images; these tables have different ids")


def average_precision(table: pd.DataFrame, positive: str, seed: int) -> Estimate:
    """Area under the precision-recall curve, as scikit-learn's ``average_precision_score``.

    A model that knows nothing reaches the share of positive images, not one half.
    """
    true, code, last = _ranked(table, positive)

    def area(weights: np.ndarray) -> np.ndarray:
        values = []
        for row in weights:
            weight = row[code].astype(float)
            hits, called = np.cumsum(weight * true)[last], np.cumsum(weight)[last]
            values.append((np.diff(hits, prepend=0) * hits / np.maximum(called, 1)).sum() / hits[-1])
        return np.array(values)

    return estimate(np.eye(code.max() + 1), area, len(table), seed)


def threshold_for(table: pd.DataFrame, positive: str, sensitivity: float) -> float:
    """The highest threshold at which at least this share of positive images is called positive.

    Choose it on validation images, never on the test: a threshold is fitted like a weight.

    Raises:
        ValueError: no positive image, or a sensitivity outside of 0 to 1.
    """
    scores = np.sort(table.loc[_truth(table, positive), PREFIX + positive].to_numpy())[::-1]
    if not len(scores) or not 0 < sensitivity <= 1:
        raise ValueError(f"a sensitivity above 0 up to 1 of {len(scores)} positive images, not {sensitivity}")
    return float(scores[int(np.ceil(sensitivity * len(scores) - 1e-9)) - 1])


def roc_curve(table: pd.DataFrame, positive: str, seed: int) -> pd.DataFrame:
    """ROC curve with a pointwise 95 % band over groups: ``fall_out``, ``sensitivity``, ``low``, ``high``."""
    grid = np.linspace(0, 1, 101)
    true, code, last = _ranked(table, positive)
    groups = table["group"].nunique()

    def curve(row: np.ndarray) -> np.ndarray:
        weight = row[code].astype(float)
        hits, alarms = np.cumsum(weight * true)[last], np.cumsum(weight * ~true)[last]
        if not hits[-1] or not alarms[-1]:
            return np.full(len(grid), np.nan)
        return np.interp(grid, np.append(0, alarms / alarms[-1]), np.append(0, hits / hits[-1]))

    band = np.stack([curve(row) for row in draws(groups, seed)])
    low, high = np.nanquantile(band, ENDS, axis=0)
    whole = curve(np.ones(groups))
    return pd.DataFrame({"fall_out": grid, "sensitivity": whole, "low": low, "high": high})


def _truth(table: pd.DataFrame, positive: str) -> np.ndarray:
    if PREFIX + positive not in table:
        raise ValueError(f"{positive}: not a class of these predictions, which are {', '.join(classes_of(table))}")
    return (table["label"] == positive).to_numpy()


def _ranked(table: pd.DataFrame, positive: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From the highest score down: which images are positive, of which group, and which are the last of their score.

    Images of one score are called positive together.
    """
    order = np.argsort(-table[PREFIX + positive].to_numpy(), kind="stable")
    score = table[PREFIX + positive].to_numpy()[order]
    code = pd.factorize(table["group"], sort=True)[0][order]
    return _truth(table, positive)[order], code, np.append(score[1:] != score[:-1], True)


def area_under_roc(table: pd.DataFrame, positive: str) -> Callable[[np.ndarray], np.ndarray]:
    """The area under the ROC curve from how often each group counts, ``(resamples, groups)``.

    ``wins[g, h]`` is how many pairs of a positive image of group g and a negative one of h are in the right order.
    """
    true, score = _truth(table, positive), table[PREFIX + positive].to_numpy()
    if true.all() or not true.any():
        raise ValueError(f"an ROC curve needs images that are {positive} and images that are not")
    code, names = pd.factorize(table["group"], sort=True)
    wins = np.zeros((len(names), len(names)))
    for h in np.unique(code[~true]):
        negative = np.sort(score[~true & (code == h)])
        below = np.searchsorted(negative, score[true], "left")
        tied = np.searchsorted(negative, score[true], "right") - below
        wins[:, h] = np.bincount(code[true], below + tied / 2, len(names))
    positives, negatives = (np.bincount(code[part], minlength=len(names)) for part in (true, ~true))

    def area(weights: np.ndarray) -> np.ndarray:
        pairs = (weights @ positives) * (weights @ negatives)
        return np.einsum("rg,gh,rh->r", weights, wins, weights, optimize=True) / pairs

    return area


def in_plain_words(table: pd.DataFrame, positive: str, threshold: float | pd.Series, seed: int) -> str:
    """What a table of predictions says, for somebody who reads no statistics; every number in it is worked out.

    Args:
        table, positive, threshold, seed: as in :func:`rates`.
    """
    found = rates(table, positive, threshold, seed).set_index("measure")

    def hundred(name: str) -> str:
        value, low, high = (100 * found.loc[name, ["value", "low", "high"]].astype(float)).round()
        return f"about {value:.0f}" + ("" if np.isnan(low) else f" (between {low:.0f} and {high:.0f})")

    ill = table["label"] == positive
    lines = (
        f"Tested on {len(table)} images of {table['group'].nunique()} groups (patients, where they are known) that the "
        f"model had not seen; {ill.mean():.0%} of the images are {positive}.",
        f"- Of 100 images that are {positive}, it finds {hundred('sensitivity')}.",
        f"- Of 100 that are not, it calls {hundred('fall-out')} {positive} all the same.",
        f"- Of 100 that it calls {positive}, {hundred('precision')} are; fewer where {positive} is rarer than here.",
        "The ranges say how much this may change with other patients like these. They say nothing about other "
        "laboratories, stains or cameras. Not for diagnosis.",
    )
    return "\n".join(textwrap.fill(line, 70, subsequent_indent="  " * line.startswith("-")) for line in lines)
