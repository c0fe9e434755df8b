"""Rendering of white blood cells, red blood cells and platelets as amounts of stained substances.

A *canvas* is ``float64 (height, width, 4)``, the four substances of :mod:`helpers.datasets.synthetic.stains` in units
of optical density, with pixels of :data:`PITCH` µm: about half the resolution of an oil-immersion objective (0.2 µm).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.datasets.clinical import BACKGROUND, CYTOPLASM, NUCLEUS
from helpers.datasets.synthetic import geometry
from helpers.datasets.synthetic.morphology import Granules, Morphology
from helpers.datasets.synthetic.stains import AZURE, CHROMATIN, EOSIN, HAEMOGLOBIN, Stain

PITCH = 0.125  # µm per pixel of the canvas


@dataclass(frozen=True)
class PatientProfile:
    """Hold the parameters shared by all images of a patient.

    Attributes:
        size: shift of the diameter, in half-widths of its range in
            :class:`helpers.datasets.synthetic.Morphology`; likewise the next three.
        ratio: shift of the nucleus-to-cell area ratio.
        azure: shift of the azure.
        clumps: shift of the chromatin clumps.
        chromatin: factor of the nuclear stain.
        eosin: factor of the eosin of the cytoplasm.
        red_diameter: mean diameter of the red blood cells, µm.
        red_pallor: mean depth of their central pallor, share.
        red_stain: haemoglobin at their rim, units of optical density.
        red_crenated: share of crenated red blood cells.
        crowding: share of the field that red blood cells cover.
        contact: probability that they press against the white blood cell.
        platelets: mean number of platelets per 100 µm².
        precipitate: mean number of stain precipitates per 100 µm².
        haze: eosin of the plasma.
        light: background colour (empty field), RGB.
        blur: standard deviation of the blur, µm.
    """

    size: float
    ratio: float
    azure: float
    clumps: float
    chromatin: float
    eosin: float
    red_diameter: float
    red_pallor: float
    red_stain: float
    red_crenated: float
    crowding: float
    contact: float
    platelets: float
    precipitate: float
    haze: float
    light: tuple[float, float, float]
    blur: float


def white_cell(
    morphology: Morphology,
    diameter: float,
    nucleus_to_cell_area: float,
    lobes: int,
    profile: PatientProfile,
    stain: Stain,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Render a white blood cell in the centre of a patch of its own.

    Args:
        morphology: morphology of its class.
        diameter: equivalent diameter (of a disc of the same area), µm.
        nucleus_to_cell_area: area of the nucleus over area of the cell, met to the pixel.
        lobes: number of nuclear lobes.
        profile, stain, random: patient, stain batch, and random generator of this cell.

    Returns:
        Amounts ``float64 (side, side, 4)`` and mask ``uint8 (side, side)``.
    """
    radius = diameter / 2
    middle = int(np.ceil(1.4 * radius / PITCH))
    axis = np.arange(-middle, middle + 1) * PITCH
    outline = _cell_outline(axis[None, :], axis[:, None], radius, morphology, profile, random)
    cell = geometry.smallest_mask(outline, round(np.pi * radius**2 / PITCH**2))
    reach = int(np.abs(np.argwhere(cell) - middle).max())
    inside = slice(middle - reach, middle + reach + 1)  # crop the patch to the whole cell
    cell, axis = cell[inside, inside], axis[inside]
    outline = outline[inside, inside] / outline[inside, inside][cell].max()
    x, y = axis[None, :], axis[:, None]

    field = geometry.nucleus(
        x,
        y,
        outline,
        radius,
        nucleus_to_cell_area * np.pi * radius**2,
        lobes,
        geometry.sample_range(random, *morphology.bend),
        geometry.sample_range(random, *morphology.oval),
        morphology.nuclear_outline,
        random,
    )
    nucleus = geometry.smallest_mask(
        np.where(cell, field, np.inf), round(nucleus_to_cell_area * np.count_nonzero(cell))
    )
    depth = field[nucleus].max() - field  # µm below the nuclear membrane

    amounts = np.zeros((*cell.shape, 4))
    _cytoplasm(amounts, cell, outline, depth, morphology, profile, stain, random)
    _nucleus(amounts, nucleus, depth, morphology, profile, random)
    for kind in morphology.granules:
        _granules(amounts, cell if kind.over_nucleus else cell & ~nucleus, kind, random)
    _vacuoles(amounts, cell if morphology.vacuoles[1] > 5 else cell & ~nucleus, morphology, random)
    mask = np.where(nucleus, NUCLEUS, np.where(cell, CYTOPLASM, BACKGROUND)).astype(np.uint8)
    return amounts, mask


def _cell_outline(
    x: np.ndarray,
    y: np.ndarray,
    radius: float,
    morphology: Morphology,
    profile: PatientProfile,
    random: np.random.Generator,
) -> np.ndarray:
    field = geometry.blob(
        x / radius, y / radius, geometry.waves(random, morphology.cell_outline * random.uniform(0.5, 1.5))
    )
    if random.random() < 10 * morphology.cell_outline * (0.5 + profile.contact):  # flattened by neighbouring cells
        for turn in random.uniform(0, 2 * np.pi, random.integers(1, 5)):
            flat = (x * np.cos(turn) + y * np.sin(turn)) / (radius * random.uniform(0.72, 0.95))
            field = np.maximum(field, flat)
    return field + morphology.cell_outline * 0.45 * geometry.noise(field.shape, 16, random)


def _cytoplasm(
    amounts: np.ndarray,
    cell: np.ndarray,
    outline: np.ndarray,
    depth: np.ndarray,
    morphology: Morphology,
    profile: PatientProfile,
    stain: Stain,
    random: np.random.Generator,
) -> None:
    edge = np.clip((outline - 0.7) / 0.3, 0, 1) ** 2
    clear_zone = 1 - 0.25 * np.exp(-np.square(np.minimum(depth, 0) + 0.5) / 0.8)  # pale zone (hof) beside the nucleus
    texture = 1 + 0.16 * geometry.noise(cell.shape, 7, random) + 0.10 * geometry.noise(cell.shape, 2.5, random)
    azure = geometry.sample_range(random, *morphology.azure, profile.azure)
    amounts[..., AZURE] = azure * clear_zone * texture * (1 + geometry.sample_range(random, *morphology.rim) * edge)
    amounts[..., EOSIN] = geometry.sample_range(random, *morphology.eosin) * profile.eosin * texture
    refraction = stain.edge * random.uniform(0, 2) * np.clip((outline - 0.86) / 0.14, 0, 1)
    amounts[..., AZURE] += 0.8 * refraction
    amounts[..., HAEMOGLOBIN] += refraction
    amounts[~cell] = 0
    np.maximum(amounts, 0, out=amounts)


def _nucleus(
    amounts: np.ndarray,
    nucleus: np.ndarray,
    depth: np.ndarray,
    morphology: Morphology,
    profile: PatientProfile,
    random: np.random.Generator,
) -> None:
    contrast = geometry.sample_range(random, *morphology.clumps, profile.clumps)
    grain = morphology.clump_size / PITCH
    clumps = geometry.noise(nucleus.shape, grain, random) + 0.7 * geometry.noise(nucleus.shape, 0.55 * grain, random)
    fine = geometry.noise(nucleus.shape, 2.5, random)
    membrane = np.exp(-np.square(depth / 0.35))
    chromatin = 1 + contrast * np.tanh(0.8 * clumps) + 0.05 * fine + 0.12 * membrane
    for _ in range(random.integers(morphology.folds[0], morphology.folds[1], endpoint=True)):
        chromatin += 0.22 * np.exp(-np.square(_crease(nucleus.shape, random) / 0.25))
    blue = np.zeros(nucleus.shape)
    pixels = np.argwhere(nucleus & (depth > 0.9))
    count = random.integers(morphology.nucleoli[0], morphology.nucleoli[1], endpoint=True)
    if count and len(pixels):
        centres = pixels[random.integers(0, len(pixels), count)]
        radii = random.uniform(0.5, 1.2, count) / PITCH
        uneven = np.clip(0.85 + 0.3 * fine, 0.3, 1.2)
        hole = geometry.spots(nucleus.shape, centres.astype(float), radii, 5.0) * uneven
        ring = geometry.spots(nucleus.shape, centres.astype(float), radii + 4, 5.0) * uneven - hole
        chromatin += 0.14 * np.maximum(ring, 0) - 0.38 * hole
        blue = 0.25 * hole
    strength = geometry.sample_range(random, *morphology.nuclear_stain) * profile.chromatin
    inside = amounts[nucleus]
    inside[:, AZURE] = 0.3 * inside[:, AZURE] + blue[nucleus]
    inside[:, EOSIN] *= 0.3
    inside[:, CHROMATIN] = strength * np.clip(chromatin, 0.25, 1.8)[nucleus]
    amounts[nucleus] = inside


def _crease(shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Signed distance in µm to a curved line across a patch, a fold of the nucleus."""
    y, x = (np.arange(length)[:, None] * PITCH for length in shape)
    away, turn = random.uniform(6, 20), random.uniform(0, 2 * np.pi)  # arc of a large circle
    off = random.normal(0, 0.12, 2) * shape * np.array(PITCH)
    middle = np.array(shape) * PITCH / 2 + off + away * np.array([np.sin(turn), np.cos(turn)])
    return geometry.distance(x.T - middle[1], y - middle[0]) - away


def _granules(amounts: np.ndarray, where: np.ndarray, kind: Granules, random: np.random.Generator) -> None:
    pixels = np.argwhere(where)
    count = random.poisson(random.uniform(*kind.density) * len(pixels) * PITCH**2)
    if not count or not len(pixels):
        return
    centres = pixels[random.integers(0, len(pixels), count)] + random.uniform(-0.5, 0.5, (count, 2))
    radii = random.uniform(*kind.diameter, count) / 2 / PITCH
    strength = geometry.spots(where.shape, centres, radii, 1.2)
    if kind.refractile:
        strength -= kind.refractile * geometry.spots(where.shape, centres, 0.45 * radii, 1.2)
    strength *= where
    amounts += strength[..., None] * np.array(kind.dyes)


def _vacuoles(amounts: np.ndarray, region: np.ndarray, morphology: Morphology, random: np.random.Generator) -> None:
    count = random.integers(morphology.vacuoles[0], morphology.vacuoles[1], endpoint=True)
    if not count:
        return
    pixels = np.argwhere(region)
    if not len(pixels):
        return
    centres = pixels[random.integers(0, len(pixels), count)].astype(float)
    holes = geometry.spots(region.shape, centres, np.minimum(random.gamma(4, 0.11, count), 1.0) / PITCH, 1.5)
    amounts *= 1 - 0.75 * holes[..., None]


def red_cell(diameter: float, profile: PatientProfile, stain: Stain, random: np.random.Generator) -> np.ndarray:
    """Render a red blood cell with central pallor: haemoglobin ``float64 (side, side)``, about 1 at its rim."""
    radius = diameter / 2
    side = 2 * int(np.ceil(1.25 * radius / PITCH)) + 1
    axis = (np.arange(side) - side // 2) * PITCH / radius
    turn, oval = random.uniform(0, np.pi), 1 + abs(random.normal(0, 0.06))
    u = (axis[None, :] * np.cos(turn) + axis[:, None] * np.sin(turn)) * oval
    v = (axis[:, None] * np.cos(turn) - axis[None, :] * np.sin(turn)) / oval
    if random.random() < profile.red_crenated:
        spikes = int(random.integers(8, 14)), random.uniform(0.02, 0.06), random.uniform(0, 2 * np.pi)
        field = geometry.blob(u, v, [spikes, (3, 0.03, random.uniform(0, 2 * np.pi))])
    else:
        field = geometry.distance(u, v)
    pallor = np.clip(profile.red_pallor + random.normal(0, 0.12), 0, 0.9)
    body = 1 - pallor * np.exp(-np.square(np.square(field / random.uniform(0.38, 0.55))))
    if stain.ghost:
        body = (1 - stain.ghost) * body + stain.ghost * 0.9 * np.exp(-np.square((field - 0.93) / 0.09))
    return random.normal(1, 0.06) * body * np.clip((1 - field) * radius / PITCH / 2 + 0.5, 0, 1)


def platelet(diameter: float, random: np.random.Generator) -> np.ndarray:
    """Render a platelet with purple granules on pale blue: amounts ``float64 (side, side, 4)``."""
    radius = diameter / 2
    side = 2 * int(np.ceil(1.4 * radius / PITCH)) + 1
    axis = (np.arange(side) - side // 2) * PITCH / radius
    field = geometry.blob(axis[None, :], axis[:, None], geometry.waves(random, 0.10))
    inside = np.clip((1 - field) * radius / PITCH / 2 + 0.5, 0, 1)
    grain = np.clip(0.7 + 0.35 * geometry.noise(field.shape, 4.5, random), 0, 1.5)
    grain *= np.exp(-np.square(np.square(field / random.uniform(0.5, 0.8))))
    amounts = np.zeros((side, side, 4))
    amounts[..., CHROMATIN] = random.uniform(0.35, 0.7) * grain * inside
    amounts[..., AZURE] = 0.22 * inside
    amounts[..., EOSIN] = 0.12 * inside
    return amounts


def add(canvas: np.ndarray, patch: np.ndarray, row: int, column: int, hidden: np.ndarray | None = None) -> None:
    """Add a patch, centred on a pixel and clipped, to a canvas in place, except where the mask ``hidden`` is set."""
    (canvas_part, patch_part) = overlap(canvas.shape, patch.shape, row, column)
    piece = patch[patch_part]
    if hidden is not None:
        piece = piece * ~hidden[canvas_part].reshape(hidden[canvas_part].shape + (1,) * (piece.ndim - 2))
    canvas[canvas_part] += piece


def overlap(canvas: tuple, patch: tuple, row: int, column: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Compute the overlap of a canvas and a patch centred on a pixel, as slices of the canvas and of the patch."""
    rows, patch_rows = _axis_overlap(canvas[0], patch[0], row)
    columns, patch_columns = _axis_overlap(canvas[1], patch[1], column)
    return (rows, columns), (patch_rows, patch_columns)


def _axis_overlap(length: int, side: int, centre: int) -> tuple[slice, slice]:
    """Compute the overlap along one axis, as slices of the canvas and of the patch."""
    first = centre - side // 2
    start, stop = min(max(first, 0), length), max(min(first + side, length), 0)
    return slice(start, max(stop, start)), slice(start - first, max(stop, start) - first)
