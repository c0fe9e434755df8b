"""A dataset is a table: one row per image, pixels loaded late and in bounded batches."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers import images
from helpers.datasets.card import Card
from helpers.datasets.classes import refuse_single_class
from helpers.datasets.errors import DataError
from helpers.datasets.tables import COLUMNS

MAX_ARRAY_BYTES = 4 * 2**30
BACKGROUND, CYTOPLASM, NUCLEUS = 0, 1, 2
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # of names: no table, page or spreadsheet can show them


class Reader(Protocol):
    """Where the pixels of a row come from: files, an array, a drawing."""

    def read(self, row: Any, at_least: int | None) -> np.ndarray:
        """The image of a row, ``uint8 (height, width, 3)`` RGB."""

    def read_mask(self, row: Any) -> np.ndarray:
        """The mask of a row, ``uint8 (height, width)`` of 0 background, 1 cytoplasm, 2 nucleus."""

    def check(self, row: Any) -> None:
        """Raise :class:`helpers.images.ImageError` where the headers already show that a row cannot be read."""

    def content(self, row: Any) -> Iterator[bytes]:
        """The bytes that a row's image and mask come from, for the fingerprint."""


@dataclass(frozen=True)
class FileReader:
    """Rows whose pixels are files below ``root``; a row may name a box ``left, top, right, bottom`` to cut out.

    ``read_labels`` reads a mask file as ``uint8 (height, width)`` of 0 background, 1 cytoplasm, 2 nucleus; see
    :mod:`helpers.datasets.masks`.
    """

    root: Path
    read_labels: Callable[[Path], np.ndarray] = images.read_grey

    def read(self, row: Any, at_least: int | None) -> np.ndarray:
        """See :class:`Reader`."""
        if not hasattr(row, "left"):
            return images.read(self.root / row.path, at_least)
        return images.read(self.root / row.path)[row.top : row.bottom, row.left : row.right]

    def read_mask(self, row: Any) -> np.ndarray:
        """See :class:`Reader`."""
        return self.read_labels(self.root / row.mask_path)

    def check(self, row: Any) -> None:
        """See :class:`Reader`."""
        size = images.check_header(self.root / row.path)
        if hasattr(row, "left") and (row.right > size[1] or row.bottom > size[0]):
            raise images.ImageError(
                f"{self.root / row.path}: {size[1]}×{size[0]} pixels, too small for the box that ends at "
                f"{row.right}, {row.bottom}; fetch the file again"
            )
        if row.mask_path:
            mask_size = images.check_header(self.root / row.mask_path, mask=True)
            if mask_size != size:
                raise images.ImageError(
                    f"{self.root / row.mask_path}: the mask is {mask_size[1]}×{mask_size[0]}, its image "
                    f"{size[1]}×{size[0]}; make the mask again from the image"
                )

    def content(self, row: Any) -> Iterator[bytes]:
        """See :class:`Reader`."""
        for path in filter(None, (row.path, row.mask_path)):
            try:
                yield (self.root / path).read_bytes()
            except OSError as error:
                raise images.ImageError(f"{self.root / path}: cannot be read ({error.strerror})") from None


@dataclass(frozen=True)
class Dataset:
    """One row per image in ``frame``, indexed by ``image_id``; see :data:`COLUMNS` for what every frame has.

    ``path`` and ``mask_path`` are relative to the dataset's root (empty where there is no file), ``label`` is one of
    ``classes`` or missing, ``group`` is the patient or the best known unit of independence.
    """

    name: str
    frame: pd.DataFrame
    classes: tuple[str, ...]
    card: Card
    reader: Reader
    has_masks: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        if self.frame.empty:
            raise DataError(f"{self.name}: no image is left")
        missing = [column for column in COLUMNS if column not in self.frame]
        if missing or self.frame.index.name != "image_id":
            raise DataError(f"{self.name}: a frame is indexed by image_id and has {COLUMNS}; missing: {missing}")
        twice = self.frame.index[self.frame.index.duplicated()].unique()
        if len(twice):
            raise DataError(f"{self.name}: image ids that stand for more than one image", map(str, twice))
        strange = set(self.frame["label"].dropna()) - set(self.classes)
        if strange or self.frame["group"].isna().any():
            raise DataError(f"{self.name}: labels outside {self.classes}, or images without a group", map(str, strange))
        names = {*self.frame.index, *self.classes, *self.frame["group"]}
        unprintable = sorted(repr(name) for name in names if isinstance(name, str) and _CONTROL.search(name))
        if unprintable:
            raise DataError(f"{self.name}: names with control characters; rename them", unprintable)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def public_name(self) -> str:
        """The name without the place on this machine, for what is given to others: ``folder:cells``."""
        kind, colon, place = self.name.partition(":")
        return f"{kind}:{Path(place).name}" if colon else kind

    def subset(self, ids: Iterable[str]) -> Dataset:
        """The same dataset with these images only, in the order given. Raises ``KeyError`` for an unknown id."""
        return replace(self, frame=self.frame.loc[list(ids)])

    def only(self, classes: Iterable[str]) -> Dataset:
        """The same dataset with the images of these classes only; the names of the others are gone."""
        kept = tuple(name for name in self.classes if name in set(classes))
        return replace(self, frame=self.frame[self.frame["label"].isin(kept)], classes=kept)

    def against_others(self, positive: str, others: str) -> Dataset:
        """The same dataset with two classes: one, and all others under one name.

        Raises:
            DataError: there is no such class, or no other.
        """
        refuse_single_class(self.name, self.frame)
        if positive not in self.classes:
            raise DataError(f"{self.name}: no class {positive!r}; it has {', '.join(self.classes)}")
        label = self.frame["label"].where(self.frame["label"] == positive, others)
        return replace(self, frame=self.frame.assign(label=label), classes=(positive, others))

    def prefixed(self, prefix: str) -> Dataset:
        """The same dataset with ids and groups that begin with a prefix, so that none is one of another dataset."""
        frame = self.frame.assign(group=prefix + self.frame["group"].astype(str))
        return replace(self, frame=frame.set_axis((prefix + frame.index).rename("image_id")))

    def row(self, image_id: str) -> Any:
        """One row as a named tuple with ``image_id`` and every column."""
        return next(self.frame.loc[[image_id]].reset_index().itertuples(index=False))

    def image(self, image_id: str) -> np.ndarray:
        """One image at its own size, ``uint8 (height, width, 3)`` RGB."""
        return self.reader.read(self.row(image_id), None)

    def mask(self, image_id: str) -> np.ndarray:
        """One mask at its own size, ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus."""
        self._need_masks()
        return self.reader.read_mask(self.row(image_id))

    def images(self, size: int) -> np.ndarray:
        """All images, ``uint8 (n, size, size, 3)`` RGB in the order of ``frame``; the aspect is kept.

        Raises:
            DataError: some files cannot be decoded (all of them are named), or the array would not fit in 4 GiB.
        """
        return self._filled((size, size, 3), lambda row: images.resize(self.reader.read(row, size), size), "images")

    def masks(self, size: int) -> np.ndarray:
        """All masks, ``uint8 (n, size, size)``: 0 background, 1 cytoplasm, 2 nucleus; nearest neighbour.

        Raises:
            DataError: the dataset has no masks, or as :meth:`images`.
        """
        self._need_masks()
        return self._filled((size, size), lambda row: images.resize_mask(self.reader.read_mask(row), size), "masks")

    def batches(self, size: int, batch: int) -> Iterator[tuple[pd.Index, np.ndarray]]:
        """Ids and images, ``batch`` at a time, for sets that do not fit in memory; the next one loads meanwhile."""
        parts = [self.frame.index[start : start + batch] for start in range(0, len(self), batch)]
        with ThreadPoolExecutor(1) as ahead:
            pending = ahead.submit(self.subset(parts[0]).images, size)
            for k, ids in enumerate(parts):
                ready = pending.result()
                if k + 1 < len(parts):
                    pending = ahead.submit(self.subset(parts[k + 1]).images, size)
                yield ids, ready

    def sizes(self) -> pd.DataFrame:
        """Height and width of every image in pixels, at its own size, indexed by ``image_id``."""
        found: list[tuple[int, int]] = [(0, 0)] * len(self)

        def measure(k: int, row: Any) -> None:
            found[k] = self.reader.read(row, None).shape[:2]

        self._for_each_row(measure, "sizes")
        return pd.DataFrame(found, index=self.frame.index, columns=["height", "width"])

    def problems(self, decode: bool = False) -> dict[str, str]:
        """Images that cannot be used, as ``{image_id: what is wrong}``.

        Args:
            decode: decode every image and mask (slow, finds all damage) instead of looking at the headers.
        """

        def look(_: int, row: Any) -> None:
            self.reader.check(row)
            if decode:
                self.reader.read(row, None)
                if self.has_masks:
                    self.reader.read_mask(row)

        return self._collect(look, "checking")

    def fingerprint(self) -> str:
        """SHA-256 over the table, the options and the bytes of every image and mask: it changes when the data do.

        A folder of your own may lie anywhere.
        """
        digests = [b""] * len(self)

        def digest(k: int, row: Any) -> None:
            digests[k] = hashlib.sha256(b"".join(self.reader.content(row))).digest()

        self._for_each_row(digest, "fingerprint")
        whole = hashlib.sha256(self.frame.to_csv().encode())
        whole.update(repr((self.name.partition(":")[0], sorted(self.options.items()))).encode())
        whole.update(b"".join(digests))
        return whole.hexdigest()

    def _need_masks(self) -> None:
        if not self.has_masks:
            raise DataError(f"{self.name} has no masks; wbc1, wbc2 and synthetic have")

    def _filled(self, shape: tuple[int, ...], make: Callable[[Any], np.ndarray], what: str) -> np.ndarray:
        needed = len(self) * int(np.prod(shape))
        if needed > MAX_ARRAY_BYTES:
            raise DataError(
                f"{self.name}: {needed / 2**30:.1f} GiB of {what} in one array, more than "
                f"{MAX_ARRAY_BYTES / 2**30:.0f}; take a smaller size or fewer images, or .batches() in Python"
            )
        result = np.empty((len(self), *shape), np.uint8)

        def fill(k: int, row: Any) -> None:
            result[k] = make(row)

        self._for_each_row(fill, what)
        return result

    def _for_each_row(self, work: Callable[[int, Any], None], what: str) -> None:
        bad = self._collect(work, what)
        if bad:
            raise DataError(
                f"{self.name}: {len(bad)} of {len(self)} images cannot be read; mend or remove these files, "
                'or go on without them (--skip-bad; on_bad="skip" in Python)',
                bad.values(),
            )

    def _collect(self, work: Callable[[int, Any], None], what: str) -> dict[str, str]:
        """Call ``work(position, row)`` for every row, in threads; what fails with an ImageError is returned."""
        rows = list(self.frame.reset_index().itertuples(index=False))
        bad: dict[str, str] = {}

        def part(start: int) -> int:
            stop = min(start + 16, len(rows))
            for k in range(start, stop):
                try:
                    work(k, rows[k])
                except images.ImageError as error:
                    bad[rows[k].image_id] = str(error)
            return stop - start

        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(total=len(rows), desc=f"{self.name}: {what}", unit="image", delay=2, leave=False) as bar,
        ):
            for done in pool.map(part, range(0, len(rows), 16)):
                bar.update(done)
        return {row.image_id: bad[row.image_id] for row in rows if row.image_id in bad}
