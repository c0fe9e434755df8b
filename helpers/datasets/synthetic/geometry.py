"""Shapes as scalar fields (level sets), small inside and large outside, so that a threshold gives any target area.

All geometry is ``float64``: rounding in single precision, though faster, differs between processors, and the same seed
must give the same pixels everywhere.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np


def sample_range(random: np.random.Generator, low: float, high: float, shift: float = 0.0) -> float:
    """Sample a value between ``low`` and ``high``: a normal variable around ``shift`` half-widths, squashed by tanh."""
    return (low + high) / 2 + (high - low) / 2 * float(np.tanh(shift + random.normal(0, 0.45)))


def noise(shape: tuple[int, int], grain: float, random: np.random.Generator) -> np.ndarray:
    """Sample smooth noise ``float64 (height, width)`` of about unit variance and a grain size of ``grain`` pixels."""
    height, width = shape
    coarse = random.standard_normal((max(3, round(height / grain) + 2), max(3, round(width / grain) + 2)))
    return 1.35 * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Compute the distance from the origin, several times faster than ``np.hypot``, which guards against overflow."""
    return np.sqrt(x * x + y * y)


def blob(x: np.ndarray, y: np.ndarray, waves: list[tuple[int, float, float]]) -> np.ndarray:
    """Compute the field of a wavy unit circle: below 1 inside, above 1 outside.

    Args:
        x, y: coordinates in radii, broadcastable to one shape.
        waves: ``(number of periods around the circle, amplitude in radii, phase in radians)``.
    """
    away = distance(x, y)
    cosine, sine = x / np.maximum(away, 1e-9), y / np.maximum(away, 1e-9)
    edge, c, s, reached = np.ones_like(away), np.ones_like(away), np.zeros_like(away), 0
    for count, height, phase in sorted(waves):
        for _ in range(count - reached):  # cosine and sine of the next multiple of the angle
            c, s = c * cosine - s * sine, s * cosine + c * sine
        reached = count
        edge += (height * np.cos(phase)) * c - (height * np.sin(phase)) * s
    return away / np.maximum(edge, 0.2)


def waves(random: np.random.Generator, roughness: float) -> list[tuple[int, float, float]]:
    """Sample low-frequency waves of a cell outline for :func:`blob`; amplitudes decrease with frequency."""
    return [(k, random.normal(0, roughness * 2 / k), random.uniform(0, 2 * np.pi)) for k in (2, 3, 4, 5)]


def arc(x: np.ndarray, y: np.ndarray, radius: float, half_angle: float) -> np.ndarray:
    """Compute the distance to an arc around the origin, symmetric about the positive y axis, in the units of ``x``."""
    x = np.abs(x)
    end_x, end_y = radius * np.sin(half_angle), radius * np.cos(half_angle)
    beyond = np.cos(half_angle) * x > np.sin(half_angle) * y
    return np.where(beyond, distance(x - end_x, y - end_y), np.abs(distance(x, y) - radius))


def segment(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Compute the distance to the line segment between two points."""
    along = end - start
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / max(along @ along, 1e-9), 0, 1)
    return distance(x - start[0] - share * along[0], y - start[1] - share * along[1])


def smallest_mask(field: np.ndarray, count: int) -> np.ndarray:
    """Mask the ``count`` pixels of a field with the smallest values."""
    count = int(np.clip(count, 1, field.size))
    return field <= np.partition(field, count - 1, axis=None)[count - 1]


def spots(shape: tuple[int, int], centres: np.ndarray, radii: np.ndarray, softness: float = 1.0) -> np.ndarray:
    """Render soft discs ``float64 (height, width)``, 1 inside and 0 outside; overlaps take the maximum.

    Args:
        shape: height and width in pixels.
        centres: ``(n, 2)`` rows and columns in pixels.
        radii: ``(n,)`` in pixels.
        softness: width of the soft edge in pixels.
    """
    plane = np.zeros(shape)
    if not len(centres):
        return plane
    reach = int(np.ceil(radii.max() + softness))
    step = np.arange(-reach, reach + 1)
    corner = np.floor(centres).astype(int)
    rows = corner[:, 0, None, None] + step[None, :, None]
    columns = corner[:, 1, None, None] + step[None, None, :]
    away = distance(rows - centres[:, 0, None, None], columns - centres[:, 1, None, None])
    value = np.clip((radii[:, None, None] - away) / softness + 0.5, 0, 1)
    rows, columns = np.broadcast_arrays(rows, columns)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1]) & (value > 0)
    np.maximum.at(plane, (rows[inside], columns[inside]), value[inside])
    return plane


def nucleus(
    x: np.ndarray, y: np.ndarray, cell: np.ndarray, radius: float, area: float, lobes: int, bend: float, oval: float,
    roughness: float, random: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Compute the field of a nucleus: approximate signed distance to its edge in µm, negative inside.

    Args:
        x, y: coordinates from the centre of the cell in µm, broadcastable.
        cell: field of the cell, below 1 inside.
        radius: radius of the cell, µm.
        area: target area of the nucleus, µm²; the caller thresholds the field to meet it exactly.
        lobes: 1 for round, oval and bent nuclei; 2 to 5 lobes are joined by filaments.
        bend, oval: see :class:`helpers.datasets.synthetic.morphology.Morphology`.
        roughness: ``nuclear_outline`` of the morphology, µm.
        random: random generator.
    """
    turn = random.uniform(0, 2 * np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wobble = roughness * noise(cell.shape, 18, random)
    if lobes == 1:
        field = _bent(u, v, radius, area, bend, oval, random) + wobble
    else:
        field = _lobed(u, v, radius, area, lobes, random, wobble)
    return field + 6 * np.maximum(cell - 0.95, 0)  # keeps the nucleus within the cell membrane


def _bent(
    u: np.ndarray, v: np.ndarray, radius: float, area: float, bend: float, oval: float, random: np.random.Generator
) -> np.ndarray:
    round_radius = np.sqrt(area / np.pi)
    if bend < 0.3:
        free = max(radius - round_radius, 0.0)
        u = u - free * random.uniform(0.2, 0.9)  # a round nucleus lies to one side
        return distance(u * np.sqrt(oval), v / np.sqrt(oval)) - round_radius
    # A band of this area along an arc: arc length times thickness, plus a half-disc at each end.
    middle = radius * (0.25 + 0.07 * min(bend, 4.0))
    half = np.clip(bend * 0.36, 0.1, 2.4)
    length = 2 * half * middle
    thickness = (-length + np.sqrt(length**2 + np.pi * area)) / np.pi  # half the thickness
    return arc(u, v + middle * 0.45, middle, half) - thickness


def _lobed(
    u: np.ndarray, v: np.ndarray, radius: float, area: float, lobes: int, random: np.random.Generator,
    wobble: np.ndarray,
) -> np.ndarray:  # fmt: skip
    share = random.uniform(0.7, 1.3, lobes)
    radii = np.sqrt(area / np.pi * share / share.sum())
    longer = random.uniform(1.0, 1.45 if lobes < 4 else 1.2, lobes)
    centres = _arrangement(radius, radii * longer, random)
    field = np.full(np.broadcast_shapes(u.shape, v.shape), np.inf)
    for (left, top), size, long in zip(centres, radii, longer, strict=True):
        lean = np.arctan2(top, left) + np.pi / 2 + random.normal(0, 0.35)  # lobes are elongated along the bent line
        p, q = u - left, v - top
        p, q = p * np.cos(lean) + q * np.sin(lean), q * np.cos(lean) - p * np.sin(lean)
        field = np.minimum(field, distance(p / long, q * long) - size)
    field = field + wobble
    for before, after in pairwise(centres):  # filaments keep their width at any threshold
        thread = segment(u, v, before, after) < random.uniform(0.15, 0.5)
        field = np.where(thread, np.minimum(field, -0.5), field)
    return field


def _arrangement(radius: float, radii: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Sample the centres of lobes on a bent line within the cell, separated as far as there is room."""
    best: np.ndarray | None = None
    best_gap = -np.inf
    for _ in range(24):
        reach = random.uniform(0.42, 0.70) * radius * random.uniform(0.9, 1.1, len(radii))
        reach = np.minimum(reach, 0.97 * radius - radii)
        need = radii[1:] + radii[:-1] + random.uniform(0.1, 0.9, len(radii) - 1)
        angles = np.cumsum([0, *2 * np.arcsin(np.minimum(need / (reach[1:] + reach[:-1]), 0.98))])
        centres = np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)
        centres += random.normal(0, 0.04 * radius, 2)
        apart = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1)) - radii[:, None] - radii[None]
        gap = apart[np.triu_indices(len(radii), 1)].min()
        if gap > best_gap:
            best, best_gap = centres, gap
        if gap > 0.1:
            break
    assert best is not None  # the first sample is better than -inf
    return best
