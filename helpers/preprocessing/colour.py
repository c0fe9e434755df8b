"""Colour spaces, and the black that replaces a removed background."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage
from scipy.signal import find_peaks

MEAN_DENSITY, DENSITY_SPREAD = 0.6, 0.25  # of standardised cells, natural logarithm


def to_lab(image: np.ndarray) -> np.ndarray:
    """Convert RGB to CIE Lab: lightness 0 to 100, a and b centred on 0."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def foreground(image: np.ndarray) -> np.ndarray:
    """Mask of the pixels that are not removed (black) background; ``bool (height, width)``."""
    return image.max(axis=-1) > 0


def channels_of(image: np.ndarray) -> dict[str, np.ndarray]:
    """Return the channels of three colour spaces, ``uint8 (height, width)``, by name.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
    """
    names = {
        "red green blue": image,
        "hue saturation value": cv2.cvtColor(image, cv2.COLOR_RGB2HSV),
        "lightness a b": cv2.cvtColor(image, cv2.COLOR_RGB2LAB),
    }
    return {name: space[..., k] for row, space in names.items() for k, name in enumerate(row.split())}


def contrast(channel: np.ndarray, region: np.ndarray) -> float:
    """Return how far a region stands out: the distance of the means over the standard deviation within both sides.

    Args:
        channel: ``uint8 (height, width)``.
        region: mask ``bool (height, width)``, neither empty nor everywhere.

    Raises:
        ValueError: the region is empty or everywhere.
    """
    inside, outside = channel[region].astype(float), channel[~region].astype(float)
    if not inside.size or not outside.size:
        raise ValueError("contrast needs pixels within the region and outside")
    spread = np.sqrt((inside.var() * inside.size + outside.var() * outside.size) / channel.size)
    return float(abs(inside.mean() - outside.mean()) / max(spread, 1e-3))


def count_peaks(channel: np.ndarray) -> int:
    """Count the peaks of the smoothed histogram of a channel, ``uint8 (height, width)``.

    The histogram is smoothed with a standard deviation of 6; a peak rises by at least 0.0015 (share of pixels per
    value) above the valleys beside it.
    """
    shares = np.bincount(channel.ravel(), minlength=256) / channel.size
    smooth = ndimage.gaussian_filter1d(shares, 6, mode="constant")
    return len(find_peaks(np.pad(smooth, 1), prominence=0.0015)[0])


def standardise_density(image: np.ndarray) -> np.ndarray:
    """Give the optical density of every channel within the cell the same mean and spread in every image.

    Light and amount of stain then no longer differ between images; nor does what they showed of the cell.

    Args:
        image: ``uint8 (height, width, 3)`` RGB with its background removed (black).

    Returns:
        ``uint8 (height, width, 3)`` RGB; the background stays black, and an image without a cell is unchanged.
    """
    inside = foreground(image)
    if not inside.any():
        return image
    density = -np.log(np.maximum(image, 1) / 255.0)
    standard = (density - density[inside].mean(axis=0)) / np.maximum(density[inside].std(axis=0), 1e-3)
    rgb = np.clip(np.round(255 * np.exp(-(MEAN_DENSITY + DENSITY_SPREAD * standard))), 1, 255)
    return np.where(inside[..., None], rgb, 0).astype(np.uint8)
