"""BloodMNIST (MedMNIST v2): the PBC images centre-cropped and shrunk to 28, 64, 128 or 224 pixels, official splits.

Layout: ``bloodmnist.npz``, ``bloodmnist_64.npz``, ``bloodmnist_128.npz``, ``bloodmnist_224.npz``, each with arrays
``{train,val,test}_{images,labels}``.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from helpers.datasets.base import Card, DataError, Dataset
from helpers.datasets.fetch import Remote
from helpers.datasets.tables import frame_of

CLASSES = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")
SIZES = (28, 64, 128, 224)
PARTS = ("train", "val", "test")
REMOTE = Remote("https://zenodo.org/records/10519652/files/", "bloodmnist.txt")
CARD = Card(
    "BloodMNIST (MedMNIST v2)",
    "CC BY 4.0",
    "medmnist2023",
    "https://medmnist.com",
    "image (no patient is published)",
    (
        "the official split is by image: donors are shared between train and test",
        "28 pixels hide the chromatin that a haematologist looks at",
    ),
)


@dataclass
class ArrayReader:
    """Rows that are copies of slices of one array, ``uint8 (n, size, size, 3)``; ``row.position`` says which."""

    array: np.ndarray = field(repr=False)

    def read(self, row: Any, at_least: int | None) -> np.ndarray:
        """See :class:`helpers.datasets.base.Reader`."""
        return self.array[row.position].copy()

    def read_mask(self, row: Any) -> np.ndarray:
        """There are none; :class:`helpers.datasets.base.Dataset` never asks."""
        raise NotImplementedError

    def check(self, row: Any) -> None:
        """The array was checked as a whole."""

    def content(self, row: Any) -> Iterator[bytes]:
        """See :class:`helpers.datasets.base.Reader`."""
        yield self.array[row.position].tobytes()


def file_name(pixels: int) -> str:
    """The file that holds one size."""
    if pixels not in SIZES:
        raise DataError(f"bloodmnist: pixels is one of {SIZES}, not {pixels}")
    return "bloodmnist.npz" if pixels == 28 else f"bloodmnist_{pixels}.npz"


def bloodmnist(folder: Path, pixels: int = 28) -> Dataset:
    """BloodMNIST at one size; the official part is the column ``part``. The whole array is held in memory.

    Args:
        folder: holds the npz files.
        pixels: 28, 64, 128 or 224 (2.4 GiB).
    """
    path = folder / file_name(pixels)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            pictures = {part: arrays[f"{part}_images"] for part in PARTS}
            labels = {part: arrays[f"{part}_labels"].ravel() for part in PARTS}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file", missing=True) from None
    except (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not the BloodMNIST archive ({error}); fetch it again") from None
    rows = []
    for part in PARTS:
        shape, n = pictures[part].shape, len(labels[part])
        if (
            shape != (n, pixels, pixels, 3)
            or pictures[part].dtype != np.uint8
            or not np.isin(labels[part], range(8)).all()
        ):
            raise DataError(
                f"{path}: {part} has {n} labels for images {shape}, or labels outside 0 to 7; fetch it again"
            )
        for k, label in enumerate(labels[part]):
            name = f"{part}-{k:05d}"
            rows.append(
                {
                    "image_id": name,
                    "path": "",
                    "mask_path": "",
                    "label": CLASSES[int(label)],
                    "group": name,
                    "source": "bloodmnist",
                    "part": part,
                    "position": len(rows),
                }
            )
    reader = ArrayReader(np.concatenate([pictures[part] for part in PARTS]))
    return Dataset("bloodmnist", frame_of(rows), CLASSES, CARD, reader, options={"pixels": pixels})
