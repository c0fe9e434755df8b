"""Classical preprocessing: segmentation by thresholds and clusters, background removal, stain normalisation."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage
from skimage.filters import threshold_multiotsu, threshold_otsu
from skimage.measure import label as label_regions
from sklearn.cluster import KMeans

# HSV range of MehradAria/ALL-Subtype-Classification, in true hue. The code there converts BGR pixels as if they were
# RGB, so that its hue 168 to 182 is 120 minus that, modulo 180: 121 to 132 (182 exceeds 179).
HSV_LOWER, HSV_UPPER = (121, 50, 50), (132, 255, 255)
LOBE_GAP, LOBE_MIN_SHARE = 0.6, 0.1  # see join_lobes; chosen on the nuclei of wbc1 and wbc2
MACENKO_MIN_DENSITY = 0.15
MACENKO_PERCENTILE = 1.0


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
    regions = label_regions(mask, connectivity=1)
    if regions.max() == 0:
        return np.zeros(mask.shape, bool)
    sizes = np.bincount(regions.ravel())
    sizes[0] = 0
    lobes = regions == sizes.argmax()
    around = ndimage.distance_transform_edt(regions == 0) <= LOBE_GAP / 2 * np.sqrt(sizes.max() / np.pi)
    near = label_regions(around, connectivity=1)
    large = (sizes >= LOBE_MIN_SHARE * sizes.max())[regions]
    return ndimage.binary_fill_holes(large & (near == near[lobes][0]))


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
    lab = _to_lab(cv2.GaussianBlur(image, (0, 0), 1))
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


def _to_lab(image: np.ndarray) -> np.ndarray:
    """Convert RGB to CIE Lab: lightness 0 to 100, a and b centred on 0."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


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
    lab = np.concatenate([_to_lab(image)[_foreground(image)] for image in images])
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
    lab = (_to_lab(image) - source.mean) * stretch + target.mean
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    return _with_background_of(image, np.clip(rgb, 0, 1) * 255)


def _foreground(image: np.ndarray) -> np.ndarray:
    """Mask of the pixels that are not removed (black) background; ``bool (height, width)``."""
    return image.max(axis=-1) > 0


def _with_background_of(image: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Round ``rgb`` to ``uint8``, and keep the removed (black) background of ``image``."""
    rounded = np.round(np.clip(rgb, 0, 255)).astype(np.uint8).reshape(image.shape)
    return np.where(_foreground(image)[..., None], rounded, 0).astype(np.uint8)


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
    pixels = images[_foreground(images)]
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
    colours = colours[np.argsort(-colours[:, 0])]  # the stain that absorbs more red is the blue one
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
