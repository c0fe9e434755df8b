"""Tables of predictions, and threshold-based metrics of a binary classifier.

A table of predictions has one row per image: ``image_id`` (index), ``group``, ``label``, ``fold`` and, for every class,
its predicted probability ``p_<class>``. Predictions carry their image ids, so that nothing is matched by position.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import INTERVAL, NONE, RANGE, Bootstrap, min_groups_per_class, weighted_sums

PREFIX = "p_"


def prediction_table(
    frame: pd.DataFrame, probabilities: np.ndarray, classes: tuple[str, ...], *, fold: int
) -> pd.DataFrame:
    """Build a table of predictions.

    Args:
        frame: rows of a dataset, with ``group`` and ``label``.
        probabilities: ``float (n, classes)``, in the order of the rows.
        classes: class names, in the order of the columns of ``probabilities``.
        fold: number of the test fold, for the column ``fold``.

    Returns:
        Columns ``group``, ``label``, ``fold`` and ``p_<class>`` of every class, by ``image_id``.

    Raises:
        ValueError: the shape of ``probabilities`` is not ``(n, classes)``, a value is negative, or a row does not add
            up to 1.
    """
    if probabilities.shape != (len(frame), len(classes)):
        raise ValueError(f"{len(frame)} images of {len(classes)} classes, but probabilities {probabilities.shape}")
    if not (probabilities >= 0).all() or not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise ValueError("probabilities must be from 0 to 1 and add up to 1 in every row; apply softmax to logits")
    columns = {PREFIX + name: probabilities[:, k].astype(float) for k, name in enumerate(classes)}
    return frame[["group", "label"]].assign(fold=fold, **columns)


def prediction_classes(table: pd.DataFrame) -> list[str]:
    """List the classes of a table of predictions, in the order of its columns."""
    return [column.removeprefix(PREFIX) for column in table.columns if column.startswith(PREFIX)]


def class_probabilities(table: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of a table of predictions, ``float (n, classes)``, in the order of its columns."""
    return table[[PREFIX + name for name in prediction_classes(table)]].to_numpy()


def aggregate_by_group(table: pd.DataFrame) -> pd.DataFrame:
    """Average predicted probabilities over the images of each group, usually a patient.

    Returns:
        Table of predictions with one row per group; ``image_id`` is the name of the group.

    Raises:
        ValueError: a group has images of several classes, and so no single label.
    """
    labels = table.groupby("group")["label"].nunique()
    if (labels > 1).any():
        raise ValueError(f"{labels.index[labels > 1][0]}: this group has images of several classes")
    columns = [PREFIX + name for name in prediction_classes(table)]
    means = table.groupby("group").agg({"label": "first", "fold": "first", **dict.fromkeys(columns, "mean")})
    return means.rename_axis("image_id").reset_index().assign(group=lambda t: t["image_id"]).set_index("image_id")


def predicted_classes(
    table: pd.DataFrame, *, positive: str | None = None, threshold: float | pd.Series | None = None
) -> pd.Series:
    """Return the predicted class of every image, by default the most probable one.

    Args:
        table: table of predictions.
        positive: positive class.
        threshold: if set, an image is predicted positive from this probability on, and otherwise as the most probable
            of the other classes; a series has one threshold per image, in the order of the table.
    """
    if positive is not None and threshold is not None:
        rest = predicted_classes(table.drop(columns=PREFIX + positive))
        return rest.mask(table[PREFIX + positive] >= threshold, positive)
    classes = np.array(prediction_classes(table))
    return pd.Series(classes[class_probabilities(table).argmax(1)], table.index, name="predicted")


# --- two classes

_TP, _FN, _FP, _TN = range(4)
# By name: the outcomes in the denominator, and a function of the counts of all outcomes, ``(resamples, 4)``.
_RATES: dict[str, tuple[list[int], Callable[[np.ndarray], np.ndarray]]] = {
    "sensitivity": ([_TP, _FN], lambda s: s[:, _TP] / (s[:, _TP] + s[:, _FN])),
    "specificity": ([_TN, _FP], lambda s: s[:, _TN] / (s[:, _TN] + s[:, _FP])),
    "false positive rate": ([_TN, _FP], lambda s: s[:, _FP] / (s[:, _TN] + s[:, _FP])),
    "precision": ([_TP, _FP], lambda s: s[:, _TP] / (s[:, _TP] + s[:, _FP])),
    "negative predictive value": ([_TN, _FN], lambda s: s[:, _TN] / (s[:, _TN] + s[:, _FN])),
    "F1": ([_TP, _FP, _FN], lambda s: 2 * s[:, _TP] / (2 * s[:, _TP] + s[:, _FP] + s[:, _FN])),
    "accuracy": ([_TP, _FN, _FP, _TN], lambda s: (s[:, _TP] + s[:, _TN]) / s.sum(1)),
    "balanced accuracy": (
        [_TP, _FN, _FP, _TN],
        lambda s: (s[:, _TP] / (s[:, _TP] + s[:, _FN]) + s[:, _TN] / (s[:, _TN] + s[:, _FP])) / 2,
    ),
}


def binary_metrics(table: pd.DataFrame, positive: str, threshold: float | pd.Series, *, seed: int) -> pd.DataFrame:
    """Tabulate the metrics of a binary classifier at a threshold.

    Args:
        table: table of predictions.
        positive: positive class.
        threshold: 0 to 1; images with at least this probability are predicted positive. A series has one threshold per
            image, by ``image_id``, where folds differ.
        seed: random seed of the resamples.

    Returns:
        A row per ``measure`` with ``value, low, high, interval, n, groups``: sensitivity, specificity, false positive
        rate (1 − specificity), precision, negative predictive value, F1, accuracy and balanced accuracy; ``n`` and
        ``groups`` are those of the denominator. NaN where a metric is undefined, such as the precision without positive
        predictions.
    """
    limit = threshold.loc[table.index].to_numpy() if isinstance(threshold, pd.Series) else threshold
    true, above = true_labels(table, positive), table[PREFIX + positive].to_numpy() >= limit
    outcomes = np.stack([true & above, true & ~above, ~true & above, ~true & ~above], axis=1)
    sums = weighted_sums(outcomes, table)

    def measures(weights: np.ndarray) -> np.ndarray:
        numbers = sums(weights)
        return np.stack([measure(numbers) for _, measure in _RATES.values()], axis=1)

    bootstrap, rows = Bootstrap(measures, table, seed), []
    for number, (name, (denominator, _)) in enumerate(_RATES.items()):
        counted = outcomes[:, denominator].sum(axis=1) > 0
        rests_on = min_groups_per_class(table) if name == "balanced accuracy" else None
        estimate = bootstrap.estimate(number, counted=counted, rests_on=rests_on, mean_over_images=name == "accuracy")
        rows.append({"measure": name, **estimate.row("value")})
    return pd.DataFrame(rows)


def true_labels(table: pd.DataFrame, positive: str) -> np.ndarray:
    """Return which images are positive, ``bool (n,)``; raises ``ValueError`` for a class without a column."""
    if PREFIX + positive not in table:
        raise ValueError(f"unknown class {positive!r}; choose from {', '.join(prediction_classes(table))}")
    return (table["label"] == positive).to_numpy()


def natural_frequency(value: float, low: float, high: float, *, kind: str) -> str:
    """Express a proportion and its interval as a number out of 100: ``about 92 (between 88 and 95)``.

    Ends that round to the same number are rounded outwards instead, since "between 0 and 0" reads as certainty.

    Args:
        value: proportion; NaN where undefined.
        low: lower end; NaN without an interval.
        high: upper end; NaN without an interval.
        kind: kind of interval, see :class:`helpers.metrics.Estimate`.

    Example:
        >>> from helpers import metrics
        >>> metrics.natural_frequency(0.001, 0.0, 0.004, kind="95 %")
        'about 0 (between 0 and 1)'
    """
    if np.isnan(value):
        return "a number that is not known"
    words = f"about {100 * value:.0f}"
    if kind == NONE:
        return words
    lower, upper = round(100 * low), round(100 * high)
    if lower == upper and low < high:
        lower, upper = math.floor(100 * low), math.ceil(100 * high)
    if lower == upper:
        return f"{words} (the same in all single groups)" if kind == RANGE else words
    return (
        words
        + {INTERVAL: f" (between {lower} and {upper})", RANGE: f" (from {lower} to {upper} in single groups)"}[kind]
    )


def plain_language_sentences(
    table: pd.DataFrame, positive: str, threshold: float | pd.Series, *, seed: int
) -> list[str]:
    """Describe the metrics of a binary classifier in sentences for readers without statistics.

    Args:
        table, positive, threshold, seed: as in :func:`binary_metrics`.

    Returns:
        The tested images; the positive images found, the false positives and the precision, each of 100; what the
        brackets mean; limits.
    """
    measures = binary_metrics(table, positive, threshold, seed=seed).set_index("measure").to_dict("index")
    kinds = {row["interval"] for row in measures.values()}

    def per_hundred(name: str) -> str:
        row = measures[name]
        return natural_frequency(row["value"], row["low"], row["high"], kind=row["interval"])

    is_positive = table["label"] == positive
    sentences = [
        f"Tested on {len(table)} images of {table['group'].nunique()} groups (patients, where they are known) that the "
        f"model had not seen; {is_positive.mean():.0%} of the images are {positive}.",
        f"Of 100 images that are {positive}, it finds {per_hundred('sensitivity')}.",
        f"Of 100 that are not, it calls {per_hundred('false positive rate')} {positive} all the same.",
        f"Of 100 that it calls {positive}, {per_hundred('precision')} are; fewer where {positive} is rarer than here.",
    ]
    if INTERVAL in kinds:
        sentences.append("The numbers in brackets say how much this may change with other patients like these.")
    if RANGE in kinds:
        sentences.append(
            "Single groups are too few to say how much this may change with other patients; their range shows only how "
            "they differ among themselves."
        )
    sentences.append("None of this says anything about other laboratories, stains or cameras. Not for diagnosis.")
    return sentences


def plain_language_summary(table: pd.DataFrame, positive: str, threshold: float | pd.Series, *, seed: int) -> str:
    """Summarise the metrics of a binary classifier in plain language: :func:`plain_language_sentences` in lines.

    Args:
        table, positive, threshold, seed: as in :func:`binary_metrics`.

    Returns:
        Several lines of at most 70 characters.
    """
    sentences = plain_language_sentences(table, positive, threshold, seed=seed)
    lines = [f"- {line}" if line.startswith("Of 100 ") else line for line in sentences]
    return "\n".join(textwrap.fill(line, 70, subsequent_indent="  " * line.startswith("-")) for line in lines)
