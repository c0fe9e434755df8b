"""Dataset: a table with one row per image, whose pixels are read on demand and in batches."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers import images
from helpers.datasets import pixels
from helpers.datasets.boxes import SIDES
from helpers.datasets.card import DatasetCard
from helpers.datasets.classes import refuse_single_class
from helpers.datasets.errors import DatasetError
from helpers.datasets.readers import Reader
from helpers.datasets.tables import COLUMNS

CHUNK = 16  # rows per task of a thread
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # not allowed in names: tables, pages and spreadsheets cannot show them

T = TypeVar("T")


@dataclass(frozen=True)
class Dataset:
    """Hold a table of images and read their pixels and masks on demand.

    Attributes:
        name: the dataset's name, for example ``"wbc1"`` or ``"folder:/path"``.
        frame: one row per image, indexed by ``image_id``, with the columns of
            :data:`helpers.datasets.tables.COLUMNS` and others of the dataset. ``path`` and ``mask_path`` are
            relative to the dataset's root (empty if there is no file), ``label`` is one of ``classes`` or missing,
            ``group`` is the patient or the best known unit of independence.
        classes: class names.
        card: licence, citation and known issues.
        reader: reads the image and the mask of a row.
        has_masks: whether every image has a ground-truth mask.
        options: loader options that belong to the fingerprint.
        unreadable: ids of images that were left out because their files are damaged.

    Raises:
        DatasetError: the frame is empty, lacks a column, an id is not unique, a label is not one of ``classes``, an
            image has no group, or a name contains control characters.
    """

    name: str
    frame: pd.DataFrame
    classes: tuple[str, ...]
    card: DatasetCard
    reader: Reader
    has_masks: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    def __post_init__(self):
        if self.frame.empty:
            raise DatasetError(f"{self.name}: no image is left")
        missing = [column for column in COLUMNS if column not in self.frame]
        if missing or self.frame.index.name != "image_id":
            raise DatasetError(f"{self.name}: a frame is indexed by image_id and has {COLUMNS}; missing: {missing}")
        twice = self.frame.index[self.frame.index.duplicated()].unique()
        if len(twice):
            raise DatasetError(f"{self.name}: image ids must be unique; these occur more than once", map(str, twice))
        strange = set(self.frame["label"].dropna()) - set(self.classes)
        if strange or self.frame["group"].isna().any():
            raise DatasetError(
                f"{self.name}: labels outside {self.classes}, or images without a group", map(str, strange)
            )
        names = {*self.frame.index, *self.classes, *self.frame["group"]}
        unprintable = sorted(repr(name) for name in names if isinstance(name, str) and _CONTROL.search(name))
        if unprintable:
            raise DatasetError(f"{self.name}: names with control characters; rename them", unprintable)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def public_name(self) -> str:
        """Return the name as reports show it, without the local path, such as ``folder:cells``."""
        kind, colon, path = self.name.partition(":")
        return f"{kind}:{Path(path).name}" if colon else kind

    def select(self, ids: Iterable[str]) -> Dataset:
        """Select images by id, in the given order; raise ``KeyError`` for an unknown id.

        Example:
            >>> from helpers import datasets
            >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
            >>> first = data.select(data.frame.index[:2])
            >>> len(first), list(first.frame.index)
            (2, ['synthetic-00000', 'synthetic-00001'])
        """
        return replace(self, frame=self.frame.loc[list(ids)])

    def select_classes(self, classes: Iterable[str]) -> Dataset:
        """Select the images of some classes and drop all other classes."""
        kept = tuple(name for name in self.classes if name in set(classes))
        return replace(self, frame=self.frame[self.frame["label"].isin(kept)], classes=kept)

    def drop_classes(self, classes: Iterable[str]) -> Dataset:
        """Drop the images of some classes, and those without a label; none is dropped if ``classes`` is empty.

        Raises:
            DatasetError: there is no such class, or no image is left.
        """
        dropped = list(classes)
        unknown = [name for name in dropped if name not in self.classes]
        if unknown:
            raise DatasetError(f"{self.name}: no class {unknown[0]!r}; it has {', '.join(self.classes)}")
        return self.select_classes(set(self.classes) - set(dropped)) if dropped else self

    def one_vs_rest(self, positive: str, rest: str) -> Dataset:
        """Merge all classes except one into a single class; the column ``original_label`` keeps the classes.

        Args:
            positive: the class to keep.
            rest: name of the merged class.

        Raises:
            DatasetError: there is no class ``positive``, or fewer than two classes have images.
        """
        refuse_single_class(self.name, self.frame)
        if positive not in self.classes:
            raise DatasetError(f"{self.name}: no class {positive!r}; it has {', '.join(self.classes)}")
        label = self.frame["label"].where(self.frame["label"] == positive, rest)
        frame = self.frame.assign(label=label, original_label=self.frame["label"])
        return replace(self, frame=frame, classes=(positive, rest))

    def with_id_prefix(self, prefix: str) -> Dataset:
        """Prepend a prefix to all ids and groups, so that they differ from those of another dataset."""
        frame = self.frame.assign(group=prefix + self.frame["group"].astype(str))
        return replace(self, frame=frame.set_axis((prefix + frame.index).rename("image_id")))

    def row(self, image_id: str) -> Any:
        """Return the row of an image as a named tuple with ``image_id`` and every column."""
        return next(self.frame.loc[[image_id]].reset_index().itertuples(index=False))

    def load_image(self, image_id: str) -> np.ndarray:
        """Read one image at its original size, ``uint8 (height, width, 3)`` RGB."""
        return self.reader.read(self.row(image_id), None)

    def load_mask(self, image_id: str) -> np.ndarray:
        """Read one mask at its original size, ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus.

        Raises:
            DatasetError: the dataset has no masks.
        """
        self._need_masks()
        return self.reader.read_mask(self.row(image_id))

    def load_images(self, size: int) -> np.ndarray:
        """Read all images and resize them, keeping the aspect ratio; see :func:`helpers.images.resize_pad`.

        Args:
            size: side of the images in pixels.

        Returns:
            ``uint8 (n, size, size, 3)`` RGB, in the order of ``frame``. From 512 MiB on, the array is a file of the
            user's cache that is mapped into memory, see :mod:`helpers.datasets.pixels`.

        Raises:
            DatasetError: some files cannot be decoded; the message lists all.
            helpers.outputs.OutputError: the cache of a large array cannot be written to.

        Example:
            >>> from helpers import datasets
            >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
            >>> images = data.load_images(32)
            >>> images.shape, images.dtype
            ((6, 32, 32, 3), dtype('uint8'))
        """
        return self._stacked(
            (size, size, 3), lambda row: images.resize_pad(self.reader.read(row, size), size), "images"
        )

    def load_masks(self, size: int) -> np.ndarray:
        """Read all masks and resize them by nearest neighbour; see :func:`helpers.images.resize_pad_mask`.

        Args:
            size: side of the masks in pixels.

        Returns:
            ``uint8 (n, size, size)``: 0 background, 1 cytoplasm, 2 nucleus, in the order of ``frame``.

        Raises:
            DatasetError: the dataset has no masks; otherwise as :meth:`load_images`.

        Example:
            >>> from helpers import datasets
            >>> data = datasets.load("synthetic", n_images=6, n_patients=3, size=64)
            >>> masks = data.load_masks(32)
            >>> masks.shape, sorted(set(masks.ravel().tolist()))
            ((6, 32, 32), [0, 1, 2])
        """
        self._need_masks()
        return self._stacked(
            (size, size), lambda row: images.resize_pad_mask(self.reader.read_mask(row), size), "masks"
        )

    def iter_batches(self, size: int, batch_size: int) -> Iterator[tuple[pd.Index, np.ndarray]]:
        """Iterate over batches of images, for datasets larger than memory; the next batch loads in the background.

        Args:
            size: side of the images in pixels, as for :meth:`load_images`.
            batch_size: images per batch.

        Yields:
            Ids and images ``uint8 (batch, size, size, 3)``; the last batch may be smaller.
        """
        ids = [self.frame.index[start : start + batch_size] for start in range(0, len(self), batch_size)]
        with ThreadPoolExecutor(1) as ahead:
            pending = ahead.submit(self.select(ids[0]).load_images, size)
            for k, current in enumerate(ids):
                ready = pending.result()
                if k + 1 < len(ids):
                    pending = ahead.submit(self.select(ids[k + 1]).load_images, size)
                yield current, ready

    def image_sizes(self) -> pd.DataFrame:
        """Read the original size of every image in pixels from the file headers, without decoding.

        Returns:
            Columns ``height`` and ``width``, indexed by ``image_id``.

        Raises:
            DatasetError: the headers of some files cannot be read; the message lists all.
        """
        sizes = list(self.map_rows(self.reader.image_size, "sizes"))
        return pd.DataFrame(sizes, index=self.frame.index, columns=["height", "width"])

    def find_problems(self, decode: bool = False) -> dict[str, str]:
        """Find unusable images, as ``{image_id: error message}``.

        Args:
            decode: decode every image and mask (slow, finds all damage) instead of reading the headers only.
        """
        check: Callable[[Any], object] = self.decode if decode else self.reader.check
        return {
            image_id: str(outcome)
            for image_id, outcome in zip(self.frame.index, self.try_rows(check, "checking"), strict=True)
            if isinstance(outcome, images.ImageError)
        }

    def fingerprint(self) -> str:
        """Compute the SHA-256 of the table, the options and the bytes of every image and mask.

        It changes with the data, not with the location of an image folder.
        """
        table = hashlib.sha256(self.frame.to_csv().encode())
        table.update(repr((self.name.partition(":")[0], sorted(self.options.items()))).encode())
        for digest in self.map_rows(self._digest, "fingerprint"):
            table.update(digest)
        return table.hexdigest()

    def pixel_digests(self) -> list[bytes]:
        """Hash what determines the pixels of each image, without decoding any: bytes, box in them, and the decoder.

        Raises:
            DatasetError: some files cannot be read; the message lists all.
        """
        decoder = pixels.decoder()  # here, not in threads, in several of which Python 3.11 cannot parse code at once
        return list(self.map_rows(lambda row: self._pixel_digest(row, decoder), "fingerprint"))

    def map_rows(self, function: Callable[[Any], T], description: str) -> Iterator[T]:
        """Apply a function to every row, in threads.

        Args:
            function: takes a row as :meth:`row` returns it.
            description: of the work, for the progress bar.

        Yields:
            The results, in the order of ``frame``.

        Raises:
            DatasetError: at the end, if some calls raised :class:`helpers.images.ImageError`; the message lists all.
        """
        errors = []
        for result in self.try_rows(function, description):
            if isinstance(result, images.ImageError):
                errors.append(str(result))
            elif not errors:
                yield result
        if errors:
            raise DatasetError(
                f"{self.name}: {len(errors)} of {len(self)} images cannot be read; mend or remove these files, "
                'or go on without them (--skip-unreadable; on_error="skip" in Python)',
                errors,
            )

    def try_rows(self, function: Callable[[Any], T], description: str) -> Iterator[T | images.ImageError]:
        """Apply a function to every row, as :meth:`map_rows` does, and continue after an ImageError.

        Yields:
            The result, or the error, in the order of ``frame``.
        """
        rows = list(self.frame.reset_index().itertuples(index=False))
        chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(total=len(rows), desc=f"{self.name}: {description}", unit="image", delay=2, leave=False) as bar,
        ):
            for outcomes in pool.map(lambda chunk: [_outcome(function, row) for row in chunk], chunks):
                bar.update(len(outcomes))
                yield from outcomes

    def decode(self, row: Any) -> bytes:
        """Decode the image and the mask of a row, and compute the SHA-256 of the image's shape and pixels.

        Raises:
            ImageError: a file is damaged, or image and mask differ in size.
        """
        self.reader.check(row)
        image = self.reader.read(row, None)
        if self.has_masks:
            self.reader.read_mask(row)
        return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()

    def _need_masks(self) -> None:
        if not self.has_masks:
            raise DatasetError(f"{self.name} has no masks; wbc1, wbc2 and synthetic have")

    def _digest(self, row: Any) -> bytes:
        return hashlib.sha256(b"".join(self.reader.content(row))).digest()

    def _stacked(self, shape: tuple[int, ...], read: Callable[[Any], np.ndarray], description: str) -> np.ndarray:
        """Stack the arrays that ``read`` returns for all rows, ``uint8 (n, *shape)``, in the order of ``frame``."""
        whole = (len(self), *shape)
        if np.prod(whole) >= pixels.MIN_BYTES:
            return pixels.mapped_array(
                self._pixel_key(shape, description),
                whole,
                lambda start: self.select(self.frame.index[start:]).map_rows(read, description),
            )
        stack = np.empty(whole, np.uint8)
        for position, image in enumerate(self.map_rows(read, description)):
            stack[position] = image
        return stack

    def _pixel_key(self, shape: tuple[int, ...], description: str) -> str:
        """Hash everything that determines the array of :meth:`_stacked`, but not labels, groups or names."""
        return hashlib.sha256(f"{shape} {description}".encode() + b"".join(self.pixel_digests())).hexdigest()[:32]

    def _pixel_digest(self, row: Any, decoder: str) -> bytes:
        box = [getattr(row, side) for side in SIDES if side in self.frame]
        return hashlib.sha256(f"{decoder} {box}".encode() + self._digest(row)).digest()


def _outcome(function: Callable[[Any], T], row: Any) -> T | images.ImageError:
    try:
        return function(row)
    except images.ImageError as error:
        return error
