"""Say which images a model should not decide alone: several classes fit or none, or it has seen nothing like them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers import metrics
from helpers.models.card_sections import PredictionSets, Reference
from helpers.models.distance import FeatureDistance

SET, QUANTILE, REFER, REASON = "prediction_set", "distance_quantile", "refer", "reason"
BETWEEN = " or "
FAR = "unlike the training images"  # the reason of an image beyond the limit of distances


def measure_features(images: np.ndarray) -> pd.DataFrame:
    """Measure the hand-crafted features of images, a row per image.

    Args:
        images: in the size of the model, ``uint8 (n, size, size, 3)`` RGB.
    """
    from helpers import features  # here, because a network whose card has no reference needs none of it

    return pd.DataFrame([features.extract_features(image) for image in images])


def refer(
    table: pd.DataFrame, sets: PredictionSets | None, reference: Reference | None, features: pd.DataFrame | None
) -> pd.DataFrame:
    """Refer images by prediction sets and by their distance from the training images.

    Args:
        table: probabilities, with a column ``p_<class>`` for each class.
        sets: thresholds; ``None`` to leave the sets out.
        reference: features of the training images; ``None`` to leave the distance out.
        features: hand-crafted features of the images, a row per image of the table; needed with a reference.

    Returns:
        Indexed like ``table``: ``prediction_set``, the classes that fit, joined by "or" (empty if none fits);
        ``distance_quantile``, the share of held-out images of the training data that lie nearer, 0 to 1; ``refer``,
        whether an expert should see the image; ``reason``. No columns without sets and reference.
    """
    columns: dict[str, list] = {}
    reasons: list[list[str]] = [[] for _ in range(len(table))]
    if sets is not None:
        inside = metrics.prediction_sets(table, pd.Series(sets.thresholds))
        members = [list(inside.columns[row]) for row in inside.to_numpy()]
        columns[SET] = [BETWEEN.join(names) for names in members]
        for reason, names in zip(reasons, members, strict=True):
            if len(names) != 1:
                reason.append(f"{len(names)} classes fit" if names else "no class fits")
    if reference is not None and features is not None:
        distance = _distance(reference).measure(features[reference.features].to_numpy())
        columns[QUANTILE] = list(np.interp(distance, reference.quantiles, np.linspace(0, 1, 101)))
        for reason, far in zip(reasons, distance > reference.limit, strict=True):
            if far:
                reason.append(FAR)
    if columns:
        columns[REFER] = [bool(reason) for reason in reasons]
        columns[REASON] = ["; ".join(reason) for reason in reasons]
    return pd.DataFrame(columns, table.index)


def _distance(reference: Reference) -> FeatureDistance:
    return FeatureDistance(np.array(reference.scale), np.array(reference.means), np.array(reference.precision))


def describe_referrals(table: pd.DataFrame) -> str:
    """Say how many images are referred and why; empty for predictions of an older card.

    Args:
        table: predictions with the columns of :func:`helpers.prediction.referral.refer`.
    """
    if REFER not in table:
        return ""
    n_referred = int(table[REFER].sum())
    counts = table.loc[table[REFER], REASON].str.split("; ").explode().value_counts()
    why = ", ".join(f"{reason} {number}" for reason, number in counts.items())
    return f"{n_referred} of {len(table)} images ({n_referred / len(table):.0%}) should be referred to an expert" + (
        f": {why}" if why else ""
    )
