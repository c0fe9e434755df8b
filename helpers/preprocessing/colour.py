"""Colour spaces, and the black that replaces a removed background."""

from __future__ import annotations

import cv2
import numpy as np


def to_lab(image: np.ndarray) -> np.ndarray:
    """Convert RGB to CIE Lab: lightness 0 to 100, a and b centred on 0."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def foreground(image: np.ndarray) -> np.ndarray:
    """Mask of the pixels that are not removed (black) background; ``bool (height, width)``."""
    return image.max(axis=-1) > 0
