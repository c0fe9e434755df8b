"""Files of the same content under other names: one image counts once, and has one label.

Found by content, whenever a folder is loaded: files of the same size are compared by their SHA-256. Copies that were
saved again, turned or cut out anew differ in their bytes; :func:`helpers.splits.near_duplicates` looks for these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from helpers import images
from helpers.datasets.errors import DataError, warn
from helpers.datasets.groups import merge_groups


def copies(root: Path, paths: Iterable[str]) -> list[list[str]]:
    """Images of the same bytes: two or more paths each, in the order given; what is no image is left out.

    Args:
        root: the folder that the paths are below.
        paths: of the files.
    """
    by_size: dict[int, list[str]] = {}
    for path in paths:
        by_size.setdefault((root / path).stat().st_size, []).append(path)
    by_content: dict[bytes, list[str]] = {}
    for same_size in by_size.values():
        for path in same_size if len(same_size) > 1 else ():
            if images.is_image(root / path):  # what cannot be read is named when headers are checked
                by_content.setdefault(_sha256(root / path), []).append(path)
    return [same for same in by_content.values() if len(same) > 1]


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


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
