"""PBC: eight classes of normal blood cells, Acevedo et al. 2020.

Layout: ``PBC_dataset_normal_DIB/<class>/``, whatever the case of the classes; Mendeley's archives add one or two
folders around it (``snkd93bnjr-1/PBC_dataset_normal_DIB/PBC_dataset_normal_DIB/``).
"""

from __future__ import annotations

from pathlib import Path

from helpers.datasets.card import Card
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import child, files_in, find_folder
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import frame_of

CLASSES = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")
CARD = Card(
    "PBC: normal peripheral blood cells, Hospital Clínic de Barcelona",
    "CC BY 4.0",
    "acevedo2020",
    "https://data.mendeley.com/datasets/snkd93bnjr/1",
    "image (no patient is published)",
    (
        "cells of one donor cannot be kept together, so a score on it is optimistic",
        "class ig joins promyelocytes, myelocytes and metamyelocytes",
    ),
)


def pbc(folder: Path) -> Dataset:
    """All images; each is a group of its own.

    Args:
        folder: holds the folder of the download.
    """
    base = find_folder(folder, CLASSES)
    rows = [
        {
            "image_id": path.stem,
            "path": path.relative_to(folder).as_posix(),
            "mask_path": "",
            "label": label,
            "group": path.stem,
            "source": "pbc",
        }
        for label in CLASSES
        for path in files_in(child(base, label))
    ]
    return Dataset("pbc", frame_of(rows), CLASSES, CARD, FileReader(folder))
