"""Which files and folders count: images by suffix or content, names whatever their case, links without loops.

A file with the suffix of an image is taken for one, so that a damaged one is named; a file with another suffix or none
counts where it begins as an image does. Files that systems leave behind (hidden ones, ``Thumbs.db``, ``desktop.ini``,
``__MACOSX``) and archives that :func:`helpers.datasets.get` has unpacked (``….unpacked``) are passed over. Folders are
read ``MAX_DEPTH`` deep, and at most ``MAX_FILES`` files of them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers import images
from helpers.datasets.errors import DataError, warn

MASKS = "masks"
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.txt", ".xlsx")
MAX_DEPTH = 8
MAX_FILES = 1_000_000
MAX_FILES_TOO_DEEP = 10_000  # looked through below the folders that are read, to say what lies there
_LEFT_BY_SYSTEMS = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"})
_NO_FOLDER = "no such folder; check the path, or fetch the dataset again"


@dataclass
class Listing:
    """What lies in a folder and below it.

    Attributes:
        images: in the folders that are read, sorted.
        elsewhere: images in folders above or below these.
        others: files, pipes and broken links that are no images.
        cut: whether more lies deeper than was looked through.
    """

    images: list[Path] = field(default_factory=list)
    elsewhere: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    cut: bool = False


def one_name(name: str) -> str:
    """What names have in common that people take for one.

    Unicode form, full-width letters, signs that do not show (category Cf), case and space are evened out.
    """
    plain = unicodedata.normalize("NFKC", name)
    return " ".join("".join(sign for sign in plain if unicodedata.category(sign) != "Cf").split()).casefold()


def left_by_a_system(name: str) -> bool:
    """Whether a file or folder is hidden, or one that an operating system or this package leaves behind."""
    return name.startswith(".") or name.endswith(".unpacked") or name.casefold() in _LEFT_BY_SYSTEMS


def counts_by_suffix(paths: Iterable[Path]) -> str:
    """Write how many files there are of each suffix, the most frequent first: ``3 .txt, 1 without suffix``."""
    counts = Counter(path.suffix.lower() or "without suffix" for path in paths)
    return ", ".join(f"{number} {suffix}" for suffix, number in sorted(counts.items(), key=lambda own: (-own[1], own)))


def entries(folder: Path, missing: str = _NO_FOLDER) -> list[os.DirEntry]:
    """What lies in a folder, sorted by name; what systems leave behind is passed over.

    Args:
        folder: to be read.
        missing: what to say where it is not there.

    Raises:
        DataError: the folder is missing or not readable, or a name in it is not UTF-8.
    """
    try:
        with os.scandir(folder) as found:
            kept = sorted((e for e in found if not left_by_a_system(e.name)), key=lambda entry: entry.name)
    except FileNotFoundError:
        raise DataError(f"{folder}: {missing}", missing=True) from None
    except PermissionError:
        raise DataError(f"{folder}: not readable; give yourself permission (chmod u+rx)") from None
    except NotADirectoryError:
        raise DataError(f"{folder}: not a folder; give the folder that holds the images") from None
    except (OSError, ValueError) as error:  # a name that is too long, a loop of links; a null byte
        raise DataError(f"{folder}: cannot be read ({getattr(error, 'strerror', error)}); check the path") from None
    strange = [entry.path for entry in kept if not _is_text(entry.name)]
    if strange:
        raise DataError(f"{folder}: names that are not UTF-8; rename them", strange)
    return kept


def folders_in(folder: Path, missing: str = _NO_FOLDER) -> list[Path]:
    """The folders in a folder, links to folders included, sorted by name. Raises DataError as :func:`entries` does."""
    return [Path(entry.path) for entry in entries(folder, missing) if _is(entry.is_dir)]


def child(folder: Path, name: str) -> Path | None:
    """The folder of this name, whatever its case, in a folder; ``None`` where there is none.

    Raises:
        DataError: there are several, which differ in case only.
    """
    found = [path for path in folders_in(folder) if one_name(path.name) == one_name(name)]
    if len(found) > 1:
        raise DataError(f"{folder}: folders that differ in case or space only; keep one", (p.name for p in found))
    return found[0] if found else None


def table_in(folder: Path, stem: str, holds: str) -> Path | None:
    """The table in a folder, ``stem`` with a suffix of :data:`TABLE_SUFFIXES`, whatever the case of its name.

    Args:
        folder: to be looked in.
        stem: of the table's name, in small letters.
        holds: what is in it, for the messages.

    Raises:
        DataError: there are several, or one of a kind that is not read (``.xls``, ``.ods``).
    """
    names = [entry.name for entry in entries(folder) if one_name(entry.name).split(".")[0] == stem]
    found = [name for name in names if one_name(name).removeprefix(stem) in TABLE_SUFFIXES]
    others = [Path(folder, name) for name in names if name not in found]
    strange = [path for path in others if path.suffix.lower() not in images.SUFFIXES and not path.is_dir()]
    if strange and not found:
        raise DataError(f"{strange[0]}: not read as a table of {holds}; save it as {stem}.csv or {stem}.xlsx")
    if len(found) > 1:
        raise DataError(f"{folder}: more than one table of {holds}; keep one", found)
    if found and (folder / found[0]).is_dir():
        raise DataError(f"{folder / found[0]}: a folder; put the table itself there")
    return folder / found[0] if found else None


def find_folder(root: Path, holds: Iterable[str], called: str = ".*") -> Path:
    """The shallowest folder, at most three below ``root``, that holds subfolders of these names, whatever their case.

    Archives unpack with one or two folders around what they hold, by who made them and what unpacked them.

    Args:
        root: where to look; it may be the folder itself.
        holds: regular expressions; each must fit the name of a subfolder.
        called: a regular expression for the folder's own name.

    Raises:
        DataError: there is none (``missing``), or several are equally near.
    """
    wanted = [re.compile(name, re.IGNORECASE) for name in holds]
    level = [root]
    for _ in range(4):
        inside = {folder: folders_in(folder) for folder in level}
        found = [
            folder
            for folder, below in inside.items()
            if re.fullmatch(called, folder.name, re.IGNORECASE)
            and all(any(name.fullmatch(path.name) for path in below) for name in wanted)
        ]
        if len(found) > 1:
            raise DataError(f"{root}: several folders could be the dataset; keep one here", map(str, found))
        if found:
            return found[0]
        level = [path for below in inside.values() for path in below]
    raise DataError(f"{root}: no folder here holds {', '.join(holds)}", missing=True)


def files_in(folder: Path, suffixes: Iterable[str] = images.SUFFIXES) -> list[Path]:
    """Files with one of these suffixes (any case) in a folder, sorted by name; hidden files are left out.

    Raises:
        DataError: the folder is missing, not readable, or has none.
    """
    found = [Path(e.path) for e in entries(folder) if _is(e.is_file) and Path(e.name).suffix.lower() in suffixes]
    if not found:
        raise DataError(f"{folder}: no image here ({', '.join(sorted(suffixes))}); an empty class cannot be learnt")
    return found


def find_images(place: Path) -> list[Path]:
    """One image, or all of a folder and the folders in it, sorted; a warning tells what is left out.

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
        if one_name(folder.name) == MASKS:
            shut.append(folder)
        return one_name(folder.name) == MASKS

    found = listed(place, range(MAX_DEPTH + 1), of_masks)
    counts = [f"other files ({counts_by_suffix(found.others)})"] if found.others else []
    counts += [f"folders called {MASKS} ({len(shut)})"] if shut else []
    left = " and ".join(counts)
    if not found.images:
        known = ", ".join(sorted(images.SUFFIXES))
        here = f"; there are {left}" if left else ""
        raise DataError(f"{place}: no image here nor in the folders below ({known}){here}")
    if left:
        warn(f"{place}: left out {left}", (str(path.relative_to(place)) for path in (*found.others, *shut)))
    return found.images


def masks_in_root(folder: Path, depth: int) -> bool:
    """Whether a folder is the one of masks beside the classes, for :func:`listed`."""
    return depth == 0 and one_name(folder.name) == MASKS


def listed(root: Path, depths: Iterable[int], shut: Callable[[Path, int], bool] = masks_in_root) -> Listing:
    """Look through a folder and the folders in it.

    Args:
        root: the folder.
        depths: how many folders below ``root`` an image lies that is read; 0 for one in ``root`` itself.
        shut: whether a folder, with the depth of the one that it lies in, is left out.

    Raises:
        DataError: a folder is missing or not readable, a name is not UTF-8, or there are too many files or folders
            within folders.
    """
    wanted = set(depths)
    found, too_deep = Listing(), 0
    for seen, (entry, depth) in enumerate(_walk(root, shut)):
        too_deep += depth > max(wanted)
        if seen >= MAX_FILES:
            raise DataError(f"{root}: more than {MAX_FILES:,} files; give the folder of one dataset")
        if too_deep > MAX_FILES_TOO_DEEP:
            found.cut = True
            break
        if not _is_image(entry):
            found.others.append(Path(entry.path))
        elif depth in wanted:
            found.images.append(Path(entry.path))
        else:
            found.elsewhere.append(Path(entry.path))
    found.images.sort()
    return found


def _walk(root: Path, shut: Callable[[Path, int], bool]) -> Iterator[tuple[os.DirEntry, int]]:
    """Every file below a folder and how many folders below it lies, the nearest first."""
    level, depth = [(root, frozenset({_identity(root)}))], 0
    while level:
        below = []
        for folder, above in level:
            if depth > MAX_DEPTH:
                raise DataError(f"{folder}: more than {MAX_DEPTH} folders deep; give a folder nearer to the images")
            for entry in entries(folder):
                if not _is(entry.is_dir):
                    yield entry, depth
                elif not shut(path := Path(entry.path), depth):
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


def _is(kind: Callable[[], bool]) -> bool:
    """Ask an entry what it is; a link that leads nowhere or to itself is nothing."""
    try:
        return kind()
    except OSError:
        return False


def _is_image(entry: os.DirEntry) -> bool:
    if not _is(entry.is_file):  # a pipe would keep its reader waiting
        return False
    path = Path(entry.path)
    return path.suffix.lower() in images.SUFFIXES or (entry.stat().st_size > 0 and images.is_image(path))


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
