"""The datasets of the course, each behind one call: ``load("wbc1") -> Dataset``.

Where data lie: every source has a folder below the data root, which is the argument ``root``, else the environment
variable ``LEUKOBOOK_DATA``, else a cache folder of the user. ``python -m helpers data list`` shows the names and the
folders.

Modules, each importing only from those above it: :mod:`errors`, :mod:`clinical` (constants), :mod:`card`,
:mod:`directory` and :mod:`listing` (which files count), :mod:`tables`, :mod:`groups`, :mod:`classes`, :mod:`readers`
(pixels of a row), :mod:`dataset`, :mod:`masks`, :mod:`maskfiles`, :mod:`connection`, :mod:`fetch`, :mod:`members`,
:mod:`archives`, :mod:`copies`, one module per source (your own images: :mod:`folder`), :mod:`catalogue` (all of them by
name) and :mod:`loading`.
"""

from helpers.datasets.card import Card
from helpers.datasets.catalogue import SOURCES, Source, data_root, names, options_for
from helpers.datasets.classes import positive_class, refuse_single_class
from helpers.datasets.clinical import BACKGROUND, CYTOPLASM, NUCLEUS
from helpers.datasets.dataset import Dataset
from helpers.datasets.errors import DataError
from helpers.datasets.listing import find_images
from helpers.datasets.loading import check, get, load

__all__ = [
    "BACKGROUND",
    "CYTOPLASM",
    "NUCLEUS",
    "SOURCES",
    "Card",
    "DataError",
    "Dataset",
    "Source",
    "check",
    "data_root",
    "find_images",
    "get",
    "load",
    "names",
    "options_for",
    "positive_class",
    "refuse_single_class",
]
