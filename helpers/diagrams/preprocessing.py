"""Diagrams of chapter *Preprocess*: the way to a mask, light through stain, and two ways to split."""

from __future__ import annotations

import numpy as np

from helpers.diagrams.canvas import BLUE, ORANGE, PINK, Canvas
from helpers.plots.style import AccessibleFigure, draw_contours
from helpers.preprocessing import clean_up_steps

STAINS = np.array([[0.9, 0.65, 0.15], [0.15, 0.85, 0.5]])  # density of red, green, blue: a blue stain and a red one
SPLIT_PATIENTS = ("patient 1", "patient 2", "patient 3", "patient 4")


def way_to_a_mask(image: np.ndarray, threshold: int) -> AccessibleFigure:
    """Draw the steps from an image to the mask of its nucleus.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        threshold: pixels whose green value is at most this are dark.
    """
    steps = clean_up_steps(image[..., 1] <= threshold)
    mask = steps["holes filled"]
    pictures = (
        ("image", image),
        ("green channel", image[..., 1]),
        (f"green at most {threshold}", steps["below the threshold"].astype(np.uint8)),
        ("cleaned up", mask.astype(np.uint8)),
        ("outline", draw_contours(image, mask.astype(np.uint8) * 2)),
    )
    canvas = Canvas(6, 4.4)
    places = ((17, 77), (50, 77), (83, 77), (66, 27), (33, 27))
    boxes = [canvas.image(x, y, 25, picture) for (x, y), (_, picture) in zip(places, pictures, strict=True)]
    for (x, y), (title, _) in zip(places, pictures, strict=True):
        canvas.label(x, y - 20.5, title)
    canvas.arrow(boxes[0], boxes[1])
    canvas.arrow(boxes[1], boxes[2])
    canvas.arrow((83, 53), (75, 45))
    canvas.arrow(boxes[3], boxes[4])
    return canvas.finish(
        "Five pictures of one cell, joined by arrows: the image, its green channel in grey, the pixels up to the "
        f"threshold of {threshold} in white, the same after the clean-up, and the outline of the result on the image.",
        "From pixels to a mask: one channel, one threshold, one clean-up.",
    )


def light_through_stain() -> AccessibleFigure:
    """Draw light that passes one and two layers of stain, and the colour of two stains on top of each other."""
    canvas = Canvas(6, 5)
    canvas.label(50, 96, "Each layer lets half of the light through", bold=True)
    shares = ("100 %", "50 %", "25 %")
    for k, (x, share) in enumerate(zip((12, 50, 88), shares, strict=True)):
        canvas.label(x, 82, share)
        canvas.label(x, 75, f"density {k * np.log(2):.2f}", size=8)
    for x in (31, 69):
        canvas.rectangle(x, 80, 6, 20, colour=PINK, filled=True)
        canvas.label(x, 66, "one layer", size=8)
    for start, end in (((19, 82), (27, 82)), ((35, 82), (43, 82)), ((57, 82), (65, 82)), ((73, 82), (81, 82))):
        canvas.arrow(start, end)
    canvas.label(50, 54, "Two stains at one place", bold=True)
    blue, red = (_colour(density) for density in STAINS)
    both, mean = _colour(STAINS.sum(axis=0)), (blue.astype(int) + red) // 2
    swatches = (
        (12, blue, "blue stain"),
        (37, red, "red stain"),
        (62, both, "both: densities\nadded"),
        (87, mean, "not this: mean\nof the colours"),
    )
    for x, colour, title in swatches:
        canvas.image(x, 33, 20, np.full((2, 3, 3), colour, np.uint8))
        canvas.label(x, 17, title, size=8)
    canvas.label(24.5, 33, "+", bold=True, size=14)
    canvas.label(49.5, 33, "=", bold=True, size=14)
    listed = "; ".join(f"{title} {', '.join(map(str, colour))}" for _, colour, title in swatches).replace("\n", " ")
    return canvas.finish(
        "Above, light of 100 % passes a layer of stain and is 50 %, then a second and is 25 %; the optical density is "
        f"0, {np.log(2):.2f} and {2 * np.log(2):.2f}. Below, four patches of colour (red, green, blue): {listed}.",
        "Each layer lets a share of the light pass: shares multiply, and their optical densities add.",
    )


def _colour(density: np.ndarray) -> np.ndarray:
    """Return the colour of white light behind a stain, ``uint8 (3,)`` RGB."""
    return np.round(255 * np.exp(-density)).astype(np.uint8)


def image_or_group_split() -> AccessibleFigure:
    """Draw the cells of four patients, split by image and split by patient."""
    canvas = Canvas(6, 4)
    random = np.random.default_rng(4)
    by_image = random.permutation(np.repeat([True, True, True, False], 4)).reshape(4, 4)
    by_patient = np.repeat([[True], [True], [False], [True]], 4, axis=1)
    for left, title, in_training in ((1, "split by image", by_image), (52, "split by patient", by_patient)):
        canvas.label(left + 24, 93, title, bold=True)
        for row, patient in enumerate(SPLIT_PATIENTS):
            y = 78 - 18 * row
            canvas.label(left + 7, y, patient, size=8)
            for column in range(4):
                training = bool(in_training[row, column])
                x = left + 18 + 8.2 * column
                canvas.box(x, y, 7, 11, "" if training else "test", colour=BLUE if training else ORANGE, size=7)
    canvas.rectangle(36, 5, 4, 5, colour=BLUE, filled=True)
    canvas.label(40, 5, "training", align="left", size=8)
    canvas.rectangle(60, 5, 4, 5, colour=ORANGE, filled=True)
    canvas.label(64, 5, "test", align="left", size=8)
    both = int(((~by_image).any(axis=1) & by_image.any(axis=1)).sum())
    return canvas.finish(
        "Four rows of four cells, one row for each patient, drawn twice. Split by image: test cells lie in the rows of "
        f"{both} patients, beside training cells. Split by patient: all test cells are those of one patient.",
        "Split by image, a patient is on both sides; split by patient, no one is.",
    )
