"""Explorer of what errors of an outline do to the metrics of segmentation."""

from __future__ import annotations

import numpy as np

from helpers.explorers.explorer import Explorer, image_values, render
from helpers.explorers.inputs import check_image, check_mask


def outline(image: np.ndarray, mask: np.ndarray) -> Explorer:
    """Show the true outline of a region and a changed one, with Dice, IoU and distances between the two.

    The reader grows or shrinks the region by up to 10 pixels, shifts it, and adds a square speck in the corner of the
    image that is farthest from it; buttons set instructive changes. The numbers are those of
    :func:`helpers.metrics.dice_and_iou`, :func:`helpers.metrics.hausdorff95` and
    :func:`helpers.metrics.surface_dice` with a tolerance of 2 pixels; beside the 95 % Hausdorff distance stands
    the largest distance, the Hausdorff distance itself.

    Args:
        image: ``uint8 (height, width, 3)`` RGB, sides of 8 to 128 pixels.
        mask: ground-truth mask of one region, ``bool (height, width)``, with at least one pixel.

    Raises:
        ValueError: image or mask has another shape, dtype or size, or the mask is empty.

    Example:
        >>> from helpers import datasets, explorers
        >>> cell = datasets.load("synthetic", n_images=1, n_patients=1)
        >>> image, mask = cell.load_images(96)[0], cell.load_masks(96)[0] > 0
        >>> print(repr(explorers.outline(image, mask))[:42])
        Explorer: a true outline and a changed one
    """
    check_image(image)
    check_mask(mask, image)
    height, width = image.shape[:2]
    return render(
        "outline",
        "A changed outline and its metrics",
        f"a true outline and a changed one on an image of {width} x {height} pixels, with Dice, IoU and HD95.",
        image_values(image, mask),
    )
