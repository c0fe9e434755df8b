"""Combine two datasets into one, to compare the images of the one with those of the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DatasetError
from helpers.datasets.readers import Reader
from helpers.datasets.tables import COLUMNS


@dataclass(frozen=True)
class CombinedReader:
    """Read the rows of two datasets, each with the reader and the columns of its own dataset.

    Attributes:
        first: dataset whose ids are unchanged.
        second: dataset whose ids have the prefix.
        prefix: marks the rows of the second dataset.
    """

    first: Dataset
    second: Dataset
    prefix: str

    def read(self, row: Any, min_size: int | None) -> np.ndarray:
        """See :class:`helpers.datasets.readers.Reader`."""
        reader, own = self._own(row)
        return reader.read(own, min_size)

    def read_mask(self, row: Any) -> np.ndarray:
        """See :class:`helpers.datasets.readers.Reader`."""
        reader, own = self._own(row)
        return reader.read_mask(own)

    def image_size(self, row: Any) -> tuple[int, int]:
        """See :class:`helpers.datasets.readers.Reader`."""
        reader, own = self._own(row)
        return reader.image_size(own)

    def check(self, row: Any) -> None:
        """See :class:`helpers.datasets.readers.Reader`."""
        reader, own = self._own(row)
        reader.check(own)

    def content(self, row: Any) -> Iterator[bytes]:
        """See :class:`helpers.datasets.readers.Reader`."""
        reader, own = self._own(row)
        return reader.content(own)

    def _own(self, row: Any) -> tuple[Reader, Any]:
        if row.image_id.startswith(self.prefix):
            return self.second.reader, self.second.row(row.image_id.removeprefix(self.prefix))
        return self.first.reader, self.first.row(row.image_id)


def combine(first: Dataset, second: Dataset, prefix: str) -> Dataset:
    """Combine two datasets; no group of the one equals a group of the other.

    Args:
        first: dataset whose ids and groups stay as they are.
        second: dataset whose ids and groups get the prefix.
        prefix: such as ``"external/"``.

    Raises:
        DatasetError: ids of the first dataset begin with the prefix.
    """
    if first.frame.index.str.startswith(prefix).any():
        raise DatasetError(f"{first.public_name}: image ids begin with {prefix!r}; rename these files or folders")
    card = replace(
        first.card,
        title=f"{first.card.title} and {second.card.title}",
        known_issues=first.card.known_issues + tuple(f"{second.card.title}: {one}" for one in second.card.known_issues),
    )
    frames = [first.frame[list(COLUMNS)], second.with_id_prefix(prefix).frame[list(COLUMNS)]]
    return Dataset(
        f"{first.public_name} and {second.public_name}",
        pd.concat(frames),
        tuple(dict.fromkeys([*first.classes, *second.classes])),
        card,
        CombinedReader(first, second, prefix),
        has_masks=first.has_masks and second.has_masks,
        options={"first": first.options, "second": second.options},
    )
