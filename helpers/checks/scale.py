"""Size of the cells in a model's input images, saved with the model and compared with that of new images.

The nucleus is segmented by thresholds in images of 128 × 128 pixels, whatever the size of the model's input. Of many
images, a random sample is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers import images
from helpers.checks.findings import Finding
from helpers.datasets import NUCLEUS

SIZE = 128
MIN_IMAGES, MAX_IMAGES = 10, 200
PERCENTILES = (1, 50, 99)
# Cells of one class alone look up to 1.4 times as large as all cells together (eosinophils of wbc1); objectives of 50×
# and 100× differ by a factor of 2.
MAX_FACTOR = 1.6


class NucleusShares:
    """Measure the fraction of the image that the nucleus covers, in a random sample of images that come in batches.

    Attributes:
        shares: fractions of the measured images, 0 where no nucleus is found.
    """

    def __init__(self, n_images: int) -> None:
        """Choose the sample.

        Args:
            n_images: number of images that will be added; fewer than ten are not measured.
        """
        n_measured = min(n_images, MAX_IMAGES) if n_images >= MIN_IMAGES else 0
        self.shares: list[float] = []
        self._sample = set(np.random.default_rng(0).permutation(n_images)[:n_measured].tolist())
        self._n_added = 0

    def add(self, batch: np.ndarray) -> None:
        """Add a batch of images, ``uint8 (n, height, width, 3)``."""
        for number, image in enumerate(batch, self._n_added):
            if number in self._sample:
                self.shares.append(_nucleus_share(image))
        self._n_added += len(batch)


def scale_statistics(shares: Sequence[float], sizes: pd.DataFrame) -> dict[str, Any] | None:
    """Compute the statistics of the size of training images and of the nuclei in them.

    Args:
        shares: fractions of images that nuclei cover, from :class:`NucleusShares`.
        sizes: ``height`` and ``width`` of the files in pixels, see :meth:`helpers.datasets.Dataset.image_sizes`.

    Returns:
        ``height`` and ``width`` (smallest, median and largest), ``nucleus_share`` (1st, 50th and 99th percentile) and
        ``n_measured``; ``None`` if fewer than ten were measured, or half of them lack a nucleus.
    """
    if len(shares) < MIN_IMAGES or not np.median(shares):
        return None
    return {
        **{side: [int(sizes[side].quantile(q, "lower")) for q in (0, 0.5, 1)] for side in ("height", "width")},
        "nucleus_share": [round(float(share), 4) for share in np.percentile(shares, PERCENTILES)],
        "n_measured": len(shares),
    }


def check_scale(shares: Sequence[float], reference: Sequence[float]) -> list[Finding]:
    """Check that the nuclei of new images are as large, in the median, as those of the training images.

    It fails if the median lies outside the 1st to 99th percentile of the training images, or if the linear factor, the
    square root of the ratio of the medians, is above 1.6 or below its inverse.

    Args:
        shares: fractions of new images that nuclei cover; none are needed, and fewer than ten pass.
        reference: 1st, 50th and 99th percentile of the training images.
    """
    if len(shares) < MIN_IMAGES:
        return []
    low, train_median, high = reference
    median = float(np.median(shares))
    factor = np.sqrt(median / train_median)
    if low <= median <= high and 1 / MAX_FACTOR <= factor <= MAX_FACTOR:
        return []
    observed = (
        f"cells look {factor:.2g} times as large as in training: the median nucleus covers {median:.1%} of an image, "
        f"in training {train_median:.1%} ({low:.1%} to {high:.1%})"
    )
    return [Finding("scale shift", observed, "the magnification, and that images are cropped as in training")]


def _nucleus_share(image: np.ndarray) -> float:
    from helpers import features  # here, because a few images are not measured and it takes a second

    mask = features.segment_cell(images.resize_pad(image, SIZE))
    return float((mask == NUCLEUS).mean())
