"""PBC: eight classes of normal blood cells (Acevedo et al. 2020).

Layout: ``PBC_dataset_normal_DIB/<class>/``, with case-insensitive class names; Mendeley's archives add one or two
folders around it (``snkd93bnjr-1/PBC_dataset_normal_DIB/PBC_dataset_normal_DIB/``).
"""

from __future__ import annotations

from pathlib import Path

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import find_folder, list_files, required_subfolders
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame

CLASSES = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")
CARD = DatasetCard(
    "PBC: normal peripheral blood cells, Hospital Clínic de Barcelona",
    "CC BY 4.0",
    "acevedo2020",
    "https://data.mendeley.com/datasets/snkd93bnjr/1",
    "image (no patient is published)",
    (
        "cells of one donor cannot be kept together, so a score on it is optimistic",
        "class ig joins promyelocytes, myelocytes and metamyelocytes",
        "183 pairs of the 17,092 images show one cell, 17 of them byte for byte the same, and 13 have two labels "
        "(found by leukobook duplicates, November 2026)",
    ),
    classes=CLASSES,
    published_images="17,092",
)


def load_pbc(folder: Path) -> Dataset:
    """Load all images, each in a group of its own.

    Args:
        folder: contains the folder of the download.

    Raises:
        DatasetError: the folder of a class is missing or empty.
    """
    base = find_folder(folder, CLASSES)
    rows = [
        {
            "image_id": path.stem,
            "path": path.relative_to(folder).as_posix(),
            "mask_path": "",
            "label": label,
            "group": path.stem,
            "dataset": "pbc",
        }
        for label, subfolder in required_subfolders(base, CLASSES).items()
        for path in list_files(subfolder)
    ]
    return Dataset("pbc", build_frame(rows), CLASSES, CARD, FileReader(folder))
