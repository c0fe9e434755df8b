"""Checks of what an explorer is to show."""

from __future__ import annotations

from typing import Any

import numpy as np

MIN_SIDE, MAX_SIDE = 8, 128  # pixels; a larger image would make the page heavy


def check_image(image: Any) -> None:
    """Check that an explorer can show an image.

    Raises:
        ValueError: the image is not ``uint8 (height, width, 3)`` with sides of 8 to 128 pixels.
    """
    shape, dtype = np.shape(image), getattr(image, "dtype", type(image).__name__)
    if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8:
        raise ValueError(f"image must be uint8 (height, width, 3), got {dtype} {shape}; give one RGB image")
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in shape[:2]):
        raise ValueError(
            f"sides of the image must be {MIN_SIDE} to {MAX_SIDE} pixels, got {shape[0]} x {shape[1]}; "
            "use images.resize_pad"
        )


def check_mask(mask: Any, image: np.ndarray) -> None:
    """Check that a mask belongs to an image and marks some of its pixels.

    Raises:
        ValueError: the mask is not ``bool`` of the image's height and width, or has no pixel.
    """
    shape, dtype = np.shape(mask), getattr(mask, "dtype", type(mask).__name__)
    if shape != image.shape[:2] or dtype != np.bool_:
        raise ValueError(
            f"mask must be bool {image.shape[:2]} like the image, got {dtype} {shape}; give one region, as mask == 2"
        )
    if not mask.any():
        raise ValueError("mask has no pixel, so nothing can overlap with it; give an image whose region is annotated")
