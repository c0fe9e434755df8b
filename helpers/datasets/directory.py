"""List one directory, and find files and folders in it by case-insensitive names.

System files (hidden files, ``Thumbs.db``, ``desktop.ini``, ``__MACOSX``) and archives that
:func:`helpers.datasets.fetch` has unpacked (``….unpacked``) are skipped.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from helpers import images
from helpers.datasets.errors import DatasetError

_LEFT_BY_SYSTEMS = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir"})
NO_FOLDER = "no such folder; check the path, or fetch the dataset again"


def normalise_name(name: str) -> str:
    """Normalise a name for comparison.

    Unicode form, full-width letters, invisible characters (category Cf), case and spaces are normalised.
    """
    plain = unicodedata.normalize("NFKC", name)
    return " ".join("".join(sign for sign in plain if unicodedata.category(sign) != "Cf").split()).casefold()


def is_system_file(name: str) -> bool:
    """Check whether a file or folder is hidden, or left behind by an operating system or this package."""
    return name.startswith(".") or name.endswith(".unpacked") or name.casefold() in _LEFT_BY_SYSTEMS


def list_entries(folder: Path, missing: str = NO_FOLDER) -> list[os.DirEntry]:
    """List the entries of a folder, sorted by name, without system files.

    Args:
        folder: the folder.
        missing: error message if the folder does not exist.

    Raises:
        DatasetError: the folder is missing or not readable, or a name in it is not UTF-8.
    """
    try:
        with os.scandir(folder) as entries:
            kept = sorted((e for e in entries if not is_system_file(e.name)), key=lambda entry: entry.name)
    except FileNotFoundError:
        raise DatasetError(f"{folder}: {missing}", missing=True) from None
    except PermissionError:
        raise DatasetError(f"{folder}: not readable; give yourself permission (chmod u+rx)") from None
    except NotADirectoryError:
        raise DatasetError(f"{folder}: not a folder; give the folder that holds the images") from None
    except (OSError, ValueError) as error:  # name too long, loop of links, null byte
        raise DatasetError(f"{folder}: cannot be read ({getattr(error, 'strerror', error)}); check the path") from None
    strange = [entry.path for entry in kept if not _is_text(entry.name)]
    if strange:
        raise DatasetError(f"{folder}: names that are not UTF-8; rename them", strange)
    return kept


def list_folders(folder: Path, missing: str = NO_FOLDER) -> list[Path]:
    """List the folders in a folder, links included, sorted by name; raise errors as :func:`list_entries` does."""
    return [Path(entry.path) for entry in list_entries(folder, missing) if is_kind(entry.is_dir)]


def find_subfolder(folder: Path, name: str) -> Path | None:
    """Find a folder by case-insensitive name in a folder; return ``None`` if there is none.

    Raises:
        DatasetError: as :func:`list_folders` and :func:`folder_named`.
    """
    return folder_named(list_folders(folder), name)


def required_subfolders(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Find folders by case-insensitive names in a folder, all of which must exist.

    Raises:
        DatasetError: a folder is missing; also as :func:`find_subfolder`.
    """
    folders = list_folders(folder)
    subfolders = {name: path for name in names if (path := folder_named(folders, name))}
    missing = [name for name in names if name not in subfolders]
    if missing:
        raise DatasetError(f"{folder}: no folder for {', '.join(missing)}; unpack the whole archive here")
    return subfolders


def folder_named(folders: Iterable[Path], name: str) -> Path | None:
    """Select a folder by case-insensitive name among the subfolders of one folder; return ``None`` if there is none.

    Raises:
        DatasetError: several folders differ only in case or spaces.
    """
    alike = [path for path in folders if normalise_name(path.name) == normalise_name(name)]
    if len(alike) > 1:
        raise DatasetError(
            f"{alike[0].parent}: folders that differ in case or space only; keep one", (path.name for path in alike)
        )
    return alike[0] if alike else None


def find_folder(root: Path, holds: Iterable[str], called: str = ".*") -> Path:
    """Find the shallowest folder, at most three levels below ``root``, that has certain subfolders.

    Archives unpack with one or two extra folders around their contents, depending on their author and the unpacking
    program.

    Args:
        root: the folder to search; it may be the result itself.
        holds: case-insensitive regular expressions, each of which must match the name of a subfolder.
        called: case-insensitive regular expression for the folder's own name.

    Raises:
        DatasetError: no folder matches (``missing``), or several at the same depth.
    """
    patterns = [re.compile(name, re.IGNORECASE) for name in holds]
    level = [root]
    for _ in range(4):
        inside = {folder: list_folders(folder) for folder in level}
        matches = [
            folder
            for folder, below in inside.items()
            if re.fullmatch(called, folder.name, re.IGNORECASE)
            and all(any(name.fullmatch(path.name) for path in below) for name in patterns)
        ]
        if len(matches) > 1:
            raise DatasetError(f"{root}: several folders could be the dataset; keep one here", map(str, matches))
        if matches:
            return matches[0]
        level = [path for below in inside.values() for path in below]
    raise DatasetError(f"{root}: no folder here holds {', '.join(holds)}", missing=True)


def list_files(folder: Path, suffixes: Iterable[str] = images.SUFFIXES) -> list[Path]:
    """List the files with certain suffixes in a folder, sorted by name; hidden files are skipped.

    Args:
        folder: the folder.
        suffixes: lower-case suffixes; case-insensitive match.

    Raises:
        DatasetError: the folder is missing, not readable, or contains no such file.
    """
    paths = [
        Path(e.path) for e in list_entries(folder) if is_kind(e.is_file) and Path(e.name).suffix.lower() in suffixes
    ]
    if not paths:
        raise DatasetError(f"{folder}: no image here ({', '.join(sorted(suffixes))}); an empty class cannot be learnt")
    return paths


def is_kind(kind: Callable[[], bool]) -> bool:
    """Check the kind of a directory entry; a broken or circular link is neither a file nor a folder.

    Args:
        kind: ``entry.is_file`` or ``entry.is_dir``.
    """
    try:
        return kind()
    except OSError:
        return False


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
