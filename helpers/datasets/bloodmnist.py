"""BloodMNIST (MedMNIST v2): the PBC images centre-cropped and resized to 28, 64, 128 or 224 pixels, official splits.

Layout: ``bloodmnist.npz``, ``bloodmnist_64.npz``, ``bloodmnist_128.npz``, ``bloodmnist_224.npz``, each with arrays
``{train,val,test}_{images,labels}``.
"""

from __future__ import annotations

import contextlib
import tokenize
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from helpers.datasets import members
from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.download import Remote
from helpers.datasets.errors import DatasetError
from helpers.datasets.readers import ArrayReader
from helpers.datasets.tables import build_frame

CLASSES = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")
SIZES = (28, 64, 128, 224)
SPLITS = ("train", "val", "test")
MAX_IMAGES = 20_000  # 17,092 are published
MAX_NPY_HEADER = 64 << 10  # bytes
UNREADABLE = (tokenize.TokenError, SyntaxError, MemoryError)  # raised by numpy, which parses a header as Python
REMOTE = Remote("https://zenodo.org/records/10519652/files/", "bloodmnist.txt")
CARD = DatasetCard(
    "BloodMNIST (MedMNIST v2)",
    "CC BY 4.0",
    "medmnist2023",
    "https://medmnist.com",
    "image (no patient is published)",
    (
        "the official split is by image: donors are shared between train and test",
        "28 pixels hide the chromatin that a haematologist looks at",
    ),
    classes=CLASSES,
    published_images="17,092",
    download_size="up to 1.5 GB (224 pixels)",
)


def archive_name(size: int) -> str:
    """Return the file name of the archive with images of this size in pixels.

    Raises:
        DatasetError: the size is not one of :data:`SIZES`.
    """
    if size not in SIZES:
        raise DatasetError(f"bloodmnist: size must be one of {SIZES}, got {size}")
    return "bloodmnist.npz" if size == 28 else f"bloodmnist_{size}.npz"


def load_bloodmnist(folder: Path, size: int = 28) -> Dataset:
    """Load BloodMNIST at one size, with the official split in the column ``split``; the array is held in memory once.

    Args:
        folder: contains the npz files.
        size: side of the images in pixels: 28, 64, 128 or 224 (2.4 GiB).

    Raises:
        DatasetError: the file is missing or damaged, or declares arrays of another type or shape or more than
            :data:`MAX_IMAGES` images, which is checked in the headers before an array is read.
    """
    path = folder / archive_name(size)
    try:
        with members.open_zip(path) as zipped:
            labels = {split: _labels(path, zipped, split, size) for split in SPLITS}
            array = _images(path, zipped, {split: len(labels[split]) for split in SPLITS}, size)
    except DatasetError:
        raise
    except (*members.DAMAGED, *UNREADABLE, KeyError, OSError) as error:
        reason = str(error).partition("\n")[0]  # numpy's messages have several lines
        raise DatasetError(f"{path}: not the BloodMNIST archive ({reason}); fetch it again") from None
    rows: list[dict[str, Any]] = []
    for split in SPLITS:
        for k, label in enumerate(labels[split]):
            name = f"{split}-{k:05d}"
            rows.append(
                {
                    "image_id": name,
                    "path": "",
                    "mask_path": "",
                    "label": CLASSES[int(label)],
                    "group": name,
                    "dataset": "bloodmnist",
                    "split": split,
                    "array_index": len(rows),
                }
            )
    return Dataset("bloodmnist", build_frame(rows), CLASSES, CARD, ArrayReader(array), options={"size": size})


def _labels(path: Path, zipped: zipfile.ZipFile, split: str, size: int) -> np.ndarray:
    """Read the labels of one split, ``(n,)``, after checking that the headers of labels and images match."""
    with _header(zipped, f"{split}_images") as (_, shape, dtype):
        pass
    with _header(zipped, f"{split}_labels") as (stream, of_labels, kind):
        n = of_labels[0] if of_labels else 0
        fits = of_labels in ((n,), (n, 1)) and kind.kind in "iu" and not kind.hasobject
        if not fits or n > MAX_IMAGES:
            raise DatasetError(
                f"{path}: {split} has labels {of_labels} of type {kind}, not up to {MAX_IMAGES:,} whole numbers; "
                "fetch it again"
            )
        labels = np.frombuffer(_content(stream, n * kind.itemsize), kind)
    if shape != (n, size, size, 3) or dtype != np.uint8 or not np.isin(labels, range(len(CLASSES))).all():
        raise DatasetError(
            f"{path}: {split} has {n} labels for images {shape} of type {dtype}, or labels outside 0 to 7; fetch it "
            "again"
        )
    return labels


def _images(path: Path, zipped: zipfile.ZipFile, numbers: dict[str, int], size: int) -> np.ndarray:
    """Read the images of all splits into one array, ``uint8 (n, pixels, pixels, 3)``, without a copy."""
    n = sum(numbers.values())
    if n > MAX_IMAGES:
        raise DatasetError(f"{path}: {n:,} images, more than {MAX_IMAGES:,}; fetch it again")
    array, begin = np.empty((n, size, size, 3), np.uint8), 0
    for split in SPLITS:
        with _header(zipped, f"{split}_images") as (stream, _, _):
            for k in range(begin, begin := begin + numbers[split]):
                array[k] = np.frombuffer(_content(stream, array[k].size), np.uint8).reshape(array[k].shape)
            if stream.read(1):  # also verifies the checksum
                raise EOFError(f"{split}_images goes on after its end")
    return array


@contextlib.contextmanager
def _header(zipped: zipfile.ZipFile, name: str) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
    """Open an array behind its header, and yield its stream with the declared shape and type."""
    with zipped.open(f"{name}.npy") as stream:
        bounded = members.Bounded(stream, MAX_NPY_HEADER)
        version = np.lib.format.read_magic(bounded)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read:
            raise ValueError(f"{name} has version {version} of the format")
        shape, by_columns, dtype = read[version](bounded)
        if by_columns or dtype.hasobject or dtype.names or min(shape, default=0) < 0:
            raise ValueError(f"{name} is not a plain array by rows")
        yield stream, shape, dtype


def _content(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError("an array ends early")
    return content
