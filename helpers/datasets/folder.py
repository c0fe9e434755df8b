"""Class folders: your own images (``folder:/path``), and the two published sets laid out in this way.

Layout: one subfolder per class; optionally ``groups.csv`` (image, group) and ``masks/<class>/<name>.png`` (or
``masks/<name>.png``) with 0, 1, 2 or black, grey, white for background, cytoplasm, nucleus; other values are declared
in ``masks/values.csv``, see :mod:`helpers.datasets.masks`.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from helpers.datasets import masks
from helpers.datasets.base import (
    Card,
    DataError,
    Dataset,
    FileReader,
    files_in,
    frame_of,
    match_ids,
    read_table,
)

PBC_CLASSES = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")
PBC_CARD = Card(
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
LEUKOCYTES4_CLASSES = ("eosinophil", "lymphocyte", "monocyte", "neutrophil")
LEUKOCYTES4_CARD = Card(
    "Four leukocyte types, backgrounds removed by hand (Beato)",
    "not stated",
    "beato2018",
    "https://github.com/RBeato/Leukocyte-classification",
    "original image (about 100/10/10 per class before augmentation)",
    (
        "the published folders hold augmented copies; copies of one original form one group here, judged by file name",
        "28 of 40 test originals are byte-identical to validation images; at least 11 are re-crops of training cells",
    ),
)
FOLDER_CARD = Card("Your own class folders", "yours", "", "", "group of groups.csv, else image")
MASKS = "masks"
PARTS = ("train", "validation", "test")
_COPY = re.compile(r"^(?P<original>.*_\d+)_\d+$")


def folder(root: Path) -> Dataset:
    """Class subfolders below ``root``; see the module for the layout."""
    rows = _class_rows(root, "", tuple(_class_folders(root)), "folder")
    groups = root / "groups.csv"
    if groups.exists():
        table = read_table(groups, ["image", "group"])
        match_ids([row["image_id"] for row in rows], table["image"], groups)
        if (table["group"] == "").any():
            empty = table.loc[table["group"] == "", "image"]
            raise DataError(f"{groups}: images without a group; name the patient, or the image itself", empty)
        by_image = table.set_index("image")["group"]
        for row in rows:
            row["group"] = by_image[row["image_id"]]
    reader, options, has_masks = FileReader(root), {}, (root / MASKS).is_dir()
    if has_masks:
        reader, options = _with_masks(root, rows, root / MASKS)
    classes = tuple(sorted({row["label"] for row in rows}))
    return Dataset(f"folder:{root}", frame_of(rows), classes, FOLDER_CARD, reader, has_masks, options)


def pbc(root: Path) -> Dataset:
    """Acevedo et al. 2020, eight classes in ``PBC_dataset_normal_DIB/<class>/``."""
    rows = _class_rows(root, "PBC_dataset_normal_DIB", PBC_CLASSES, "pbc")
    for row in rows:
        row["image_id"] = Path(row["path"]).stem
        row["group"] = row["image_id"]
    return Dataset("pbc", frame_of(rows), PBC_CLASSES, PBC_CARD, FileReader(root))


def leukocytes4(root: Path) -> Dataset:
    """Beato's four classes in ``train/``, ``validation/`` and ``test/``; the published part is the column ``part``."""
    rows = []
    for part in PARTS:
        found = {p.name.lower(): p for p in _class_folders(root / part)}
        missing = [name for name in LEUKOCYTES4_CLASSES if name not in found]
        if missing:
            raise DataError(f"{root / part}: no folder for {', '.join(missing)}; unpack the whole archive here")
        for label in LEUKOCYTES4_CLASSES:
            for row in _class_rows(root, part, (found[label].name,), "leukocytes4"):
                copy = _COPY.match(Path(row["path"]).stem)
                original = copy["original"] if copy else Path(row["path"]).stem
                rows.append({**row, "label": label, "group": f"{part}/{label}/{original}", "part": part})
    return Dataset("leukocytes4", frame_of(rows), LEUKOCYTES4_CLASSES, LEUKOCYTES4_CARD, FileReader(root))


def _class_folders(root: Path) -> list[Path]:
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; give the folder that holds one subfolder per class", missing=True)
    found = sorted(p for p in root.iterdir() if p.is_dir() and p.name != "masks" and not p.name.startswith("."))
    if not found:
        raise DataError(f"{root}: holds no subfolder; make one per class and put its images there")
    return found


def _class_rows(root: Path, below: str, classes: tuple[str | Path, ...], source: str) -> list[dict]:
    rows = []
    for name in classes:
        for path in files_in(root / below / name):
            relative = path.relative_to(root).as_posix()
            label = path.parent.name
            rows.append(
                {
                    "image_id": relative,
                    "path": relative,
                    "mask_path": "",
                    "label": label,
                    "group": relative,
                    "source": source,
                }
            )
    return rows


def _with_masks(root: Path, rows: list[dict], folder: Path) -> tuple[FileReader, dict[str, Any]]:
    """The reader of a folder with masks, whose rows get theirs; what is declared of them belongs to the fingerprint."""
    found = masks.find_masks(root, folder, [row["path"] for row in rows])
    for row in rows:
        row["mask_path"] = found[row["path"]]
    classes, declared = masks.classes_of(folder, [root / path for path in found.values()])
    reader = FileReader(root, functools.partial(masks.read_labels, classes=classes))
    return reader, {"mask_values": tuple(sorted(classes.items()))} if declared else {}
