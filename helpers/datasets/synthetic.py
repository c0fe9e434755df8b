"""Drawn blood cells: no download, any number, exact masks, known patients and stain batches.

*Synthetic* cells: no result on them is a result on blood. Each picture shows one white cell among red cells, built up
in optical density (the darkening by stain) so that overlaps darken as they do under a microscope. One random stream
per image, keyed on the seed and the image's number: the same seed gives the same pixels, in any order of access.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from helpers.datasets.base import CYTOPLASM, NUCLEUS, Card, DataError, Dataset, frame_of

CARD = Card(
    "Synthetic cells, drawn by this package",
    "MIT",
    "",
    "",
    "patient (drawn)",
    (
        "not blood: for teaching and testing; no result on it may be quoted as a result on blood",
        "class frequencies are chosen for teaching and are not those of a differential count",
    ),
)
FIELD_UM = 20.0  # side of one picture in micrometres

# Red, green, blue optical densities of a full-strength stain.
_NUCLEUS_OD = np.array([0.75, 1.15, 0.45], np.float32)
_RED_CELL_OD = np.array([0.08, 0.42, 0.34], np.float32)


@dataclass(frozen=True)
class Morphology:
    """How one class looks: means over cells, in micrometres and optical density (Bain 2015, chapter 3)."""

    frequency: float
    diameter: float
    nucleus_to_cell: float  # area of the nucleus over area of the cell
    lobes: tuple[int, ...]  # 1 round or oval, 2 to 5 lobes
    indent: float  # depth of an indentation, as a part of the nuclear radius
    coarseness: float  # contrast of the chromatin
    nucleoli: int
    cytoplasm_od: tuple[float, float, float]
    granules: int
    granule_um: float
    granule_od: tuple[float, float, float]


CLASSES = {
    "neutrophil": Morphology(
        0.38, 13.5, 0.36, (3, 3, 4, 4, 5), 0.0, 0.30, 0, (0.07, 0.14, 0.05), 160, 0.30, (0.10, 0.18, 0.05)
    ),
    "eosinophil": Morphology(
        0.10, 14.0, 0.34, (2, 2, 2, 3), 0.0, 0.30, 0, (0.06, 0.22, 0.16), 170, 0.75, (0.04, 0.50, 0.45)
    ),
    "basophil": Morphology(0.06, 12.5, 0.42, (1, 2, 2), 0.2, 0.20, 0, (0.10, 0.18, 0.05), 60, 0.85, (0.80, 1.05, 0.45)),
    "lymphocyte": Morphology(0.24, 10.0, 0.72, (1,), 0.05, 0.34, 0, (0.30, 0.20, 0.03), 3, 0.35, (0.25, 0.45, 0.15)),
    "monocyte": Morphology(0.10, 16.0, 0.48, (1,), 0.55, 0.22, 0, (0.24, 0.24, 0.10), 60, 0.25, (0.10, 0.18, 0.06)),
    "lymphoblast": Morphology(0.12, 13.0, 0.80, (1,), 0.12, 0.12, 2, (0.42, 0.30, 0.06), 0, 0.3, (0.0, 0.0, 0.0)),
}
# Strength of nuclear stain, of eosin, and colour of the empty field, by stain batch.
_STAINS = (
    (1.00, 1.00, (238, 232, 236)),
    (0.85, 1.25, (240, 226, 222)),
    (1.15, 0.80, (226, 230, 240)),
)


@dataclass(frozen=True)
class Painter:
    """Draws the rows of a synthetic dataset; implements :class:`helpers.datasets.base.Reader`."""

    size: int
    seed: int

    def read(self, row: Any, at_least: int | None) -> np.ndarray:
        """The picture of a row, ``uint8 (size, size, 3)`` RGB."""
        return self._draw(row)[0]

    def read_mask(self, row: Any) -> np.ndarray:
        """The mask of a row, ``uint8 (size, size)``: 0 background, 1 cytoplasm, 2 nucleus."""
        return self._draw(row)[1]

    def check(self, row: Any) -> None:
        """A drawing cannot be damaged."""

    def content(self, row: Any) -> Iterator[bytes]:
        """The number and the seed decide every pixel."""
        yield f"{self.seed} {self.size} {row.number}".encode()

    def _draw(self, row: Any) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng([self.seed, 2, row.number])
        person = np.random.default_rng([self.seed, 1, row.patient])
        look = CLASSES[row.label]
        nuclear, eosin, field = _STAINS[row.stain_batch]
        person_size, person_stain, person_ratio = 1 + person.normal(0, [0.05, 0.10, 0.04])
        pitch = FIELD_UM / self.size  # micrometres in one pixel
        y, x = np.mgrid[: self.size, : self.size].astype(np.float32) * pitch - FIELD_UM / 2

        radius = look.diameter / 2 * person_size * (1 + random.normal(0, 0.07))
        centre = random.normal(0, 0.6, 2)
        cell = _blob(x - centre[0], y - centre[1], radius, 0.05, random)
        ratio = float(np.clip(look.nucleus_to_cell * person_ratio * (1 + random.normal(0, 0.06)), 0.15, 0.9))
        nucleus = _nucleus(x - centre[0], y - centre[1], radius, ratio, look, random) & cell

        density = _red_cells(x, y, centre, radius, random)[..., None] * (_RED_CELL_OD * eosin)
        density[cell] = np.float32(look.cytoplasm_od) * person_stain * eosin
        _granules(density, cell & ~nucleus, look, pitch, random)
        chromatin = 1 + look.coarseness * _noise(self.size, 0.9 / pitch, random)
        for _ in range(look.nucleoli):
            spot = centre + random.normal(0, radius * 0.35, 2)
            chromatin -= 0.35 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 0.9)
        density[nucleus] = (np.clip(chromatin, 0.55, 1.6)[..., None] * (_NUCLEUS_OD * nuclear * person_stain))[nucleus]

        density = cv2.GaussianBlur(density, (0, 0), max(0.25 / pitch, 0.4) * random.uniform(0.8, 1.4))
        tilt = 1 + 0.04 * (x * random.normal() + y * random.normal()) / FIELD_UM
        picture = np.float32(field) * tilt[..., None] * np.exp(-density) + random.normal(0, 2.5, density.shape)
        mask = np.where(nucleus, NUCLEUS, np.where(cell, CYTOPLASM, 0)).astype(np.uint8)
        return np.clip(picture, 0, 255).astype(np.uint8), mask


def _blob(x: np.ndarray, y: np.ndarray, radius: float, roughness: float, random: np.random.Generator) -> np.ndarray:
    """A disc whose radius waves slowly with the angle."""
    angle = np.arctan2(y, x)
    edge = sum(random.normal(0, roughness / k) * np.cos(k * angle + random.uniform(0, 6.3)) for k in (2, 3, 4))
    return np.hypot(x, y) < radius * (1 + edge)


def _nucleus(
    x: np.ndarray, y: np.ndarray, radius: float, ratio: float, look: Morphology, random: np.random.Generator
) -> np.ndarray:
    lobes = int(random.choice(look.lobes))
    turn = random.uniform(0, 2 * np.pi)
    if lobes == 1:
        nuclear_radius = radius * np.sqrt(ratio) * (1 + 0.25 * look.indent)
        shift = (radius - nuclear_radius) * 0.5
        x, y = x - shift * np.cos(turn), y - shift * np.sin(turn)
        shape = _blob(x, y, nuclear_radius, 0.04, random)
        if look.indent > 0:
            away = nuclear_radius * (1.35 - 0.5 * look.indent)
            hole = np.hypot(x - away * np.cos(turn), y - away * np.sin(turn)) < nuclear_radius * (
                0.35 + look.indent * 0.5
            )
            shape &= ~hole
        return shape
    lobe_radius = radius * np.sqrt(ratio / lobes)
    arc = min(2 * np.pi * 0.8, lobes * 1.25)
    angles = turn + np.linspace(-arc / 2, arc / 2, lobes) + random.normal(0, 0.12, lobes)
    reach = radius * 0.50
    spots = [(reach * np.cos(a), reach * np.sin(a)) for a in angles]
    shape = np.zeros(x.shape, bool)
    for k, (left, top) in enumerate(spots):
        shape |= _blob(x - left, y - top, lobe_radius * random.uniform(0.85, 1.1), 0.08, random)
        if k:  # the filament to the lobe before
            before = spots[k - 1]
            for part in np.linspace(0, 1, 9):
                shape |= np.hypot(x - left - part * (before[0] - left), y - top - part * (before[1] - top)) < 0.35
    return shape


def _red_cells(
    x: np.ndarray, y: np.ndarray, centre: np.ndarray, radius: float, random: np.random.Generator
) -> np.ndarray:
    """Strength of eosin from red cells around the white one: discs of 7.5 µm with central pallor."""
    strength = np.zeros(x.shape, np.float32)
    for _ in range(random.integers(3, 8)):
        angle, gap = random.uniform(0, 2 * np.pi), random.uniform(0.2, 4)
        red = 3.75 * (1 + random.normal(0, 0.06))
        distance = np.hypot(
            x - centre[0] - (radius + red + gap) * np.cos(angle), y - centre[1] - (radius + red + gap) * np.sin(angle)
        )
        profile = (1 - 0.6 * np.exp(-((distance / (0.45 * red)) ** 2))) * (distance < red)
        strength += np.where(strength > 0, 0.6, 1.0) * profile
    return strength


def _granules(
    density: np.ndarray, where: np.ndarray, look: Morphology, pitch: float, random: np.random.Generator
) -> None:
    """Scatter granules over the pixels of ``where``."""
    rows, columns = np.nonzero(where)
    if not look.granules or not len(rows):
        return
    chosen = random.integers(0, len(rows), look.granules)
    spots = np.zeros(where.shape, np.float32)
    np.add.at(spots, (rows[chosen], columns[chosen]), 1.0)
    sigma = max(look.granule_um / 2 / pitch, 0.35)
    spots = np.minimum(cv2.GaussianBlur(spots, (0, 0), sigma) * (2 * np.pi * sigma**2), 1.2)
    density += spots[..., None] * np.float32(look.granule_od) * where[..., None]


def _noise(size: int, grain: float, random: np.random.Generator) -> np.ndarray:
    """Smooth noise of unit variance with structures of ``grain`` pixels."""
    smooth = cv2.GaussianBlur(random.standard_normal((size, size)).astype(np.float32), (0, 0), max(grain, 0.5))
    return smooth / (smooth.std() + 1e-6)


def synthetic(n: int = 240, patients: int = 12, size: int = 128, seed: int = 20) -> Dataset:
    """Draw a dataset of six cell types; every third patient has leukaemia, and only these have lymphoblasts.

    Args:
        n: number of cells, spread evenly over the patients.
        patients: number of patients; their cells differ in size, nuclear ratio and stain.
        size: side of a picture in pixels, 32 to 512; it always shows 20 µm.
        seed: every pixel follows from it.
    """
    if not 32 <= size <= 512 or patients < 1 or n < patients:
        raise DataError(f"synthetic: size 32 to 512 (is {size}), patients ≥1 (is {patients}), n ≥ patients (is {n})")
    frequency = np.array([look.frequency for look in CLASSES.values()])
    names = list(CLASSES)
    rows = []
    for number in range(n):
        patient = number % patients
        healthy = patient % 3 != 2
        weights = frequency * np.array(
            [name != "lymphoblast" if healthy else 1 + 5 * (name == "lymphoblast") for name in names]
        )
        label = np.random.default_rng([seed, 0, number]).choice(names, p=weights / weights.sum())
        rows.append(
            {
                "image_id": f"synthetic-{number:05d}",
                "path": "",
                "mask_path": "",
                "label": str(label),
                "group": f"P{patient:02d}",
                "source": "synthetic",
                # not patient % 3: that is leukaemia, and stain must not tell
                "stain_batch": patient // 3 % len(_STAINS),
                "patient": patient,
                "number": number,
            }
        )
    options = {"n": n, "patients": patients, "size": size, "seed": seed}
    return Dataset(
        "synthetic", frame_of(rows), tuple(CLASSES), CARD, Painter(size, seed), has_masks=True, options=options
    )
