"""The differential of each patient: counts, shares with intervals, the correction for confusion, and flags."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from helpers import metrics
from helpers.counting.corrections import CORRECTED
from helpers.datasets.clinical import BANDS, IMMATURE, LEUKAEMIC, NOT_WHITE
from helpers.prediction.referral import REFER

MIN_CELLS = 100  # of a differential (CLSI H20-A2 counts 200 in each of two films)
MANY_REFERRED = 0.25  # share of the cells; a model refers about a tenth of the cells that it was made for
MANY_BANDS = 0.1  # share of the cells from which bands are a left shift (Bone et al. 1992, Chest 101:1644)
FEW, BLASTS, LEFT_SHIFT, REFERRED = "fewer than 100 cells", "blasts seen", "left shift", "many cells referred"


def count_types(
    cells: pd.DataFrame, classes: Sequence[str], *, validation: pd.DataFrame | None = None, seed: int = 20
) -> pd.DataFrame:
    """Count the types of every patient's cells, as shares of the white blood cells that count.

    Args:
        cells: cells with ``group``, ``image``, ``class``, ``counted``, ``refer`` and, for the correction, ``p_<class>``
            for each class.
        classes: classes of the classifier. Those that are no white blood cells, see
            :data:`helpers.datasets.clinical.NOT_WHITE`, have a number and no share.
        validation: labelled predictions of the classifier for cells of other patients, with ``group``, ``label`` and
            ``p_<class>``; adds the shares corrected for its confusion, see :func:`helpers.metrics.corrected_shares`.
        seed: random seed of these intervals.

    Returns:
        A row per group and class: ``group, class, n, total, share, low, high, interval, overdispersion, referred``, and
        with a validation table ``corrected_share, corrected_low, corrected_high``. A group without a counted cell has
        no row.
    """
    counted = cells[cells["counted"]]
    white = [name for name in classes if name.lower() not in NOT_WHITE]
    named = counted.assign(predicted_class=counted["class"])
    of_white = named[named["class"].isin(white)]
    if of_white.empty:
        return pd.DataFrame(
            columns=["group", "class", "n", "total", "share", "low", "high", "interval", "overdispersion", "referred"]
        )
    table = metrics.differential_count(of_white, white)
    referred = of_white[of_white[REFER]].groupby(["group", "class"]).size().rename("referred")
    table = table.join(referred, on=["group", "class"]).fillna({"referred": 0}).astype({"referred": int})
    if validation is not None:
        table = table.join(_corrected(of_white, white, validation, seed), on=["group", "class"])
    others = named[~named["class"].isin(white)].groupby(["group", "class"]).size().rename("n").reset_index()
    return pd.concat([table, others], ignore_index=True) if len(others) else table


def _corrected(cells: pd.DataFrame, white: list[str], validation: pd.DataFrame, seed: int) -> pd.DataFrame:
    columns = [metrics.PREFIX + name for name in white]
    of_white = validation[validation["label"].isin(white)]
    own = ["group", "image", *columns]
    shares = metrics.corrected_shares(
        of_white[["group", "label", *columns]], cells[own].dropna(subset=columns), method="matrix", seed=seed
    )
    named = shares.rename(columns={name: f"corrected_{name}" for name in ("share", "low", "high")})
    return named.set_index(["group", "class"])[["corrected_share", "corrected_low", "corrected_high"]]


def flag_patients(cells: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Say what an expert should look at first: few cells, blasts, immature granulocytes, many referred cells.

    A left shift is one immature granulocyte, or more than a tenth of band cells.

    Args:
        cells: as for :func:`count_types`, with ``predicted_class``, the class at the threshold of the model, and
            ``corrected``.
        groups: all patients, also those without a cell.

    Returns:
        A row per patient and flag: ``group``, ``flag`` and ``cells``, the number of cells that it rests on.
    """
    counted = cells[cells["counted"] & ~cells["class"].str.lower().isin(NOT_WHITE)]
    rows = []
    for group in sorted(set(groups)):
        own = counted[counted["group"] == group]
        seen = own["class"].str.lower()
        # At its threshold a model may call a cell a blast that is more probably something else.
        called = own["predicted_class"].where(~own[CORRECTED], own["class"]).str.lower()
        bands, immature = int(seen.isin(BANDS).sum()), int(seen.isin(IMMATURE).sum())
        numbers = {
            FEW: len(own) if len(own) < MIN_CELLS else None,
            BLASTS: int((seen.isin(LEUKAEMIC) | called.isin(LEUKAEMIC)).sum()) or None,
            LEFT_SHIFT: bands + immature if immature or bands > MANY_BANDS * len(own) else None,
            REFERRED: int(own[REFER].sum()) if own[REFER].sum() > MANY_REFERRED * len(own) else None,
        }
        rows += [(group, flag, number) for flag, number in numbers.items() if number is not None]
    return pd.DataFrame(rows, columns=["group", "flag", "cells"])


def describe_missing_flags(classes: Sequence[str]) -> list[str]:
    """Say which flags no class of a classifier can raise, as a class of another name counts as a normal cell.

    Args:
        classes: classes of the classifier.

    Returns:
        A sentence for each of the flags, none for one that can be raised.
    """
    known = {name.lower() for name in classes}
    return [
        f"no flag {flag!r} can be raised: none of the model's classes ({', '.join(map(repr, classes))}) is called "
        f"{', '.join(map(repr, names[:-1]))} or {names[-1]!r}; if one is meant, train with a folder of that name"
        for flag, names in ((BLASTS, LEUKAEMIC), (LEFT_SHIFT, (*IMMATURE, *BANDS)))
        if not known & set(names)
    ]
