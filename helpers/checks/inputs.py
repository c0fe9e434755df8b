"""Statistics of a model's input images, saved with the model and compared with those of new images."""

from __future__ import annotations

from typing import Any

import numpy as np

PERCENTILES = (1, 99)


def input_statistics(images: np.ndarray) -> dict[str, Any]:
    """Compute the statistics of a model's input images.

    Args:
        images: ``(n, height, width, 3)``.

    Returns:
        ``dtype``, ``low`` and ``high`` (1st and 99th percentile), ``mean`` (mean colour, three values).
    """
    low, high = (float(v) for v in np.percentile(images, PERCENTILES))
    mean = [round(float(v), 3) for v in images.mean((0, 1, 2))]
    return {"dtype": str(images.dtype), "low": low, "high": high, "mean": mean}


class InputStatistics:
    """Accumulate :func:`input_statistics` of ``uint8`` images over batches, with the same result.

    Attributes:
        counts: ``int64 (3, 256)``, histogram of each channel.
    """

    def __init__(self) -> None:
        self.counts = np.zeros((3, 256), np.int64)

    def add(self, images: np.ndarray) -> None:
        """Add a batch of images, ``uint8 (n, height, width, 3)`` of any size."""
        for channel in range(3):
            self.counts[channel] += np.bincount(images[..., channel].ravel(), minlength=256)

    def summary(self) -> dict[str, Any]:
        """Compute the statistics of all images added so far; at least one is needed."""
        low, high = (self._percentile(q) for q in PERCENTILES)
        mean = [round(float(row @ np.arange(256) / row.sum()), 3) for row in self.counts]
        return {"dtype": "uint8", "low": low, "high": high, "mean": mean}

    def _percentile(self, q: float) -> float:
        """Compute the ``q``-th percentile by linear interpolation, as NumPy does."""
        cumulative = self.counts.sum(0).cumsum()
        position = q / 100 * (cumulative[-1] - 1)
        below, above = (
            int(np.searchsorted(cumulative, k, side="right")) for k in (np.floor(position), np.ceil(position))
        )
        return float(below + (above - below) * (position - np.floor(position)))
