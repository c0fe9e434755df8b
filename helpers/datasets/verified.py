"""Large datasets whose files were found in order: while no file has changed, the check is not repeated.

What was found is kept in the user's cache, in a small file named after everything that it depends on: the table, the
size and the times of every file, and the code that checks. ``data check`` does not use it, and decodes every image.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import files, project
from helpers.datasets import pixels
from helpers.datasets.dataset import Dataset
from helpers.datasets.readers import FileReader

MIN_IMAGES = 1000  # fewer are checked in a moment
MAX_KEPT = 100  # files of the cache; the oldest are removed
SETTLED = 2.0  # seconds; a file changed later than this might change again without another time


def folder() -> Path:
    """Return the folder of what is kept; it may be deleted at any time."""
    return project.user_cache() / "verified"


def hash_state(dataset: Dataset) -> str | None:
    """Hash what the check of a dataset depends on.

    Returns:
        Hash of the table, the size and times of all files, and the code; ``None`` if the dataset is small or not stored
        as image files, or a file is missing or has just changed.
    """
    if len(dataset) < MIN_IMAGES or not isinstance(dataset.reader, FileReader):
        return None
    frame, root = dataset.frame, dataset.reader.root.absolute()
    names = [name for name in pd.unique(pd.concat([frame["path"], frame["mask_path"]])) if name]
    states = np.empty((len(names), 3), np.int64)
    try:
        for row, name in enumerate(names):
            known = (root / name).stat()
            states[row] = known.st_size, known.st_mtime_ns, known.st_ctime_ns
    except OSError:  # the check will say so
        return None
    if states[:, 1:].max() > (time.time() - SETTLED) * 1e9:
        return None
    about = (str(root), dataset.name, type(dataset.reader).__name__, pixels.decoder(), names)
    digest = hashlib.sha256(repr(about).encode("utf-8", "surrogateescape"))
    digest.update(pd.util.hash_pandas_object(frame).to_numpy().tobytes())
    digest.update(states.tobytes())
    return digest.hexdigest()


def recall(state: str | None) -> list[list[str]] | None:
    """Return the groups of identical files of a dataset found in order in this state; ``None`` if there was none."""
    if state is None:
        return None
    try:
        return json.loads((folder() / f"{state}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, project.HomeError):  # not there, or damaged, or without a home: it is checked again
        return None


def remember(state: str | None, copies: list[list[str]]) -> None:
    """Keep that a dataset was found in order, with the groups of identical files.

    Nothing is kept where the cache cannot be written to: the next check takes longer then, and is as good.
    """
    if state is None:
        return
    with contextlib.suppress(OSError, project.HomeError):
        folder().mkdir(parents=True, exist_ok=True)
        with files.atomic_write(folder() / f"{state}.json") as partial:
            partial.write_text(json.dumps(copies), encoding="utf-8")
        kept = sorted(folder().glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-MAX_KEPT]:
            path.unlink(missing_ok=True)


def clear() -> None:
    """Forget all datasets that were found in order."""
    shutil.rmtree(folder(), ignore_errors=True)
