"""Download files with hash verification, resumption and limits, one process per folder at a time.

Limits: 4 GiB per file (:data:`MAX_FILE_BYTES`; the largest published one has 1.5 GB), at least 1 KiB/s averaged over a
minute, 24 hours, 1 MiB of headers and 5 redirects per response (:mod:`helpers.datasets.connection`), three attempts
(:data:`ATTEMPTS`), and a ``Retry-After`` of at most two minutes (:data:`MAX_PAUSE`).
"""

from __future__ import annotations

import contextlib
import email.utils
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from helpers import files
from helpers.datasets import connection
from helpers.datasets.errors import DatasetError

ATTEMPTS = 3
MAX_FILE_BYTES = 4 * 2**30
MAX_PAUSE = 120  # seconds; a longer Retry-After ends the call
MAX_DIGITS = 18  # of a number in a header; more than any length or pause needs
LOCK = ".lock"
REGISTRIES = Path(__file__).parent / "registries"


@dataclass(frozen=True)
class Remote:
    """Describe files that can be downloaded without an account.

    Attributes:
        base_url: prefix of the URL of every file that has no URL of its own in the registry.
        registry: name of a file in ``registries/`` with lines *file hash [url]*.
    """

    base_url: str
    registry: str

    def files(self, folder: Path) -> pooch.Pooch:
        """Load the registry as a pooch that stores its files in ``folder``."""
        keeper = pooch.create(path=folder, base_url=self.base_url)
        keeper.load_registry(REGISTRIES / self.registry)
        return keeper


@contextlib.contextmanager
def download_lock(folder: Path) -> Iterator[None]:
    """Wait for the lock of a folder, and hold it, so that one process at a time writes data into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with files.locked(folder / LOCK, wait=True):
        yield


def download_files(remote: Remote, folder: Path, only: tuple[str, ...] | None = None) -> list[Path]:
    """Download the files of a remote into a folder; existing files with the right hash are kept.

    A file is moved to its destination only after its hash is verified. An incomplete download is kept beside it and
    resumed by the next call. A second process that downloads to the same folder waits for the first.

    Args:
        remote: source of the files.
        folder: destination.
        only: names of some of the registry's files; default all.

    Returns:
        Paths of the files.

    Raises:
        DatasetError: the server does not answer, refuses, or sends a file with another hash; the message lists every
            failed file.
    """
    keeper = remote.files(folder)
    names = only or tuple(keeper.registry)
    with ThreadPoolExecutor(4) as pool:
        if not all(pool.map(lambda name: _is_there(keeper, name), names)):
            with download_lock(folder):
                _fetch(keeper, names, pool)
    return [Path(keeper.abspath) / name for name in names]


def _fetch(keeper: pooch.Pooch, names: tuple[str, ...], pool: ThreadPoolExecutor) -> None:
    failed = []
    with tqdm(total=len(names), desc="downloading", unit="file", delay=2) as bar:
        for problem in pool.map(lambda name: _problem(keeper, name), names):
            failed += [problem] if problem else []
            bar.update()
    if failed:
        raise DatasetError(
            f"{len(failed)} of {len(names)} files could not be fetched from {keeper.base_url}; what arrived is kept, "
            "so run the same command again, or get the files elsewhere and point LEUKOBOOK_DATA at them",
            failed,
        )


def _is_there(keeper: pooch.Pooch, name: str) -> bool:
    path = Path(keeper.abspath) / name
    return path.is_file() and pooch.hashes.hash_matches(str(path), keeper.registry[name])


def _problem(keeper: pooch.Pooch, name: str) -> str | None:
    """Download one file, and return an error message if that fails."""
    try:
        if not _is_there(keeper, name):
            _fetch_one(keeper, name)
    except requests.RequestException as error:
        return f"{name}: {_reason(error)}"
    except (connection.RefusedError, connection.StalledError) as error:
        return f"{name}: the response is rejected: {error}"
    except OSError as error:
        return f"{name}: cannot be written ({error.strerror or error}); make room, or choose another folder"
    return None


def _fetch_one(keeper: pooch.Pooch, name: str) -> None:
    target, expected = Path(keeper.abspath) / name, keeper.registry[name]
    partial = target.with_name(f"{target.name}.part")
    partial.parent.mkdir(parents=True, exist_ok=True)
    _complete(keeper.get_url(name), partial)
    if not pooch.hashes.hash_matches(str(partial), expected):
        partial.unlink()
        raise connection.RefusedError(
            f"its hash is not {expected}; it was deleted, so run the same command again; if that changes nothing, "
            "the owner has changed the file: please open an issue"
        )
    partial.replace(target)


def _reason(error: requests.RequestException) -> str:
    response = getattr(error, "response", None)
    return f"the server answered {response.status_code}" if response is not None else f"no answer ({error})"


def _complete(url: str, partial: Path) -> None:
    """Download a file, resuming a partial one if the server allows it; retry lost connections and server errors."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _append(url, partial)
        except connection.StalledError:
            if attempt == ATTEMPTS:
                raise
        except requests.RequestException as error:
            response = getattr(error, "response", None)
            if attempt == ATTEMPTS or (response is not None and response.status_code not in (429, *range(500, 600))):
                raise
            time.sleep(_pause(response, attempt))
    return None


def _pause(response: requests.Response | None, attempt: int) -> float:
    """Return the seconds until the next attempt: the server's ``Retry-After``, else a pause that grows by attempt."""
    pause = None if response is None else _retry_after(response.headers.get("Retry-After", ""))
    if response is None or pause is None:
        return attempt
    if pause > MAX_PAUSE:
        raise connection.RefusedError(
            f"the server answered {response.status_code} and asks for a pause of {pause:,.0f} seconds; "
            "run the same command again after that"
        )
    return pause


def _retry_after(text: str) -> float | None:
    """Parse a ``Retry-After`` header, a number or a date, as seconds from now; ``None`` if it is neither."""
    if text.strip().isdecimal():
        return float(text.strip()[:MAX_DIGITS])
    try:
        date = email.utils.parsedate_to_datetime(text)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def _append(url: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # a range of a compressed response is not a range of the file
    if have:
        headers["Range"] = f"bytes={have}-"
    with connection.open_url(url, headers) as response:
        if response.status_code == 416:  # no bytes left: the partial file is complete, or another file
            return
        response.raise_for_status()
        expected = response.headers.get("Content-Length", "")
        is_told = expected.isdecimal() and "Content-Encoding" not in response.headers
        length = int(expected[:MAX_DIGITS]) if is_told else None
        begin = have if response.status_code == 206 else 0
        written = 0
        try:
            _refuse_large(begin + (length or 0))
            with partial.open("ab" if begin else "wb") as file:
                for chunk in response.iter_content(1 << 16):  # a lost connection loses the current chunk
                    file.write(chunk)
                    written += len(chunk)
                    _refuse_large(begin + written)
        except connection.RefusedError:
            partial.unlink(missing_ok=True)  # here, where it is closed: Windows removes no open file
            raise
    if length is not None and written < length:
        raise requests.ConnectionError(f"cut off after {written} of {length} bytes")


def _refuse_large(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise connection.RefusedError(f"it has more than {MAX_FILE_BYTES:,} bytes, which no file of a dataset has")
