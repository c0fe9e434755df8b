"""A target domain with label shift alone: the laboratory of the source, other patients, and few of them ill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers import datasets
from helpers.datasets import Dataset

N_NEW = 100  # new patients, every second of them with leukaemia


def label_shift_target(source: Mapping[str, Any], n_ill: int, n_per_patient: int) -> Dataset:
    """Make synthetic cells of patients that the source does not have, from the same laboratory.

    The seed is that of the source, since it determines the strength of the stain. No patient and no number of an image
    is in both, so that no random number is used twice.

    Args:
        source: options of the synthetic cells of the source, with ``n_images``, ``n_patients`` and the task
            ``"leukaemia"``.
        n_ill: number of patients with leukaemia, beside 50 without.
        n_per_patient: number of images of each patient.

    Returns:
        Dataset of one stain batch, of ``50 + n_ill`` patients.
    """
    n_patients = source["n_patients"] + N_NEW
    n_images = source["n_images"] + n_per_patient * n_patients
    options = {**source, "n_stain_batches": 1, "n_patients": n_patients, "n_images": n_images}
    data = datasets.load("synthetic", **options)
    frame = data.frame
    new = frame[(frame["patient"] >= source["n_patients"]) & (frame["number"] >= source["n_images"])]
    ill = new.loc[new["label"] == "lymphoblast", "group"].unique()
    kept = new[~new["group"].isin(ill[n_ill:])]
    return data.select(kept.groupby("group").head(n_per_patient).index)
