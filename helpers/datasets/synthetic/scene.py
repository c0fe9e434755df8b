"""Composition of scenes: a white blood cell among red blood cells, or a whole field, of a patient's slide."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers.datasets.synthetic import geometry, rendering
from helpers.datasets.synthetic.morphology import Morphology
from helpers.datasets.synthetic.rendering import PITCH, PatientProfile
from helpers.datasets.synthetic.stains import AZURE, CHROMATIN, EOSIN, HAEMOGLOBIN, STAINS, SUBSTANCES, Stain

CELL_UM = 24.0  # side of an image of a single cell
FIELD_UM = 80.0  # side of an image of a whole field
INK = np.array([1.9, 1.1, 0.25])  # optical density (red, green, blue) of blue marker ink
Box = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class Cell:
    """Hold the parameters of a white blood cell, in the units of :class:`helpers.datasets.synthetic.Morphology`."""

    morphology: Morphology
    diameter: float
    nucleus_to_cell_area: float
    lobes: int


def sample_patient(random: np.random.Generator, stain: Stain) -> PatientProfile:
    """Sample the parameters shared by all images of a patient with a stain."""
    light = np.array(stain.light[random.integers(len(stain.light))]) * random.normal(1, 0.012, 3)
    return PatientProfile(
        size=random.normal(0, 0.35),
        ratio=random.normal(0, 0.35),
        azure=random.normal(0, 0.5),
        clumps=random.normal(0, 0.25),
        chromatin=float(np.clip(random.normal(0.95, 0.20), 0.5, 1.35)),
        eosin=float(np.clip(random.normal(1.05, 0.25), 0.5, 1.6)),
        red_diameter=float(np.clip(random.normal(7.3, 0.4), 6.2, 8.4)),
        red_pallor=random.uniform(0.05, 0.75),
        red_stain=float(np.clip(random.normal(0.85, 0.15), 0.5, 1.2)),
        red_crenated=random.uniform(0.3, 0.9) if random.random() < 0.08 else 0.0,
        crowding=random.uniform(0.05, 0.6) * (1 - 0.6 * stain.ghost),
        contact=random.uniform(0, 0.9) * (1 - stain.ghost),
        platelets=random.uniform(0.05, 0.4),
        precipitate=random.uniform(0, 0.4) ** 2,
        haze=random.uniform(0.01, 0.04) * (1 + stain.ghost),
        light=tuple(light.tolist()),
        blur=random.uniform(0.12, 0.28) * (1 + 0.4 * stain.ghost),
    )


def sample_stain(batch: int, random: np.random.Generator) -> Stain:
    """Sample the stain of batch number ``batch``: the stains in turn, each substance scaled by a random factor."""
    base = list(STAINS.values())[batch % len(STAINS)]
    scale = np.exp(random.normal(0, 0.06, len(SUBSTANCES)))
    chromatin, azure, eosin, haemoglobin = (tuple(density) for density in base.matrix * scale[:, None])
    return replace(base, chromatin=chromatin, azure=azure, eosin=eosin, haemoglobin=haemoglobin)


def sample_cell(morphology: Morphology, profile: PatientProfile, random: np.random.Generator) -> Cell:
    """Sample diameter, nucleus-to-cell area ratio and lobes of a cell of a patient, within the ranges of its class."""
    return Cell(
        morphology,
        round(geometry.sample_range(random, *morphology.diameter, profile.size), 3),
        round(geometry.sample_range(random, *morphology.nucleus_to_cell_area, profile.ratio), 3),
        int(random.choice(list(morphology.lobes), p=list(morphology.lobes.values()))),
    )


def compose_cell(
    cell: Cell, profile: PatientProfile, stain: Stain, neighbour: Cell | None, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Compose a scene of 24 µm with a white blood cell near its centre.

    Args:
        cell: cell near the centre.
        profile: patient.
        stain: stain batch.
        neighbour: second white blood cell, cut by the edge; as in wbc1 and wbc2, the mask excludes it.
        random: random generator of the scene.

    Returns:
        Canvas ``float64 (192, 192, 4)`` and mask ``uint8 (192, 192)``.
    """
    side = round(CELL_UM / PITCH)
    within, around = random.spawn(2)  # so that the surroundings do not depend on the cell
    patch, patch_mask = _white(cell, profile, stain, within)
    room = max(0.0, CELL_UM / 2 - 0.62 * cell.diameter)
    middle = CELL_UM / 2 + np.clip(around.normal(0, 0.8, 2), -room, room)
    whites = [(middle, cell.diameter / 2)]
    canvas, mask = _ground(side, profile, around), np.zeros((side, side), np.uint8)
    row, column = np.round(middle / PITCH).astype(int)
    _stamp(canvas, mask, patch, patch_mask, row, column)
    taken = mask > 0
    if neighbour is not None:
        turn, away = around.uniform(0, 2 * np.pi), (cell.diameter + neighbour.diameter) / 2 + around.uniform(0.5, 3)
        position = middle + max(away, 14.0) * np.array([np.sin(turn), np.cos(turn)])
        other, other_mask = _white(neighbour, profile, stain, around)
        covered = np.zeros_like(mask)
        _stamp(canvas, covered, other, other_mask, *np.round(position / PITCH).astype(int))
        taken |= covered > 0
        whites.append((position, neighbour.diameter / 2))
    _surroundings(canvas, taken, whites, profile, stain, around)
    return canvas, mask


def compose_field(
    cells: list[Cell], profile: PatientProfile, stain: Stain, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[Box]]:
    """Compose a field of 80 µm with several white blood cells.

    Args:
        cells: white blood cells.
        profile: patient.
        stain: stain batch.
        random: random generator of the scene.

    Returns:
        Canvas ``float64 (640, 640, 4)``, mask ``uint8 (640, 640)`` and bounding boxes ``(kind, left, top, right,
        bottom)`` in pixels of the canvas. Kinds are ``WBC``, ``RBC`` and ``Platelets``. Objects with less than a
        quarter of their width or height inside the field have no box.

    Raises:
        ValueError: the field has no room for the cells.
    """
    side = round(FIELD_UM / PITCH)
    canvas, mask = _ground(side, profile, random), np.zeros((side, side), np.uint8)
    whites: list[tuple[np.ndarray, float]] = []
    boxes: list[Box] = []
    for cell in cells:
        for _ in range(50):
            middle = random.uniform(0.55 * cell.diameter, FIELD_UM - 0.55 * cell.diameter, 2)
            if all(np.hypot(*(middle - position)) > cell.diameter / 2 + radius + 1 for position, radius in whites):
                break
        else:
            raise ValueError(f"no room for {len(cells)} white blood cells in a field of {FIELD_UM:.0f} µm")
        patch, patch_mask = _white(cell, profile, stain, random)
        row, column = np.round(middle / PITCH).astype(int)
        _stamp(canvas, mask, patch, patch_mask, row, column)
        boxes += _box("WBC", patch_mask > 0, row, column, side)
        whites.append((middle, cell.diameter / 2))
    boxes += _surroundings(canvas, mask > 0, whites, profile, stain, random)
    return canvas, mask, boxes


def ink_mark(density: np.ndarray, corner: str) -> None:
    """Add a dot of marker ink to a corner of an optical density image ``float64 (side, side, 3)``, in place."""
    top, left, bottom, right = mark_box(corner, len(density))
    centre = np.array([[(top + bottom - 1) / 2, (left + right - 1) / 2]])
    dot = geometry.spots(density.shape[:2], centre, np.array([(bottom - top) / 2]), 2.0)
    density += dot[..., None] * INK


CORNERS = ("top left", "top right", "bottom left", "bottom right")


def mark_box(corner: str, size: int) -> tuple[int, int, int, int]:
    """Compute the box of the ink mark in an image of ``size`` pixels.

    Returns:
        First row, first column, row after the last, and column after the last.

    Raises:
        ValueError: ``corner`` is not in :data:`CORNERS`.
    """
    if corner not in CORNERS:
        raise ValueError(f"corner must be one of {', '.join(CORNERS)}, got {corner!r}")
    near, far = round(0.04 * size), round(0.14 * size)
    rows = (near, far) if corner.startswith("top") else (size - far, size - near)
    columns = (near, far) if corner.endswith("left") else (size - far, size - near)
    return rows[0], columns[0], rows[1], columns[1]


def second_photograph(
    canvas: np.ndarray, mask: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Transform a scene into a second photograph of the same cell, by a random flip and 90° rotation.

    Half of the photographs are also recropped: magnified by up to 10 % and translated by up to 0.5 µm along each axis.

    Args:
        canvas: amounts ``float64 (side, side, 4)``.
        mask: ``uint8 (side, side)``.
        random: random generator of the photograph.

    Returns:
        Canvas and mask of the same shapes and types.
    """
    side = len(mask)
    turns, mirrored, cut_anew = int(random.integers(4)), bool(random.integers(2)), bool(random.integers(2))
    canvas, mask = np.rot90(canvas, turns), np.rot90(mask, turns)
    if mirrored:
        canvas, mask = canvas[:, ::-1], mask[:, ::-1]
    if not cut_anew:
        return canvas, np.ascontiguousarray(mask)
    zoom = random.uniform(1.0, 1.1)
    shift = random.uniform(-1, 1, 2) * 0.5 / PITCH
    matrix = np.array([[zoom, 0, side / 2 * (1 - zoom) + shift[0]], [0, zoom, side / 2 * (1 - zoom) + shift[1]]])
    canvas = cv2.warpAffine(np.ascontiguousarray(canvas), matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    mask = cv2.warpAffine(np.ascontiguousarray(mask), matrix, (side, side), flags=cv2.INTER_NEAREST)
    return canvas, mask


def _white(
    cell: Cell, profile: PatientProfile, stain: Stain, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    return rendering.white_cell(
        cell.morphology, cell.diameter, cell.nucleus_to_cell_area, cell.lobes, profile, stain, random
    )


def _ground(side: int, profile: PatientProfile, random: np.random.Generator) -> np.ndarray:
    canvas = np.zeros((side, side, 4))
    cloud = np.clip(1 + 0.6 * geometry.noise((side, side), 20, random), 0, 3)
    canvas[..., EOSIN] = profile.haze * cloud
    return canvas


def _stamp(
    canvas: np.ndarray, mask: np.ndarray, patch: np.ndarray, patch_mask: np.ndarray, row: int, column: int
) -> None:
    on_canvas, of_patch = rendering.overlap(canvas.shape, patch.shape, row, column)
    shown = patch_mask[of_patch] > 0
    np.copyto(canvas[on_canvas], patch[of_patch], where=shown[..., None])
    np.copyto(mask[on_canvas], patch_mask[of_patch], where=shown)


def _surroundings(
    canvas: np.ndarray, taken: np.ndarray, whites: list[tuple[np.ndarray, float]], profile: PatientProfile,
    stain: Stain, random: np.random.Generator,
) -> list[Box]:  # fmt: skip
    """Add red blood cells, platelets and precipitate behind the white blood cells, and return the boxes of cells."""
    side, extent = len(taken), len(taken) * PITCH
    boxes: list[Box] = []
    reds: list[np.ndarray] = []
    closeness = random.uniform(0.72, 1.0)
    covered, target = 0.0, profile.crowding * (extent + 6) ** 2
    crowd = random.random() < profile.contact
    for attempt in range(int(40 + extent**2 / 12)):
        if covered >= target and not (crowd and attempt < 12):
            break
        diameter = profile.red_diameter * (1 + random.normal(0, 0.06))
        near = 0.3 if crowd else 0.46  # least distance of its centre from a white blood cell, in diameters
        if crowd and attempt < 12:  # red blood cells pressed against the white blood cell
            white, radius = whites[attempt % len(whites)]
            turn, away = random.uniform(0, 2 * np.pi), radius + diameter * random.uniform(near, 0.55)
            position = white + away * np.array([np.sin(turn), np.cos(turn)])
        else:
            position = random.uniform(-3, extent + 3, 2)
        if any(np.hypot(*(position - white)) < radius + diameter * near for white, radius in whites):
            continue
        if reds and (np.hypot(*(position - np.array(reds)).T) < closeness * diameter).any():
            continue
        reds.append(position)
        covered += np.pi * diameter**2 / 4
        cell = rendering.red_cell(diameter, profile, stain, random)
        row, column = np.round(position / PITCH).astype(int)
        rendering.add(canvas[..., HAEMOGLOBIN], profile.red_stain * cell, row, column, taken)
        boxes += _box("RBC", cell > 0, row, column, side)
    for _ in range(random.poisson(profile.platelets * extent**2 / 100)):
        position = random.uniform(0, extent, 2)
        if any(np.hypot(*(position - white)) < radius + 1 for white, radius in whites):
            continue
        patch = rendering.platelet(random.uniform(1.6, 3.4), random)
        row, column = np.round(position / PITCH).astype(int)
        rendering.add(canvas, patch, row, column, taken)
        boxes += _box("Platelets", patch[..., AZURE] > 0, row, column, side)
    dots = random.poisson(profile.precipitate * extent**2 / 100)
    if dots:
        position = random.uniform(0, side, (dots, 2))
        canvas[..., CHROMATIN] += 1.2 * geometry.spots((side, side), position, random.uniform(0.1, 0.35, dots) / PITCH)
    return boxes


def _box(kind: str, shown: np.ndarray, row: int, column: int, side: int) -> list[Box]:
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    top, left = row - shown.shape[0] // 2 + rows[0], column - shown.shape[1] // 2 + columns[0]
    bottom, right = top + rows[-1] - rows[0] + 1, left + columns[-1] - columns[0] + 1
    inside = int(max(left, 0)), int(max(top, 0)), int(min(right, side)), int(min(bottom, side))
    width, height = inside[2] - inside[0], inside[3] - inside[1]
    if width < 0.25 * (right - left) or height < 0.25 * (bottom - top):
        return []
    return [(kind, *inside)]
