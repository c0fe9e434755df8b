"""Files of the same content under other names: one image counts once, and has one label.

Found by content, whenever a folder is loaded: files of the same size are compared by their SHA-256. Copies that were
saved in another format show the same pixels; checking a dataset, which decodes all images, finds these. What was turned
or cut out anew is looked for by :func:`helpers.splits.near_duplicates`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from helpers import images
from helpers.datasets.base import Dataset
from helpers.datasets.errors import DataError, warn
from helpers.datasets.groups import merge_groups


def copies(root: Path, paths: Iterable[str]) -> list[list[str]]:
    """Images of the same bytes: two or more paths each, in the order given; what is no image is left out.

    Args:
        root: the folder that the paths are below.
        paths: of the files.
    """
    alike = [[str(path) for path in paths]]
    for content in (_size, _middle, _sha256):  # each reads more, of fewer files
        alike = [same for paths in alike for same in _by(content, root, paths) if len(same) > 1]
    return [same for same in alike if images.is_image(root / same[0])]


def join_copies(where: str, root: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Put copies into one group, with a warning that names them.

    Args:
        where: the dataset, for the messages.
        root: the folder that the column ``path`` is below.
        frame: of a dataset.

    Raises:
        DataError: an image has two labels.
    """
    ids = pd.Series(frame.index, index=frame["path"])
    found = [[ids[path] for path in same] for same in copies(root, frame["path"])]
    if not found:
        return frame
    lines = [" = ".join(same) for same in found]
    label = frame["label"].to_dict()
    torn = [line for line, same in zip(lines, found, strict=True) if len({label[key] for key in same}) > 1]
    if torn:
        raise DataError(f"{where}: {len(torn)} images lie in two classes; keep each in the right one only", torn)
    warn(
        f"{where}: {sum(map(len, found))} of {len(frame)} images are copies of one another, byte for byte; "
        "copies share a group, so that no split separates them; better keep one of each",
        lines,
    )
    pairs = pd.DataFrame([(same[0], other) for same in found for other in same[1:]], columns=["image_a", "image_b"])
    return frame.assign(group=merge_groups(frame, pairs))


def warn_of_same_pixels(dataset: Dataset) -> None:
    """Decode every image and warn of those that show the same pixels and do not share a group.

    Args:
        dataset: all of whose images can be read.
    """

    def digest(row: Any) -> bytes:
        image = dataset.reader.read(row, None)
        return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(digest, dataset.frame.reset_index().itertuples(index=False)))
    digests, groups = pd.Series(found, index=dataset.frame.index), dataset.frame["group"]
    same = [ids for ids in digests.groupby(digests).groups.values() if groups[ids].nunique() > 1]
    if same:
        warn(
            f"{dataset.name}: {sum(map(len, same))} of {len(dataset)} images show the same pixels as another, in files "
            "that differ; give them one group, or keep one of each",
            (" = ".join(ids) for ids in same),
        )


def _by(content: Callable[[Path], object], root: Path, paths: list[str]) -> Iterable[list[str]]:
    """Paths by what a function finds in the files; one that cannot be read is left out: the headers' check names it."""
    found: dict[object, list[str]] = {}
    for path in paths:
        with contextlib.suppress(OSError):
            found.setdefault(content(root / path), []).append(path)
    return found.values()


def _size(path: Path) -> int:
    return path.stat().st_size


def _middle(path: Path) -> bytes:
    """Some bytes of the middle, where images differ that have the same header and the same background."""
    with path.open("rb") as file:
        file.seek(path.stat().st_size // 2)
        return file.read(4096)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
