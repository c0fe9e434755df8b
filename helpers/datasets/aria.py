"""Aria et al.: smears of suspected acute lymphoblastic leukaemia in four classes, original and segmented.

Layout: ``Original/<class>/WBC-….jpg`` and ``Segmented/<class>/`` with the same names, classes Benign, Early, Pre, Pro;
both may lie in a folder of the archive, and the version that is not loaded may be absent.
"""

from __future__ import annotations

from pathlib import Path

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.directory import find_folder, find_subfolder, list_files
from helpers.datasets.errors import DatasetError
from helpers.datasets.readers import FileReader
from helpers.datasets.tables import build_frame

CLASSES = ("Benign", "Early", "Pre", "Pro")
CARD = DatasetCard(
    "Aria: benign cells and three stages of ALL",
    "Kaggle account; no redistribution",
    "ghaderzadeh2022",
    "https://www.kaggle.com/datasets/mehradaria/leukemia",
    "image (89 patients, but none is named)",
    (
        "no patient id, so cells of one patient fall on both sides of any split",
        "the segmented pictures hold HSV values saved as if they were BGR; their colours are not colours",
    ),
    classes=CLASSES,
)


def load_aria(folder: Path, version: str = "Original") -> Dataset:
    """Load one of the two versions; both have the same ids, so that their images can be paired.

    Args:
        folder: contains ``Original/``, ``Segmented/`` or both.
        version: ``"Original"`` or ``"Segmented"``.

    Raises:
        DatasetError: the version is unknown or missing, or an image has no partner in the other version.
    """
    if version not in ("Original", "Segmented"):
        raise DatasetError(f"aria: version must be 'Original' or 'Segmented', got {version!r}")
    base = find_folder(folder, [version])
    rows = []
    for label in CLASSES:
        paths, partners = (_images(base, each, label) for each in (version, *({"Original", "Segmented"} - {version})))
        alone = sorted(set(paths) ^ set(partners)) if partners else []
        if alone:
            raise DatasetError(f"{folder}: {label} images without a partner in the other version; unpack again", alone)
        for stem, path in paths.items():
            rows.append(
                {
                    "image_id": stem,
                    "path": path.relative_to(folder).as_posix(),
                    "mask_path": "",
                    "label": label,
                    "group": stem,
                    "dataset": "aria",
                }
            )
    return Dataset("aria", build_frame(rows), CLASSES, CARD, FileReader(folder), options={"version": version})


def _images(base: Path, version: str, label: str) -> dict[str, Path]:
    """Return the images of one class by name; empty if the version is absent."""
    version_folder = find_subfolder(base, version)
    if not version_folder:
        return {}
    class_folder = find_subfolder(version_folder, label) or version_folder / label
    return {path.stem: path for path in list_files(class_folder)}
