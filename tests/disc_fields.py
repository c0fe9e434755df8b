"""Fields of discs, and a detector with weights by hand that finds the dark ones: expected boxes can be written down."""

import cv2
import keras
import numpy as np

from helpers.models import loading
from helpers.models.model_card import DetectorNote

DIAMETER = 48  # pixels of a white cell, 12 µm
RED_DIAMETER = 30  # pixels of a red cell, 7.5 µm
NOTE = {
    "purpose": "test",
    "um_per_pixel": 0.25,
    "threshold": 0.5,
    "sources": {"discs": {"images": 4, "groups": 4}},
    "input": {"dtype": "uint8", "low": 20.0, "high": 240.0, "mean": [225.0, 215.0, 220.0]},
    "sharpness": 0.01,
    "validation": {},
    "seed": 20,
}


def disc_network():
    """The heat is high where a disc of 48 dark pixels fits into a bright ring; every box is 48 pixels wide."""
    field = keras.Input((None, None, 3))
    dark = keras.layers.Rescaling(-1 / 240, 1)(field)
    for _ in range(2):
        dark = keras.layers.MaxPooling2D()(dark)
    heat = keras.layers.Conv2D(1, 17, padding="same", activation="sigmoid")
    sides = keras.layers.Conv2D(4, 1, activation="relu")
    model = keras.Model(field, keras.layers.Concatenate()([heat(dark), sides(dark)]))
    y, x = np.mgrid[-8:9, -8:9]
    inside = (np.hypot(x, y) <= DIAMETER / 8).astype(float)
    template = inside / inside.sum() - (1 - inside) / (1 - inside).sum()
    heat.set_weights([np.repeat(40 * template[..., None, None] / 3, 3, axis=2), np.array([-20.0])])
    sides.set_weights([np.zeros((1, 1, 3, 4)), np.full(4, DIAMETER / 8)])
    return model


def disc_field(middles, size=(360, 480), colours=None):
    """A field of red cells on a grid, with a dark disc at each of the middles (x, y); its red is its colour."""
    field = np.full((*size, 3), 240, np.uint8)
    field[::2, ::2] -= 2  # no field is of one colour
    for x in range(24, size[1] - 20, 60):
        for y in range(24, size[0] - 20, 60):
            cv2.circle(field, (x, y), RED_DIAMETER // 2, (225, 170, 180), -1, cv2.LINE_AA)
    for k, (x, y) in enumerate(middles):
        cv2.circle(field, (x, y), 40, (240, 240, 240), -1)
        cv2.circle(field, (x, y), DIAMETER // 2, (colours[k] if colours else 60, 0, 90), -1, cv2.LINE_AA)
    return field


def save_detector_files(folder, name="discs", **changes):
    """Save the network with its note, some values of which are others; return its path."""
    path = folder / f"{name}.keras"
    disc_network().save(path)
    note = DetectorNote.model_validate({**NOTE, "sha256": loading.file_digest(path), **changes})
    path.with_suffix(".json").write_text(note.model_dump_json(), encoding="utf-8")
    return path
