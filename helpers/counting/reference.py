"""What is known about fields: the type of each annotated cell, and the shares in the blood of synthetic patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from helpers import metrics
from helpers.datasets import Dataset
from helpers.datasets.boxes import box_table
from helpers.datasets.synthetic import SyntheticReader

INVENTED = ""  # label of a detection that is no annotated cell


def reference_cells(data: Dataset) -> pd.DataFrame:
    """Tabulate the annotated white blood cells of fields with their types.

    Args:
        data: fields with the columns ``boxes`` and ``types``, the types of the white blood cells in the order of their
            boxes, such as synthetic fields.

    Returns:
        Columns ``image_id, group, left, top, right, bottom, label``.

    Raises:
        ValueError: the fields have no types, or a field has another number of types than of white blood cells.
    """
    if "types" not in data.frame:
        raise ValueError(
            f"{data.name}: has no types of the cells in its fields, which tell what a count should have found; "
            "set dataset to synthetic, and count fields of your own with leukobook count"
        )
    boxes = box_table(data.frame)
    n_boxes = boxes["image_id"].value_counts().reindex(data.frame.index, fill_value=0)
    wrong = data.frame.index[data.frame["types"].map(len) != n_boxes]
    if len(wrong):
        raise ValueError(f"{wrong[0]}: has {n_boxes[wrong[0]]} boxes of white blood cells, and another number of types")
    labels = data.frame["types"].explode().dropna()
    return boxes.assign(label=labels.to_numpy())


def label_detections(detected: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Give detections the labels of the annotated cells that they match, by the distance of the centres.

    Args:
        detected: detections with ``image_id``, ``left``, ``top``, ``right``, ``bottom`` and ``score``.
        reference: from :func:`reference_cells`.

    Returns:
        The detections with ``label``; :data:`INVENTED` where they match no cell.
    """
    matches = metrics.match_detections(detected, reference, criterion="centre").detections
    labels = reference["label"].to_numpy()[matches["matched"].to_numpy()]
    return detected.assign(label=np.where(matches["true_positive"], labels, INVENTED))


def blood_shares(data: Dataset, classes: Sequence[str]) -> pd.DataFrame:
    """Tabulate the shares of the types in the blood of synthetic patients, of which their fields show a sample.

    Args:
        data: synthetic dataset.
        classes: classes, in output order.

    Returns:
        Columns ``group, class, share``, a row per patient and class.

    Raises:
        ValueError: the dataset is not synthetic; nobody knows the shares in real blood.
    """
    if not isinstance(data.reader, SyntheticReader):
        raise ValueError(f"{data.name}: the shares in the blood are known for synthetic patients only")
    rows = []
    for group, patient in data.frame.drop_duplicates("group")[["group", "patient"]].itertuples(index=False):
        shares = data.reader.class_shares(int(patient))
        rows += [{"group": group, "class": name, "share": shares.get(name, 0.0)} for name in classes]
    return pd.DataFrame(rows)


def errors_by_step(counts: dict[str, pd.DataFrame], blood: pd.DataFrame) -> pd.DataFrame:
    """Compare the shares after each step of a count with those in the blood.

    Args:
        counts: shares with ``group``, ``class`` and ``share`` by step, such as counts of all annotated cells, of those
            that were found, and of the predicted classes.
        blood: from :func:`blood_shares`.

    Returns:
        A row per step: ``step``, ``mean absolute error`` and ``largest error``, in percentage points over patients and
        classes, and the ``class`` of the largest.
    """
    rows = []
    for step, table in counts.items():
        joined = blood.merge(table, on=["group", "class"], how="left", suffixes=("_blood", "")).fillna({"share": 0.0})
        error = 100 * (joined["share"] - joined["share_blood"]).abs()
        worst = joined.iloc[int(error.to_numpy().argmax())]
        rows.append(
            {
                "step": step,
                "mean absolute error": error.mean(),
                "largest error": error.max(),
                "class": f"{worst['class']} of {worst['group']}",
            }
        )
    return pd.DataFrame(rows)
