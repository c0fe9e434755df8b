"""Stain normalisation (Reinhard et al. 2001, Macenko et al. 2009)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.preprocessing.colour import foreground, to_lab

MACENKO_MIN_DENSITY = 0.15
MACENKO_PERCENTILE = 1.0


@dataclass(frozen=True)
class LabStatistics:
    """Hold mean and standard deviation of the Lab channels, each ``(3,)``."""

    mean: np.ndarray
    std: np.ndarray


def fit_reinhard(images: np.ndarray) -> LabStatistics:
    """Estimate the Lab statistics of one stain batch or of a reference, leaving out black (removed) background.

    Args:
        images: ``uint8 (n, height, width, 3)`` RGB.

    Raises:
        ValueError: every pixel is black.
    """
    lab = np.concatenate([to_lab(image)[foreground(image)] for image in images])
    if not len(lab):
        raise ValueError("all pixels are black (removed background); give images of cells")
    return LabStatistics(lab.mean(axis=0, dtype=np.float64), lab.std(axis=0, dtype=np.float64))


def normalize_reinhard(image: np.ndarray, source: LabStatistics, target: LabStatistics) -> np.ndarray:
    """Normalise the stain by matching mean and standard deviation of the Lab channels (Reinhard et al. 2001).

    With the statistics of a whole stain batch as source, a cell with a large nucleus stays darker than one with a small
    nucleus; with those of the single image, that difference is lost.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        source: statistics of the image, or better of its stain batch, from :func:`fit_reinhard`.
        target: statistics of the reference.

    Returns:
        ``uint8 (height, width, 3)`` RGB; removed (black) background stays black.
    """
    stretch = target.std / np.maximum(source.std, 1e-3)
    lab = (to_lab(image) - source.mean) * stretch + target.mean
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    return _with_background_of(image, np.clip(rgb, 0, 1) * 255)


def _with_background_of(image: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Round ``rgb`` to ``uint8``, and keep the removed (black) background of ``image``."""
    rounded = np.round(np.clip(rgb, 0, 255)).astype(np.uint8).reshape(image.shape)
    return np.where(foreground(image)[..., None], rounded, 0).astype(np.uint8)


@dataclass(frozen=True)
class Stains:
    """Hold the two stains of a smear.

    Attributes:
        colours: stain vectors ``(2, 3)``, optical density of red, green and blue, unit length; the bluer stain first.
        max_concentration: ``(2,)``, 99th percentile of the amount of each stain.
        background: ``(3,)``, background colour (empty field), 0 to 255.
    """

    colours: np.ndarray
    max_concentration: np.ndarray
    background: np.ndarray


def fit_macenko(images: np.ndarray) -> Stains:
    """Estimate the two stain vectors of a stain batch (Macenko et al. 2009).

    By the Beer-Lambert law, optical densities of mixtures lie in the plane of the two stain vectors, which are its
    extreme directions. Two changes adapt the method to blood smears: density is relative to the background colour (98th
    percentile of each channel), which in a rapid stain is yellow, not white; and the threshold for stained pixels
    applies to the total density, not to each channel, because red blood cells hardly absorb red light.

    Args:
        images: ``uint8 (n, height, width, 3)`` RGB of one stain batch; a single cell may show too little of one stain.

    Raises:
        ValueError: too few stained pixels, or too few colours among them, to estimate the plane.
    """
    pixels = images[foreground(images)]
    if not len(pixels):
        raise ValueError("all pixels are black (removed background); give images of cells")
    background = np.maximum(np.percentile(pixels, 98, axis=0), 1.0)
    density = _density(pixels, background)
    stained = density[np.linalg.norm(density, axis=1) > MACENKO_MIN_DENSITY]
    if len(stained) < 100 or np.linalg.matrix_rank(np.cov(stained.T), tol=1e-8) < 2:
        raise ValueError(
            f"two stains need at least 100 stained pixels of different colours, got {len(stained)} stained pixels; "
            "give images with both stains"
        )
    plane = np.linalg.eigh(np.cov(stained.T))[1][:, 1:]
    plane *= np.where(plane.sum(axis=0) < 0, -1, 1)  # so that angles are measured within the positive octant
    projected = stained @ plane
    angles = np.arctan2(projected[:, 1], projected[:, 0])
    extremes = np.percentile(angles, [MACENKO_PERCENTILE, 100 - MACENKO_PERCENTILE])
    colours = np.stack([np.cos(extremes), np.sin(extremes)], axis=1) @ plane.T
    colours = np.maximum(colours, 0)
    colours /= np.linalg.norm(colours, axis=1, keepdims=True)
    colours = colours[np.argsort(colours[:, 2] - colours[:, 0])]  # a blue stain absorbs red and lets blue through
    return Stains(colours, np.maximum(np.percentile(_amounts(density, colours), 99, axis=0), 1e-3), background)


def normalize_macenko(image: np.ndarray, source: Stains, target: Stains) -> np.ndarray:
    """Normalise the stain by replacing the stain vectors and keeping the relative amounts (Macenko et al. 2009).

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        source: stains of the image, or better of its stain batch, from :func:`fit_macenko`.
        target: stains of the reference.

    Returns:
        ``uint8 (height, width, 3)`` RGB; removed (black) background stays black.
    """
    amounts = _amounts(_density(image, source.background), source.colours) * (
        target.max_concentration / source.max_concentration
    )
    rgb = target.background * np.exp(-amounts @ target.colours)
    return _with_background_of(image, rgb)


def _density(image: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Compute the optical density of every pixel, ``(pixels, 3)``, natural logarithm."""
    return -np.log(np.maximum(image.reshape(-1, 3), 1) / background)


def _amounts(density: np.ndarray, colours: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(colours.T, density.T, rcond=None)[0].T
