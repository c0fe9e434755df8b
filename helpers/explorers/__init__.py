"""Explorers: interactive pictures with their data inside, for the page and for JupyterLab.

Each function returns an :class:`Explorer`. A notebook displays it as HTML that needs no kernel and no network; its
``repr`` is a sentence on what it shows, which committed notebooks keep and nbval compares.
"""

from helpers.explorers.cases import casebook
from helpers.explorers.cell_counts import counting
from helpers.explorers.deciding import decision
from helpers.explorers.descent import gradient_descent
from helpers.explorers.drawing import resampling
from helpers.explorers.explorer import Explorer
from helpers.explorers.outlines import outline
from helpers.explorers.patches import occlusion
from helpers.explorers.rejecting import rejection
from helpers.explorers.similar_cells import neighbours
from helpers.explorers.thresholding import threshold

__all__ = [
    "Explorer",
    "casebook",
    "counting",
    "decision",
    "gradient_descent",
    "neighbours",
    "occlusion",
    "outline",
    "rejection",
    "resampling",
    "threshold",
]
