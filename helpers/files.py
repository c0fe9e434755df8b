"""Write a file whole or not at all, hold a lock, clear away what killed processes left; and say what a program does."""

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

# Long enough to ask twice: where a file system has no locks, filelock clears a dead process's away at the first try.
TRY_SECONDS = 0.2
UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks no other method piece by piece
KEPT = 24  # signs of a file's name that end its partial file's, which may be no longer than a name may be
LEFTOVER_DAYS = 7  # after which temporary files of other machines, whose processes cannot be asked for, are removed

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}  # fmt: skip
_PARTS = itertools.count()


class LockedError(LeukobookError):
    """Another process holds a lock; the message names the folder."""


@contextlib.contextmanager
def locked(path: Path, wait: bool) -> Iterator[None]:
    """Hold a lock that the system frees when this process ends, also when it is killed.

    The file stays where it is, empty: were it removed, two processes could hold two files of one name.

    Args:
        path: the lock file; its folder exists.
        wait: until it is free, with a line to stderr where it is not; or else refuse at once.

    Raises:
        LockedError: another process holds it, and ``wait`` is false.
        OSError: the file cannot be made, or its file system knows no locks.
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
    """Begin the name of a temporary file or folder so that :func:`remove_leftovers` knows whose it is.

    Returns:
        ``prefix``, this machine and this process: ``kernel-1a2b3c4d-4711-``, 20 characters more at most.
    """
    return f"{prefix}{_machine()}-{os.getpid()}-"


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove temporary files and folders that killed processes left: named by :func:`own_prefix`, process gone.

    Those of other machines (or containers) go after :data:`LEFTOVER_DAYS`. What cannot be removed stays.
    """
    for path in leftovers(folder, prefix):
        _remove(path)


def leftovers(folder: Path, prefix: str) -> list[Path]:
    """Find what :func:`remove_leftovers` would remove, sorted; nothing in a folder that cannot be read."""
    name = re.compile(re.escape(prefix) + r"([0-9a-f]{8})-(\d{1,9})-")
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    named = ((entry, name.match(entry.name)) for entry in entries)
    return sorted(Path(entry.path) for entry, found in named if found and _is_left(entry, found[1], int(found[2])))


@contextlib.contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder that is gone at the end; first remove those of this prefix that killed processes left.

    Args:
        prefix: begins its name, see :func:`own_prefix`.
        parent: where it is made; the system's folder for temporary files where not given.

    Raises:
        OSError: it cannot be made there.
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
    """Eight characters for all processes that see each other's numbers: the host, or the container on it."""
    space = Path("/proc/self/ns/pid")  # containers may share the host's name, and never this
    number = space.stat().st_ino if space.exists() else 0
    return f"{zlib.crc32(f'{platform.node()} {number}'.encode()):08x}"


def _is_running(process: int) -> bool:
    if os.name == "nt":  # os.kill would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def irregular_file_kind(path: Path) -> str:
    """Name what is at a path where it is not a file, before it is opened: a named pipe would wait for ever.

    Every module that opens a file of somebody else's asks this one.

    Args:
        path: to be opened; links are followed.

    Returns:
        ``"a folder"``, ``"a named pipe"``, ``"a socket"``, ``"a device"`` or ``"a loop of links"``; empty for a file.

    Raises:
        OSError: nothing is there, or it may not be looked at.
        ValueError: the path holds a null byte.
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
    """A partial file beside ``path`` to write to, which becomes ``path`` at the end and is gone where that fails.

    It ends as ``path`` does, in the suffix by which libraries choose a format. Threads and processes may write at once.
    The file keeps the permissions of the one that it replaces. What killed processes left in the folder is removed
    first.

    Raises:
        OSError: it cannot be written, as the disk is full, say; names ``path``. What was there before is still there.
    """
    _clear_once(path.parent.absolute())
    part = path.with_name(f"{own_prefix('part-')}{next(_PARTS):x}-{path.name[-KEPT:]}")
    try:
        yield part
        with contextlib.suppress(OSError):  # the file is new, or its file system knows no permissions
            shutil.copymode(path, part)
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(part), part):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


@functools.cache
def _clear_once(folder: Path) -> None:
    """A sweep writes thousands of files into one folder, and must not list it for each."""
    remove_leftovers(folder, "part-")


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """Read a member of a zip in bounded memory, whatever the directory of the zip says of it.

    ``ZipFile.read`` unpacks as much as there is, and cuts it to the declared size then. Once this has read a member, it
    holds as much as it declares, so that a library may read it, too.

    Args:
        archive: opened for reading.
        info: the member, of its ``infolist()``.
        limit: most bytes after unpacking.

    Raises:
        zipfile.BadZipFile: it declares more than ``limit``, holds more or less than it declares, has another checksum,
            or is packed by a method other than those of :data:`UNPACKED`.
    """
    if info.compress_type not in UNPACKED:
        raise zipfile.BadZipFile(f"{info.filename} is packed by method {info.compress_type}; only Deflate is read here")
    if info.file_size > limit:
        raise zipfile.BadZipFile(f"{info.filename} has {info.file_size:,} bytes unpacked, and may have {limit:,}")
    endless = copy.copy(info)
    endless.file_size = sys.maxsize  # at the declared size zipfile would stop, and not see what comes after it
    with archive.open(endless) as stream:
        content = stream.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} does not hold the {info.file_size:,} bytes that it declares")
    return content


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, :func:`atomic_write`."""
    with atomic_write(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """:func:`write_bytes` of text in UTF-8."""
    write_bytes(path, text.encode())


def code_digest(path: Path) -> str:
    """Hash what a Python file does, so that a comment, a docstring or the layout changes nothing.

    Returns:
        SHA-256, hexadecimal, of its syntax tree without docstrings; of its bytes where they are not Python.
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
