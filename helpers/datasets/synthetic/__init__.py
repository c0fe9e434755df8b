"""Synthetic blood cell images with ground-truth masks, patients, stain batches and planted shortcuts and duplicates.

No result on synthetic cells is a result on blood. Random streams per patient, cell and photograph are keyed on the
seed: the same seed gives the same pixels, in any order of access, on any machine.

Modules, each importing only from those before it: ``morphology`` and ``stains`` (parameter tables), ``geometry``
(shapes), ``rendering`` (cells), ``scene`` (composition of an image), ``camera``, ``cache``, ``reader`` (from table rows
to images) and ``demo`` (a single cell, step by step).
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


def _whole(value: Any, minimum: int, maximum: float = np.inf) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and minimum <= int(value) <= maximum


def _share(value: Any) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= 1


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
    """Generate a synthetic dataset of blood cell images with ground-truth masks.

    Args:
        n_images: number of images, spread evenly over the patients.
        task: ``"types"``: six classes; every third patient has leukaemia, and only these have lymphoblasts.
            ``"leukaemia"``: lymphocytes of healthy patients against lymphoblasts; every second patient has leukaemia.
            ``"fields"``: fields of 80 µm with one to four white blood cells.
        n_patients: number of patients; their cells differ in size, nucleus-to-cell area ratio, stain and surroundings.
        size: side of an image, 32 to 512 pixels; ``None`` means 128, and 512 for fields. An image of a single cell
            always covers 24 µm.
        seed: random seed, which determines every pixel with the versions of this package, NumPy and OpenCV.
        n_stain_batches: maximum number of stain batches (laboratories), with one of three stains at varying strength;
            two (``leukaemia``) or three neighbouring patients share a batch.
        balanced: sample classes with equal frequency (for patients in multiples of three) instead of as in a
            differential count; ``leukaemia`` is always balanced.
        shortcut_rate: share of lymphoblasts with an ink dot in a corner of the image, 0 to 1; no other cell has one.
        duplicate_rate: share of duplicates, 0 to 1, among the images of every second patient of the same status: second
            photographs of cells of the previous such patient, in that patient's stain batch.

    Returns:
        Dataset whose rows have ``number``, ``patient`` and ``stain_batch``. Single cells have ``subtype`` (FAB type of
        a lymphoblast), ``diameter_um``, ``nucleus_to_cell_area``, ``lobes``, ``cell`` (number of the first image of
        this cell; differs from ``number`` for duplicates) and ``mark`` (corner of the ink dot). Fields have ``boxes``,
        as ``bccd`` with ``whole_fields=True``, and ``types`` of the white blood cells in the order of their boxes.

    Raises:
        DatasetError: an option is out of range, or there are too few patients for a shortcut or duplicates.
    """
    if size is None:
        size = 512 if task == "fields" else 128
    single, min_patients = task != "fields", 2 if task == "leukaemia" else 1
    checks = (
        ("task", task in TASKS, f"one of {', '.join(TASKS)}"),
        ("size", _whole(size, 32, 512), "a whole number of pixels, 32 to 512"),
        ("n_patients", _whole(n_patients, min_patients), f"a whole number, at least {min_patients}"),
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
    options_used = {
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
    require(checks, options_used, "synthetic: invalid options")
    # the second patient of a status is the first with duplicates; leukaemia starts at P01 (task leukaemia) or P02
    needed = {
        "duplicate_rate": 2 * min_patients if duplicate_rate else 0,
        "shortcut_rate": {"leukaemia": 2}.get(task, 3) if shortcut_rate else 0,
    }
    few = tuple((name, n_patients >= count, f"0 with fewer than {count} patients") for name, count in needed.items())
    require(few, options_used, "synthetic: too few patients for a shortcut or duplicates")
    reader = SyntheticReader(task, n_patients, size, seed, balanced, n_stain_batches)
    if task == "fields":
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sampled = pool.map(reader.row_of_field, range(n_images))
            rows = list(tqdm(sampled, "synthetic: fields", n_images, unit="field", delay=2, leave=False))
    else:
        rows = [reader.row_of_cell(number, shortcut_rate, duplicate_rate) for number in range(n_images)]
    classes = {"types": tuple(CLASSES), "leukaemia": ("lymphocyte", "lymphoblast"), "fields": ()}[task]
    return Dataset("synthetic", build_frame(rows), classes, CARD, reader, has_masks=True, options=options_used)
