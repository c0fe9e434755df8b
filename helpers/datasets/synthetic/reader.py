"""Sampling of the rows of a synthetic dataset, and rendering of their images and masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers import images
from helpers.datasets.errors import DatasetError
from helpers.datasets.synthetic import cache, camera, morphology, rendering, scene, stains

TASKS = ("types", "leukaemia", "fields")
NEIGHBOURS = 0.08  # share of images with a second white blood cell, cut by the edge
MAX_WHITE_CELLS = 4  # maximum number of white blood cells in a field
# Keys of the random streams.
_BATCH, _PERSON, _DISEASE, _DEFECTS, _CELL, _PAINT, _CAMERA = range(7)


@dataclass(frozen=True)
class SyntheticReader:
    """Render the rows of a synthetic dataset; implements :class:`helpers.datasets.readers.Reader`.

    The image of a single cell depends on the columns ``diameter_um``, ``nucleus_to_cell_area``, ``lobes``, ``mark``,
    ``stain_batch``, ``subtype`` and, if that is empty, ``label`` or, where classes are merged, ``original_label``:
    changes to the table change the image. Images are cached on disk.

    Attributes:
        task: as in :func:`helpers.datasets.synthetic.synthetic`, likewise the others.
        n_patients: number of patients.
        size: side of an image in pixels.
        seed: random seed.
        balanced: whether classes have equal frequency.
        n_stain_batches: maximum number of stain batches.
    """

    task: str
    n_patients: int
    size: int
    seed: int
    balanced: bool
    n_stain_batches: int

    def read(self, row: Any, min_size: int | None) -> np.ndarray:
        """Read the image of a row, ``uint8 (size, size, 3)`` RGB; ``min_size`` is ignored."""
        return self._cached(row)[..., :3]

    def read_mask(self, row: Any) -> np.ndarray:
        """Read the ground-truth mask of a row, ``uint8 (size, size)``: 0 background, 1 cytoplasm, 2 nucleus."""
        return self._cached(row)[..., 3]

    def image_size(self, row: Any) -> tuple[int, int]:
        """Return height and width of the square images in pixels."""
        return self.size, self.size

    def check(self, row: Any) -> None:
        """Accept every row: a rendered image cannot be damaged."""

    def content(self, row: Any) -> Iterator[bytes]:
        """Yield everything that the pixels depend on: hash of the code, options and row."""
        yield f"{cache.code_digest()} {self} {row}".encode()

    def draw(self, row: Any) -> tuple[np.ndarray, np.ndarray]:
        """Render the image and mask of a row, without the cache.

        Returns:
            Image ``uint8 (size, size, 3)`` RGB and mask ``uint8 (size, size)``.

        Raises:
            DatasetError: a value of the row is out of range.
        """
        self._validate(row)
        shot = self._random(_CAMERA, row.number)
        stain = self._stain(row.stain_batch)
        if self.task == "fields":
            profile = self._patient_profile(row.patient, row.stain_batch)
            canvas, mask, _ = self._field(row.number)
        else:
            profile = self._patient_profile(row.cell % self.n_patients, row.stain_batch)
            random = self._random(_PAINT, row.cell)
            neighbour = self._cell(row.cell, 1)[2] if random.random() < NEIGHBOURS else None
            shape = morphology.morphology_of(_drawn_label(row), row.subtype)
            cell = scene.Cell(shape, row.diameter_um, row.nucleus_to_cell_area, row.lobes)
            canvas, mask = scene.compose_cell(cell, profile, stain, neighbour, random)
            if row.cell != row.number:
                canvas, mask = scene.second_photograph(canvas, mask, shot)
        density = canvas @ stain.matrix
        if self.task != "fields" and row.mark:
            scene.ink_mark(density, row.mark)
        picture = camera.photograph(density, stain, profile, self.size, shot)
        return picture, images.resize_pad_mask(mask, self.size)

    def _validate(self, row: Any) -> None:
        if self.task == "fields":
            return
        checks = (
            ("label", _drawn_label(row) in morphology.CLASSES, f"one of {', '.join(morphology.CLASSES)}"),
            ("subtype", row.subtype in ("", *morphology.FAB), f"empty or one of {', '.join(morphology.FAB)}"),
            ("diameter_um", 4 <= row.diameter_um <= 22, "4 to 22 µm"),
            ("nucleus_to_cell_area", 0.05 <= row.nucleus_to_cell_area <= 0.95, "0.05 to 0.95"),
            ("lobes", row.lobes in range(1, 6), "1 to 5"),
            ("mark", row.mark in ("", *scene.CORNERS), f"empty or one of {', '.join(scene.CORNERS)}"),
        )
        require(checks, row._asdict(), f"{row.image_id}: invalid cell")

    def row_of_cell(self, number: int, shortcut_rate: float, duplicate_rate: float) -> dict[str, Any]:
        """Sample the row of an image of a single cell; see :func:`helpers.datasets.synthetic.synthetic`."""
        patient = number % self.n_patients
        planted = self._random(_DEFECTS, number)
        copied, marked, corner = planted.random(), planted.random(), planted.integers(len(scene.CORNERS))
        donor = self._donor(patient)
        original = number if donor is None or copied >= duplicate_rate else number - patient + donor
        label, subtype, cell = self._cell(original)
        return {
            **self._row(number, label, self._batch(original % self.n_patients)),
            "subtype": subtype,
            "diameter_um": cell.diameter,
            "nucleus_to_cell_area": cell.nucleus_to_cell_area,
            "lobes": cell.lobes,
            "cell": original,
            "mark": scene.CORNERS[corner] if label == "lymphoblast" and marked < shortcut_rate else "",
        }

    def row_of_field(self, number: int) -> dict[str, Any]:
        """Sample the row of a field, which is rendered to find its boxes."""
        boxes = self._field(number)[2]
        scale = self.size * rendering.PITCH / scene.FIELD_UM
        return {
            **self._row(number, None, self._batch(number % self.n_patients)),
            "boxes": tuple((kind, *(round(edge * scale) for edge in edges)) for kind, *edges in boxes),
            "types": tuple(label for label, _, _ in self._cells(number)),
        }

    def _row(self, number: int, label: str | None, stain_batch: int) -> dict[str, Any]:
        patient = number % self.n_patients
        return {
            "image_id": f"synthetic-{number:05d}",
            "path": "",
            "mask_path": "",
            "label": label,
            "group": f"P{patient:02d}",
            "dataset": "synthetic",
            "stain_batch": stain_batch,
            "patient": patient,
            "number": number,
        }

    def _field(self, number: int) -> tuple[np.ndarray, np.ndarray, list[scene.Box]]:
        patient = number % self.n_patients
        batch = self._batch(patient)
        profile = self._patient_profile(patient, batch)
        cells = [cell for _, _, cell in self._cells(number)]
        return scene.compose_field(cells, profile, self._stain(batch), self._random(_PAINT, number))

    def _cells(self, number: int) -> list[tuple[str, str, scene.Cell]]:
        """Sample class, FAB type and measurements of the white blood cells of a field."""
        count = int(self._random(_CELL, number).integers(1, MAX_WHITE_CELLS, endpoint=True))
        return [self._cell(number, k) for k in range(1, count + 1)]

    def _cell(self, number: int, extra: int = 0) -> tuple[str, str, scene.Cell]:
        """Sample class, FAB type and measurements of the cell of an image, or of an extra cell."""
        patient = number % self.n_patients
        random = self._random(_CELL, number, extra)
        label, subtype = self._kind(patient, random)
        profile = self._patient_profile(patient, self._batch(patient))
        return label, subtype, scene.sample_cell(morphology.morphology_of(label, subtype), profile, random)

    def class_shares(self, patient: int) -> dict[str, float]:
        """Return the shares of the classes in the blood of a patient, from which the cells are sampled.

        Args:
            patient: number of the patient, 0 to ``n_patients - 1``.
        """
        _, blasts, others = self._mixture(patient)
        return {**{name: share * (1 - blasts) for name, share in others.items()}, "lymphoblast": blasts}

    def _mixture(self, patient: int) -> tuple[str, float, dict[str, float]]:
        """Return the usual FAB type of a patient's blasts, their share, and the shares of the types among the rest."""
        disease = self._random(_DISEASE, patient)
        fab = str(disease.choice(list(morphology.FAB_FREQUENCY), p=list(morphology.FAB_FREQUENCY.values())))
        blasts, others = float(disease.uniform(*morphology.BLASTS)), dict(morphology.HEALTHY)
        if self.task == "leukaemia":
            blasts, others = 1.0, {"lymphocyte": 1.0}
        elif self.balanced:  # one patient in three has blasts
            kinds = len(morphology.HEALTHY)
            blasts, others = 3 / (kinds + 1), dict.fromkeys(morphology.HEALTHY, 1 / kinds)
        return fab, blasts if self._leukaemic(patient) else 0.0, others

    def _kind(self, patient: int, random: np.random.Generator) -> tuple[str, str]:
        """Sample class and FAB type of a cell of a patient."""
        fab, blasts, others = self._mixture(patient)
        if self._leukaemic(patient) and random.random() < blasts:
            mixed = random.random() < 0.15  # the blasts of a patient are not all of one type
            return "lymphoblast", str(random.choice(["L1", "L2"])) if mixed else fab
        return str(random.choice(list(others), p=list(others.values()))), ""

    def _random(self, kind: int, number: int, extra: int = 0) -> np.random.Generator:
        return np.random.default_rng([self.seed, TASKS.index(self.task), kind, number, extra])

    def _patient_profile(self, patient: int, batch: int) -> rendering.PatientProfile:
        return scene.sample_patient(self._random(_PERSON, patient), self._stain(batch))

    def _stain(self, batch: int) -> stains.Stain:
        return scene.sample_stain(batch, self._random(_BATCH, batch))

    def _leukaemic(self, patient: int) -> bool:
        return patient % 2 == 1 if self.task == "leukaemia" else patient % 3 == 2

    def _batch(self, patient: int) -> int:
        # two or three patients share a batch, so that the stain does not reveal leukaemia
        return patient // (2 if self.task == "leukaemia" else 3) % self.n_stain_batches

    def _donor(self, patient: int) -> int | None:
        """Previous patient of the same status, for every second patient of that status; otherwise ``None``."""
        alike = [other for other in range(patient) if self._leukaemic(other) == self._leukaemic(patient)]
        return alike[-1] if len(alike) % 2 else None

    def _cached(self, row: Any) -> np.ndarray:
        """Image and mask as one ``uint8 (size, size, 4)``, from the cache if present."""
        return cache.cached_rendering(b"".join(self.content(row)), self.size, lambda: np.dstack(self.draw(row)))


def require(checks: tuple[tuple[str, bool, str], ...], values: dict[str, Any], message: str) -> None:
    """Raise a :class:`helpers.datasets.DatasetError` that lists every value that fails its check, with the constraint.

    Args:
        checks: for each value its name, whether it is valid, and its constraint.
        values: values by name.
        message: first line of the error.
    """
    problems = [f"{name} must be {constraint}, got {values[name]!r}" for name, valid, constraint in checks if not valid]
    if problems:
        raise DatasetError(message, problems)


def _drawn_label(row: Any) -> str:
    """Return the class that is drawn, see :meth:`helpers.datasets.Dataset.one_vs_rest`."""
    return getattr(row, "original_label", row.label)
