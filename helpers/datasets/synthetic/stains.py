"""Stain parameters: conversion of amounts of stained substances to optical density of red, green and blue.

Four substances are separate, because Romanowsky stains colour them differently (Horobin and Walter 1987): *chromatin*
(the purple complex of azure B and eosin Y), *azure* (azure B alone, blue, on ribosomes), *eosin* (red, on eosinophil
granules and other basic proteins) and *haemoglobin*. Transmitted light is ``exp(-density)`` and densities add
(Beer-Lambert law; Ruifrok and Johnston 2001), so that overlapping cells darken as they do under a microscope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SUBSTANCES = ("chromatin", "azure", "eosin", "haemoglobin")
CHROMATIN, AZURE, EOSIN, HAEMOGLOBIN = range(4)
Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Stain:
    """Describe the stain and camera of a laboratory.

    Attributes:
        chromatin: optical density of red, green and blue (natural logarithm) per unit of chromatin.
        azure: likewise of azure.
        eosin: likewise of eosin.
        haemoglobin: likewise of haemoglobin.
        light: background colours (empty field), one of which each patient's slide has; values above 255 overexpose.
        ghost: degree to which red blood cells are washed out to an outline, 0 to 1.
        edge: extra density at the edge of cells, from refraction in a thick or badly dried film.
        sharpen: strength of the sharpening in the camera.
    """

    chromatin: Rgb
    azure: Rgb
    eosin: Rgb
    haemoglobin: Rgb
    light: tuple[Rgb, ...]
    ghost: float = 0.0
    edge: float = 0.0
    sharpen: float = 0.5

    @property
    def matrix(self) -> np.ndarray:
        """Optical density of red, green and blue per unit of each substance, ``float64 (4, 3)``."""
        return np.array([getattr(self, substance) for substance in SUBSTANCES])


# Densities were fitted by hand until the median colours of nuclei and cytoplasm per class, relative to the background,
# were close to those of wbc1 (rapid) and of wbc2 and pbc (May-Grünwald-Giemsa). No dataset here is known to use
# Wright-Giemsa: its row is set by eye.
STAINS = {
    "Wright-Giemsa": Stain(
        chromatin=(1.05, 1.80, 0.48),
        azure=(0.62, 0.44, 0.10),
        eosin=(0.12, 0.60, 0.38),
        haemoglobin=(0.10, 0.42, 0.30),
        light=((242, 238, 240), (236, 232, 226)),
    ),
    "May-Grünwald-Giemsa": Stain(
        chromatin=(1.15, 1.95, 0.46),
        azure=(0.60, 0.52, 0.16),
        eosin=(0.24, 0.66, 0.30),
        haemoglobin=(0.26, 0.42, 0.24),
        light=((254, 229, 203), (246, 222, 196)),
        sharpen=0.9,
    ),
    "rapid": Stain(
        chromatin=(1.02, 2.65, 0.76),
        azure=(0.72, 0.78, 0.42),
        eosin=(0.44, 1.10, 0.80),
        haemoglobin=(0.22, 0.34, 0.30),
        light=((262, 256, 152), (285, 280, 288), (238, 214, 132)),
        ghost=0.85,
        edge=0.22,
        sharpen=0.3,
    ),
}
