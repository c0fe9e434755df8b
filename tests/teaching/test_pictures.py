"""Pictures of quiz questions: what they show is what the questions say of them."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from helpers.metrics import dice_and_iou
from helpers.teaching import laboratory_pictures, pictures, quizzes


@pytest.mark.parametrize("name", sorted(quizzes.known_pictures()))
def test_a_picture_fits_a_telephone_and_its_alt_text_describes_it(name):
    figure, again = (quizzes.known_pictures()[name]() for _ in range(2))
    content = figure.to_png()
    image = Image.open(io.BytesIO(content))
    assert 200 <= image.width <= 480
    assert image.height <= 640
    assert 80 <= len(figure.alt) <= 500
    assert (figure.alt, content) == (again.alt, again.to_png()), "it changes from call to call"


def test_only_b_overfits():
    axes = pictures.overfitting_curves().figure.axes
    gaps, rises = [], []
    for ax in axes:
        training, validation = (line.get_ydata() for line in ax.lines)
        gaps.append(validation[-1] - training[-1])
        rises.append(validation[-1] - validation.min())
    assert np.round(gaps, 1).tolist() == [0.1, 0.6, 0.0]
    assert np.round(rises, 1).tolist() == [0.0, 0.2, 0.0]


def test_the_shifted_outline_has_the_higher_dice():
    data = pictures.datasets.load("synthetic", n_images=1, n_patients=1, size=128)
    cell = data.load_masks(128)[0] > 0
    shifted = ndimage.shift(cell.astype(np.uint8), (4, 4), order=0) > 0
    assert dice_and_iou(cell, shifted)[0] > 0.9
    assert 0.6 < dice_and_iou(cell, pictures._upper_half(cell))[0] < 0.75


def test_one_histogram_has_a_valley():
    valleys = []
    for ax in pictures.histograms().figure.axes:
        heights = ndimage.gaussian_filter1d([bar.get_height() for bar in ax.patches], 1)
        valleys.append(((heights[1:-1] < heights[:-2]) & (heights[1:-1] < heights[2:]) & (heights[1:-1] < 50)).sum())
    assert valleys == [1, 0, 0]


def test_the_palest_spot_of_the_three_is_the_nucleolus():
    (ax,) = pictures.numbered_lymphoblast().figure.axes
    image = ax.images[0].get_array().astype(float)
    greens = {text.get_text(): image[text.xy[1], text.xy[0], 1] for text in ax.texts}
    assert greens["2"] < greens["3"] < greens["1"]


def test_the_larger_nucleus_has_the_smaller_ratio():
    numbers = [int(word) for word in re.findall(r"\d+", pictures.two_nuclei().alt)]
    nucleus_a, cell_a, nucleus_b, cell_b = numbers
    assert nucleus_a > nucleus_b
    assert nucleus_a / cell_a < nucleus_b / cell_b - 0.1


def test_clouds_of_blue_are_mixed_in_classes_and_pure_in_patients():
    figure = pictures.blue_clouds()
    values = np.concatenate([dots.get_offsets()[:, 1] for dots in figure.figure.axes[0].collections])
    assert (np.abs(values - pictures._BETWEEN_CLOUDS) > 10).all()
    assert "A: 2 of 6 columns have dots in both clouds. B: 0 of 12 columns" in figure.alt


def test_only_in_q_the_mistake_leaves_the_value_and_narrows_the_interval():
    alt = pictures.four_pairs().alt
    pattern = r"(\w): with the mistake ([\d.]+) \[([\d.]+), ([\d.]+)\], corrected ([\d.]+) \[([\d.]+), ([\d.]+)\]"
    found = {name: [float(number) for number in numbers] for name, *numbers in re.findall(pattern, alt)}
    assert sorted(found) == list("PQRS")
    assert [name for name, pair in found.items() if pair[0] == pair[3]] == ["Q"]
    assert found["Q"][2] - found["Q"][1] < 0.2 * (found["Q"][5] - found["Q"][4])


def test_model_a_is_flatter_than_the_diagonal_and_b_is_on_it():
    slopes = []
    for ax in pictures.reliability_diagram().figure.axes:
        predicted, observed = ax.lines[1].get_data()
        slopes.append(np.polyfit(predicted, observed, 1)[0])
        assert np.abs(observed - predicted).max() < (0.21 if len(slopes) == 1 else 0.04)
    assert slopes == pytest.approx([0.5, 1.0], abs=0.05)


def test_only_the_frozen_curve_begins_late_and_falls_within_seconds():
    lines = pictures.transfer_curves().figure.axes[0].lines[:3]
    starts, durations, falls = zip(
        *((line.get_xdata()[0], np.ptp(line.get_xdata()), np.ptp(line.get_ydata())) for line in lines), strict=True
    )
    assert durations[0] < 10 < min(durations[1:])
    assert starts[0] > starts[2]  # from scratch begins at once
    assert lines[2].get_ydata()[0] == pytest.approx(np.log(4))
    assert falls[0] > 0.5


def test_only_the_validation_loss_of_b_jumps_where_all_layers_are_trained():
    steps = []
    for ax in pictures.unfreezing_curves().figure.axes:
        training, validation = (line.get_ydata() for line in ax.lines[:2])
        assert (np.diff(training) < 0).all()
        steps.append(validation[4] - validation[3])
    assert steps[0] < 0 < 0.5 < steps[1]


def test_only_in_a_the_most_common_class_of_a_slide_is_nearly_always_right():
    shares = []
    for ax in laboratory_pictures.slides_by_class().figure.axes:
        images = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
        shares.append(images.max(axis=0).sum() / images.sum())
    assert shares[0] == 1
    assert shares[1] < 0.4


def test_referral_helps_a_only_and_harms_c():
    lines = laboratory_pictures.risk_coverage_curves().figure.axes[0].lines
    steps = [np.sign(np.diff(line.get_ydata())) for line in lines]
    assert [set(one) for one in steps] == [{1}, {0}, {-1}]
    assert len({line.get_ydata()[-1].round(6) for line in lines}) == 1
