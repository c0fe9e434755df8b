"""Sentences of chapters 00 and 01 say what is in the data: with another seed, and where the effect is another one."""

import numpy as np
import pytest
from chapter_claims import stored_text
from factories import cell_folder, save, write

pytestmark = pytest.mark.slow


def yellow_and_grey_cells(folder, tinted):
    """24 noisy cells of 6 patients, two classes each; those that ``tinted(label, patient)`` names are yellow."""
    rows = ["image,group"]
    for number in range(24):
        label, patient = ("blast", "normal")[number % 2], number // 2 % 6
        picture = np.random.default_rng(number).integers(150, 250, (48, 48, 3), np.uint8)
        picture[..., 2] //= 3 if tinted(label, patient) else 1
        name = f"{label}/{number:02d}.png"
        save(folder / name, picture)
        rows.append(f"{name},P{patient}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


def add_reversed_masks(folder):
    """Masks in which the normal cells are small and nearly all nucleus, and the blasts are large with little of it."""
    for number in range(24):
        label, cell, nucleus = (("blast", 40, 10), ("normal", 20, 16))[number % 2]
        mask = np.zeros((48, 48), np.uint8)
        mask[: cell + number // 8, :cell] = 1
        mask[:nucleus, :nucleus] = 2
        save(folder / "masks" / label / f"{number:02d}.png", mask)


@pytest.mark.parametrize(
    ("tinted", "column"),
    [(lambda label, patient: label == "blast", "label"), (lambda label, patient: patient < 2, "group")],
    ids=["class", "patient"],
)
def test_the_column_that_makes_the_clouds_is_named(read_aloud, tmp_path, tinted, column):
    folder = yellow_and_grey_cells(tmp_path / "cells", tinted)
    text = read_aloud("01-explore-the-cells", dataset=f"folder:{folder}", size=32)
    assert f"The column *{column}* explains the clouds best: it is right for 100.0% of the images" in text
    assert "left out: no masks here; ratios have to wait for chapter 04" in text
    assert "No figure: no image has a mask with a cell." in text
    assert "Always answering the commoner class" not in text
    assert "nan" not in text.lower().split()


def test_a_rule_is_read_aloud_where_the_normal_cells_have_the_higher_ratio(read_aloud, tmp_path):
    folder = yellow_and_grey_cells(tmp_path / "cells", lambda label, patient: False)
    add_reversed_masks(folder)
    text = read_aloud("01-explore-the-cells", dataset=f"folder:{folder}", size=48)
    assert "Of the pairs *blast, normal*, 0% are in the wrong order. Chance level is 50%." in text
    rules = next(line for line in text.splitlines() if "Always answering the commoner class" in line)
    assert "the rule on the ratio 0, the rule on ratio and area" in rules
    assert "Of *normal*, the ratio misses 0, ratio and area" in rules
    assert "left out" not in text


def test_without_a_second_cloud_none_is_explained(read_aloud, tmp_path):
    folder = cell_folder(tmp_path / "cells", tuple("abcdefgh"), 6)
    text = read_aloud("01-explore-the-cells", dataset=f"folder:{folder}", size=32)
    gap = "one cloud, and some outliers" in text
    assert gap == ("There is no second cloud to explain." in text)
    assert "Fewest groups: 6 of 48, for *a*, *b*, *c*, *d*, *e*, *f*, *g*, *h*." in text


def test_other_cells_are_shown_with_another_seed(read_aloud):
    texts = [stored_text("01-explore-the-cells"), read_aloud("01-explore-the-cells", seed=21)]
    pixels = [next(line for line in text.splitlines() if "The pixel in the middle is" in line) for text in texts]
    assert pixels[0] != pixels[1]
    assert all("The column *group* explains the clouds best" in text for text in texts)
    assert all("Always answering the commoner class" in text and "Of *lymphoblast*, the" in text for text in texts)
    assert all("are in the wrong order; of the pairs" in text for text in texts)
    clipped = [next(line for line in text.splitlines() if "The display range from" in line) for text in texts]
    assert clipped[0] != clipped[1]


def test_groups_are_counted_where_every_image_is_its_own(read_aloud, tmp_path):
    folder = cell_folder(tmp_path / "cells", ("a", "b"), 4)
    text = read_aloud("00-start-here", dataset=f"folder:{folder}", size=32)
    assert "Each of the 8 images is a group of its own: no patients are known" in text
