"""TXL-PBC: images of two laboratories with boxes of white blood cells, red cells and platelets.

Layout: ``images/NAME.png``; ``labels/NAME.txt``, a line per cell in YOLO's format: 0 white blood cell, 1 red cell or 2
platelet, then centre, width and height of its box as shares of the image; ``cells.csv`` (image, source, original, type,
type_from, slide), which names the original file of every image and the type of its white blood cell.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from helpers import images
from helpers.datasets.boxes import KINDS, Box, central_cell, square_around, with_area
from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import list_files
from helpers.datasets.errors import DatasetError
from helpers.datasets.groups import names_of_merged
from helpers.datasets.readers import CropReader, FileReader
from helpers.datasets.tables import build_frame, match_ids, read_table

CLASSES = ("neutrophil", "eosinophil", "lymphocyte", "monocyte", "basophil")
SOURCES = ("pbc", "raabin")
CARD = DatasetCard(
    "TXL-PBC: cells of two laboratories, Barcelona (PBC) and Tehran (Raabin-WBC), with boxes",
    "compilation MIT; PBC images CC BY 4.0; Raabin images free to access, without a licence text",
    "gan2024",
    "https://github.com/lugan113/TXL-PBC_Dataset",
    "slide or day of the file name for Raabin, image for PBC (no patient is published)",
    (
        "cells of two Raabin slides appear again under another name: 95-5-4-1 and 95-5-5-1 (five pairs), and the days "
        "20190527 and 20190531 (one pair); each two are one group here",
        "in the Raabin images, type and slide are confounded: all neutrophils come from one slide, the lymphocytes "
        "from three and the basophils from four, so a model that knows the slide knows much of the type",
        "types of Raabin images come from a table that its authors published, those of neutrophils by elimination; no "
        "haematologist has confirmed them for this compilation",
        "30 of its 500 PBC images are also in the sample of `pbc` that our results use; both have the same group, the "
        "name of the original file",
        "five images list a box more than once, LY_10361 its only white blood cell six times; equal boxes count as one",
        "two Raabin images have no box of a white blood cell and are left out where cells are cropped; where an image "
        "has several, the cell is the one nearest to its centre",
        "the Raabin images may be used to evaluate a model; they are neither in this repository nor shown in the book",
    ),
    classes=CLASSES,
    published_images="1,260",
)
SAME_SLIDE = names_of_merged("95-5-4-1+95-5-5-1", "20190527+20190531")


def load_txl(folder: Path, source: str = "", crop: bool = True) -> Dataset:
    """Load the white blood cells of one or both laboratories, cropped from their images, or the whole images.

    Args:
        folder: contains ``images/``, ``labels/`` and ``cells.csv``.
        source: ``"pbc"`` or ``"raabin"``; both if empty.
        crop: load one square per image, the box of its white blood cell with a margin of 10 %; if false, whole images.
            The column ``boxes`` has the ``(kind, left, top, right, bottom)`` of all cells in pixels of the file.

    Returns:
        Dataset with the columns ``source`` (laboratory), ``slide`` (empty where it is not known) and ``type_from``.

    Raises:
        DatasetError: there is no such source, or images, labels and table do not belong together or are invalid.
    """
    if source not in ("", *SOURCES):
        raise DatasetError(f"txl: source is {source!r}; choose {' or '.join(SOURCES)}, or leave it empty for both")
    table = _cells(folder / "cells.csv")
    match_ids((path.name for path in list_files(folder / "images")), table["image"], folder / "cells.csv")
    rows = []
    for cell in table[table["source"].isin([source] if source else SOURCES)].itertuples():
        path = folder / "images" / str(cell.image)
        size = images.image_size(path)
        boxes = read_boxes(folder / "labels" / f"{path.stem}.txt", size)
        square = _white_cell(boxes, size) if crop else {}
        if square is None:
            continue  # see the card
        original, source_name, slide = Path(str(cell.original)).stem, str(cell.source), str(cell.slide)
        rows.append(
            {
                "image_id": original,
                "path": path.relative_to(folder).as_posix(),
                "mask_path": "",
                "label": cell.type,
                "group": f"{source_name}-{SAME_SLIDE.get(slide, slide)}" if slide else original,
                "dataset": "txl",
                "source": source_name,
                "slide": slide,
                "type_from": cell.type_from,
                "boxes": boxes,
                **square,
            }
        )
    reader = CropReader(folder) if crop else FileReader(folder)
    options = {"source": source, "crop": crop}
    return Dataset("txl", build_frame(rows), CLASSES, CARD, reader, options=options)


def read_boxes(path: Path, size: tuple[int, int]) -> tuple[Box, ...]:
    """Read the boxes of a YOLO label file as ``(kind, left, top, right, bottom)`` in pixels.

    Boxes are clipped to the image; those without an area are dropped.

    Args:
        path: lines of the number of a kind (see the module) and x, y, width and height as shares of the image.
        size: height and width of the image in pixels.

    Raises:
        DatasetError: the file is missing or a line is not a box.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such label file; every image needs one, fetch the dataset again") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read ({error}); fetch the dataset again") from None
    boxes: list[Box] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                boxes.append(_box(line, size))
            except ValueError as error:
                raise DatasetError(f"{path}: line {number}: {line[:80]!r} {error}; fetch the dataset again") from None
    return with_area(boxes)


def _box(line: str, size: tuple[int, int]) -> Box:
    """Return the box of one line in pixels; raise ``ValueError`` with what is wrong with it."""
    words = line.split()
    if len(words) != 5 or words[0] not in map(str, range(len(KINDS))):
        raise ValueError(f"is not a kind from 0 to {len(KINDS) - 1} and four numbers")
    try:
        x, y, width, height = map(float, words[1:])
    except ValueError:
        raise ValueError("has a value that is not a number") from None
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in (x, y, width, height)):
        raise ValueError("has a value outside 0 to 1")
    rows, columns = size
    left, right = (min(max(round((x + side * width / 2) * columns), 0), columns) for side in (-1, 1))
    top, bottom = (min(max(round((y + side * height / 2) * rows), 0), rows) for side in (-1, 1))
    return KINDS[int(words[0])], left, top, right, bottom


def _white_cell(boxes: tuple[Box, ...], size: tuple[int, int]) -> dict[str, int] | None:
    """Return the square around the white blood cell nearest to the centre; None if there is no white blood cell."""
    cell = central_cell(boxes, size)
    return None if cell is None else square_around(cell, size)


def _cells(path: Path) -> pd.DataFrame:
    """Read the table of cells and check sources, types and that the originals are unique."""
    table = read_table(path, ["image", "source", "original", "type", "type_from", "slide"])
    problems = [
        f"line {line}: {row['source']!r}, {row['type']!r}"
        for line, row in table.iterrows()
        if row["source"] not in SOURCES or row["type"] not in CLASSES
    ]
    if problems:
        raise DatasetError(f"{path}: source is one of {SOURCES} and type one of {CLASSES}; correct the table", problems)
    twice = table.loc[table["original"].duplicated(), "original"]
    if len(twice):
        raise DatasetError(f"{path}: original files that are listed more than once; correct the table", twice)
    return table
