"""Classical preprocessing: segmentation by thresholds and clusters, stain normalisation, scale from the red cells."""

from helpers.preprocessing.batches import NORMALISATIONS, batch_distances, lab_distance, restain, stain_batch_names
from helpers.preprocessing.colour import channels_of, contrast, count_peaks, standardise_density
from helpers.preprocessing.red_cell_size import RED_CELL_UM, estimate_um_per_pixel, red_cell_diameter
from helpers.preprocessing.red_cells import RedCells, fit_red_cells, normalize_red_cells
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
    clean_up_steps,
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
    "NORMALISATIONS",
    "RED_CELL_UM",
    "SEGMENTATIONS",
    "LabStatistics",
    "RedCells",
    "Stains",
    "batch_distances",
    "channels_of",
    "clean_up_steps",
    "contrast",
    "count_peaks",
    "estimate_um_per_pixel",
    "fit_macenko",
    "fit_red_cells",
    "fit_reinhard",
    "join_lobes",
    "lab_distance",
    "largest_filled_component",
    "normalize_macenko",
    "normalize_red_cells",
    "normalize_reinhard",
    "red_cell_diameter",
    "remove_background",
    "restain",
    "segment_cell_otsu",
    "segment_hsv",
    "segment_kmeans",
    "segment_nucleus_in_cell",
    "segment_nucleus_otsu",
    "stain_batch_names",
    "standardise_density",
]
