"""Readers: load the pixels of a dataset's rows from files, from boxes in files or from an array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from helpers import images


class Reader(Protocol):
    """Read the image and the mask of a row, a named tuple with ``image_id`` and every column."""

    def read(self, row: Any, min_size: int | None) -> np.ndarray:
        """Read the image of a row, ``uint8 (height, width, 3)`` RGB; see :func:`helpers.images.read_image`."""

    def read_mask(self, row: Any) -> np.ndarray:
        """Read the mask of a row, ``uint8 (height, width)`` of 0 background, 1 cytoplasm, 2 nucleus."""

    def image_size(self, row: Any) -> tuple[int, int]:
        """Return height and width of the image of a row in pixels, without decoding it."""

    def check(self, row: Any) -> None:
        """Raise :class:`helpers.images.ImageError` if the headers show that a row cannot be read."""

    def content(self, row: Any) -> Iterator[bytes]:
        """Yield the bytes of a row's image and mask, for the fingerprint."""


@dataclass(frozen=True)
class FileReader:
    """Read rows whose images and masks are files below ``root``.

    Attributes:
        root: the folder to which ``path`` and ``mask_path`` of a row are relative.
        read_labels: reads a mask file as ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus; see
            :mod:`helpers.datasets.masks`.
    """

    root: Path
    read_labels: Callable[[Path], np.ndarray] = images.read_mask

    def read(self, row: Any, min_size: int | None) -> np.ndarray:
        """See :class:`Reader`."""
        return images.read_image(self.root / row.path, min_size)

    def read_mask(self, row: Any) -> np.ndarray:
        """See :class:`Reader`."""
        return self.read_labels(self.root / row.mask_path)

    def image_size(self, row: Any) -> tuple[int, int]:
        """See :class:`Reader`."""
        return images.image_size(self.root / row.path)

    def check(self, row: Any) -> None:
        """See :class:`Reader`."""
        self._checked_size(row)

    def content(self, row: Any) -> Iterator[bytes]:
        """See :class:`Reader`."""
        for path in filter(None, (row.path, row.mask_path)):
            try:
                yield (self.root / path).read_bytes()
            except OSError as error:
                raise images.ImageError(f"{self.root / path}: cannot be read ({error.strerror})") from None

    def _checked_size(self, row: Any) -> tuple[int, int]:
        """Return height and width of the image file after checking that the mask has the same size."""
        size = images.image_size(self.root / row.path)
        if row.mask_path:
            mask_size = images.image_size(self.root / row.mask_path, mask=True)
            if mask_size != size:
                raise images.ImageError(
                    f"{self.root / row.mask_path}: the mask is {mask_size[1]}×{mask_size[0]}, its image "
                    f"{size[1]}×{size[0]}; make the mask again from the image"
                )
        return size


@dataclass(frozen=True)
class CropReader(FileReader):
    """Read rows whose images are boxes in files: ``left``, ``top``, ``right``, ``bottom`` in pixels.

    Masks are cropped likewise. ``right`` and ``bottom`` are exclusive.
    """

    def read(self, row: Any, min_size: int | None) -> np.ndarray:
        """See :class:`Reader`; the file is decoded at full size, because the box is in its pixel coordinates."""
        return super().read(row, None)[row.top : row.bottom, row.left : row.right]

    def read_mask(self, row: Any) -> np.ndarray:
        """See :class:`Reader`."""
        return super().read_mask(row)[row.top : row.bottom, row.left : row.right]

    def image_size(self, row: Any) -> tuple[int, int]:
        """See :class:`Reader`."""
        return row.bottom - row.top, row.right - row.left

    def check(self, row: Any) -> None:
        """See :class:`Reader`."""
        height, width = self._checked_size(row)
        if row.right > width or row.bottom > height:
            raise images.ImageError(
                f"{self.root / row.path}: {width}×{height} pixels, too small for the box that ends at "
                f"{row.right}, {row.bottom}; fetch the file again"
            )


@dataclass
class ArrayReader:
    """Read rows that are slices of one array, ``uint8 (n, size, size, 3)``; the index is ``row.array_index``."""

    array: np.ndarray = field(repr=False)

    def read(self, row: Any, min_size: int | None) -> np.ndarray:
        """See :class:`Reader`."""
        return self.array[row.array_index].copy()

    def read_mask(self, row: Any) -> np.ndarray:
        """Not available: these datasets have no masks, and :class:`helpers.datasets.Dataset` never calls it."""
        raise NotImplementedError

    def image_size(self, row: Any) -> tuple[int, int]:
        """See :class:`Reader`."""
        return self.array.shape[1:3]

    def check(self, row: Any) -> None:
        """Do nothing: the loader has checked the whole array."""

    def content(self, row: Any) -> Iterator[bytes]:
        """See :class:`Reader`."""
        yield self.array[row.array_index].tobytes()
