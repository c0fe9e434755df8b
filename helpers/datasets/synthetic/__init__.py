"""Drawn blood cells: no download, any number, exact masks, known patients, stain batches and planted defects.

*Synthetic* cells: no result on them is a result on blood. One random stream per patient, per cell and per photograph,
each keyed on the seed: the same seed gives the same pixels, in any order of access, on any machine.

Rooms, each importing only from those above it: :mod:`morphology` and :mod:`stains` (tables), :mod:`shapes`,
:mod:`painting` (cells), :mod:`scene` (what lies under the objective), :mod:`camera`, :mod:`drawing` (one cell, step by
step) and :mod:`cache`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from helpers.datasets.base import Card, DataError, Dataset, frame_of
from helpers.datasets.synthetic import cache, camera, morphology, painting, scene, stains
from helpers.datasets.synthetic.drawing import draw_cell
from helpers.datasets.synthetic.morphology import CLASSES, FAB_FREQUENCY, Morphology

__all__ = ["CARD", "CLASSES", "TASKS", "Morphology", "Painter", "draw_cell", "synthetic"]
CARD = Card(
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
TASKS = ("types", "leukaemia", "fields")
NEIGHBOURS = 0.08  # share of pictures in which the edge cuts a second white cell
MOST_WHITE = 4  # white cells in a field
# Keys of the random streams.
_BATCH, _PERSON, _DISEASE, _DEFECTS, _CELL, _PAINT, _CAMERA = range(7)


@dataclass(frozen=True)
class Painter:
    """Draws the rows of a synthetic dataset; implements :class:`helpers.datasets.base.Reader`.

    The table decides: a changed ``diameter_um``, ``nc_ratio``, ``lobes``, ``mark`` or ``stain_batch`` draws the same
    cell otherwise. Drawn pictures are kept in the user's cache.
    """

    task: str
    patients: int
    size: int
    seed: int
    balanced: bool
    stain_batches: int

    def read(self, row: Any, at_least: int | None) -> np.ndarray:
        """The picture of a row, ``uint8 (size, size, 3)`` RGB."""
        return self._cached(row)[..., :3]

    def read_mask(self, row: Any) -> np.ndarray:
        """The mask of a row, ``uint8 (size, size)``: 0 background, 1 cytoplasm, 2 nucleus."""
        return self._cached(row)[..., 3]

    def check(self, row: Any) -> None:
        """A drawing cannot be damaged."""

    def content(self, row: Any) -> Iterator[bytes]:
        """All that decides the pixels: the code with its tables, the options and the row."""
        yield f"{cache.code()} {self} {row}".encode()

    def draw(self, row: Any) -> tuple[np.ndarray, np.ndarray]:
        """Picture ``uint8 (size, size, 3)`` and mask ``uint8 (size, size)`` of a row, drawn anew."""
        shot = self._random(_CAMERA, row.number)
        stain = self._stain(row.stain_batch)
        if self.task == "fields":
            who = self._person(row.patient, row.stain_batch)
            canvas, mask, _ = self._field(row.number)
        else:
            who = self._person(row.cell % self.patients, row.stain_batch)
            random = self._random(_PAINT, row.cell)
            beside = self._cell(row.cell, 1)[2] if random.random() < NEIGHBOURS else None
            look = morphology.of(row.label, row.subtype)
            cell = scene.Cell(look, row.diameter_um, row.nc_ratio, row.lobes)
            canvas, mask = scene.of_cell(cell, who, stain, beside, random)
            if row.cell != row.number:
                canvas, mask = scene.second_photograph(canvas, mask, shot)
        density = canvas @ stain.matrix
        if self.task != "fields" and row.mark:
            scene.ink(density, row.mark)
        picture = camera.photograph(density, stain, who, self.size, shot)
        return picture, cv2.resize(mask, (self.size, self.size), interpolation=cv2.INTER_NEAREST_EXACT)

    def row_of_cell(self, number: int, shortcut: float, leak: float) -> dict[str, Any]:
        """What is known of a picture of one cell before it is drawn."""
        patient = number % self.patients
        planted = self._random(_DEFECTS, number)
        copied, marked, corner = planted.random(), planted.random(), planted.integers(len(scene.CORNERS))
        donor = self._donor(patient)
        original = number if donor is None or copied >= leak else number - patient + donor
        label, subtype, cell = self._cell(original)
        return {
            **self._row(number, label, self._batch(original % self.patients)),
            "subtype": subtype,
            "diameter_um": cell.diameter,
            "nc_ratio": cell.nc_ratio,
            "lobes": cell.lobes,
            "cell": original,
            "mark": scene.CORNERS[corner] if label == "lymphoblast" and marked < shortcut else "",
        }

    def row_of_field(self, number: int) -> dict[str, Any]:
        """What is known of a field; its boxes need drawing."""
        boxes = self._field(number)[2]
        scale = self.size * painting.PITCH / scene.FIELD_UM
        return {
            **self._row(number, None, self._batch(number % self.patients)),
            "boxes": tuple((kind, *(round(edge * scale) for edge in edges)) for kind, *edges in boxes),
            "types": tuple(label for label, _, _ in self._cells(number)),
        }

    def _row(self, number: int, label: str | None, stain_batch: int) -> dict[str, Any]:
        patient = number % self.patients
        return {
            "image_id": f"synthetic-{number:05d}",
            "path": "",
            "mask_path": "",
            "label": label,
            "group": f"P{patient:02d}",
            "source": "synthetic",
            "stain_batch": stain_batch,
            "patient": patient,
            "number": number,
        }

    def _field(self, number: int) -> tuple[np.ndarray, np.ndarray, list[scene.Box]]:
        patient = number % self.patients
        batch = self._batch(patient)
        who = self._person(patient, batch)
        cells = [cell for _, _, cell in self._cells(number)]
        return scene.of_field(cells, who, self._stain(batch), self._random(_PAINT, number))

    def _cells(self, number: int) -> list[tuple[str, str, scene.Cell]]:
        """Class, FAB type and measures of the white cells of a field."""
        count = int(self._random(_CELL, number).integers(1, MOST_WHITE, endpoint=True))
        return [self._cell(number, k) for k in range(1, count + 1)]

    def _cell(self, number: int, extra: int = 0) -> tuple[str, str, scene.Cell]:
        """Class, FAB type and measures of the cell of a picture, or of an extra one."""
        patient = number % self.patients
        random = self._random(_CELL, number, extra)
        label, subtype = self._kind(patient, random)
        who = self._person(patient, self._batch(patient))
        return label, subtype, scene.decide(morphology.of(label, subtype), who, random)

    def _kind(self, patient: int, random: np.random.Generator) -> tuple[str, str]:
        """Class and FAB type of a cell of a patient."""
        disease = self._random(_DISEASE, patient)
        fab = str(disease.choice(list(FAB_FREQUENCY), p=list(FAB_FREQUENCY.values())))
        blasts = disease.uniform(*morphology.BLASTS)
        if self.task == "leukaemia":
            blasts, others = float(self._leukaemic(patient)), {"lymphocyte": 1.0}
        elif self.balanced:
            blasts, others = 0.5, dict.fromkeys(morphology.HEALTHY, 0.2)
        else:
            others = morphology.HEALTHY
        if self._leukaemic(patient) and random.random() < blasts:
            mixed = random.random() < 0.15  # a patient's blasts are not all of one type
            return "lymphoblast", str(random.choice(["L1", "L2"])) if mixed else fab
        return str(random.choice(list(others), p=list(others.values()))), ""

    def _random(self, kind: int, number: int, extra: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, TASKS.index(self.task), kind, number, extra])

    def _person(self, patient: int, batch: int) -> painting.Person:
        return scene.person(self._random(_PERSON, patient), self._stain(batch))

    def _stain(self, batch: int) -> stains.Stain:
        return scene.stain_of(batch, self._random(_BATCH, batch))

    def _leukaemic(self, patient: int) -> bool:
        return patient % 2 == 1 if self.task == "leukaemia" else patient % 3 == 2

    def _batch(self, patient: int) -> int:
        # by pairs or threes of patients, so that the stain does not tell who has leukaemia
        return patient // (2 if self.task == "leukaemia" else 3) % self.stain_batches

    def _donor(self, patient: int) -> int | None:
        """The patient before with the same status, for every second patient of that status."""
        alike = [other for other in range(patient) if self._leukaemic(other) == self._leukaemic(patient)]
        return alike[-1] if len(alike) % 2 else None

    def _cached(self, row: Any) -> np.ndarray:
        """Picture and mask as one ``uint8 (size, size, 4)``, from the cache where it is there."""
        return cache.kept(b"".join(self.content(row)), self.size, lambda: np.dstack(self.draw(row)))


def synthetic(
    n: int = 240,
    task: str = "types",
    patients: int = 12,
    size: int = 128,
    seed: int = 20,
    stain_batches: int = 3,
    balanced: bool = False,
    shortcut: float = 0.0,
    leak: float = 0.0,
) -> Dataset:
    """Draw blood cells.

    Every row says ``stain_batch``, ``patient`` and, of one cell, ``subtype`` (FAB type of a lymphoblast),
    ``diameter_um``, ``nc_ratio``, ``lobes``, ``cell`` (number of the picture that showed this cell first) and ``mark``
    (corner of the planted mark). Of a field it says ``boxes``, as ``bccd`` with ``fields=True`` does, and ``types`` of
    its white cells in the order of their boxes.

    Args:
        n: number of pictures, spread evenly over the patients.
        task: ``"types"``, six classes, where every third patient has leukaemia and only these have lymphoblasts;
            ``"leukaemia"``, lymphocytes of healthy patients against lymphoblasts of as many patients with leukaemia;
            ``"fields"``, fields of 80 µm with one to four white cells.
        patients: number of patients; their cells differ in size, nuclear ratio, stain and surroundings.
        size: side of a picture in pixels, 32 to 512; one cell is always shown in 24 µm.
        seed: every pixel follows from it.
        stain_batches: number of laboratories, which stain in three ways and more or less strongly.
        balanced: draw the classes equally often instead of as in a differential count; ``leukaemia`` always is.
        shortcut: share of lymphoblasts with a dot of ink in a corner of the picture; no other cell has one.
        leak: share, of every second patient's pictures, that are second photographs of cells of another patient.

    Raises:
        DataError: an option is out of range.
    """
    single = task != "fields"
    checks = (
        ("task", task, task in TASKS, f"one of {', '.join(TASKS)}"),
        ("size", size, 32 <= size <= 512, "32 to 512 pixels"),
        ("patients", patients, patients >= (2 if task == "leukaemia" else 1), "at least 1, for leukaemia 2"),
        ("n", n, n >= max(patients, 1), "at least one picture for each patient"),
        ("stain_batches", stain_batches, stain_batches >= 1, "at least 1"),
        ("shortcut", shortcut, 0 <= shortcut <= single, "0 to 1, and 0 for fields"),
        ("leak", leak, 0 <= leak <= single, "0 to 1, and 0 for fields"),
    )
    problems = [f"{name} is {value!r}, but must be {wanted}" for name, value, fine, wanted in checks if not fine]
    if problems:
        raise DataError("synthetic: this cannot be drawn", problems)
    painter = Painter(task, patients, size, seed, balanced, stain_batches)
    if task == "fields":
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            drawing = pool.map(painter.row_of_field, range(n))
            rows = list(tqdm(drawing, "synthetic: fields", n, unit="field", delay=2, leave=False))
    else:
        rows = [painter.row_of_cell(number, shortcut, leak) for number in range(n)]
    options = {
        "n": n, "task": task, "patients": patients, "size": size, "seed": seed, "stain_batches": stain_batches,
        "balanced": balanced, "shortcut": shortcut, "leak": leak,
    }  # fmt: skip
    classes = {"types": tuple(CLASSES), "leukaemia": ("lymphocyte", "lymphoblast"), "fields": ()}[task]
    return Dataset("synthetic", frame_of(rows), classes, CARD, painter, has_masks=True, options=options)
