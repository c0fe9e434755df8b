"""Explorer of a threshold on the green channel of a cell image."""

from __future__ import annotations

import numpy as np

from helpers.explorers.explorer import Explorer, image_values, render
from helpers.explorers.inputs import check_image, check_mask


def threshold(image: np.ndarray, mask: np.ndarray | None = None) -> Explorer:
    """Show the histogram of the green channel with a threshold that the reader moves, and the pixels that it marks.

    Marked are pixels with a green value of at most the threshold, since stain absorbs green light. A button sets Otsu's
    threshold, that of ``skimage.filters.threshold_otsu``. With a ground-truth mask, Dice and IoU of the marked
    pixels follow the slider; they are those of :func:`helpers.metrics.dice_and_iou`.

    Args:
        image: ``uint8 (height, width, 3)`` RGB, sides of 8 to 128 pixels.
        mask: ground-truth mask of one region, ``bool (height, width)``, with at least one pixel.

    Raises:
        ValueError: image or mask has another shape, dtype or size, or the mask is empty.

    Example:
        >>> from helpers import datasets, explorers
        >>> cell = datasets.load("synthetic", n_images=1, n_patients=1)
        >>> image, mask = cell.load_images(96)[0], cell.load_masks(96)[0] == 2
        >>> print(repr(explorers.threshold(image, mask))[:42])
        Explorer: a threshold on the green channel
    """
    check_image(image)
    if mask is not None:
        check_mask(mask, image)
    height, width = image.shape[:2]
    overlap = "" if mask is None else ", with Dice and IoU"
    return render(
        "threshold",
        "Threshold on the green channel",
        f"a threshold on the green channel of an image of {width} x {height} pixels{overlap}.",
        image_values(image, mask),
    )
