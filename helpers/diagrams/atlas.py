"""An annotated atlas of the synthetic cells: arrows point to places that are computed from image and mask."""

from __future__ import annotations

import cv2
import numpy as np

from helpers import features
from helpers.datasets import CYTOPLASM, NUCLEUS
from helpers.datasets.synthetic import render_cell
from helpers.datasets.synthetic.morphology import CLASSES, FAB, Morphology
from helpers.diagrams.atlas_notes import ABSENT, NOTES
from helpers.diagrams.canvas import ORANGE, Canvas
from helpers.plots.style import FONT_SIZE, AccessibleFigure

SIZE = 224  # side of a cell's image in pixels
STAIN = "May-Grünwald-Giemsa"
# Morphology and seed of the cell that stands for its class, chosen by eye among those with a typical N:C
# ratio. Of lymphoblasts the FAB type L2 is shown, whose nucleoli are visible.
EXAMPLES: dict[str, tuple[Morphology, int]] = {
    "neutrophil": (CLASSES["neutrophil"], 8),
    "eosinophil": (CLASSES["eosinophil"], 3),
    "basophil": (CLASSES["basophil"], 3),
    "lymphocyte": (CLASSES["lymphocyte"], 32),
    "monocyte": (CLASSES["monocyte"], 3),
    "lymphoblast": (FAB["L2"], 14),
}
GRANULOCYTES = ("neutrophil", "eosinophil", "basophil")
MONONUCLEAR = ("lymphocyte", "monocyte", "lymphoblast")
WIDTH, ROW = 4.8, 2.2  # inches
TEXT_LEFT = 46  # x of the notes, in coordinates of the canvas
Place = tuple[int, int]


def example(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Render the cell that stands for a class: image ``uint8 (224, 224, 3)`` and mask ``uint8 (224, 224)``."""
    morphology, seed = EXAMPLES[name]
    return render_cell(morphology, STAIN, SIZE, seed)


def granulocytes() -> AccessibleFigure:
    """Draw the atlas of neutrophil, eosinophil and basophil."""
    return _atlas(GRANULOCYTES, "Granulocytes: compare the granules first, then the lobes of the nucleus.")


def mononuclear_cells() -> AccessibleFigure:
    """Draw the atlas of lymphocyte, monocyte and lymphoblast."""
    return _atlas(
        MONONUCLEAR,
        "Cells whose nucleus is in one piece. Compare the chromatin first: is it clumped or fine?",
    )


def find_places(image: np.ndarray, mask: np.ndarray) -> dict[str, Place]:
    """Find the place of each feature of a cell that an arrow can point at.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        mask: ``uint8 (height, width)``: 0 background, 1 cytoplasm, 2 nucleus, with pixels of both.

    Returns:
        Row and column by feature: of nucleus and cytoplasm the pixel farthest from their edges; of chromatin the
        darkest, and of nucleoli the palest spot inside the nucleus; of granules the spot in the cytoplasm that is
        darkest against its surroundings. Places of the cytoplasm lie on the right, those of the nucleus above those of
        the chromatin, so that arrows from notes on the right hardly cross.
    """
    nucleus, cytoplasm = mask == NUCLEUS, mask == CYTOPLASM
    green = image[..., 1].astype(np.float32)  # all Romanowsky stains absorb green
    contrast = cv2.GaussianBlur(green, (0, 0), 6) - cv2.GaussianBlur(green, (0, 0), 1.5)
    upper = _upper_half(nucleus)
    right = cytoplasm & (np.arange(mask.shape[1]) >= np.median(np.nonzero(mask)[1]))
    return {
        "nucleus": _largest(_depth(nucleus), nucleus & upper),
        "chromatin": _largest(-cv2.GaussianBlur(green, (0, 0), 2), _inner(nucleus) & ~upper),
        "nucleoli": _largest(cv2.GaussianBlur(green, (0, 0), 4), _inner(nucleus)),
        "cytoplasm": _largest(_depth(right), right),
        "granules": _largest(contrast, _inner(cytoplasm) & right),
    }


def nucleus_to_cell_area(mask: np.ndarray) -> float:
    """Divide the area of the nucleus by the area of the whole cell in one mask; NaN if it has no cell."""
    return float(features.nucleus_to_cell_area(mask[None])[0])


def _depth(region: np.ndarray) -> np.ndarray:
    """Compute the distance of each pixel of a region from its edge, in pixels."""
    return cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)


def _inner(region: np.ndarray) -> np.ndarray:
    """Keep the inner part of a region, whose colours are not mixed with those beyond its edge."""
    depth = _depth(region)
    return region & (depth > 0.4 * depth.max())


def _upper_half(region: np.ndarray) -> np.ndarray:
    """Select all rows of the plane above the middle of a region's pixels, ``bool`` of its shape."""
    rows = np.arange(region.shape[0])[:, None]
    return np.broadcast_to(rows < np.median(np.nonzero(region)[0]), region.shape)


def _largest(value: np.ndarray, region: np.ndarray) -> Place:
    row, column = np.unravel_index(np.argmax(np.where(region, value, -np.inf)), value.shape)
    return int(row), int(column)


def _atlas(names: tuple[str, ...], caption: str) -> AccessibleFigure:
    canvas = Canvas(WIDTH, ROW * len(names))
    row = 100 / len(names)
    described = [_annotate(canvas, name, 100 - (number + 0.5) * row, row) for number, name in enumerate(names)]
    return canvas.finish(
        f"Atlas of {len(names)} synthetic cells with arrows to their parts. {' '.join(described)}", caption
    )


def _annotate(canvas: Canvas, name: str, y: float, height: float) -> str:
    """Draw one cell with its notes and arrows, and return the notes as a sentence of the alt text."""
    image, mask = example(name)
    places = find_places(image, mask)
    shown = canvas.image(22, y, 42, image)
    notes = NOTES[name]._asdict()
    lines = {feature: note or ABSENT[feature] for feature, note in notes.items()}
    step = height / (len(lines) + 2.6)
    top = y + height / 2 - 0.9 * step
    canvas.label(TEXT_LEFT, top, name, size=FONT_SIZE + 1, align="left", bold=True)
    for number, (feature, note) in enumerate(lines.items(), start=1):
        level = top - number * step
        canvas.label(TEXT_LEFT, level, f"{feature}: {note}", size=FONT_SIZE - 1, align="left")
        if notes[feature]:
            row, column = places[feature]
            target = (shown.x + (column / SIZE - 0.5) * shown.width, shown.y - (row / SIZE - 0.5) * shown.height)
            canvas.arrow((TEXT_LEFT - 0.5, level), target, colour=ORANGE)
    ratio = f"N:C {nucleus_to_cell_area(mask):.2f}"
    last = top - (len(lines) + 1) * step
    canvas.label(TEXT_LEFT, last, f"{ratio} (measured on the mask)", size=FONT_SIZE - 1, align="left")
    return f"{name.capitalize()}: {'; '.join(f'{feature} {note}' for feature, note in lines.items())}; {ratio}."
