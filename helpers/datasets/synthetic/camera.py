"""Simulation of the camera, from optical density to an RGB image: illumination, blur, noise and JPEG compression."""

from __future__ import annotations

import cv2
import numpy as np

from helpers.datasets.synthetic.rendering import PITCH, PatientProfile
from helpers.datasets.synthetic.stains import Stain

SHARPENED_OVER = 0.275  # standard deviation of the unsharp mask, µm


def photograph(
    density: np.ndarray, stain: Stain, profile: PatientProfile, size: int, random: np.random.Generator
) -> np.ndarray:
    """Simulate a photograph of a slide.

    Args:
        density: optical density of red, green and blue ``float64 (side, side, 3)``, natural logarithm.
        stain: stain, with the sharpening of the laboratory's camera.
        profile: patient, with background colour and blur of the slide.
        size: side of the image in pixels.
        random: random generator of this photograph.

    Returns:
        ``uint8 (size, size, 3)`` RGB with JPEG artefacts.
    """
    colour = np.array(profile.light) * random.normal(1, [0.01] * 3) * random.normal(1, 0.025)
    image = np.exp(np.log(colour) - density)
    # Resampling before blurring gives the same result (both are averages) and is faster.
    method = cv2.INTER_AREA if size < len(density) else cv2.INTER_LINEAR
    image = cv2.resize(image, (size, size), interpolation=method)
    image *= _illumination(size, random)[..., None]
    focus = profile.blur * random.uniform(0.8, 1.4) + (random.uniform(0, 0.2) if random.random() < 0.1 else 0)
    pixel = PITCH * len(density) / size
    image = cv2.GaussianBlur(image, (0, 0), focus / pixel)
    around = cv2.GaussianBlur(image, (0, 0), SHARPENED_OVER / pixel)
    image = cv2.addWeighted(image, 1 + stain.sharpen, around, -stain.sharpen, 0)
    spread = 0.6 + 0.09 * np.sqrt(np.clip(image, 0, 255))  # read-out noise and photon noise
    spread *= random.uniform(0.4, 1.4)
    image += spread * random.standard_normal(image.shape, np.float32)
    return _through_jpeg(np.clip(np.rint(image), 0, 255).astype(np.uint8), int(random.integers(75, 97)))


def _illumination(side: int, random: np.random.Generator) -> np.ndarray:
    """Uneven illumination ``float64 (side, side)`` around 1: a linear gradient and vignetting."""
    axis = np.linspace(-1, 1, side)
    x, y = axis[None, :], axis[:, None]
    tilt = random.normal(0, 0.015, 2)
    return 1 + tilt[0] * x + tilt[1] * y - random.uniform(0, 0.03) * (x**2 + y**2)


def _through_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    _, coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None  # OpenCV reads what it wrote
    return decoded[..., ::-1]
