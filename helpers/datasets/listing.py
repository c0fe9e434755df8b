"""A folder and all folders in it: which files are images, by suffix or content; links without loops.

A file with the suffix of an image is taken for one, so that a damaged one is named; a file with another suffix or none
counts where it begins as an image does. Folders are read ``MAX_DEPTH`` deep, and at most ``MAX_FILES`` files of them.
What systems leave behind is passed over (:mod:`helpers.datasets.directory`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers import images
from helpers.datasets.directory import NO_FOLDER, is_kind, list_entries, normalise_name
from helpers.datasets.errors import DatasetError, warn_problems

MASKS = "masks"
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.txt", ".xlsx")
MAX_DEPTH = 8
EVERY_DEPTH = range(MAX_DEPTH + 1)
MAX_FILES = 1_000_000
MAX_FILES_TOO_DEEP = 10_000  # looked through below the folders that are read, to say what lies there


@dataclass
class Listing:
    """Hold what lies in a folder and below it.

    Attributes:
        folders: directly in the folder, also those that are left out; sorted.
        files: directly in the folder, of any kind; sorted.
        images: in the folders that are read, sorted.
        elsewhere: images in folders above or below these.
        others: files, pipes and broken links that are no images.
        cut: whether more lies deeper than was looked through.
    """

    folders: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    elsewhere: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    cut: bool = False


def counts_by_suffix(paths: Iterable[Path]) -> str:
    """Write how many files there are of each suffix, the most frequent first: ``3 .txt, 1 without suffix``."""
    counts = Counter(path.suffix.lower() or "without suffix" for path in paths)
    return ", ".join(f"{number} {suffix}" for suffix, number in sorted(counts.items(), key=lambda own: (-own[1], own)))


def find_table(listing: Listing, stem: str, content: str) -> Path | None:
    """Find the table in a folder, ``stem`` with a suffix of :data:`TABLE_SUFFIXES`, whatever the case of its name.

    Args:
        listing: of the folder.
        stem: of the table's name, in small letters.
        content: what the table holds, for the messages.

    Returns:
        The table; ``None`` where there is none.

    Raises:
        DataError: there are several, or one of a kind that is not read (``.xls``, ``.ods``).
    """
    named = sorted(p for p in (*listing.folders, *listing.files) if normalise_name(p.name).split(".")[0] == stem)
    tables = [path for path in named if normalise_name(path.name).removeprefix(stem) in TABLE_SUFFIXES]
    unread = [path for path in named if path in listing.files and path.suffix.lower() not in images.SUFFIXES]
    if unread and not tables:
        raise DatasetError(f"{unread[0]}: not read as a table of {content}; save it as {stem}.csv or {stem}.xlsx")
    if len(tables) > 1:
        raise DatasetError(f"{tables[0].parent}: more than one table of {content}; keep one", (p.name for p in tables))
    if tables and tables[0] in listing.folders:
        raise DatasetError(f"{tables[0]}: a folder; put the table itself there")
    return tables[0] if tables else None


def find_images(place: Path) -> list[Path]:
    """Find one image, or all of a folder and the folders in it, sorted; a warning tells what is left out.

    That is files that are no images, and folders called ``masks``.

    Args:
        place: an image, or a folder.

    Raises:
        DataError: the folder is missing or not readable, or no image is in it.
    """
    if place.is_file():
        return [place]
    shut: list[Path] = []

    def of_masks(folder: Path, _: int) -> bool:
        if normalise_name(folder.name) == MASKS:
            shut.append(folder)
        return normalise_name(folder.name) == MASKS

    found = list_images(place, EVERY_DEPTH, of_masks)
    counts = [f"other files ({counts_by_suffix(found.others)})"] if found.others else []
    counts += [f"folders called {MASKS} ({len(shut)})"] if shut else []
    left = " and ".join(counts)
    if not found.images:
        known = ", ".join(sorted(images.SUFFIXES))
        here = f"; there are {left}" if left else ""
        raise DatasetError(f"{place}: no image here nor in the folders below ({known}){here}")
    if left:
        warn_problems(f"{place}: left out {left}", (str(path.relative_to(place)) for path in (*found.others, *shut)))
    return found.images


def is_mask_folder(folder: Path, depth: int) -> bool:
    """Whether a folder is the one of masks beside the classes, for :func:`listed`."""
    return depth == 0 and normalise_name(folder.name) == MASKS


def list_images(
    root: Path,
    depths: Iterable[int],
    shut: Callable[[Path, int], bool] = is_mask_folder,
    missing: str = NO_FOLDER,
) -> Listing:
    """Look through a folder and the folders in it, once.

    Args:
        root: the folder.
        depths: how many folders below ``root`` an image lies that is read; 0 for one in ``root`` itself.
        shut: whether a folder, with the depth of the one that it lies in, is left out.
        missing: what to say where ``root`` is not there.

    Raises:
        DataError: a folder is missing or not readable, a name is not UTF-8, or there are too many files or folders
            within folders.
    """
    wanted = set(depths)
    listing, number, too_deep = Listing(), 0, 0
    for entry, depth, is_folder in _walk(root, shut, missing):
        path = Path(entry.path)
        if depth == 0:
            (listing.folders if is_folder else listing.files).append(path)
        if is_folder:
            continue
        number += 1
        too_deep += depth > max(wanted)
        if number > MAX_FILES:
            raise DatasetError(f"{root}: more than {MAX_FILES:,} files; give the folder of one dataset")
        if too_deep > MAX_FILES_TOO_DEEP:
            listing.cut = True
            break
        if not _is_image(entry):
            listing.others.append(path)
        elif depth in wanted:
            listing.images.append(path)
        else:
            listing.elsewhere.append(path)
    listing.images.sort()
    return listing


def _walk(root: Path, shut: Callable[[Path, int], bool], missing: str) -> Iterator[tuple[os.DirEntry, int, bool]]:
    """What lies in a folder and below it, the nearest first: how many folders below, and whether it is a folder."""
    level, depth = [(root, frozenset({_identity(root)}))], 0
    while level:
        below = []
        for folder, above in level:
            if depth > MAX_DEPTH:
                raise DatasetError(f"{folder}: more than {MAX_DEPTH} folders deep; give a folder nearer to the images")
            for entry in list_entries(folder, missing if folder == root else NO_FOLDER):
                is_folder = is_kind(entry.is_dir)
                yield entry, depth, is_folder
                if is_folder and not shut(path := Path(entry.path), depth):
                    own = _identity(path)
                    if own not in above:  # a link to a folder above would be read without end
                        below.append((path, above | {own}))
        level, depth = below, depth + 1


def _identity(folder: Path) -> tuple[int, int]:
    try:
        known = folder.stat()
    except (OSError, ValueError):
        return (0, 0)  # entries() says what is wrong
    return known.st_dev, known.st_ino


def _is_image(entry: os.DirEntry) -> bool:
    if not is_kind(entry.is_file):  # a pipe would keep its reader waiting
        return False
    path = Path(entry.path)
    return path.suffix.lower() in images.SUFFIXES or (entry.stat().st_size > 0 and images.is_image(path))
