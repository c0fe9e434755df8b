"""Unpack archives in a dataset's folder: completely or not at all, and never outside that folder.

Limits: 64 GiB after unpacking (:data:`MAX_UNPACKED_BYTES`), names of 255 bytes per folder or file
(:data:`MAX_NAME_BYTES`), 32 levels of folders (:data:`MAX_DEPTH`), and those of :mod:`helpers.datasets.members`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from helpers import files
from helpers.datasets import members
from helpers.datasets.download import download_lock
from helpers.datasets.errors import DatasetError
from helpers.errors import printable

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
MAX_UNPACKED_BYTES = 64 * 2**30
MAX_NAME_BYTES = 255
MAX_DEPTH = 32
DONE = ".unpacked"
TEMPORARY = ".unpacking-"
OLD = "old"  # in the temporary folder: files that are being replaced
MAX_LISTED = 8  # maximum number of entries that a message lists


def unpack_all(folder: Path) -> None:
    """Unpack all archives in a folder, one process at a time, and rename each to ``….unpacked`` afterwards.

    Args:
        folder: folder of the archives and of their members.

    Raises:
        DatasetError: as :func:`unpack`; earlier archives stay unpacked.
    """
    if any(_archives(folder)) or files.leftovers(folder, TEMPORARY):
        with download_lock(folder):
            _restore_replaced(folder)
            for archive in sorted(_archives(folder)):
                unpack(archive, folder)
                archive.replace(archive.with_name(archive.name + DONE))


def _archives(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.name.lower().endswith(ARCHIVES))


def contents(folder: Path) -> str:
    """List a folder's contents, two levels deep, for a message: ``small_dataset (TRAINsmall, TEST_SIMPLEsmall)``."""
    return _listed(folder, lambda path: f"{path.name} ({_listed(path, lambda inner: inner.name) or 'empty'})")


def _listed(folder: Path, describe: Callable[[Path], str]) -> str:
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and not p.name.endswith(DONE))
    names = [describe(path) if path.is_dir() else path.name for path in entries[:MAX_LISTED]]
    more = [f"… and {len(entries) - MAX_LISTED} more"] if len(entries) > MAX_LISTED else []
    return printable(", ".join([*names, *more]))


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> list[Path]:
    """Unpack a zip or tar archive into a folder, completely or not at all.

    If the process is killed while it moves files to their destination, the archive stays. The next call first restores
    the replaced files, and then unpacks the archive again.

    Args:
        archive: zip, tar or gzipped tar file.
        folder: destination; existing files are replaced.
        max_bytes: maximum size after unpacking.

    Returns:
        The files written, sorted.

    Raises:
        DatasetError: a member would be written outside the folder or over a folder, is a link or a device, or has the
            name of another; the contents exceed ``max_bytes`` (also counted while unpacking) or the free disk space; or
            the archive is encrypted, damaged or of another format.
    """
    members.refuse_irregular(archive)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _restore_replaced(folder)
        with files.temporary_folder(TEMPORARY, folder) as temporary:
            new, old = temporary / "new", temporary / OLD
            new.mkdir()
            _write(archive, new, max_bytes)
            return _move(archive, new, old, folder)
    except DatasetError:
        raise
    except members.LimitError as error:
        raise DatasetError(f"{archive}: {error}; do not use this archive") from None
    except members.DAMAGED as error:
        raise DatasetError(f"{archive}: damaged or not an archive ({error}); fetch it again") from None
    except OSError as error:
        if error.errno is None:  # gzip and bz2 raise it for damaged files
            raise DatasetError(f"{archive}: damaged or not an archive ({error}); fetch it again") from None
        raise DatasetError(
            f"{archive}: cannot be unpacked into {folder} ({error.strerror}); mend that, or unpack it by hand"
        ) from None


def _write(archive: Path, target_folder: Path, max_bytes: int) -> None:
    """Write all members below a new folder."""
    free, written = shutil.disk_usage(target_folder).free, 0
    with members.opened(archive) as opened:
        _refuse_large(archive, opened.declared, max_bytes)
        if opened.declared > free:
            raise _disk_full(archive, target_folder, f"about {opened.declared:,}", free)
        try:
            for name, stream in opened.members:
                with _new_file(archive, target_folder, name) as file:
                    while chunk := stream.read(1 << 20):
                        written += len(chunk)
                        _refuse_large(archive, written, max_bytes)
                        file.write(chunk)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            needed = f"about {opened.declared:,}" if opened.declared else f"more than {written:,}"
            raise _disk_full(archive, target_folder, needed, free) from None


def _refuse_large(archive: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise DatasetError(f"{archive}: unpacks to more than {max_bytes:,} bytes; not what it should be")


def _disk_full(archive: Path, target_folder: Path, needed: str, free: int) -> DatasetError:
    folder = target_folder.parent.parent  # of the temporary folder
    return DatasetError(
        f"{archive}: disk full: needs {needed} bytes in {folder}, has {free:,} free (or less, by your quota); "
        "make room and run the same command again"
    )


def _new_file(archive: Path, target_folder: Path, name: str) -> BinaryIO:
    target = target_folder / _safe(name, archive)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")
    except (FileExistsError, NotADirectoryError):  # the file system may be case-insensitive
        raise DatasetError(
            f"{archive}: the member {name!r} occurs twice, as a file and a folder, or in upper and lower case, which "
            f"this file system does not distinguish; {members.BY_HAND}"
        ) from None


def _safe(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise DatasetError(
            f"{archive}: the member {name!r} would be written outside its folder; do not use this archive"
        )
    if len(path.parts) > MAX_DEPTH or max(len(os.fsencode(component)) for component in path.parts) > MAX_NAME_BYTES:
        raise DatasetError(
            f"{archive}: the member {name[:60]!r}… has a name of more than {MAX_NAME_BYTES} bytes, or lies more than "
            f"{MAX_DEPTH} folders deep; {members.BY_HAND}"
        )
    return path


def _move(archive: Path, new: Path, old: Path, folder: Path) -> list[Path]:
    """Move files from ``new`` into a folder and the replaced ones to ``old``; undo everything after an error."""
    relatives = sorted(path.relative_to(new) for path in new.rglob("*") if path.is_file())
    for relative in relatives:
        _refuse_conflict(archive, folder, relative)
    made: list[Path] = []
    try:
        for relative in relatives:
            made += _make_folders(folder, relative)
            if os.path.lexists(folder / relative):
                (old / relative).parent.mkdir(parents=True, exist_ok=True)
                (folder / relative).replace(old / relative)
            (new / relative).replace(folder / relative)
    except BaseException:
        _undo(new, old, folder, relatives)
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    return [folder / relative for relative in relatives]


def _refuse_conflict(archive: Path, folder: Path, relative: Path) -> None:
    if (folder / relative).is_dir():
        raise DatasetError(
            f"{archive}: {folder / relative} is a folder, and a file in the archive; move the folder away"
        )
    for parent in list(relative.parents)[:-1]:
        if os.path.lexists(folder / parent) and not (folder / parent).is_dir():
            raise DatasetError(
                f"{archive}: {folder / parent} is a file, and a folder in the archive; move the file away"
            )


def _restore_replaced(folder: Path) -> None:
    """Restore files that a killed process had moved aside, perhaps the only copies, and remove its temporary folder."""
    for temporary in files.leftovers(folder, TEMPORARY):
        old = temporary / OLD
        for path in sorted(path for path in old.rglob("*") if path.is_symlink() or not path.is_dir()):
            target = folder / path.relative_to(old)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
            except OSError as error:
                raise DatasetError(
                    f"{path}: cannot be put back to {target} ({error.strerror}); move it by hand"
                ) from None
    files.remove_leftovers(folder, TEMPORARY)


def _make_folders(folder: Path, relative: Path) -> list[Path]:
    missing = [folder / parent for parent in reversed(relative.parents) if not (folder / parent).is_dir()]
    for path in missing:
        path.mkdir()
    return missing


def _undo(new: Path, old: Path, folder: Path, relatives: list[Path]) -> None:
    for relative in relatives:
        with contextlib.suppress(OSError):
            if os.path.lexists(old / relative):
                (old / relative).replace(folder / relative)
            elif not os.path.lexists(new / relative):
                (folder / relative).unlink()
