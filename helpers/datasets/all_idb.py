"""ALL-IDB1 (whole smears) and ALL-IDB2 (single cells) of the Università degli Studi di Milano (Labati et al. 2011).

Layout: ``ALL_IDB1/im/ImNNN_Y.jpg`` with blast centroids in ``ALL_IDB1/xyc/ImNNN_Y.xyc`` (one *x y* per line), and
``ALL_IDB2/img/ImNNN_Y.tif``; the last digit Y is the label, 1 lymphoblast or patient with leukaemia, 0 healthy. The
folders may be spelt ``ALL-IDB1`` or ``All_IDB1``, their images may lie in ``im`` or ``img``, and both may be nested
deeper.
"""

from __future__ import annotations

import re
from pathlib import Path

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import find_folder, find_subfolder, list_files, list_folders
from helpers.datasets.errors import DatasetError
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame

CLASSES = ("healthy", "blast")
_HOME = "https://scotti.di.unimi.it/all/"
_NO_PATIENT = "no patient is published: images of one smear cannot be kept together"
CARD1 = DatasetCard(
    "ALL-IDB1: whole smears",
    "on application, no redistribution",
    "labati2011",
    _HOME,
    "image",
    (_NO_PATIENT, "centroids mark blasts only; other white blood cells are not marked"),
    classes=CLASSES,
    published_images="108",
)
CARD2 = DatasetCard(
    "ALL-IDB2: single cells cut from ALL-IDB1",
    "on application, no redistribution",
    "labati2011",
    _HOME,
    "image",
    (_NO_PATIENT,),
    classes=CLASSES,
    published_images="260",
)
_IMAGES = "im(g|ages)?"
_NAME = re.compile(r"^Im(?P<number>\d{3})_(?P<label>[01])$", re.IGNORECASE)


def load_all_idb1(folder: Path) -> Dataset:
    """Load ALL-IDB1: whole smears, labelled ``blast`` or ``healthy``.

    Args:
        folder: folder of the download.

    Returns:
        The dataset; its column ``centroids`` holds the centroids of blasts as ``((x, y), …)`` in pixels.

    Raises:
        DatasetError: the folder is missing, a file name has no label, or a file of centroids is missing or invalid.
    """
    base, rows = _rows(folder, 1)
    xyc_folder = find_subfolder(base, "xyc")
    tables = {path.stem.lower(): path for path in list_files(xyc_folder, {".xyc"})} if xyc_folder else {}
    for row in rows:
        name = row["image_id"]
        row["centroids"] = _centroids(tables.get(name.lower(), base / "xyc" / f"{name}.xyc"))
    return Dataset("all_idb1", build_frame(rows), CLASSES, CARD1, FileReader(folder))


def load_all_idb2(folder: Path) -> Dataset:
    """Load ALL-IDB2: single cells, 257×257 pixels, labelled ``blast`` or ``healthy``.

    Args:
        folder: folder of the download.

    Raises:
        DatasetError: the folder is missing, or a file name has no label.
    """
    _, rows = _rows(folder, 2)
    return Dataset("all_idb2", build_frame(rows), CLASSES, CARD2, FileReader(folder))


def _rows(folder: Path, number: int) -> tuple[Path, list[dict]]:
    """Return the folder of set 1 or 2, and a row for every image in it."""
    base = find_folder(folder, [_IMAGES], called=f"all[_ -]?idb[_ -]?{number}")
    images = next(path for path in list_folders(base) if re.fullmatch(_IMAGES, path.name, re.IGNORECASE))
    rows = []
    for path in list_files(images):
        name = _NAME.match(path.stem)
        if not name:
            raise DatasetError(f"{path}: not named ImNNN_0 or ImNNN_1, so its label is not known; restore its name")
        image_id = f"Im{name['number']}_{name['label']}"
        rows.append(
            {
                "image_id": image_id,
                "path": path.relative_to(folder).as_posix(),
                "mask_path": "",
                "label": CLASSES[int(name["label"])],
                "group": image_id,
                "dataset": f"all_idb{number}",
            }
        )
    return base, rows


def _centroids(path: Path) -> tuple[tuple[int, int], ...]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        return tuple(_point(line) for line in lines if line.strip())
    except FileNotFoundError:
        raise DatasetError(
            f"{path}: no such file; every image of ALL-IDB1 has one, empty for a healthy smear"
        ) from None
    except (ValueError, UnicodeDecodeError):
        raise DatasetError(f"{path}: a line is not two whole numbers; copy the file again") from None


def _point(line: str) -> tuple[int, int]:
    x, y = map(int, line.split())
    return x, y
