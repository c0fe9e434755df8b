"""Append-only, memory-mapped feature store on disk; each row is indexed by a digest of its source."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from helpers import files

DIGEST = 20  # bytes per digest


class FeatureStore:
    """Feature store in a folder of two files: ``rows.f16``, consecutive rows, and ``rows.sha``, their digests.

    Digests are written after their rows are on disk. Rows that an interruption leaves without a digest are truncated at
    the next opening, so that a store always holds whole rows.

    Args:
        folder: Folder of the store; created if missing.
        shape: Shape of a row.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]):
        self.folder, self.shape = folder, shape
        self._rows, self._digests = folder / "rows.f16", folder / "rows.sha"

    @contextlib.contextmanager
    def locked(self) -> Iterator[dict[bytes, int]]:
        """Lock the store for writing; other processes that lock it wait.

        Yields:
            Row index by digest.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with files.locked(self.folder / "lock", wait=True):
            yield self._repair()

    def _repair(self) -> dict[bytes, int]:
        for path in (self._rows, self._digests):
            path.touch()
        n_rows = min(self._digests.stat().st_size // DIGEST, self._rows.stat().st_size // self._bytes)
        os.truncate(self._digests, n_rows * DIGEST)
        os.truncate(self._rows, n_rows * self._bytes)
        content = self._digests.read_bytes()
        return {content[k * DIGEST : (k + 1) * DIGEST]: k for k in range(n_rows)}

    def add(self, rows: np.ndarray, digests: list[bytes]) -> None:
        """Append rows in half precision, with their digests.

        Args:
            rows: Features ``(n, *shape)``.
            digests: One digest of :data:`DIGEST` bytes per row.

        Raises:
            ValueError: If an absolute value exceeds 65,504, the maximum of half precision, or is NaN.
        """
        largest = float(np.abs(rows).max())
        if not largest <= float(np.finfo(np.float16).max):  # also true for NaN
            raise ValueError(f"{self.folder}: features up to {largest:.3g} do not fit half precision")
        half = rows.astype(np.float16)
        for path, content in ((self._rows, half.tobytes()), (self._digests, b"".join(digests))):
            with path.open("ab") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())

    def read(self, rows: list[int]) -> np.ndarray:
        """Read rows in the given order.

        Args:
            rows: Row indices, at least one.

        Returns:
            ``float16 (n, *shape)``, memory-mapped where the rows are consecutive in the file, else a copy.
        """
        stored = np.memmap(self._rows, np.float16, "r").reshape(-1, *self.shape)
        first, last = rows[0], rows[-1] + 1
        return stored[first:last] if rows == list(range(first, last)) else np.asarray(stored[rows])

    @property
    def _bytes(self) -> int:
        return 2 * int(np.prod(self.shape))
