"""Rendering of a single cell of any morphology, at once or step by step, for experiments and for the book."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from helpers import images
from helpers.datasets.errors import DatasetError
from helpers.datasets.synthetic import camera, rendering, scene
from helpers.datasets.synthetic.morphology import Morphology
from helpers.datasets.synthetic.stains import STAINS, Stain


@dataclass(frozen=True)
class _Slide:
    """Hold the canvas and mask of a cell, with its patient, stain, and generator of the photograph."""

    canvas: np.ndarray
    mask: np.ndarray
    profile: rendering.PatientProfile
    stain: Stain
    shot: np.random.Generator


def render_cell(
    morphology: Morphology, stain: str = "Wright-Giemsa", size: int = 128, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Render a cell of any morphology in an image of 24 µm.

    Args:
        morphology: one of ``CLASSES``, or a variant such as ``replace(CLASSES["monocyte"], diameter=(20, 24))``.
        stain: one of :data:`helpers.datasets.synthetic.stains.STAINS`.
        size: side of the image in pixels.
        seed: random seed of the patient, the cell and the photograph.

    Returns:
        Image ``uint8 (size, size, 3)`` RGB and mask ``uint8 (size, size)``: 0 background, 1 cytoplasm, 2 nucleus.

    Raises:
        DatasetError: the stain is unknown.
    """
    slide = _slide(morphology, stain, seed)
    picture = camera.photograph(slide.canvas @ slide.stain.matrix, slide.stain, slide.profile, size, slide.shot)
    return picture, images.resize_pad_mask(slide.mask, size)


def render_steps(
    morphology: Morphology, stain: str = "Wright-Giemsa", size: int = 192, seed: int = 0
) -> dict[str, np.ndarray]:
    """Render a cell step by step.

    Args:
        morphology, stain, size, seed: as in :func:`render_cell`.

    Returns:
        Images ``uint8 (size, size, 3)`` RGB by step: red cells, cytoplasm, nucleus, chromatin, granules, photograph.
    """
    morphology = replace(
        morphology, nuclear_stain=(sum(morphology.nuclear_stain) / 2,) * 2
    )  # else each step would sample its own value
    bare = replace(morphology, granules=(), vacuoles=(0, 0))
    smooth = replace(bare, clumps=(0.0, 0.0), folds=(0, 0), nucleoli=(0, 0))
    whole = _slide(morphology, stain, seed)
    around = whole.canvas * (whole.mask == 0)[..., None]
    shown = {
        "red cells": around,
        "cytoplasm": _slide(replace(smooth, nuclear_stain=(0.0, 0.0)), stain, seed).canvas,
        "nucleus": _slide(smooth, stain, seed).canvas,
        "chromatin": _slide(bare, stain, seed).canvas,
        "granules": whole.canvas,
    }
    pictures = {name: _lit(canvas, whole, size) for name, canvas in shown.items()}
    return pictures | {"photograph": render_cell(morphology, stain, size, seed)[0]}


def _slide(morphology: Morphology, stain: str, seed: int) -> _Slide:
    patient, measures, paint, shot = np.random.default_rng(seed).spawn(4)
    if stain not in STAINS:
        raise DatasetError(f"unknown stain {stain!r}; choose from {', '.join(STAINS)}")
    method = STAINS[stain]
    profile = scene.sample_patient(patient, method)
    canvas, mask = scene.compose_cell(scene.sample_cell(morphology, profile, measures), profile, method, None, paint)
    return _Slide(canvas, mask, profile, method, shot)


def _lit(canvas: np.ndarray, slide: _Slide, size: int) -> np.ndarray:
    """Render a canvas under even illumination, without blur or noise."""
    image = np.clip(np.array(slide.profile.light) * np.exp(-canvas @ slide.stain.matrix), 0, 255).astype(np.uint8)
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
