"""Draw the cells of the page *Try it*: examples with their ground truth, and a grid over the parameters of a cell."""

from __future__ import annotations

import base64
import itertools
from dataclasses import replace
from typing import Any

import cv2

from helpers import datasets
from helpers.book.try_it.classifier import SEED, strange_cells
from helpers.datasets.synthetic import morphology, render_cell, stains
from helpers.pages import png_uri

EXAMPLE_SIZE, DRAWN_SIZE = 128, 96  # pixels; both show 24 µm
QUALITY = 90  # of JPEG
DIAMETERS = (9, 12, 15)  # µm
RATIOS = (0.3, 0.5, 0.7)  # area of nucleus / area of cell
LOBES = (1, 3)
# What the granules look like, and the class that lends them, with its cytoplasm and chromatin.
GRANULES = {"none": "lymphocyte", "fine": "neutrophil", "orange": "eosinophil", "dark": "basophil"}


def example_cells() -> list[dict[str, Any]]:
    """Render a synthetic cell of each class that no network was trained on, and an enlarged red blood cell.

    Returns:
        ``name``, ``truth`` (a sentence) and ``picture`` (address of a PNG within the page) of each.
    """
    cells = datasets.load("synthetic", n_images=90, n_patients=30, balanced=True, seed=SEED + 1)
    first = cells.frame.groupby("label", sort=False).head(1).set_index("label").loc[list(cells.classes)]
    examples = []
    for number, (label, row) in enumerate(first.iterrows(), 1):
        image = cells.load_image(cells.frame.index[row["number"]])
        truth = f"Drawn as: {label}, N:C ratio {row['nucleus_to_cell_area']:.2f}."
        examples.append({"name": f"Cell {number}", "truth": truth, "picture": png_uri(image)})
    truth = "Drawn as: a red blood cell, which neither network was trained to find."
    red_cell = png_uri(strange_cells(EXAMPLE_SIZE)["red cells"][0])
    return [*examples, {"name": "Something else", "truth": truth, "picture": red_cell}]


def drawn_cells() -> dict[str, Any]:
    """Render a cell for every combination of diameter, N:C ratio, lobes, granules and stain.

    Returns:
        ``axes``, the values of each parameter by name, and ``pictures``, base64 of a JPEG each, the last parameter
        changing fastest.
    """
    axes = {
        "diameter": DIAMETERS,
        "ratio": RATIOS,
        "lobes": LOBES,
        "granules": tuple(GRANULES),
        "stain": tuple(stains.STAINS),
    }
    cells = itertools.product(DIAMETERS, RATIOS, LOBES, GRANULES, stains.STAINS)
    return {"axes": axes, "pictures": [drawn_jpeg(*cell) for cell in cells]}


def drawn_jpeg(diameter: float, ratio: float, lobes: int, granules: str, stain: str) -> str:
    """Render a cell as base64 of a JPEG.

    Args:
        diameter: µm.
        ratio: area of the nucleus over that of the cell.
        lobes: number of nuclear lobes.
        granules: key of :data:`GRANULES`.
        stain: key of :data:`helpers.datasets.synthetic.stains.STAINS`.
    """
    cell = replace(
        morphology.CLASSES[GRANULES[granules]],
        diameter=(diameter, diameter),
        nucleus_to_cell_area=(ratio, ratio),
        lobes={lobes: 1.0},
    )
    image = render_cell(cell, stain, DRAWN_SIZE, SEED)[0]
    encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return base64.b64encode(encoded.tobytes()).decode("ascii")
