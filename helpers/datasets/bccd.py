"""BCCD: smear fields with bounding boxes; white blood cells are cropped and labelled by dhruvp/wbc-classification.

Layout: ``BCCD/JPEGImages/BloodImage_NNNNN.jpg``, ``BCCD/Annotations/BloodImage_NNNNN.xml`` (Pascal VOC boxes WBC, RBC,
Platelets) and ``wbc_labels.csv`` (Image, Category), in which one image may list several cells.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from helpers.datasets.boxes import KINDS, Box, square_around, with_area
from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import list_files
from helpers.datasets.download import Remote
from helpers.datasets.errors import DatasetError
from helpers.datasets.readers import CropReader, FileReader
from helpers.datasets.tables import build_frame, read_table

CLASSES = ("neutrophil", "eosinophil", "lymphocyte", "monocyte", "basophil")
FIELD = (480, 640)  # height and width in pixels
_NUMBER, _PHOTO = re.compile(r"[0-9]{1,6}"), re.compile(r"BloodImage_[0-9]{1,6}")
REMOTE = Remote(
    "https://raw.githubusercontent.com/Shenggan/BCCD_Dataset/ec96fe4104e9bb329f0d263db95cf1edd8c09909/", "bccd.txt"
)
CARD = DatasetCard(
    "BCCD: blood cell fields with boxes",
    "MIT",
    "bccd",
    "https://github.com/Shenggan/BCCD_Dataset",
    "field (no patient is published)",
    (
        "labels name the cells of a field, not of a box: where a field holds different types, or the count differs, "
        "its cells are left out",
        "labels come from another repository (dhruvp/wbc-classification) and are not verified by a haematologist",
        "at least 26 pairs of fields show the same cells, most of them photographed again on the way back along the "
        "smear, such as 227 and 260, 228 and 259, 229 and 258: each pair is one group here",
        "two boxes, of fields 338 and 343, have no area and are dropped",
        "the popular Kaggle copy holds augmented images; the originals here are 364 fields",
    ),
    classes=CLASSES,
    published_images="364 fields",
    download_size="9 MB",
)
SAME_CELL = {
    f"BloodImage_{number}": "+".join(pair)
    for pair in (
        ("00037", "00038"), ("00044", "00045"), ("00204", "00277"), ("00205", "00276"), ("00206", "00278"),
        ("00223", "00263"), ("00225", "00262"), ("00226", "00261"), ("00227", "00260"), ("00228", "00259"),
        ("00229", "00258"), ("00230", "00257"), ("00231", "00256"), ("00232", "00255"), ("00233", "00254"),
        ("00236", "00253"), ("00237", "00252"), ("00243", "00250"), ("00244", "00247"), ("00248", "00249"),
        ("00364", "00409"), ("00365", "00408"), ("00381", "00397"), ("00382", "00395"), ("00384", "00393"),
        ("00386", "00391"),
    )
    for number in pair
}  # fmt: skip


def load_bccd(folder: Path, whole_fields: bool = False) -> Dataset:
    """Load white blood cells cropped from their fields, or whole fields.

    Args:
        folder: contains ``BCCD/`` and ``wbc_labels.csv``.
        whole_fields: load whole 640×480 fields with a column ``boxes`` of ``(kind, left, top, right, bottom)`` in
            pixels and no label, instead of one square crop per white blood cell (its box and a margin of 10 %).

    Raises:
        DatasetError: a field has an unexpected name, or annotations or labels are missing or invalid.
    """
    photos = list_files(folder / "BCCD" / "JPEGImages", {".jpg"})
    strange = [photo.name for photo in photos if not _PHOTO.fullmatch(photo.stem)]
    if strange:
        raise DatasetError(f"{photos[0].parent}: fields that are not called BloodImage_NNNNN.jpg; remove them", strange)
    boxes = {photo: _boxes(folder / "BCCD" / "Annotations" / f"{photo.stem}.xml") for photo in photos}
    path = {photo: photo.relative_to(folder).as_posix() for photo in photos}
    common = {"mask_path": "", "dataset": "bccd"}
    if whole_fields:
        rows: list[dict[str, object]] = [
            {
                "image_id": p.stem,
                "path": path[p],
                "label": None,
                "group": SAME_CELL.get(p.stem, p.stem),
                "boxes": field_boxes,
                **common,
            }
            for p, field_boxes in boxes.items()
        ]
        return Dataset("bccd", build_frame(rows), (), CARD, FileReader(folder), options={"whole_fields": True})
    labels = _labels(folder / "wbc_labels.csv")
    rows = []
    for photo, field_boxes in boxes.items():
        cells = [box for box in field_boxes if box[0] == "WBC"]
        names = labels.get(int(photo.stem.removeprefix("BloodImage_")), [])
        if len(set(names)) != 1 or len(names) < len(cells):
            continue  # the labels cannot be assigned to boxes; see the card
        for k, box in enumerate(cells):
            rows.append(
                {
                    "image_id": f"{photo.stem}-{k}",
                    "path": path[photo],
                    "label": names[0],
                    "group": SAME_CELL.get(photo.stem, photo.stem),
                    **square_around(box, FIELD),
                    **common,
                }
            )
    return Dataset("bccd", build_frame(rows), CLASSES, CARD, CropReader(folder))


def _boxes(path: Path) -> tuple[Box, ...]:
    try:
        tree = ElementTree.parse(path)
        boxes: list[Box] = []
        for item in tree.iter("object"):
            left, top, right, bottom = (int(_text(item, f"bndbox/{side}")) for side in ("xmin", "ymin", "xmax", "ymax"))
            boxes.append((_text(item, "name"), left, top, right, bottom))
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such annotation; every field needs one, fetch the dataset again") from None
    except (ElementTree.ParseError, ValueError) as error:
        raise DatasetError(f"{path}: not a Pascal VOC annotation ({error}); fetch the dataset again") from None
    strange = {kind for kind, *_ in boxes} - set(KINDS)
    if strange:
        raise DatasetError(f"{path}: unknown kind of cell {sorted(strange)}; choose from {', '.join(KINDS)}")
    return with_area(boxes)


def _text(item: ElementTree.Element, path: str) -> str:
    text = item.findtext(path)
    if text is None:
        raise ValueError(f"an object has no {path}")
    return text


def _labels(path: Path) -> dict[int, list[str]]:
    table = read_table(path, ["Image", "Category"])
    labels: dict[int, list[str]] = {}
    twice = []
    for number, category in zip(table["Image"], table["Category"], strict=True):
        names = [name.strip().lower() for name in category.split(",") if name.strip()]
        if not _NUMBER.fullmatch(number) or set(names) - set(CLASSES):
            raise DatasetError(f"{path}: row {number!r}: {category!r} is not a number and known cell types {CLASSES}")
        twice += [number] if int(number) in labels else []
        labels[int(number)] = names
    if twice:
        raise DatasetError(f"{path}: images listed more than once; correct the table", twice)
    return labels
