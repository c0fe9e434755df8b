"""C-NMC 2019: cells of children with acute lymphoblastic leukaemia and of healthy subjects, cut out on black.

Layout: ``C-NMC_training_data/fold_<k>/{all,hem}/UID_<subject>_<image>_<cell>_{all,hem}.bmp``; the preliminary test set
is ``C-NMC_test_prelim_phase_data/<number>.bmp`` (or one folder deeper) with the table
``C-NMC_test_prelim_phase_data_labels.csv`` (Patient_ID, new_names, labels: 1 leukaemia, 0 healthy).
"""

from __future__ import annotations

import re
from pathlib import Path

from helpers.datasets.base import Card, DataError, Dataset, FileReader, files_in, frame_of, match_ids, read_table

CLASSES = ("hem", "all")
CARD = Card(
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
)
_ONE = ("H2+H4+H5", "1+15+17+20")
SAME_SUBJECT = {subject: group for group in _ONE for subject in group.split("+")}
_NAME = re.compile(r"^UID_(?P<subject>H?\d+)_(?P<image>\d+)_(?P<cell>\d+)_(?P<label>all|hem)$")


def cnmc(folder: Path, part: str = "training") -> Dataset:
    """C-NMC; ``label`` is ``all`` (leukaemia) or ``hem`` (healthy), ``group`` the subject.

    Args:
        folder: holds the folders of the download.
        part: ``"training"`` (with a column ``fold`` as published) or ``"preliminary"`` (the labelled test set).
    """
    if part not in ("training", "preliminary"):
        raise DataError(f"cnmc: part is 'training' or 'preliminary', not {part!r}")
    rows = _training(folder) if part == "training" else _preliminary(folder)
    return Dataset("cnmc", frame_of(rows), CLASSES, CARD, FileReader(folder), options={"part": part})


def _row(folder: Path, path: Path, name: str) -> dict:
    parts = _NAME.match(name)
    if not parts:
        raise DataError(f"{path}: the name {name!r} is not UID_<subject>_<image>_<cell>_<all or hem>; restore its name")
    subject = parts["subject"]
    return {
        "image_id": name,
        "path": path.relative_to(folder).as_posix(),
        "mask_path": "",
        "label": parts["label"],
        "group": SAME_SUBJECT.get(subject, subject),
        "source": "cnmc",
        "subject": subject,
    }


def _training(folder: Path) -> list[dict]:
    base = folder / "C-NMC_training_data"
    folds = sorted(p for p in base.glob("fold_[0-9]") if p.is_dir())
    if not folds:
        raise DataError(
            f"{base}: no fold_0, fold_1, fold_2 here; unpack the training archive into {base}", missing=True
        )
    rows = []
    for fold in folds:
        for label in CLASSES:
            for path in files_in(fold / label):
                row = _row(folder, path, path.stem)
                if row["label"] != label:
                    raise DataError(f"{path}: named {row['label']} but lies in {label}/; put it where it belongs")
                rows.append({**row, "fold": int(fold.name.removeprefix("fold_"))})
    return rows


def _preliminary(folder: Path) -> list[dict]:
    base = folder / "C-NMC_test_prelim_phase_data"
    deeper = base / base.name
    paths = files_in(deeper if deeper.is_dir() else base)
    table_path = next((p for p in (base, folder) if (p / f"{base.name}_labels.csv").exists()), base)
    table_path = table_path / f"{base.name}_labels.csv"
    table = read_table(table_path, ["Patient_ID", "new_names", "labels"])
    by_stem = table.set_index(table["new_names"].str.rsplit(".", n=1).str[0])
    match_ids([p.stem for p in paths], by_stem.index, table_path)
    rows = []
    for path in paths:
        entry = by_stem.loc[path.stem]
        row = _row(folder, path, entry["Patient_ID"].rsplit(".", 1)[0])
        if entry["labels"] not in ("0", "1") or CLASSES[int(entry["labels"])] != row["label"]:
            raise DataError(f"{table_path}: {path.name} is labelled {entry['labels']!r} but named {row['image_id']}")
        rows.append(row)
    return rows
