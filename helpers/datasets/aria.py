"""Aria et al.: smears of suspected acute lymphoblastic leukaemia in four classes, original and segmented.

Layout: ``Original/<class>/WBC-….jpg`` and ``Segmented/<class>/`` with the same names, classes Benign, Early, Pre, Pro.
"""

from __future__ import annotations

from pathlib import Path

from helpers.datasets.base import Card, DataError, Dataset, FileReader, files_in, frame_of

CLASSES = ("Benign", "Early", "Pre", "Pro")
CARD = Card(
    "Aria: benign cells and three stages of ALL",
    "Kaggle account; no redistribution",
    "ghaderzadeh2022",
    "https://www.kaggle.com/datasets/mehradaria/leukemia",
    "image (89 patients, but none is named)",
    (
        "no patient id, so cells of one patient fall on both sides of any split",
        "the segmented pictures hold HSV values saved as if they were BGR; their colours are not colours",
    ),
)


def aria(folder: Path, version: str = "Original") -> Dataset:
    """The set in one of its two versions; both have the same ids, so they pair by id.

    Args:
        folder: holds ``Original/`` and ``Segmented/``.
        version: ``"Original"`` or ``"Segmented"``.
    """
    if version not in ("Original", "Segmented"):
        raise DataError(f"aria: version is 'Original' or 'Segmented', not {version!r}")
    rows = []
    for label in CLASSES:
        original, segmented = ({p.stem: p for p in files_in(folder / v / label)} for v in ("Original", "Segmented"))
        alone = sorted(set(original) ^ set(segmented))
        if alone:
            raise DataError(f"{folder}: {label} images without a partner in the other version; unpack again", alone)
        for stem, path in (original if version == "Original" else segmented).items():
            rows.append(
                {
                    "image_id": stem,
                    "path": path.relative_to(folder).as_posix(),
                    "mask_path": "",
                    "label": label,
                    "group": stem,
                    "source": "aria",
                }
            )
    return Dataset("aria", frame_of(rows), CLASSES, CARD, FileReader(folder), options={"version": version})
