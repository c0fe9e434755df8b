"""Label shift: estimate the prevalence in a target domain without labels.

It assumes that each class looks as it did in the source domain: p(x|y) stays, and the share of the classes changes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import NONE, Bootstrap, Estimate, interval_estimate, of_one_class, weighted_sums
from helpers.metrics.classification import predicted_classes, prediction_classes
from helpers.metrics.quantification import solve_shares
from helpers.metrics.resampling import MIN_GROUPS


def estimate_prevalence(source: pd.DataFrame, target: pd.DataFrame, positive: str, *, seed: int) -> Estimate:
    """Estimate the share of a class in the target domain from predictions, with no label of it (Lipton et al. 2018).

    The shares of the predicted classes q are C p, where column j of C has the shares of the predicted classes among the
    images of class j in the source domain. The solution p is clipped to 0 and normalised. The labels of the target are
    not used.

    Args:
        source: table of test predictions of the source domain.
        target: table of predictions of the target domain, of the same classes.
        positive: class whose share is estimated.
        seed: random seed; patients of both domains are resampled.

    Returns:
        Share of images, 0 to 1, with ``n`` and ``groups`` of the target. NaN where predictions do not depend on the
        class; no interval below ten groups in either domain.

    Raises:
        ValueError: the classes of the tables differ, or the class is not among them.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> def predictions(labels, blasts):
        ...     p = pd.Series([0.9] * blasts + [0.1] * (len(labels) - blasts))
        ...     group = [f"P{k}" for k in range(len(labels))]
        ...     return pd.DataFrame({"label": labels, "group": group,
        ...                          "p_blast": p, "p_other": 1 - p})
        >>> # The model finds all 5 blasts, and calls 1 of 5 others a blast.
        >>> source = predictions(["blast"] * 5 + ["other"] * 5, 6)
        >>> target = predictions(["?"] * 20, 8)  # 40 % are called blasts
        >>> of = metrics.estimate_prevalence(source, target, "blast", seed=20)
        >>> round(of.value, 3)
        0.25
    """
    classes = prediction_classes(source)
    if sorted(prediction_classes(target)) != sorted(classes) or positive not in classes:
        raise ValueError(f"source and target must have the classes {', '.join(classes)}, of which one is {positive!r}")
    k, labels = len(classes), source["label"].map(classes.index).to_numpy()
    cells = np.eye(k * k)[labels * k + _predicted(source, classes)]
    by_class = Bootstrap(weighted_sums(cells, source), source, seed)
    unlabelled = of_one_class(target["group"])
    called = Bootstrap(weighted_sums(np.eye(k)[_predicted(target, classes)], unlabelled), unlabelled, seed + 1)
    number = classes.index(positive)
    value = solve_shares(by_class.value.reshape(1, k, k), called.value[None])[0, number]
    estimate = interval_estimate(
        value,
        solve_shares(by_class.resampled.reshape(-1, k, k), called.resampled)[:, number],
        n=len(target),
        groups=target["group"].nunique(),
    )
    if min(source["group"].nunique(), estimate.groups) < MIN_GROUPS:
        return replace(estimate, low=float("nan"), high=float("nan"), interval=NONE)
    return estimate


def _predicted(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    return predicted_classes(table).map(classes.index).to_numpy()
