"""C-NMC 2019: cells of children with acute lymphoblastic leukaemia and of healthy subjects, segmented on black.

Layout: ``C-NMC_training_data/fold_<k>/{all,hem}/UID_<subject>_<image>_<cell>_{all,hem}.bmp``; the preliminary test set
is ``C-NMC_test_prelim_phase_data/<number>.bmp`` (or one folder deeper) with the table
``C-NMC_test_prelim_phase_data_labels.csv`` (Patient_ID, new_names, labels: 1 leukaemia, 0 healthy). Kaggle's copy has
``C-NMC_Leukemia/training_data/`` and ``C-NMC_Leukemia/validation_data/``, TCIA's copy lies in ``PKG - C-NMC 2019/``.
Names are case-insensitive (``UID_h3_3_3_hem`` belongs to subject H3).
"""

from __future__ import annotations

import re
from pathlib import Path

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import (
    find_folder,
    find_subfolder,
    list_entries,
    list_files,
    list_folders,
    normalise_name,
    required_subfolders,
)
from helpers.datasets.errors import DatasetError
from helpers.datasets.groups import names_of_merged
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame, match_ids, read_table

CLASSES = ("hem", "all")
CARD = DatasetCard(
    "C-NMC 2019: leukaemic and normal lymphoid cells",
    "CC BY 3.0",
    "cnmc2019",
    "https://doi.org/10.7937/tcia.2019.dc64i46r",
    "subject",
    (
        "cells of one subject look alike: a split by cell measures recognition of subjects",
        "five images appear under two subjects (H2 = H4, H2 = H5): these three are one group here",
        "cells appear again, a little shifted, under subjects 1 and 15, 1 and 17, 17 and 20 (five pairs in the 1,440 "
        "cells that were looked through): these four are one group here",
        "backgrounds are black, so the outline drawn by the segmentation is part of the picture",
    ),
    classes=CLASSES,
    published_images="10,661 for training",
)
_FOLD = r"fold[_ -]?(\d)"
_PRELIMINARY = "C-NMC_test_prelim_phase_data"
SAME_SUBJECT = names_of_merged("H2+H4+H5", "1+15+17+20")
_NAME = re.compile(r"^UID_(?P<subject>H?\d+)_(?P<image>\d+)_(?P<cell>\d+)_(?P<label>all|hem)$", re.IGNORECASE)


def load_cnmc(folder: Path, split: str = "training") -> Dataset:
    """Load C-NMC; ``label`` is ``all`` (leukaemia) or ``hem`` (healthy), ``group`` the subject.

    Args:
        folder: contains the folders of the download.
        split: ``"training"`` (published folds in the column ``fold``) or ``"preliminary"`` (the labelled test set).

    Raises:
        DatasetError: the split is unknown, its folder or table is missing, or a file name and its label do not agree.
    """
    if split not in ("training", "preliminary"):
        raise DatasetError(f"cnmc: split must be 'training' or 'preliminary', got {split!r}")
    rows = _training(folder) if split == "training" else _preliminary(folder)
    return Dataset("cnmc", build_frame(rows), CLASSES, CARD, FileReader(folder), options={"split": split})


def _row(folder: Path, path: Path, name: str) -> dict:
    match = _NAME.match(name)
    if not match:
        raise DatasetError(
            f"{path}: the name {name!r} is not UID_<subject>_<image>_<cell>_<all or hem>; restore its name"
        )
    subject = match["subject"].upper()
    return {
        "image_id": name,
        "path": path.relative_to(folder).as_posix(),
        "mask_path": "",
        "label": match["label"].lower(),
        "group": SAME_SUBJECT.get(subject, subject),
        "dataset": "cnmc",
        "subject": subject,
    }


def _training(folder: Path) -> list[dict]:
    try:
        base = find_folder(folder, [_FOLD])
    except DatasetError as error:
        if not error.missing:
            raise
        raise DatasetError(
            f"{folder}: no fold_0, fold_1, fold_2 here; unpack the training archive there", missing=True
        ) from None
    rows = []
    for fold in list_folders(base):
        number = re.fullmatch(_FOLD, fold.name, re.IGNORECASE)
        if not number:
            continue
        class_root = find_folder(fold, CLASSES)  # Windows unpacks each zip into a folder of its own
        for label, subfolder in required_subfolders(class_root, CLASSES).items():
            for path in list_files(subfolder):
                row = _row(folder, path, path.stem)
                if row["label"] != label:
                    raise DatasetError(f"{path}: named {row['label']} but lies in {label}/; put it where it belongs")
                rows.append({**row, "fold": int(number[1])})
    return rows


def _preliminary(folder: Path) -> list[dict]:
    above = find_folder(folder, [_PRELIMINARY])
    base = required_subfolders(above, [_PRELIMINARY])[_PRELIMINARY]
    deeper = find_subfolder(base, _PRELIMINARY)
    paths = list_files(deeper or base)
    table_path = _table([base, *([deeper] if deeper else []), above, folder])
    table = read_table(table_path, ["Patient_ID", "new_names", "labels"])
    by_stem = table.set_index(table["new_names"].str.rsplit(".", n=1).str[0])
    match_ids([p.stem for p in paths], by_stem.index, table_path)
    entries = by_stem.to_dict("index")
    rows = []
    for path in paths:
        entry = entries[path.stem]
        row = _row(folder, path, entry["Patient_ID"].rsplit(".", 1)[0])
        if entry["labels"] not in ("0", "1") or CLASSES[int(entry["labels"])] != row["label"]:
            raise DatasetError(f"{table_path}: {path.name} is labelled {entry['labels']!r} but named {row['image_id']}")
        rows.append(row)
    return rows


def _table(folders: list[Path]) -> Path:
    """Find the table of the preliminary test set, inside its folder or above it."""
    name = f"{_PRELIMINARY}_labels.csv"
    for folder in folders:
        for entry in list_entries(folder):
            if normalise_name(entry.name) == normalise_name(name):
                return Path(entry.path)
    return folders[0] / name
