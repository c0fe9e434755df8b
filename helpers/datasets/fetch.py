"""Getting data: downloads that are verified and resumed, archives that cannot write outside their folder."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pooch
import requests
from tqdm import tqdm

from helpers.datasets.base import DataError

ATTEMPTS = 3
MAX_UNPACKED_BYTES = 64 * 2**30
MAX_MEMBERS = 1_000_000
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
REGISTRIES = Path(__file__).parent / "registries"


@dataclass(frozen=True)
class Remote:
    """Files that can be fetched without an account.

    ``registry`` names a file in ``registries/`` with lines *file hash [url]*; a file without an address of its own
    is at ``base_url`` + file.
    """

    base_url: str
    registry: str

    def files(self, folder: Path) -> pooch.Pooch:
        """The registry as a pooch that keeps its files in ``folder``."""
        keeper = pooch.create(path=folder, base_url=self.base_url)
        keeper.load_registry(REGISTRIES / self.registry)
        return keeper


def download(remote: Remote, folder: Path, only: tuple[str, ...] | None = None) -> list[Path]:
    """Fetch the files of a remote into a folder; those already there with the right hash are kept.

    A file is moved to its place only after its hash has been verified. What a cut connection left is kept beside it
    and continued by the next call.

    Args:
        remote: where from.
        folder: where to.
        only: some of the registry's files; default all.

    Raises:
        DataError: the server is gone, refuses, or sends a file with another hash; lists every file that failed.
    """
    keeper = remote.files(folder)
    names = only or tuple(keeper.registry)
    folder.mkdir(parents=True, exist_ok=True)
    pooch.utils.get_logger().setLevel("ERROR")

    def one(name: str) -> Path | str:
        try:
            return Path(keeper.fetch(name, downloader=_resume))
        except requests.RequestException as error:
            return f"{name}: {_reason(error)}"
        except ValueError as error:  # pooch: the hash differs
            return f"{name}: {error}"
        except OSError as error:
            return f"{name}: cannot be written ({error})"

    with ThreadPoolExecutor(4) as pool, tqdm(total=len(names), desc="downloading", unit="file", delay=2) as bar:
        results = []
        for result in pool.map(one, names):
            results.append(result)
            bar.update()
    failed = [result for result in results if isinstance(result, str)]
    if failed:
        raise DataError(
            f"{len(failed)} of {len(names)} files could not be fetched from {remote.base_url}; what arrived is kept, "
            "so run the same command again, or get the files elsewhere and point LEUKOBOOK_DATA at them",
            failed,
        )
    return results


def _reason(error: requests.RequestException) -> str:
    response = getattr(error, "response", None)
    return f"the server answered {response.status_code}" if response is not None else f"no answer ({error})"


def _resume(url: str, output_file: str, keeper: pooch.Pooch) -> None:
    """Downloader for pooch: continues a partial file where the server allows it, tries again when the line is cut."""
    name = next(name for name in keeper.registry if keeper.get_url(name) == url)
    partial = Path(keeper.abspath) / f"{name}.part"
    partial.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _append(url, partial)
            break
        except requests.RequestException as error:
            refused = getattr(error, "response", None) is not None and error.response.status_code < 500
            if refused or attempt == ATTEMPTS:
                raise
            time.sleep(attempt)
    shutil.move(partial, output_file)


def _append(url: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # a range of a compressed answer is not a range of the file
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, stream=True, timeout=30, headers=headers) as response:
        if response.status_code == 416:  # nothing is left to send: the partial file is whole, or not ours
            return
        response.raise_for_status()
        mode = "ab" if response.status_code == 206 else "wb"
        expected = response.headers.get("Content-Length")
        written = 0
        with partial.open(mode) as file:
            for chunk in response.iter_content(1 << 16):  # a cut connection loses the chunk it falls in
                file.write(chunk)
                written += len(chunk)
    if expected is not None and "Content-Encoding" not in response.headers and written < int(expected):
        raise requests.ConnectionError(f"cut off after {written} of {expected} bytes")


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_UNPACKED_BYTES) -> list[Path]:
    """Unpack a zip or tar archive into a folder; either all of it arrives or nothing does.

    Args:
        archive: the file; ``.zip``, ``.tar``, ``.tar.gz`` or ``.tgz``.
        folder: where its members go; files that are there already are replaced.
        max_bytes: most bytes after unpacking.

    Returns:
        The files written, sorted.

    Raises:
        DataError: a member would land outside the folder, is a link or a device, the whole is larger than
            ``max_bytes`` (counted while unpacking, not taken from the archive's own word), or the archive is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as temporary:
        budget = max_bytes
        try:
            for count, (name, member) in enumerate(_members(archive)):
                if count >= MAX_MEMBERS:
                    raise DataError(f"{archive}: more than {MAX_MEMBERS:,} members; unpack it yourself if you trust it")
                target = Path(temporary) / _safe(name, archive)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    while chunk := member.read(1 << 20):
                        budget -= len(chunk)
                        if budget < 0:
                            raise DataError(
                                f"{archive}: unpacks to more than {max_bytes:,} bytes; not what it should be"
                            )
                        file.write(chunk)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, RuntimeError) as error:
            # RuntimeError: a zip with a password, or with a compression that zipfile does not know
            raise DataError(f"{archive}: damaged or not an archive ({error}); fetch it again") from None
        written = []
        for source in sorted(p for p in Path(temporary).rglob("*") if p.is_file()):
            target = folder / source.relative_to(temporary)
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            written.append(target)
    return written


def _safe(name: str, archive: Path) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise DataError(f"{archive}: the member {name!r} would be written outside its folder; do not use this archive")
    return path


def _members(archive: Path) -> Iterator[tuple[str, object]]:
    """Name and open stream of every regular file; links and devices are refused, folders passed over."""
    refused = f"{archive}: the member {{!r}} is a link or a device; do not use this archive"
    if archive.suffix.lower() == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise DataError(refused.format(info.filename))
                if not info.is_dir():
                    with zipped.open(info) as stream:
                        yield info.filename, stream
        return
    with tarfile.open(archive) as tarred:
        for info in tarred:
            if not (info.isfile() or info.isdir()):
                raise DataError(refused.format(info.name))
            if info.isfile():
                yield info.name, tarred.extractfile(info)
        # tarfile takes a damaged header for the end, and never reads as far as the checksum of gzip.
        tarred.fileobj.seek(tarred.offset)
        if tarred.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("a header is damaged, or the end is missing")
        while tarred.fileobj.read(1 << 20):
            pass
