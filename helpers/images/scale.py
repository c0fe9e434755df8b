"""Rescale images of known pixel size to the pixel size of a model's training images, and masks back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from helpers.errors import LeukobookError

MAX_SIDE = 1024  # pixels, after rescaling: a U-Net then takes about 600 MiB
UM_PER_PIXEL = (0.01, 10.0)  # of light microscopes with a camera, with a margin


class ScaleError(LeukobookError):
    """Pixel size out of range, or image that is too large or too small after rescaling."""


@dataclass(frozen=True)
class Rescaled:
    """Rescaled image, centred on a canvas whose sides a U-Net can halve.

    Attributes:
        canvas: ``uint8 (height, width, 3)``, padded with the median colour of the image's border.
        top: first row of the image in the canvas.
        left: first column of the image in the canvas.
        height: height of the image in the canvas in pixels.
        width: width of the image in the canvas in pixels.
        original: height and width of the original image in pixels.
    """

    canvas: np.ndarray
    top: int
    left: int
    height: int
    width: int
    original: tuple[int, int]

    def restore(self, mask: np.ndarray) -> np.ndarray:
        """Crop and resize a label mask of the canvas, ``uint8 (height, width)``, to the original size."""
        inside = mask[self.top : self.top + self.height, self.left : self.left + self.width]
        return cv2.resize(inside, self.original[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def validate_scale(um_per_pixel: float) -> None:
    """Raise an error for a pixel size outside :data:`UM_PER_PIXEL`.

    Args:
        um_per_pixel: pixel size in µm.

    Raises:
        ScaleError: the pixel size is not a number in this range.
    """
    low, high = UM_PER_PIXEL
    if not low <= um_per_pixel <= high:
        raise ScaleError(
            f"{um_per_pixel} µm per pixel must be from {low} to {high}; a 100× objective has about 0.05 to 0.15"
        )


def rescale(image: np.ndarray, factor: float, min_side: int, step: int) -> Rescaled:
    """Rescale an image by a factor and centre it on a canvas.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        factor: scale factor; above 1 enlarges.
        min_side: minimum side of the canvas in pixels.
        step: the sides of the canvas are multiples of it, in pixels.

    Raises:
        ScaleError: a side of the rescaled image exceeds :data:`MAX_SIDE` pixels or is 0.
    """
    height, width = (round(side * factor) for side in image.shape[:2])
    if not (min(height, width) >= 1 and max(height, width) <= MAX_SIDE):
        raise ScaleError(
            f"{image.shape[1]}×{image.shape[0]} pixels become {width}×{height} at the scale of the model, which must "
            f"be 1 to {MAX_SIDE}; check --um-per-pixel, or crop the cells"
        )
    method = cv2.INTER_AREA if factor < 0.5 else cv2.INTER_LINEAR
    scaled = cv2.resize(image, (width, height), interpolation=method)
    border = np.concatenate([scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]])
    sides = [-(-max(side, min_side) // step) * step for side in (height, width)]
    canvas = np.empty((*sides, 3), np.uint8)
    canvas[:] = np.median(border, axis=0)
    top, left = (sides[0] - height) // 2, (sides[1] - width) // 2
    canvas[top : top + height, left : left + width] = scaled
    return Rescaled(canvas, top, left, height, width, image.shape[:2])
