"""What images look like as a model takes them: kept with the model, and compared when others are given to it."""

from __future__ import annotations

from typing import Any

import numpy as np

PERCENTILES = (1, 99)


def input_statistics(images: np.ndarray) -> dict[str, Any]:
    """What images ``(n, height, width, 3)`` look like: ``dtype``, 1st and 99th percentile, ``mean`` colour."""
    low, high = (float(v) for v in np.percentile(images, PERCENTILES))
    mean = [round(float(v), 3) for v in images.mean((0, 1, 2))]
    return {"dtype": str(images.dtype), "low": low, "high": high, "mean": mean}


class InputStatistics:
    """:func:`input_statistics` of any number of ``uint8`` images that are seen a few at a time; the result is equal."""

    def __init__(self) -> None:
        self.counts = np.zeros((3, 256), np.int64)

    def add(self, images: np.ndarray) -> None:
        """Count the pixels of more images, ``uint8 (n, height, width, 3)`` of any size."""
        for channel in range(3):
            self.counts[channel] += np.bincount(images[..., channel].ravel(), minlength=256)

    def summary(self) -> dict[str, Any]:
        """The statistics of all images so far; at least one must have been added."""
        low, high = (self._percentile(q) for q in PERCENTILES)
        mean = [round(float(row @ np.arange(256) / row.sum()), 3) for row in self.counts]
        return {"dtype": "uint8", "low": low, "high": high, "mean": mean}

    def _percentile(self, q: float) -> float:
        """As NumPy does it, between the two values around the place that ``q`` percent of all values lie below."""
        upto = self.counts.sum(0).cumsum()
        place = q / 100 * (upto[-1] - 1)
        below, above = (int(np.searchsorted(upto, k, side="right")) for k in (np.floor(place), np.ceil(place)))
        return float(below + (above - below) * (place - np.floor(place)))
