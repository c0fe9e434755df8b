"""Comparison of a user's images, all together, with the training images of a classifier."""

from __future__ import annotations

import numpy as np

from helpers import checks
from helpers.models.model_card import ModelCard


class InputShift:
    """Compare images that come in batches with the training images: colours, and the size of the nuclei."""

    def __init__(self, card: ModelCard, n_images: int) -> None:
        """Prepare the comparison.

        Args:
            card: model card of the classifier; without statistics of the scale, colours alone are compared.
            n_images: number of images that will be added.
        """
        self._card = card
        self._colours = checks.InputStatistics()
        self._nuclei = checks.NucleusShares(n_images if card.scale else 0)

    def add(self, images: np.ndarray) -> None:
        """Add a batch of images in the size of the model, ``uint8 (n, size, size, 3)``."""
        self._colours.add(images)
        self._nuclei.add(images)

    def findings(self) -> list[str]:
        """Return the findings on all images added so far; at least one is needed."""
        findings = checks.check_input_statistics(self._colours.summary(), self._card.input.model_dump())
        if self._card.scale:
            findings += checks.check_scale(self._nuclei.shares, self._card.scale.nucleus_share)
        return list(map(str, findings))
