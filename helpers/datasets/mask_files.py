"""Mask files of a dataset: which one belongs to which image."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath

from helpers import images
from helpers.datasets.errors import DatasetError


def match_masks(root: Path, folder: Path, masks: Iterable[Path], paths: Iterable[str]) -> dict[str, str]:
    """Match every image with its mask: ``<folder>/<path of the image>`` or ``<folder>/<its name>``.

    The suffix does not count. Names are compared with their letters composed, and whatever their case where none is
    equal.

    Args:
        root: of the dataset.
        folder: of the masks, below it.
        masks: the files in that folder and below it.
        paths: of the images, below ``root``.

    Returns:
        From path of the image to path of its mask, both below ``root``.

    Raises:
        DataError: an image has no mask or several, or a mask stands for several images; each is listed.
    """
    by_name: dict[tuple[str, bool], list[str]] = {}  # by name, and whether its case has been taken away
    for mask in masks:
        key = _key(mask.relative_to(folder))
        for name in ((key, False), (key.casefold(), True)):
            by_name.setdefault(name, []).append(mask.relative_to(root).as_posix())
    matches, problems, images_of = {}, [], {}
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
    """A path without the suffix of an image, its letters composed as one: file systems and archives differ in that."""
    known = path.suffix.lower() in images.SUFFIXES
    return unicodedata.normalize("NFC", (path.with_suffix("") if known else path).as_posix())
