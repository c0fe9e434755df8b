"""Resize images and masks, flip and rotate them, and arrange images in a montage."""

from __future__ import annotations

import cv2
import numpy as np


def _fitted(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    """Compute height and width after scaling the longer side to ``size``, and the padding above and to the left."""
    scale = size / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    return new_height, new_width, (size - new_height) // 2, (size - new_width) // 2


def resize_pad(image: np.ndarray, size: int) -> np.ndarray:
    """Resize an image to a square, keep its aspect ratio and pad with the median border colour.

    Shrinking to less than half averages over areas (no aliasing); otherwise bilinear interpolation, which still uses
    every pixel and is faster. The median border colour is that of the empty field of a smear, and black after
    background removal, so that padding adds no edge for a network to learn.

    Args:
        image: ``uint8 (height, width, 3)``.
        size: side of the result in pixels.

    Returns:
        ``uint8 (size, size, 3)``.
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    new_height, new_width, top, left = _fitted(height, width, size)
    method = cv2.INTER_AREA if max(height, width) > 2 * size else cv2.INTER_LINEAR
    scaled = cv2.resize(image, (new_width, new_height), interpolation=method)
    if (new_height, new_width) == (size, size):
        return scaled
    border = np.concatenate([scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]])
    result = np.empty((size, size, 3), np.uint8)
    result[:] = np.median(border, axis=0)
    result[top : top + new_height, left : left + new_width] = scaled
    return result


def resize_pad_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Resize a label mask as :func:`resize_pad` resizes its image: nearest neighbour, padded with 0 (background).

    Args:
        mask: ``uint8 (height, width)`` of labels.
        size: side of the result in pixels.

    Returns:
        ``uint8 (size, size)``.
    """
    height, width = mask.shape
    new_height, new_width, top, left = _fitted(height, width, size)
    result = np.zeros((size, size), np.uint8)
    scaled = cv2.resize(mask, (new_width, new_height), interpolation=cv2.INTER_NEAREST_EXACT)
    result[top : top + new_height, left : left + new_width] = scaled
    return result


def undo_resize_pad(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a mask predicted on a :func:`resize_pad`-ded image to the original size.

    Args:
        mask: ``uint8 (size, size)`` of labels.
        height, width: original size of the image in pixels.

    Returns:
        ``uint8 (height, width)``.
    """
    new_height, new_width, top, left = _fitted(height, width, len(mask))
    inside = mask[top : top + new_height, left : left + new_width]
    return cv2.resize(inside, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def dihedral_views(images: np.ndarray) -> list[np.ndarray]:
    """Generate the eight dihedral views (flips and 90° rotations) of square images, the originals first.

    Args:
        images: ``(n, size, size, …)``.

    Returns:
        Eight arrays of the shape of ``images``.
    """
    return [np.rot90(flipped, rotations, (1, 2)) for flipped in (images, images[:, :, ::-1]) for rotations in range(4)]


def montage(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Arrange images in a grid on white.

    Args:
        images: ``uint8 (n, height, width, 3)``, in reading order.
        columns: images per row.
        gap: white pixels between neighbours.

    Returns:
        ``uint8 (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)``.
    """
    n, height, width, _ = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for k, image in enumerate(images):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
