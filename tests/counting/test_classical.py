"""Classical detection of white blood cells on generated nuclei, synthetic fields and real ones."""

import cv2
import numpy as np
import pandas as pd
import pytest

from helpers import metrics
from helpers.counting.classical import WORKING_POINT, detect_classical
from helpers.datasets import load
from helpers.datasets.boxes import box_table
from helpers.images.scale import ScaleError

UM = 0.25  # per pixel of the generated fields


def field(*nuclei, side=200, red=True):
    """A field of discs ``(x, y, diameter in µm)`` as dense as nuclei, and a few red cells."""
    image = np.full((side, side, 3), (240, 230, 225), np.uint8)
    if red:
        for x, y in ((30, 30), (30, 170), (170, 30), (100, 185)):
            cv2.circle(image, (x, y), 15, (205, 150, 155), cv2.FILLED)
    for x, y, diameter in nuclei:
        cv2.circle(image, (x, y), round(diameter / UM / 2), (80, 40, 120), cv2.FILLED)
    return image


def cells(image, um_per_pixel=UM):
    found = detect_classical(image, um_per_pixel)
    return found[found["score"] >= WORKING_POINT]


def centres(found):
    x, y = (found["left"] + found["right"]) / 2, (found["top"] + found["bottom"]) / 2
    return sorted(zip(x.round(), y.round(), strict=True))


def test_a_nucleus_gets_a_box_that_is_a_third_larger():
    found = cells(field((100, 100, 9)))
    assert centres(found) == [pytest.approx((100, 100), abs=1)]
    assert (found["right"] - found["left"]).item() == pytest.approx(1.3 * 36, abs=3)


def test_the_box_is_in_pixels_of_the_image_whatever_its_scale():
    image = field((100, 100, 9))
    large = cv2.resize(image, None, fx=3, fy=3)
    assert centres(cells(large, UM / 3)) == [pytest.approx((300, 300), abs=3)]
    assert cells(large, UM).empty  # a nucleus of 27 µm is none


def test_lobes_of_one_nucleus_are_one_cell_and_touching_cells_are_two():
    lobes = field((90, 100, 4.5), (112, 100, 4.5))  # gap of 1 µm
    assert len(cells(lobes)) == 1
    touching = field((80, 100, 10), (120, 100, 10))
    assert centres(cells(touching)) == [pytest.approx((80, 100), abs=3), pytest.approx((120, 100), abs=3)]


def test_platelets_and_red_cells_are_no_cells():
    assert detect_classical(field((100, 100, 2.5), (60, 90, 3)), UM).empty
    assert cells(field()).empty


@pytest.mark.parametrize(
    "image",
    [np.full((50, 80, 3), 240, np.uint8), np.zeros((50, 80, 3), np.uint8), np.full((1, 1, 3), 9, np.uint8)],
    ids=["empty field", "black", "one pixel"],
)
def test_a_field_without_anything_has_no_detection(image):
    found = detect_classical(image, UM)
    assert found.empty
    assert found.columns.tolist() == ["left", "top", "right", "bottom", "score"]


def test_bad_scales_are_refused_in_one_line():
    with pytest.raises(ScaleError, match=r"0 µm per pixel must be from 0.01 to 10"):
        detect_classical(field(), 0)
    with pytest.raises(ScaleError, match=r"200×200 pixels of 5 µm are 4000×4000 of 0.25 µm, more than 1024; cut"):
        detect_classical(field(), 5)


def scored(data, um_per_pixel, ids):
    frame = data.frame.loc[ids]
    detected = pd.concat(
        detect_classical(data.load_image(image_id), um_per_pixel).assign(image_id=image_id) for image_id in ids
    )
    matches = metrics.match_detections(detected, box_table(frame), criterion="centre")
    return metrics.detection_average_precision(matches, frame["group"], seed=0).value


def test_most_cells_of_synthetic_fields_are_found():
    data = load("synthetic", task="fields", n_images=10, n_patients=5, size=512, seed=7)
    assert scored(data, 80 / 512, data.frame.index) > 0.9


def test_most_cells_of_real_fields_are_found(real):
    data = real("txl", source="pbc", crop=False)
    assert scored(data, 7.5 / 77, data.frame.index[3::25]) > 0.75
