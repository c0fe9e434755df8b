"""List the images below a folder, recognised by suffix or content; follow links without loops.

A file with an image suffix counts as an image, so that a damaged one is reported; a file with another suffix or none
counts if its first bytes are those of an image. Folders are read ``MAX_DEPTH`` deep, and at most ``MAX_FILES`` files.
System files are skipped (:mod:`helpers.datasets.directory`).
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
MAX_FILES_TOO_DEEP = 10_000  # files listed below the requested depths, for the message


@dataclass
class Listing:
    """List the contents of a folder and its subfolders.

    Attributes:
        folders: folders directly in the folder, including excluded ones; sorted.
        files: files of any kind directly in the folder; sorted.
        images: images at the requested depths; sorted.
        elsewhere: images at other depths.
        others: files, pipes and broken links that are not images.
        cut: whether the listing stopped early because too many files lie deeper.
    """

    folders: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    images: list[Path] = field(default_factory=list)
    elsewhere: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    cut: bool = False


def counts_by_suffix(paths: Iterable[Path]) -> str:
    """Format the number of files per suffix, the most frequent first: ``3 .txt, 1 without suffix``."""
    counts = Counter(path.suffix.lower() or "without suffix" for path in paths)
    return ", ".join(
        f"{number} {suffix}" for suffix, number in sorted(counts.items(), key=lambda item: (-item[1], item))
    )


def find_table(listing: Listing, stem: str, content: str) -> Path | None:
    """Find a table directly in a folder: ``stem`` with a suffix of :data:`TABLE_SUFFIXES`, case-insensitive.

    Args:
        listing: contents of the folder.
        stem: lower-case name of the table without suffix.
        content: what the table contains, for the messages.

    Returns:
        The path of the table; ``None`` if there is none.

    Raises:
        DatasetError: there are several tables, or one in an unsupported format (``.xls``, ``.ods``).
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


def find_images(root: Path, own: Iterable[Path] = ()) -> list[Path]:
    """Find all images in a folder and its subfolders, sorted, and warn of skipped files.

    Files that are not images and folders named ``masks`` are skipped.

    Args:
        root: an image, which is returned alone, or a folder.
        own: tables and pages that the caller reads or writes, which cause no warning.

    Raises:
        DatasetError: the folder is missing, not readable, or contains no image.
    """
    if root.is_file():
        return [root]
    skipped: list[Path] = []

    def is_skipped(folder: Path, _: int) -> bool:
        if normalise_name(folder.name) == MASKS:
            skipped.append(folder)
        return normalise_name(folder.name) == MASKS

    listing = list_images(root, EVERY_DEPTH, is_skipped)
    expected = {path.absolute() for path in own}
    others = [path for path in listing.others if path.absolute() not in expected]
    counts = [f"other files ({counts_by_suffix(others)})"] if others else []
    counts += [f"folders called {MASKS} ({len(skipped)})"] if skipped else []
    ignored = " and ".join(counts)
    if not listing.images:
        known = ", ".join(sorted(images.SUFFIXES))
        here = f"; there are {ignored}" if ignored else ""
        raise DatasetError(f"{root}: no image here nor in the folders below ({known}){here}")
    if ignored:
        warn_problems(f"{root}: left out {ignored}", (str(path.relative_to(root)) for path in (*others, *skipped)))
    return listing.images


def is_mask_folder(folder: Path, depth: int) -> bool:
    """Check whether a folder is the folder of masks beside the class folders, for :func:`list_images`."""
    return depth == 0 and normalise_name(folder.name) == MASKS


def list_images(
    root: Path,
    depths: Iterable[int],
    skip: Callable[[Path, int], bool] = is_mask_folder,
    missing: str = NO_FOLDER,
) -> Listing:
    """List the contents of a folder and its subfolders.

    Args:
        root: the folder.
        depths: depths of the images to list; 0 for images directly in ``root``.
        skip: whether to skip a folder, from its path and the depth of its parent.
        missing: error message if ``root`` does not exist.

    Raises:
        DatasetError: a folder is missing or not readable, a name is not UTF-8, or there are too many files or levels of
            folders.
    """
    listed_depths = set(depths)
    listing, number, too_deep = Listing(), 0, 0
    for entry, depth, is_folder in _walk(root, skip, missing):
        path = Path(entry.path)
        if depth == 0:
            (listing.folders if is_folder else listing.files).append(path)
        if is_folder:
            continue
        number += 1
        too_deep += depth > max(listed_depths)
        if number > MAX_FILES:
            raise DatasetError(f"{root}: more than {MAX_FILES:,} files; give the folder of one dataset")
        if too_deep > MAX_FILES_TOO_DEEP:
            listing.cut = True
            break
        if not _is_image(entry):
            listing.others.append(path)
        elif depth in listed_depths:
            listing.images.append(path)
        else:
            listing.elsewhere.append(path)
    listing.images.sort()
    return listing


def _walk(root: Path, skip: Callable[[Path, int], bool], missing: str) -> Iterator[tuple[os.DirEntry, int, bool]]:
    """Yield entries of a folder and its subfolders, breadth first, with their depth and whether they are folders."""
    level, depth = [(root, frozenset({_identity(root)}))], 0
    while level:
        below = []
        for folder, above in level:
            if depth > MAX_DEPTH:
                raise DatasetError(f"{folder}: more than {MAX_DEPTH} folders deep; give a folder nearer to the images")
            for entry in list_entries(folder, missing if folder == root else NO_FOLDER):
                is_folder = is_kind(entry.is_dir)
                yield entry, depth, is_folder
                if is_folder and not skip(path := Path(entry.path), depth):
                    identity = _identity(path)
                    if identity not in above:  # a link to a parent folder would be followed without end
                        below.append((path, above | {identity}))
        level, depth = below, depth + 1


def _identity(folder: Path) -> tuple[int, int]:
    try:
        known = folder.stat()
    except (OSError, ValueError):
        return (0, 0)  # list_entries() reports the error
    return known.st_dev, known.st_ino


def _is_image(entry: os.DirEntry) -> bool:
    if not is_kind(entry.is_file):  # reading a pipe would block
        return False
    path = Path(entry.path)
    return path.suffix.lower() in images.SUFFIXES or (entry.stat().st_size > 0 and images.is_image(path))
