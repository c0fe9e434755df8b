"""Resize images and masks, flip and turn them, lay many out in a montage."""

from __future__ import annotations

import cv2
import numpy as np


def _fitted(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    """Height and width after scaling the longer side to ``size``, and the padding above and to the left."""
    scale = size / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    return new_height, new_width, (size - new_height) // 2, (size - new_width) // 2


def resize_pad(image: np.ndarray, size: int) -> np.ndarray:
    """Scale an image to ``(size, size, 3)``, keeping its aspect; the rest is filled with the median border colour.

    Shrinking to less than half averages over the pixels that fall together (no aliasing); nearer to 1, bilinear
    interpolation leaves no pixel out either and is faster. The median of the border is the empty field on a
    smear and black where the background has been removed, so no edge appears that a network could learn.

    Args:
        image: ``uint8 (height, width, 3)``.
        size: side of the result in pixels.
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
    """Scale a label mask as :func:`resize_pad` scales its image: nearest neighbour, padded with 0 (background).

    Args:
        mask: ``uint8 (height, width)`` of labels.
        size: side of the result in pixels.
    """
    height, width = mask.shape
    new_height, new_width, top, left = _fitted(height, width, size)
    result = np.zeros((size, size), np.uint8)
    scaled = cv2.resize(mask, (new_width, new_height), interpolation=cv2.INTER_NEAREST_EXACT)
    result[top : top + new_height, left : left + new_width] = scaled
    return result


def undo_resize_pad(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bring a mask that was predicted on a :func:`resize_pad`-d image back to the image's own size.

    Args:
        mask: ``uint8 (size, size)`` of labels.
        height, width: of the image before it was resized.
    """
    new_height, new_width, top, left = _fitted(height, width, len(mask))
    inside = mask[top : top + new_height, left : left + new_width]
    return cv2.resize(inside, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def dihedral_views(images: np.ndarray) -> list[np.ndarray]:
    """The eight flips and 90° rotations of square pictures ``(n, size, size, …)``, all of them as they are first."""
    return [np.rot90(way, turn, (1, 2)) for way in (images, images[:, :, ::-1]) for turn in range(4)]


def montage(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Lay images out in rows on white.

    Args:
        images: ``uint8 (n, height, width, 3)``, in reading order.
        columns: images in a row.
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
