"""Classical segmentation by thresholds and clusters, its clean-up, and background removal."""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage
from skimage.filters import threshold_multiotsu, threshold_otsu
from skimage.measure import label as label_regions
from sklearn.cluster import KMeans

from helpers.preprocessing.colour import to_lab

# HSV range of MehradAria/ALL-Subtype-Classification, in true hue. The code there converts BGR pixels as if they were
# RGB, so that its hue 168 to 182 is 120 minus that, modulo 180: 121 to 132 (182 exceeds 179).
HSV_LOWER, HSV_UPPER = (121, 50, 50), (132, 255, 255)
LOBE_GAP, LOBE_MIN_SHARE = 0.6, 0.1  # see join_lobes; chosen on the nuclei of wbc1 and wbc2


def largest_filled_component(mask: np.ndarray) -> np.ndarray:
    """Keep the largest connected component and fill its holes; ``bool (height, width)``, empty for an empty mask."""
    regions = label_regions(mask, connectivity=1)
    if regions.max() == 0:
        return np.zeros(mask.shape, bool)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(regions == sizes.argmax())


def join_lobes(mask: np.ndarray) -> np.ndarray:
    """Keep the largest connected component and those near it, the lobes of one nucleus, and fill their holes.

    The nucleus of a neutrophil has two to five lobes, and the filaments between them are often too thin to be resolved.
    A component is kept if it has at least a tenth of the area of the largest one (smaller ones are platelets or dirt)
    and a chain of gaps of at most 0.6 radii leads to the largest one (radius of a disc of that one's area).

    Args:
        mask: ``bool (height, width)``; an empty mask stays empty.
    """
    return ndimage.binary_fill_holes(_lobes(mask))


def clean_up_steps(mask: np.ndarray) -> dict[str, np.ndarray]:
    """Return the masks on the way of :func:`join_lobes`, ``bool (height, width)``, by name of the step.

    Args:
        mask: ``bool (height, width)``, such as the pixels below a threshold.
    """
    regions = label_regions(mask, connectivity=1)
    largest = regions == np.bincount(regions[mask]).argmax() if mask.any() else mask
    return {
        "below the threshold": mask,
        "largest component": largest,
        "and those near it": _lobes(mask),
        "holes filled": join_lobes(mask),
    }


def _lobes(mask: np.ndarray) -> np.ndarray:
    """Mask of the largest connected component and those near it, with their holes."""
    regions = label_regions(mask, connectivity=1)
    if regions.max() == 0:
        return np.zeros(mask.shape, bool)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    lobes = regions == sizes.argmax()
    around = ndimage.distance_transform_edt(regions == 0) <= LOBE_GAP / 2 * np.sqrt(sizes.max() / np.pi)
    near = label_regions(around, connectivity=1)
    large = (sizes >= LOBE_MIN_SHARE * sizes.max())[regions]
    return large & (near == near[lobes][0])


def segment_hsv(
    image: np.ndarray,
    lower: tuple[int, int, int] = HSV_LOWER,
    upper: tuple[int, int, int] = HSV_UPPER,
) -> np.ndarray:
    """Segment the nucleus by thresholds on hue, saturation and value (HSV), and join its lobes.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        lower: minimum hue (0 to 179, in steps of two degrees), saturation and value (0 to 255).
        upper: maximum, inclusive. Hue is circular: 170 to 10 means 170 to 179 and 0 to 10. The defaults fit purple
            nuclei in Aria's stain.

    Returns:
        ``bool (height, width)``.
    """
    hue, saturation, value = np.moveaxis(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), -1, 0)
    above, below = hue >= lower[0], hue <= upper[0]
    inside = above & below if lower[0] <= upper[0] else above | below
    for channel, minimum, maximum in ((saturation, lower[1], upper[1]), (value, lower[2], upper[2])):
        inside &= (channel >= minimum) & (channel <= maximum)
    return join_lobes(inside)


def segment_nucleus_otsu(image: np.ndarray) -> np.ndarray:
    """Segment the nucleus as the darkest of three Otsu classes of the green channel, and join its lobes.

    The nucleus takes up the most stain.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.

    Returns:
        ``bool (height, width)``; empty if the smoothed green channel has fewer than three levels.
    """
    return join_lobes(_otsu(image)[1])


def segment_cell_otsu(image: np.ndarray) -> np.ndarray:
    """Segment cytoplasm and nucleus by two Otsu thresholds on the green channel.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.

    Returns:
        ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus; all 0 if the smoothed green channel has fewer
        than three levels.
    """
    stained, dark = _otsu(image)
    cell = largest_filled_component(stained)
    return cell.astype(np.uint8) + (cell & join_lobes(dark & cell))


def _otsu(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks of the two darker of three Otsu classes of green, and of the darkest; both ``bool (height, width)``."""
    green = cv2.GaussianBlur(image[..., 1], (0, 0), 1)
    if len(np.unique(green)) < 3:
        return np.zeros(green.shape, bool), np.zeros(green.shape, bool)
    low, high = threshold_multiotsu(green, classes=3)
    return green <= high, green <= low


def segment_nucleus_in_cell(image: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Segment the nucleus within a cell mask as the darker of two Otsu classes of green, and join its lobes.

    The threshold uses only pixels of the cell, so that a removed (black) background is not the darkest class.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        cell: cell mask ``bool (height, width)``.

    Returns:
        ``bool (height, width)``; empty if the smoothed green channel is constant within the cell.
    """
    if not cell.any():
        return np.zeros(cell.shape, bool)
    green = np.where(cell, image[..., 1], image[..., 1][cell].mean()).astype(np.float32)
    green = cv2.GaussianBlur(green, (0, 0), 1).round().astype(np.uint8)
    if np.ptp(green[cell]) == 0:
        return np.zeros(cell.shape, bool)
    return join_lobes(cell & (green <= threshold_otsu(green[cell])))


def segment_kmeans(image: np.ndarray, n_clusters: int = 3, seed: int = 0) -> np.ndarray:
    """Segment the nucleus as the darkest k-means cluster of colours in CIE Lab, and join its lobes.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        n_clusters: number of clusters; three for background, cytoplasm with red blood cells, and nucleus.
        seed: random seed of the initial centres.

    Returns:
        ``bool (height, width)``; empty if the smoothed image has fewer colours than clusters.
    """
    lab = to_lab(cv2.GaussianBlur(image, (0, 0), 1))
    pixels = lab.reshape(-1, 3)
    if len(np.unique(pixels, axis=0)) < n_clusters:
        return np.zeros(image.shape[:2], bool)
    sample = pixels[:: max(1, len(pixels) // 4096)]
    model = KMeans(n_clusters, n_init=2, random_state=seed).fit(sample)
    darkest = model.cluster_centers_[:, 0].argmin()
    return join_lobes((model.predict(pixels) == darkest).reshape(image.shape[:2]))


SEGMENTATIONS = {"HSV threshold": segment_hsv, "Otsu on green": segment_nucleus_otsu, "k-means in Lab": segment_kmeans}


def remove_background(image: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """Copy an image and set all pixels outside the ``bool`` mask to one colour (black, as in C-NMC)."""
    result = image.copy()
    result[~mask] = colour
    return result
