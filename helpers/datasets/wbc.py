"""Zheng et al. 2018: white blood cells with hand-drawn ground-truth masks of nucleus and cytoplasm.

``wbc1`` has a rapid stain, ``wbc2`` is from CellaVision. Layout: ``Dataset 1/NNN.bmp`` with masks ``NNN.png`` (black
background, grey cytoplasm, white nucleus) and ``Class Labels of Dataset 1.csv`` (image ID, class 1 to 5), likewise for
2; all of it may lie in a folder of the archive, such as ``segmentation_WBC-master``.
"""

from __future__ import annotations

from pathlib import Path

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import find_folder, list_files
from helpers.datasets.download import Remote
from helpers.datasets.errors import DatasetError
from helpers.datasets.masks import read_grey_levels
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame, match_ids, read_table

CLASSES = ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
REMOTE = Remote(
    "https://raw.githubusercontent.com/zxaoyou/segmentation_WBC/fa9c01622f52bccb9aeb8a6f2628f564e377767d/", "wbc.txt"
)
_HOME = "https://github.com/zxaoyou/segmentation_WBC"
_UNVERIFIED = "class labels were added by the authors and not verified by a haematologist"
CARD1 = DatasetCard(
    "Zheng dataset 1: white blood cells, rapid stain",
    "GPL-3.0",
    "zheng2018",
    _HOME,
    "image (no patient is published)",
    (
        _UNVERIFIED,
        "112 and 139 are the same file; 13 more pairs show one cell each, three in place (157 and 158, 166 and 171, "
        "167 and 169), ten cut out anew and enlarged by 4 to 20 % (19 and 75, 21 and 82, 26 and 89, 30 and 86, "
        "51 and 73, 54 and 91, 56 and 92, 60 and 90, 70 and 72, 71 and 84): each pair is one group here",
        "60 and 90 show one cell and are labelled neutrophil and monocyte",
        "yellow background; 30 image sizes, 224 of 300 are 120×120",
    ),
    classes=CLASSES,
    published_images="300",
    download_size="13 MB",
)
CARD2 = DatasetCard(
    "Zheng dataset 2: white blood cells from the CellaVision blog",
    "GPL-3.0",
    "zheng2018",
    _HOME,
    "image (no patient is published)",
    (_UNVERIFIED, "the masks hold 14 grey values instead of 3; they are cut at 64 and 192"),
    classes=CLASSES,
    published_images="100",
    download_size="27 MB",
)
SAME_CELL = {
    number: "+".join(pair)
    for pair in (
        ("019", "075"), ("021", "082"), ("026", "089"), ("030", "086"), ("051", "073"), ("054", "091"), ("056", "092"),
        ("060", "090"), ("070", "072"), ("071", "084"), ("112", "139"), ("157", "158"), ("166", "171"), ("167", "169"),
    )
    for number in pair
}  # fmt: skip


def load_wbc1(folder: Path) -> Dataset:
    """Load Zheng's dataset 1, 300 cells; pairs that show the same cell share a group.

    Args:
        folder: contains ``Dataset 1/`` and its table of class labels.

    Raises:
        DatasetError: files are missing, or the table does not match them.
    """
    return _build("wbc1", folder, 1, "class label", CARD1, SAME_CELL)


def load_wbc2(folder: Path) -> Dataset:
    """Load Zheng's dataset 2, 100 cells.

    Args:
        folder: contains ``Dataset 2/`` and its table of class labels.

    Raises:
        DatasetError: files are missing, or the table does not match them.
    """
    return _build("wbc2", folder, 2, "class", CARD2, {})


def _build(name: str, folder: Path, number: int, column: str, card: DatasetCard, same: dict[str, str]) -> Dataset:
    base = find_folder(folder, [f"Dataset {number}"])
    paths = list_files(base / f"Dataset {number}", {".bmp"})
    path = base / f"Class Labels of Dataset {number}.csv"
    table = read_table(path, ["image ID", column])
    table.index = table["image ID"].str.zfill(3)
    match_ids([p.stem for p in paths], table.index, path)
    strange = table.loc[~table[column].isin(list("12345")), column]
    if len(strange):
        raise DatasetError(
            f"{path}: classes are 1 to 5", (f"image {key}: class {value!r}" for key, value in strange.items())
        )
    classes = table[column].to_dict()
    rows = [
        {
            "image_id": f"{name}-{p.stem}",
            "path": p.relative_to(folder).as_posix(),
            "mask_path": p.with_suffix(".png").relative_to(folder).as_posix(),
            "label": CLASSES[int(classes[p.stem]) - 1],
            "group": f"{name}-{same.get(p.stem, p.stem)}",  # both sets use the same numbers
            "dataset": name,
        }
        for p in paths
    ]
    return Dataset(name, build_frame(rows), CLASSES, card, FileReader(folder, read_grey_levels), has_masks=True)
