"""The path of a blood film."""

from layout import misplaced, text_boxes
from matplotlib.patches import FancyBboxPatch

from helpers.diagrams.blood_film import STEPS, WIDTH, blood_film


def test_every_step_is_drawn_in_the_order_of_the_path():
    drawn = [text for text, _ in text_boxes(blood_film().figure)]
    titles = [text for text in drawn if text in {step.title for step in STEPS}]
    assert titles == [
        "Blood sample", "Analyser", "Flag?", "Film review", "Haematologist", "Bone marrow", "Immunophenotype, genes",
        "Diagnosis",
    ]  # fmt: skip
    assert [text for text in drawn if text in "ABC"] == ["A", "B", "C"]


def test_no_text_leaves_the_figure_or_covers_another():
    assert misplaced(blood_film().figure) == []


def test_every_line_of_a_step_fits_its_box():
    figure = blood_film().figure
    boxes = [p.get_window_extent() for p in figure.axes[0].patches if isinstance(p, FancyBboxPatch)]
    for line in (text for step in STEPS for text in (step.title, step.decided_by)):
        (extent,) = [box for text, box in text_boxes(figure) if text == line]
        assert any(box.x0 < extent.x0 and extent.x1 < box.x1 and box.y0 < extent.y0 < box.y1 for box in boxes), line


def test_alt_text_names_every_step_and_the_figure_fits_a_telephone():
    figure = blood_film()
    names = [step.title.rstrip("?").split(",")[0].lower() for step in STEPS]
    assert [name for name in names if name not in figure.alt.lower()] == []
    assert WIDTH <= 5
