"""Scale of fields, from annotated red cells, and their sharpness."""

import cv2
import numpy as np
import pytest

from helpers import datasets
from helpers.counting import scale


def test_scale_of_synthetic_fields_is_known():
    data = datasets.load("synthetic", task="fields", n_images=3, n_patients=3, size=256)
    assert scale.annotated_scale(data).tolist() == [80 / 256] * 3


def test_scale_is_measured_on_red_cells_by_source(real):
    data = real("txl", crop=False)
    by_source = scale.annotated_scale(data).groupby(data.frame["source"]).unique()
    assert by_source["pbc"] == pytest.approx([0.1], abs=0.002)
    assert by_source["raabin"] == pytest.approx([0.0566], abs=0.001)


def test_too_few_red_cells_are_refused(real):
    data = real("bccd", whole_fields=True)
    few = data.select(data.frame.index[:1])
    few.frame["boxes"] = [(("RBC", 0, 0, 90, 90),)]
    with pytest.raises(ValueError, match=r"^bccd: 1 boxes of red cells, and 5 are needed to know the scale; set it"):
        scale.annotated_scale(few)


def test_blurred_field_is_less_sharp(real):
    data = real("bccd", whole_fields=True)
    image = data.reader.read(next(data.frame.itertuples()), None)
    small = scale.rescale_field(image, 0.28, scale.measure_light(image))
    blurred = cv2.GaussianBlur(small, (0, 0), 2)
    assert scale.measure_sharpness(blurred) < 0.5 * scale.measure_sharpness(small)
    assert scale.measure_sharpness(np.full((20, 20, 3), 9, np.uint8)) == 0


def test_field_is_resized_by_the_factor():
    light = np.full(3, 240.0)
    assert scale.rescale_field(np.zeros((480, 640, 3), np.uint8), 0.25, light).shape == (120, 160, 3)
    assert scale.rescale_field(np.zeros((3, 3, 3), np.uint8), 0.01, light).shape == (1, 1, 3)


def test_background_becomes_white_whatever_the_light():
    field = np.full((400, 500, 3), (180, 170, 90), np.uint8)
    field[100:200, 100:200] = (90, 17, 45)
    light = scale.measure_light(field)
    white = scale.rescale_field(field, 1.0, light)
    assert light.tolist() == [180, 170, 90]
    assert white[0, 0].tolist() == [240] * 3
    assert white[150, 150].tolist() == [120, 24, 120]
    assert scale.measure_light(np.zeros((9, 9, 3), np.uint8)).tolist() == [1, 1, 1]
