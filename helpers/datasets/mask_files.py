"""Match the mask files of a dataset with its images."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath

from helpers import images
from helpers.datasets.errors import DatasetError


def match_masks(root: Path, folder: Path, masks: Iterable[Path], paths: Iterable[str]) -> dict[str, str]:
    """Match every image with its mask: ``<folder>/<path of the image>`` or ``<folder>/<its name>``.

    Suffixes are ignored. Names are compared in composed Unicode form, case-insensitively if there is no exact match.

    Args:
        root: root of the dataset.
        folder: folder of the masks, below ``root``.
        masks: files in ``folder`` and its subfolders.
        paths: image paths below ``root``.

    Returns:
        Mask path by image path, both below ``root``.

    Raises:
        DatasetError: an image has no mask or several, or a mask matches several images; the message lists all.
    """
    by_name: dict[tuple[str, bool], list[str]] = {}  # by name, and whether it is case-folded
    for mask in masks:
        key = _key(mask.relative_to(folder))
        for form in ((key, False), (key.casefold(), True)):
            by_name.setdefault(form, []).append(mask.relative_to(root).as_posix())
    matches: dict[str, str] = {}
    images_of: dict[str, list[str]] = {}
    problems = []
    for path in paths:
        key, name = _key(PurePosixPath(path)), _key(PurePosixPath(path)).rpartition("/")[2]
        choices = ((key, False), (name, False), (key.casefold(), True), (name.casefold(), True))
        candidates = next((by_name[choice] for choice in choices if choice in by_name), [])
        if len(candidates) == 1:
            matches[path] = candidates[0]
            images_of.setdefault(candidates[0], []).append(path)
        elif candidates:
            problems.append(f"{path}: {', '.join(candidates)}; which one is meant?")
        else:
            problems.append(f"{path}: no {folder.name}/{key}.png nor {folder.name}/{name}.png")
    shared = [f"{mask}: {', '.join(same)}" for mask, same in images_of.items() if len(same) > 1]
    if shared:
        raise DatasetError(f"{folder}: masks that stand for more than one image; use {folder.name}/<class>/", shared)
    if problems:
        raise DatasetError(f"{folder}: {len(problems)} images have no mask; add them, or remove the folder", problems)
    return matches


def _key(path: PurePath) -> str:
    """Return a path without image suffix in composed Unicode form; file systems and archives differ in that form."""
    known = path.suffix.lower() in images.SUFFIXES
    return unicodedata.normalize("NFC", (path.with_suffix("") if known else path).as_posix())
