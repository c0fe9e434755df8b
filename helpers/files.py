"""Atomic writes, file locks, temporary folders and removal of leftovers, bounded reads of zips, digests of code."""

from __future__ import annotations

import ast
import contextlib
import copy
import errno
import functools
import hashlib
import itertools
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from helpers.errors import LeukobookError

# Long enough for two attempts: on a file system without locks, the first removes the lock of a dead process.
TRY_SECONDS = 0.2
UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the methods that zipfile decompresses in pieces
KEPT = 24  # final characters of a file name that its partial file keeps, to stay within the limit on file names
LEFTOVER_DAYS = 7  # age at which temporary files of other machines, whose processes cannot be checked, are removed

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}  # fmt: skip
_PARTS = itertools.count()


class LockedError(LeukobookError):
    """Another process holds the lock; the message names the folder."""


@contextlib.contextmanager
def locked(path: Path, wait: bool) -> Iterator[None]:
    """Hold a file lock, which the system releases when this process ends or is killed.

    The empty lock file is not removed, as two processes could then lock two files of the same name.

    Args:
        path: lock file in an existing folder.
        wait: wait until the lock is free, with a line on stderr; if false, fail at once.

    Raises:
        LockedError: another process holds the lock, and ``wait`` is false.
        OSError: the file cannot be created, or its file system has no locks.
    """
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=TRY_SECONDS)
    except filelock.Timeout:
        if not wait:
            raise LockedError(f"{path.parent}: another process works here; wait for it, or stop it") from None
        print(f"{path.parent}: another process works here; waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def own_prefix(prefix: str) -> str:
    """Return a prefix for temporary files that lets :func:`remove_leftovers` identify their process.

    Returns:
        ``prefix`` with machine and process id, such as ``kernel-1a2b3c4d-4711-``; at most 20 characters longer.
    """
    return f"{prefix}{_machine()}-{os.getpid()}-"


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove temporary files and folders, named with :func:`own_prefix`, of processes that no longer run.

    Those of other machines or containers are removed after :data:`LEFTOVER_DAYS` days. Failures to remove are ignored.
    """
    for path in leftovers(folder, prefix):
        _remove(path)


def leftovers(folder: Path, prefix: str) -> list[Path]:
    """List the paths that :func:`remove_leftovers` would remove, sorted; empty for an unreadable folder."""
    name = re.compile(re.escape(prefix) + r"([0-9a-f]{8})-(\d{1,9})-")
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    named = ((entry, name.match(entry.name)) for entry in entries)
    return sorted(Path(entry.path) for entry, match in named if match and _is_left(entry, match[1], int(match[2])))


@contextlib.contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Create a folder and remove it on exit; first remove leftovers of killed processes with this prefix.

    Args:
        prefix: start of the folder's name, see :func:`own_prefix`.
        parent: parent folder; by default the system's folder for temporary files.

    Raises:
        OSError: the folder cannot be created.
    """
    parent = parent or Path(tempfile.gettempdir())
    remove_leftovers(parent, prefix)
    with tempfile.TemporaryDirectory(prefix=own_prefix(prefix), dir=parent, ignore_cleanup_errors=True) as made:
        yield Path(made)


def _is_left(entry: os.DirEntry[str], machine: str, process: int) -> bool:
    if machine == _machine():
        return not _is_running(process)
    with contextlib.suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_DAYS * 86_400
    return False


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _machine() -> str:
    """Return eight characters that identify the PID namespace: the host, or the container on it."""
    space = Path("/proc/self/ns/pid")  # containers may share the host's name, but not its PID namespace
    number = space.stat().st_ino if space.exists() else 0
    return f"{zlib.crc32(f'{platform.node()} {number}'.encode()):08x}"


def _is_running(process: int) -> bool:
    if os.name == "nt":  # os.kill would end the process
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # a process of another user
        return True
    return True


def irregular_file_kind(path: Path) -> str:
    """Return the kind of a path that is not a regular file, before it is opened, as opening a named pipe would block.

    Every module that opens a user's file calls this function first.

    Args:
        path: path to be opened; links are followed.

    Returns:
        ``"a folder"``, ``"a named pipe"``, ``"a socket"``, ``"a device"``, ``"a loop of links"`` or
        ``"no regular file"``; empty for a regular file.

    Raises:
        OSError: the path does not exist or is not accessible.
        ValueError: the path contains a null byte.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "a loop of links"
        raise
    return "" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "no regular file")


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file atomically: yield a partial file beside ``path``, which replaces ``path`` on success.

    On failure the partial file is removed. It has the suffix of ``path``, from which libraries choose a format. Threads
    and processes may write at the same time. The permissions of an existing file are kept. Leftovers of killed
    processes in the folder are removed first.

    Raises:
        OSError: the file cannot be written, for instance because the disk is full, or ``path`` is a device or a pipe,
            which a file would replace; the error names ``path``, and what was there is kept.
    """
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        kind = irregular_file_kind(path)
        if kind not in ("", "a folder"):
            raise OSError(errno.EINVAL, f"is {kind}, which a file would replace", str(path))
    _clear_once(path.parent.absolute())
    partial = path.with_name(f"{own_prefix('part-')}{next(_PARTS):x}-{path.name[-KEPT:]}")
    try:
        yield partial
        with contextlib.suppress(OSError):  # the file is new, or its file system has no permissions
            shutil.copymode(path, partial)
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(partial), partial):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


@functools.cache
def _clear_once(folder: Path) -> None:
    """Remove leftovers once per folder, as a sweep writes thousands of files into one."""
    remove_leftovers(folder, "part-")


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """Read a member of a zip archive in bounded memory, without trusting its declared size.

    ``ZipFile.read`` decompresses all data before it truncates them to the declared size. A member that this function
    has read has its declared size, so libraries can read it safely, too.

    Args:
        archive: archive opened for reading.
        info: member from ``archive.infolist()``.
        limit: maximum number of bytes after decompression.

    Raises:
        zipfile.BadZipFile: the member declares more than ``limit`` bytes, holds more or less than it declares, has a
            wrong checksum, or uses a compression method outside :data:`UNPACKED`.
    """
    if info.compress_type not in UNPACKED:
        raise zipfile.BadZipFile(
            f"{info.filename} uses compression method {info.compress_type}; only Deflate is supported"
        )
    if info.file_size > limit:
        raise zipfile.BadZipFile(f"{info.filename} has {info.file_size:,} bytes unpacked, and may have {limit:,}")
    endless = copy.copy(info)
    endless.file_size = sys.maxsize  # zipfile would stop at the declared size and miss data beyond it
    with archive.open(endless) as stream:
        content = stream.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} does not hold the {info.file_size:,} bytes that it declares")
    return content


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes to a file with :func:`atomic_write`."""
    with atomic_write(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write text in UTF-8 to a file with :func:`atomic_write`."""
    write_bytes(path, text.encode())


def code_digest(path: Path) -> str:
    """Hash the code of a Python file without comments, docstrings and layout.

    Returns:
        Hexadecimal SHA-256 of the syntax tree without docstrings; of the bytes where they are not valid Python.
    """
    source = path.read_bytes()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return hashlib.sha256(source).hexdigest()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
