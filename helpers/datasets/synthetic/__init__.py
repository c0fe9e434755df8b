"""Drawn blood cells: no download, any number, exact masks, known patients, stain batches and planted defects.

*Synthetic* cells: no result on them is a result on blood. One random stream per patient, per cell and per photograph,
each keyed on the seed: the same seed gives the same pixels, in any order of access, on any machine.

Rooms, each importing only from those above it: :mod:`morphology` and :mod:`stains` (tables), :mod:`shapes`,
:mod:`painting` (cells), :mod:`scene` (what lies under the objective), :mod:`camera`, :mod:`cache`, :mod:`painter` (from
rows to pictures) and :mod:`drawing` (one cell, step by step).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral, Real
from typing import Any

import numpy as np
from tqdm import tqdm

from helpers.datasets.card import DatasetCard
from helpers.datasets.dataset import Dataset
from helpers.datasets.synthetic.demo import render_cell, render_steps
from helpers.datasets.synthetic.morphology import CLASSES, Morphology
from helpers.datasets.synthetic.reader import TASKS, SyntheticReader, require
from helpers.datasets.tables import build_frame

__all__ = ["CARD", "CLASSES", "TASKS", "Morphology", "SyntheticReader", "render_cell", "render_steps", "synthetic"]
CARD = DatasetCard(
    "Synthetic cells, drawn by this package",
    "MIT",
    "",
    "",
    "patient (drawn)",
    (
        "not blood: for teaching and testing; no result on it may be quoted as a result on blood",
        "six kinds of cell and three stains; blood has more of both",
        "lymphoblasts of the French-American-British types only, which is no longer how leukaemia is classified",
    ),
)


def _whole(value: Any, least: int, most: float = np.inf) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= value <= most


def _share(value: Any) -> bool:
    return isinstance(value, Real) and 0 <= value <= 1


def synthetic(
    n_images: int = 240,
    task: str = "types",
    n_patients: int = 12,
    size: int | None = None,
    seed: int = 20,
    n_stain_batches: int = 3,
    balanced: bool = False,
    shortcut_rate: float = 0.0,
    duplicate_rate: float = 0.0,
) -> Dataset:
    """Draw blood cells.

    Every row says ``number``, ``patient``, ``stain_batch`` and, of one cell, ``subtype`` (FAB type of a lymphoblast),
    ``diameter_um``, ``nucleus_to_cell_area``, ``lobes``, ``cell`` (number of the picture that showed this cell first;
    another than ``number`` where it is a copy) and ``mark`` (corner of the planted mark). Of a field it says ``boxes``,
    as ``bccd`` with ``whole_fields=True`` does, and ``types`` of its white blood cells in the order of their boxes.

    Args:
        n_images: number of pictures, spread evenly over the patients.
        task: ``"types"``, six classes, where every third patient has leukaemia and only these have lymphoblasts;
            ``"leukaemia"``, lymphocytes of healthy patients against lymphoblasts, where every second patient has
            leukaemia; ``"fields"``, fields of 80 µm with one to four white blood cells.
        n_patients: number of patients; their cells differ in size, nucleus-to-cell area ratio, stain and surroundings.
        size: side of a picture in pixels, 32 to 512; 128, and 512 for fields, where not given. One cell is always shown
            in 24 µm.
        seed: every pixel follows from it, with the versions of this package, NumPy and OpenCV.
        n_stain_batches: at most so many laboratories, which stain in three ways and more or less strongly; two patients
            (``leukaemia``) or three share one.
        balanced: draw the classes equally often (with patients in multiples of three) instead of as in a differential
            count; ``leukaemia`` always is.
        shortcut_rate: share of lymphoblasts with a dot of ink in a corner of the picture; no other cell has one.
        duplicate_rate: share of copies among the pictures of every second patient of the same status: second
            photographs of the cells of the patient before, in that patient's stain batch.

    Raises:
        DataError: an option is out of range.
    """
    if size is None:
        size = 512 if task == "fields" else 128
    single, least = task != "fields", 2 if task == "leukaemia" else 1
    checks = (
        ("task", task in TASKS, f"one of {', '.join(TASKS)}"),
        ("size", _whole(size, 32, 512), "a whole number of pixels, 32 to 512"),
        ("n_patients", _whole(n_patients, least), f"a whole number, at least {least}"),
        (
            "n_images",
            _whole(n_images, n_patients if _whole(n_patients, 1) else 1),
            f"a whole number, at least {n_patients} (patients)",
        ),
        ("seed", _whole(seed, 0), "a whole number, at least 0"),
        ("n_stain_batches", _whole(n_stain_batches, 1), "a whole number, at least 1"),
        ("balanced", isinstance(balanced, bool), "True or False"),
        ("shortcut_rate", _share(shortcut_rate) and (single or not shortcut_rate), "0 to 1, and 0 for fields"),
        ("duplicate_rate", _share(duplicate_rate) and (single or not duplicate_rate), "0 to 1, and 0 for fields"),
    )
    given = {
        "n_images": n_images,
        "task": task,
        "n_patients": n_patients,
        "size": size,
        "seed": seed,
        "n_stain_batches": n_stain_batches,
        "balanced": balanced,
        "shortcut_rate": shortcut_rate,
        "duplicate_rate": duplicate_rate,
    }
    require(checks, given, "synthetic: this cannot be drawn")
    # the second patient of a status is the first to copy from; the first patients with leukaemia are P01 and P02
    needed = {
        "duplicate_rate": 2 * least if duplicate_rate else 0,
        "shortcut_rate": {"leukaemia": 2}.get(task, 3) if shortcut_rate else 0,
    }
    few = tuple((name, n_patients >= count, f"0 with fewer than {count} patients") for name, count in needed.items())
    require(few, given, "synthetic: nothing would be planted")
    painter = SyntheticReader(task, n_patients, size, seed, balanced, n_stain_batches)
    if task == "fields":
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            drawing = pool.map(painter.row_of_field, range(n_images))
            rows = list(tqdm(drawing, "synthetic: fields", n_images, unit="field", delay=2, leave=False))
    else:
        rows = [painter.row_of_cell(number, shortcut_rate, duplicate_rate) for number in range(n_images)]
    classes = {"types": tuple(CLASSES), "leukaemia": ("lymphocyte", "lymphoblast"), "fields": ()}[task]
    return Dataset("synthetic", build_frame(rows), classes, CARD, painter, has_masks=True, options=given)
