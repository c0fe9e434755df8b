"""Red cells as a reference of light and stain."""

import numpy as np
import pytest

from helpers.preprocessing import fit_red_cells, normalize_red_cells

BACKGROUND, RED, WHITE = (240, 230, 210), (200, 140, 150), (90, 60, 140)


def field(background=BACKGROUND, gain=(1, 1, 1), white_cell=20):
    """A field of 100 × 100 pixels: three red cells, and a white one of some size."""
    image = np.full((100, 100, 3), background, float)
    boxes = []
    for left in (5, 35, 65):
        boxes.append(("RBC", left, 5, left + 25, 30))
        image[5:30, left : left + 25] = background * (np.array(RED) / BACKGROUND) ** gain
    image[50 : 50 + white_cell, 50 : 50 + white_cell] = background * (np.array(WHITE) / BACKGROUND) ** gain
    return np.round(image).astype(np.uint8), [*boxes, ("WBC", 50, 50, 50 + white_cell, 50 + white_cell)]


def fitted(image, boxes):
    return fit_red_cells([image], [boxes])


def test_another_light_and_stain_is_brought_back():
    wanted, boxes = field()
    other, _ = field(background=np.array([200, 215, 225]), gain=(0.8, 1.3, 1.1))
    restored = normalize_red_cells(other, fitted(other, boxes), fitted(wanted, boxes))
    assert np.abs(other.astype(int) - wanted).max() > 30
    assert np.abs(restored.astype(int) - wanted).max() <= 3


def test_the_size_of_the_white_cell_does_not_move_the_reference():
    small, large = field(white_cell=10), field(white_cell=45)
    assert fitted(*small).density == pytest.approx(fitted(*large).density)
    assert fitted(*small).background == pytest.approx(fitted(*large).background)


def test_its_own_reference_leaves_an_image_as_it_is():
    image, boxes = field()
    assert np.abs(normalize_red_cells(image, fitted(image, boxes), fitted(image, boxes)).astype(int) - image).max() <= 1


def test_fields_without_red_cells_are_refused():
    image, boxes = field()
    with pytest.raises(ValueError, match="0 pixels of red cells in 1 fields, and 50 are needed"):
        fitted(image, boxes[3:])


def test_real_fields_of_two_laboratories_come_closer(real):
    source, target = (real("txl", source=name, crop=False) for name in ("pbc", "raabin"))
    samples = {}
    for name, data in (("pbc", source), ("raabin", target)):
        ids = list(data.frame.index[::50])
        samples[name] = [data.load_image(one) for one in ids], [data.frame.loc[one, "boxes"] for one in ids]
    reference = fit_red_cells(*samples["pbc"])
    images, boxes = samples["raabin"]
    before, after = [], []
    for image, cell_boxes in zip(images, boxes, strict=True):
        own = fitted(image, cell_boxes)
        before.append(np.abs(own.background * np.exp(-own.density) - reference.background * np.exp(-reference.density)))
        restored = fitted(normalize_red_cells(image, own, reference), cell_boxes)
        after.append(np.abs(restored.density - reference.density))
    assert np.mean(before) > 20
    assert np.mean(after) < 0.02
