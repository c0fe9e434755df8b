"""Average precision, sensitivity, precision and counting errors of the classical detector on four sources.

    LEUKOBOOK_DATA=… python benchmarks/classical_detection.py [fields]

The detector was tuned on `synthetic` and `pbc`; `raabin` and `bccd` are other laboratories. Pixel sizes come from the
red cells of each source, of every slide of its own in `raabin`, and that of `synthetic` is known.
"""

import os
import sys

os.environ["TQDM_DISABLE"] = "1"

import numpy as np
import pandas as pd
from red_cell_scale import sources

from helpers import datasets, metrics, processes
from helpers.counting.classical import WORKING_POINT, detect_classical
from helpers.datasets.boxes import box_table
from helpers.preprocessing import RED_CELL_UM, red_cell_diameter

FIELDS, SEED = 100, 0


def pixel_sizes(name: str, data: datasets.Dataset) -> pd.Series:
    """µm per pixel of every field, from the median diameter in its slide, or else in its source."""
    if name == "synthetic":
        return pd.Series(80 / 512, data.frame.index)
    diameters = pd.Series({image_id: red_cell_diameter(data.load_image(image_id)) for image_id in data.frame.index})
    of_source = diameters.median()
    if name != "raabin":
        return pd.Series(RED_CELL_UM / of_source, data.frame.index)
    return RED_CELL_UM / diameters.groupby(data.frame["group"]).transform("median").fillna(of_source)


def evaluate(data: datasets.Dataset, um_per_pixel: pd.Series) -> dict[str, str]:
    detected = pd.concat(
        detect_classical(data.load_image(image_id), um_per_pixel[image_id]).assign(image_id=image_id)
        for image_id in data.frame.index
    )
    groups, row = data.frame["group"], {"µm per pixel": f"{np.median(um_per_pixel):.3f}"}
    for criterion in ("iou", "centre"):
        matches = metrics.match_detections(detected, box_table(data.frame), criterion=criterion)
        row[f"AP, {criterion}"] = str(metrics.detection_average_precision(matches, groups, seed=SEED))
        table = metrics.detection_metrics(matches, groups, WORKING_POINT, seed=SEED)
        for line in table.itertuples():
            row[f"{line.measure}, {criterion}"] = f"{line.value:.3f} [{line.low:.3f}, {line.high:.3f}]"
    return row


if __name__ == "__main__":
    processes.configure()
    n = int(sys.argv[1]) if len(sys.argv) > 1 else FIELDS
    lines = {}
    for name, data in sources(n).items():
        chosen = data.select(data.frame.index[:: max(1, len(data) // n)][:n])
        lines[name] = evaluate(chosen, pixel_sizes(name, chosen))
    print(pd.DataFrame(lines).to_string())
