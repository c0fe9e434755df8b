"""Files of identical content under different names: they share a group, and must share a label.

They are detected whenever a dataset of files is loaded: files of the same size are compared by their SHA-256. Copies in
another image format have the same pixels; :func:`helpers.datasets.validate`, which decodes all images, detects these in
a folder of your own. :func:`helpers.splits.find_near_duplicates` detects images that were rotated or cropped again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from helpers import images
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DatasetError, warn_problems
from helpers.datasets.groups import merge_groups
from helpers.datasets.readers import FileReader

PAIR = ["image_a", "image_b"]


def find_exact_copies(root: Path, paths: Iterable[str]) -> list[list[str]]:
    """Find image files with identical bytes.

    Args:
        root: the folder to which the paths are relative.
        paths: files to compare; those that are not images are ignored.

    Returns:
        Lists of two or more paths of identical files, in the given order.
    """
    alike = [[str(path) for path in paths]]
    for content in (_size, _middle, _sha256):  # each reads more bytes of fewer files
        alike = [same for paths in alike for same in _by(content, root, paths) if len(same) > 1]
    return [same for same in alike if images.is_image(root / same[0])]


def find_copied_files(dataset: Dataset) -> list[list[str]]:
    """Find the identical files of a dataset, as :func:`find_exact_copies`; none if it is not stored as image files."""
    if not isinstance(dataset.reader, FileReader):
        return []
    return find_exact_copies(dataset.reader.root, map(str, dataset.frame["path"].unique()))


def group_copies(dataset: Dataset, found: list[list[str]], refuse_conflicts: bool) -> Dataset:
    """Merge the groups of identical files, and warn of copies that were in several groups.

    Several rows of one file (boxes in it) are not copies.

    Args:
        dataset: dataset as its loader returns it.
        found: paths of identical files, from :func:`find_copied_files`.
        refuse_conflicts: whether copies with different labels raise an error instead of a warning.

    Raises:
        DatasetError: copies have different labels and ``refuse_conflicts`` is set.
    """
    if not found:
        return dataset
    frame = dataset.frame
    copied = frame[frame["path"].isin([path for same in found for path in same])]  # few: groups of all rows take long
    rows = copied.groupby("path", sort=False).groups
    copies = [[rows[path] for path in same] for same in found]
    labels = ({frozenset(frame.loc[ids, "label"].dropna()) for ids in same} - {frozenset()} for same in copies)
    # Images without a label are ignored.
    conflicting = [same for same, names in zip(copies, labels, strict=True) if len(names) > 1]
    separated = [same for same in copies if frame.loc[_ids(same), "group"].nunique() > 1]
    if conflicting and refuse_conflicts:
        raise DatasetError(
            f"{dataset.name}: {len(conflicting)} images lie in two classes; keep each in the right one only",
            map(_line, conflicting),
        )
    if conflicting:
        warn_problems(
            f"{dataset.name}: {len(conflicting)} images have two labels in copies that are the same byte for byte; one "
            "is wrong, better leave them out",
            map(_line, conflicting),
        )
    if not separated:
        return dataset
    warn_problems(
        f"{dataset.name}: {sum(len(_ids(same)) for same in separated)} of {len(frame)} images are copies of one "
        "another, byte for byte; copies share a group, so that no split separates them; better keep one of each",
        map(_line, separated),
    )
    pairs = [(_ids(same)[0], other) for same in separated for other in _ids(same)[1:]]
    return replace(dataset, frame=frame.assign(group=merge_groups(frame, pd.DataFrame(pairs, columns=PAIR))))


def _ids(same: list[pd.Index]) -> list[str]:
    return [image_id for ids in same for image_id in ids]


def _line(same: list[pd.Index]) -> str:
    return " = ".join(map(str, _ids(same)))


def warn_of_equal_pixels(dataset: Dataset, digests: pd.Series) -> None:
    """Warn of images with identical pixels in different groups.

    Args:
        dataset: the dataset.
        digests: digest of the pixels of every image, by ``image_id``; see
            :meth:`helpers.datasets.Dataset.decode`.
    """
    groups = dataset.frame["group"]
    same = [ids for ids in digests.groupby(digests).groups.values() if groups[ids].nunique() > 1]
    if same:
        warn_problems(
            f"{dataset.name}: {sum(map(len, same))} of {len(dataset)} images show the same pixels as another, in files "
            "that differ; give them one group, or keep one of each",
            (" = ".join(ids) for ids in same),
        )


def _by(content: Callable[[Path], object], root: Path, paths: list[str]) -> Iterable[list[str]]:
    """Group paths by a function of their files; unreadable files are skipped, because the header check reports them."""
    groups: dict[object, list[str]] = {}
    for path in paths:
        with contextlib.suppress(OSError):
            groups.setdefault(content(root / path), []).append(path)
    return groups.values()


def _size(path: Path) -> int:
    return path.stat().st_size


def _middle(path: Path) -> bytes:
    """Read some bytes of the middle, where images with the same header and background differ."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        return file.read(4096)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
