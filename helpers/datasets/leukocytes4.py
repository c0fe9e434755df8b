"""Leukocytes4: four classes of white blood cells with manually removed backgrounds (Beato 2018).

Layout: ``small_dataset/{TRAINsmall,TEST_SIMPLE2small,TEST_SIMPLEsmall}/<class>/`` as in the archive (the author's
validation set is the second one), or ``train/``, ``validation/`` and ``test/``; four of the images are GIF.
"""

from __future__ import annotations

import re
from pathlib import Path

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import find_folder, list_files, list_folders, required_subfolders
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame

CLASSES = ("eosinophil", "lymphocyte", "monocyte", "neutrophil")
CARD = DatasetCard(
    "Four leukocyte types, backgrounds removed by hand (Beato)",
    "not stated",
    "beato2018",
    "https://github.com/RBeato/Leukocyte-classification",
    "original image (about 100/10/10 per class before augmentation)",
    (
        "the published folders hold augmented copies; copies of one original form one group here, judged by file name",
        "28 of 40 test originals are byte-identical to validation images; at least 11 are re-crops of training cells",
    ),
    classes=CLASSES,
)
SPLITS = {
    "train": r"train(small)?",
    "validation": r"validation|test_simple2(small)?",
    "test": r"test|test_simple(small)?",
}
_COPY = re.compile(r"^(?P<original>.*_\d+)_\d+$")


def load_leukocytes4(folder: Path) -> Dataset:
    """Load all images, with the published split in the column ``split``.

    Args:
        folder: contains the folder of the download.

    Raises:
        DatasetError: a folder of a split or class is missing.
    """
    base = find_folder(folder, SPLITS.values())
    rows = []
    for split, name in SPLITS.items():
        split_folder = next(path for path in list_folders(base) if re.fullmatch(name, path.name, re.IGNORECASE))
        for label, subfolder in required_subfolders(split_folder, CLASSES).items():
            for path in list_files(subfolder):
                copy = _COPY.match(path.stem)
                relative = path.relative_to(folder).as_posix()
                rows.append(
                    {
                        "image_id": relative,
                        "path": relative,
                        "mask_path": "",
                        "label": label,
                        "group": f"{split}/{label}/{copy['original'] if copy else path.stem}",
                        "dataset": "leukocytes4",
                        "split": split,
                    }
                )
    return Dataset("leukocytes4", build_frame(rows), CLASSES, CARD, FileReader(folder))
