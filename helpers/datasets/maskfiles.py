"""Mask files of a dataset: which one belongs to which image."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePath, PurePosixPath

from helpers import images
from helpers.datasets.errors import DataError
from helpers.datasets.listing import MAX_DEPTH, listed


def find_masks(root: Path, folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Find the mask of every image: ``<folder>/<path of the image>`` or ``<folder>/<its name>``, whatever the suffix.

    Names are compared with their letters composed, and whatever their case where none is equal.

    Args:
        root: of the dataset.
        folder: of the masks, below it.
        paths: of the images, below ``root``.

    Returns:
        From path of the image to path of its mask, both below ``root``.

    Raises:
        DataError: an image has no mask or several, or a mask stands for several images; each is listed.
    """
    there: dict[tuple[str, bool], list[str]] = {}  # by name, and whether its case has been taken away
    for path in listed(folder, range(MAX_DEPTH + 1), shut=lambda *_: False).images:
        key = _key(path.relative_to(folder))
        for name in ((key, False), (key.casefold(), True)):
            there.setdefault(name, []).append(path.relative_to(root).as_posix())
    found, problems, images_of = {}, [], {}
    for path in paths:
        own, name = _key(PurePosixPath(path)), _key(PurePosixPath(path)).rpartition("/")[2]
        choices = ((own, False), (name, False), (own.casefold(), True), (name.casefold(), True))
        masks = next((there[choice] for choice in choices if choice in there), [])
        if len(masks) == 1:
            found[path] = masks[0]
            images_of.setdefault(masks[0], []).append(path)
        elif masks:
            problems.append(f"{path}: {', '.join(masks)}; which one is meant?")
        else:
            problems.append(f"{path}: no {folder.name}/{own}.png nor {folder.name}/{name}.png")
    shared = [f"{mask}: {', '.join(paths)}" for mask, paths in images_of.items() if len(paths) > 1]
    if shared:
        raise DataError(f"{folder}: masks that stand for more than one image; use {folder.name}/<class>/", shared)
    if problems:
        raise DataError(f"{folder}: {len(problems)} images have no mask; add them, or remove the folder", problems)
    return found


def _key(path: PurePath) -> str:
    """A path without the suffix of an image, its letters composed as one: file systems and archives differ in that."""
    known = path.suffix.lower() in images.SUFFIXES
    return unicodedata.normalize("NFC", (path.with_suffix("") if known else path).as_posix())
