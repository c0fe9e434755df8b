"""Diagrams of *Preprocess*: what they show follows from the image and from the law of Beer and Lambert."""

import numpy as np

from helpers.diagrams import preprocessing as diagrams


def texts(diagram):
    return [text.get_text() for text in diagram.figure.axes[0].texts]


def test_the_way_to_a_mask_shows_the_clean_up_of_this_image():
    image = np.full((40, 40, 3), 220, np.uint8)
    image[10:30, 10:30, 1] = 50
    image[2, 2, 1] = 50
    diagram = diagrams.way_to_a_mask(image, threshold=100)
    assert "green at most 100" in texts(diagram)
    shown = [np.asarray(picture.get_array()) for picture in diagram.figure.axes[0].images]
    assert [int(picture.sum()) for picture in shown[2:4]] == [401, 400]
    assert "the pixels up to the threshold of 100 in white" in diagram.alt


def test_densities_add_and_the_colour_of_both_stains_is_their_product():
    diagram = diagrams.light_through_stain()
    assert {"100 %", "50 %", "25 %", "density 0.69", "density 1.39"} <= set(texts(diagram))
    blue, red, both, mean = (np.asarray(i.get_array())[0, 0].astype(int) for i in diagram.figure.axes[0].images)
    assert np.abs(both - blue * red / 255).max() <= 1
    assert (both < mean).all()


def test_split_by_patient_keeps_all_cells_of_a_patient_on_one_side():
    diagram = diagrams.image_or_group_split()
    assert texts(diagram).count("test") == 9  # four of each split, and the legend
    assert "Split by patient: all test cells are those of one patient." in diagram.alt
    assert diagram.alt.count("3 patients") == 1
