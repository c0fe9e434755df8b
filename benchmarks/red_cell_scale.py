"""Error of the red cells' diameter, measured without labels, against the boxes that people drew.

    LEUKOBOOK_DATA=… python benchmarks/red_cell_scale.py [fields]

The reference is the median of width and height of a field's complete boxes of red cells, three or more. A slide is five
or more fields, and its diameter their median; where slides are not known (bccd, pbc), fields are taken by fives.
"""

import os
import sys
import time

os.environ["TQDM_DISABLE"] = "1"

import cv2
import numpy as np
import pandas as pd

from helpers import datasets, processes
from helpers.preprocessing import red_cell_diameter

FIELDS, SLIDE = 60, 5
FACTORS = (1, 0.25, 0.5, 2)
EDGE = 2  # pixels: a box this close to the border is of a cell that it cuts


def sources(n: int) -> dict[str, datasets.Dataset]:
    return {
        "bccd": datasets.load("bccd", whole_fields=True),
        "pbc": datasets.load("txl", source="pbc", crop=False),
        "raabin": datasets.load("txl", source="raabin", crop=False),
        "synthetic": datasets.load("synthetic", task="fields", n_images=n, n_patients=max(1, n // SLIDE), size=512),
    }


def diameter_of_boxes(boxes: tuple, shape: tuple[int, ...]) -> float:
    """Median diameter of the complete red cells in pixels; NaN if they are fewer than three."""
    sides = [
        (right - left + bottom - top) / 2
        for kind, left, top, right, bottom in boxes
        if kind == "RBC" and min(left, top, shape[1] - right, shape[0] - bottom) > EDGE
    ]
    return float(np.median(sides)) if len(sides) >= 3 else float("nan")


def measure(data: datasets.Dataset, factor: float, n: int) -> pd.DataFrame:
    """Measured and true diameter in pixels of the resized fields, and the slide, of every field."""
    rows = []
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    for image_id in data.frame.index[:: max(1, len(data) // n)][:n]:
        image, row = data.load_image(image_id), data.row(image_id)
        true = diameter_of_boxes(row.boxes, image.shape) * factor
        if not np.isnan(true):
            measured = red_cell_diameter(cv2.resize(image, None, fx=factor, fy=factor, interpolation=method))
            rows.append((row.group, true, measured))
    return pd.DataFrame(rows, columns=["slide", "true", "measured"])


def summary(table: pd.DataFrame) -> dict[str, float]:
    measured = table.dropna()
    error = measured["measured"] / measured["true"] - 1
    known = measured["slide"].nunique() < len(measured) / 2
    slide = measured["slide"] if known else np.arange(len(measured)) // SLIDE
    slides = measured.groupby(slide).agg(n=("true", "size"), true=("true", "median"), own=("measured", "median"))
    slides = slides[slides["n"] >= SLIDE]
    of_slides = (slides["own"] / slides["true"] - 1).abs()
    return {
        "fields": len(table),
        "not measured": len(table) - len(measured),
        "true, px": table["true"].median(),
        "bias": error.median(),
        "median error": error.abs().median(),
        "95th percentile": error.abs().quantile(0.95),
        "within 15 %": (error.abs() <= 0.15).mean(),
        "slides": len(slides),
        "slides, median": of_slides.median(),
        "slides, worst": of_slides.max(),
        "slides within 8 %": (of_slides <= 0.08).mean(),
    }


if __name__ == "__main__":
    processes.configure()
    n = int(sys.argv[1]) if len(sys.argv) > 1 else FIELDS
    lines = {}
    for name, data in sources(n).items():
        for factor in FACTORS:
            begun = time.perf_counter()
            lines[f"{name} ×{factor}"] = summary(measure(data, factor, n))
            lines[f"{name} ×{factor}"]["s per field"] = (time.perf_counter() - begun) / n
    print(pd.DataFrame(lines).T.round(3).to_string())
