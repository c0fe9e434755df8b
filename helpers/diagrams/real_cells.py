"""Real blood cells beside the synthetic ones, where their dataset is on the machine that builds the page."""

from __future__ import annotations

import numpy as np

from helpers import datasets
from helpers.datasets import Dataset, DatasetError
from helpers.diagrams.atlas import EXAMPLES, example
from helpers.images import resize_pad
from helpers.plots import AccessibleFigure, NoFigure, image_grid

SIDE = 96  # pixels of an image
CROPPED = 144  # pixels to which a real image is resized before its centre is cut out; the cell lies there
PER_CLASS = 3
CAPTION = (
    "Left a synthetic cell, beside it cells of healthy people: images of the dataset PBC by Acevedo et al. (2020), "
    "CC BY 4.0, resized and cropped. Compare what synthetic cells share with real ones, and what they lack."
)


def real_cells(seed: int = 20) -> AccessibleFigure | NoFigure:
    """Draw synthetic cells beside real ones of the same class, from the dataset ``pbc``, whose licence allows it.

    Args:
        seed: random seed that chooses the real cells.

    Returns:
        The figure, or a sentence that says why it is left out.
    """
    try:
        pbc = datasets.load("pbc")
    except DatasetError as error:
        if not error.missing:
            raise
        return NoFigure(
            "real cells are left out, because their dataset, pbc (CC BY 4.0), is not on this machine; "
            "python -m helpers data get pbc says how to get it"
        )
    shared = [name for name in EXAMPLES if name in pbc.classes]
    rows = {name: _beside(name, pbc, np.random.default_rng(seed)) for name in shared}
    return image_grid(rows, CAPTION, ["synthetic", *["real"] * PER_CLASS])


def _beside(name: str, pbc: Dataset, random: np.random.Generator) -> np.ndarray:
    """Stack the synthetic example of a class and real images of it, ``uint8 (1 + 3, 96, 96, 3)``."""
    ids = np.sort(pbc.select_classes([name]).frame.index)
    chosen = random.choice(ids, PER_CLASS, replace=False)
    margin = (CROPPED - SIDE) // 2
    centre = pbc.select(chosen).load_images(CROPPED)[:, margin:-margin, margin:-margin]
    return np.stack([resize_pad(example(name)[0], SIDE), *centre])
