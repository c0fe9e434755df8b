"""Load, fetch and validate the datasets of the course: ``load("wbc1") -> Dataset``.

Every source has a folder below the data root, which is the argument ``root``, else the environment variable
``LEUKOBOOK_DATA``, else the user's cache folder. ``python -m helpers data list`` prints the names and the folders.
"""

from helpers.datasets.card import DatasetCard
from helpers.datasets.catalogue import SOURCES, DatasetSpec, data_root, dataset_options, list_datasets
from helpers.datasets.classes import refuse_single_class, refuse_unknown_class, resolve_positive_class
from helpers.datasets.clinical import BACKGROUND, CYTOPLASM, NUCLEUS
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DatasetError
from helpers.datasets.listing import find_images
from helpers.datasets.loading import fetch, load, validate

__all__ = [
    "BACKGROUND",
    "CYTOPLASM",
    "NUCLEUS",
    "SOURCES",
    "Dataset",
    "DatasetCard",
    "DatasetError",
    "DatasetSpec",
    "data_root",
    "dataset_options",
    "fetch",
    "find_images",
    "list_datasets",
    "load",
    "refuse_single_class",
    "refuse_unknown_class",
    "resolve_positive_class",
    "validate",
]
