"""The differential count: types of white blood cells per patient, with the error of counting so few of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers.metrics.bootstrap import INTERVAL, LEVEL
from helpers.metrics.overdispersion import dispersion_of_cells
from helpers.metrics.proportions import wilson_interval


def differential_count(cells: pd.DataFrame, classes: Sequence[str], *, simultaneous: bool = False) -> pd.DataFrame:
    """Count the types of each patient's cells, with an interval of the share of each type.

    The interval is that of Wilson (1927), of as many independent cells as the counted ones are worth: their number over
    the overdispersion between fields (:func:`helpers.metrics.field_dispersion`). It holds the error of counting alone;
    :func:`helpers.metrics.corrected_shares` adds that of the classifier.

    Args:
        cells: a row per cell, with the columns ``group`` (the patient), ``predicted_class`` and, if known, ``image``
            (the field). Leave out what does not belong to the total, such as smudge cells.
        classes: names of the types, in output order.
        simultaneous: whether 95 % is the chance that all intervals of a patient hold their shares (Goodman 1965), which
            answers "what may this differential be?". By default it is that of each interval, which answers "how many
            blasts may this patient have?".

    Returns:
        Columns ``group, class, n, total, share, low, high, interval, overdispersion``, a row per group and class, also
        for classes without a cell. ``overdispersion`` is NaN where fields are not known or too few; cells then count
        as independent.

    Raises:
        ValueError: there is no cell or no class, or a cell has another class.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> types = ["neutrophil"] * 70 + ["lymphocyte"] * 30
        >>> cells = pd.DataFrame({"group": "A", "predicted_class": types})
        >>> table = metrics.differential_count(
        ...     cells, ["neutrophil", "lymphocyte", "basophil"]
        ... )
        >>> table[["class", "n", "share", "low", "high"]].round(3)
                class   n  share    low   high
        0  neutrophil  70    0.7  0.604  0.781
        1  lymphocyte  30    0.3  0.219  0.396
        2    basophil   0    0.0  0.000  0.037
    """
    if cells.empty or not len(classes):
        raise ValueError(f"a count needs cells and classes, got {len(cells)} cells of {len(classes)} classes")
    unknown = cells.loc[~cells["predicted_class"].isin(classes), "predicted_class"]
    if len(unknown):
        raise ValueError(f"predicted_class must be among {', '.join(classes)}, got {unknown.iloc[0]!r}; leave it out")
    level = 1 - (1 - LEVEL) / len(classes) if simultaneous else LEVEL
    rows = []
    for group, of_group in cells.groupby("group", sort=True):
        counts, total = of_group["predicted_class"].value_counts().reindex(list(classes), fill_value=0), len(of_group)
        overdispersion = dispersion_of_cells(of_group, of_group["predicted_class"])
        worth = 1 if pd.isna(overdispersion) else 1 / overdispersion
        for name, n in counts.items():
            low, high = wilson_interval(int(n) * worth, total * worth, level=level)
            ends = {"low": low, "high": high, "interval": INTERVAL, "overdispersion": overdispersion}
            rows.append({"group": group, "class": name, "n": n, "total": total, "share": n / total, **ends})
    return pd.DataFrame(rows)
