"""Read the members of archives in bounded memory: zip, tar and gzipped tar, recognised by their content.

Limits: 200,000 members (:data:`MAX_MEMBERS`), 32 MiB of central directory in a zip (:data:`MAX_DIRECTORY_BYTES`),
64 KiB of headers per member of a tar (:data:`MAX_HEADER_BYTES`). Archives with a password, links, devices or a
compression method other than Deflate are refused with a remedy in the message.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from helpers import files
from helpers.datasets.errors import DatasetError

MAX_MEMBERS = 200_000
MAX_DIRECTORY_BYTES = 32 << 20
MAX_HEADER_BYTES = 64 << 10
MAX_TRAILER_BYTES = 16 << 20  # of zeros after the last member of a tar
TOO_LARGE = "its headers are larger than any that images need"
BY_HAND = "unpack it with 7-Zip (or another program) and put its folders here"
# Magic numbers of archive formats that are not supported.
FOREIGN = {
    b"Rar!": "a RAR archive", b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive", b"\xfd7zXZ": "compressed with xz",
    b"BZh": "compressed with bzip2", b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
}  # fmt: skip
# Unsupported compression methods of a zip, by number (APPNOTE, 4.4.5).
METHODS = {
    1: "Shrink", 6: "Implode", 9: "Deflate64, as Windows does above 2 GB", 12: "bzip2", 14: "LZMA",
    93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption",
}  # fmt: skip
_LONG_NUMBER = re.compile(rb"\d{64}")
# Errors of zipfile, tarfile and numpy for damaged files.
DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError, NotImplementedError, RuntimeError,
    ValueError, OverflowError,
)  # fmt: skip


class LimitError(ValueError):
    """A :class:`Bounded` file exceeds its limit."""


class Bounded:
    """Wrap a file and limit the number of bytes read from it.

    zipfile, tarfile and numpy read headers of any declared length into memory, even 4 GiB.

    Args:
        file: binary file open for reading; its owner closes it.
        room: bytes that may still be read; reset it for each header, and set it to infinity for content.
    """

    def __init__(self, file: Any, room: float):
        self._file, self.room = file, room
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int | None = -1) -> bytes:
        """Read ``size`` bytes, or all.

        Raises:
            LimitError: these are more than ``room``.
        """
        if math.isinf(self.room):
            return self._file.read(size)
        if size is None or size < 0:
            size = int(self.room) + 1
        elif size > self.room:
            raise LimitError(TOO_LARGE)
        content = self._file.read(size)
        self.room -= len(content)
        if self.room < 0:
            raise LimitError(TOO_LARGE)
        return content


class _TarHeaders(Bounded):
    """Limit tar headers; tarfile searches them for a number of any length, in quadratic time."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        if not math.isinf(self.room) and _LONG_NUMBER.search(content):
            raise LimitError(TOO_LARGE)
        return content


class Member(NamedTuple):
    """Regular file in an archive.

    Attributes:
        name: its name in the archive.
        stream: its content, to be read before the next member.
    """

    name: str
    stream: IO[bytes]


class Archive(NamedTuple):
    """Open archive.

    Attributes:
        declared: declared total size of the members in bytes; 0 for a tar, which declares none.
        members: iterator over the members, in the order of the archive.
    """

    declared: int
    members: Iterator[Member]


def refuse_irregular(path: Path) -> None:
    """Raise an error if a path is not a regular file, before it is opened.

    Raises:
        DatasetError: the path does not exist (``missing``), or is not a regular file.
    """
    try:
        kind = files.irregular_file_kind(path)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file", missing=True) from None
    if kind:
        raise DatasetError(f"{path}: is {kind}, not a file; remove or rename it")


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip and check that all its members can be read.

    Raises:
        DatasetError: the path is not a regular file, or the zip has too many members, a password or an unsupported
            compression method.
        zipfile.BadZipFile, LimitError: the zip is damaged, or its central directory is too large.
    """
    refuse_irregular(path)
    with path.open("rb") as file:
        bounded = Bounded(file, MAX_DIRECTORY_BYTES)
        with zipfile.ZipFile(bounded) as zipped:
            bounded.room = math.inf
            members = zipped.infolist()
            _refuse_many(path, len(members))
            for info in members:
                if info.flag_bits & 0x1:
                    raise DatasetError(f"{path}: is locked with a password; {BY_HAND}")
                if info.compress_type not in files.UNPACKED:
                    method = METHODS.get(info.compress_type, "unknown")
                    raise DatasetError(f"{path}: compression {info.compress_type} ({method}) is not read; {BY_HAND}")
            yield zipped


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open an archive to read its regular files in sequence; folders are skipped.

    Raises:
        DatasetError: a member is a link or a device, there are more than :data:`MAX_MEMBERS`, or the format is not
            supported; see also :func:`open_zip`.
        Exception: one of :data:`DAMAGED`: the archive is damaged; also raised while the members are read.
    """
    if _kind(path) == "zip":
        with open_zip(path) as zipped:
            yield Archive(sum(info.file_size for info in zipped.infolist()), _zip_members(path, zipped))
    else:
        yield Archive(0, _tar_members(path))


def _kind(path: Path) -> str:
    refuse_irregular(path)
    with path.open("rb") as file:
        start = file.read(262)
        for magic, name in FOREIGN.items():
            if start.startswith(magic):
                raise DatasetError(f"{path}: is {name}, which is not read; {BY_HAND}")
        is_tar = start.startswith(b"\x1f\x8b") or start[257:] == b"ustar"
        return "tar" if is_tar or not zipfile.is_zipfile(file) else "zip"


def _refuse_many(path: Path, number: int) -> None:
    if number > MAX_MEMBERS:
        raise DatasetError(f"{path}: more than {MAX_MEMBERS:,} members; unpack it yourself if you trust it")


def _refuse_link(path: Path, name: str) -> None:
    raise DatasetError(f"{path}: the member {name!r} is a link or a device; do not use this archive")


def _zip_members(path: Path, zipped: zipfile.ZipFile) -> Iterator[Member]:
    for info in zipped.infolist():
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            _refuse_link(path, info.filename)
        if not info.is_dir():
            with zipped.open(info) as stream:
                yield Member(info.filename, stream)


def _tar_members(path: Path) -> Iterator[Member]:
    with contextlib.ExitStack() as stack:
        file: io.BufferedIOBase = stack.enter_context(path.open("rb"))
        if file.read(2) == b"\x1f\x8b":
            file.seek(0)
            file = stack.enter_context(gzip.GzipFile(fileobj=file))
        file.seek(0)
        bounded = _TarHeaders(file, MAX_HEADER_BYTES)
        tarred = stack.enter_context(
            tarfile.open(fileobj=bounded, mode="r:")  # type: ignore[call-overload]  # stub: wants write() for reading
        )
        number = 0
        while (info := tarred.next()) is not None:
            tarred.members.clear()  # tarfile would keep every header in memory
            number += 1
            _refuse_many(path, number)
            if not (info.isreg() or info.isdir()):
                _refuse_link(path, info.name)
            if info.size < 0:
                raise tarfile.ReadError("a header is damaged")
            bounded.room = math.inf
            if info.isreg():
                content = tarred.extractfile(info)
                assert content is not None  # it is None for members that are not files
                yield Member(info.name, content)
            bounded.room = MAX_HEADER_BYTES
        _refuse_cut(tarred, bounded)


def _refuse_cut(tarred: tarfile.TarFile, bounded: Bounded) -> None:
    """Check the end of a tar: tarfile takes a damaged header for the end, and never reads the gzip checksum."""
    bounded.room = MAX_TRAILER_BYTES
    bounded.seek(tarred.offset)
    if bounded.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("a header is damaged, or the end is missing")
    while bounded.read(1 << 20):
        pass
