"""Classical preprocessing: segmentation by thresholds and clusters, background removal, stain normalisation."""

from helpers.preprocessing.stains import (
    LabStatistics,
    Stains,
    fit_macenko,
    fit_reinhard,
    normalize_macenko,
    normalize_reinhard,
)
from helpers.preprocessing.thresholds import (
    HSV_LOWER,
    HSV_UPPER,
    SEGMENTATIONS,
    join_lobes,
    largest_filled_component,
    remove_background,
    segment_cell_otsu,
    segment_hsv,
    segment_kmeans,
    segment_nucleus_in_cell,
    segment_nucleus_otsu,
)

__all__ = [
    "HSV_LOWER",
    "HSV_UPPER",
    "SEGMENTATIONS",
    "LabStatistics",
    "Stains",
    "fit_macenko",
    "fit_reinhard",
    "join_lobes",
    "largest_filled_component",
    "normalize_macenko",
    "normalize_reinhard",
    "remove_background",
    "segment_cell_otsu",
    "segment_hsv",
    "segment_kmeans",
    "segment_nucleus_in_cell",
    "segment_nucleus_otsu",
]
