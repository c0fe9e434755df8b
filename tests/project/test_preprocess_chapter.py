"""Chapter 02 as a whole: no sentence contradicts the numbers beside it, on reversed effects, too."""

import re

import numpy as np
import pytest
from chapter_claims import preprocessing_contradictions, split_checks, stored_text
from factories import disc, save, write

BACKGROUND = {"blast": (238, 222, 236), "normal": (222, 238, 236)}


def cells_for_the_colour_rule(folder):
    """Forty cells of ten patients that reverse what the synthetic cells show.

    Their nuclei have the hue of the rule from the paper, and the brightness of the cytoplasm around them; nothing else
    is dark. The field has a tint that depends on the class, and not on the patient.
    """
    rows = ["image,group"]
    for number in range(40):
        random = np.random.default_rng(number)
        label, patient = ("blast", "normal")[number % 2], number % 10
        centre = random.integers(21, 27, 2)
        nucleus, cell = disc(48, random.integers(8, 11), centre), disc(48, 15, centre)
        stain = np.kron(random.uniform(0.7, 1.25, (12, 12)), np.ones((4, 4)))[..., None]
        image = BACKGROUND[label] + random.normal(0, 2, (48, 48, 3))
        image = np.where(cell[..., None], (190, 75, 95) * stain, image)
        image = np.where(nucleus[..., None], (100, 60, 200) * stain, image)
        name = f"{label}/{number:02d}.png"
        save(folder / name, np.clip(image, 0, 255).astype(np.uint8))
        save(folder / "masks" / name, disc(48, 15.8, centre).astype(np.uint8) + nucleus)
        rows.append(f"{name},P{patient}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


def test_the_committed_chapter_contradicts_none_of_its_numbers():
    assert preprocessing_contradictions(stored_text("02-preprocess")) == []


@pytest.mark.parametrize(
    ("true", "false", "names"),
    [
        ("has a mean Dice of **0.2", "has a mean Dice of **0.3", "hook"),
        ("[0.954, 0.975] here", "[0.914, 0.975] here", "Nucleus"),
        ("against that of *HSV threshold*: higher", "against that of *HSV threshold*: lower", "rules"),
        ("against that of *HSV threshold*", "against that of *Otsu on green*", "worst rule, rules"),
        ("stands out most in *red*", "stands out most in *green*", "channel"),
        ("Best here: *Otsu, three classes*", "Best here: *triangle*", "method"),
        ("*Otsu on green*: eosinophil (0.62", "*Otsu on green*: basophil (0.94", "weakest class of Otsu on green"),
        ("*Reinhard*, fitted on each batch, takes the mean colours nearer",
         "*Reinhard*, fitted on each batch, takes the mean colours no nearer", "Reinhard"),
    ],
)  # fmt: skip
def test_a_sentence_that_contradicts_its_number_is_found_out(true, false, names):
    text = stored_text("02-preprocess")
    assert text.count(true) == 1
    assert ", ".join(preprocessing_contradictions(text.replace(true, false))) == names


@pytest.mark.parametrize(
    ("words", "here", "verdict", "wrong"),
    [
        ("lower by 0.254 [0.160, 0.350]", "0.254", "the same direction", []),
        ("higher by 0.254 [0.160, 0.350]", "0.254", "the same direction", ["split"]),
        ("no difference shown (-0.254 [-0.350, -0.160])", "0.254", "the same direction", ["split"]),
        ("lower by 0.254 [0.160, 0.350]", "-0.254", "not the direction seen here", ["split here"]),
        ("lower by 0.254 [0.160, 0.350]", "0.254", "not the direction seen here", ["split on blood"]),
    ],
)
def test_a_false_sentence_on_the_split_is_found_out(words, here, verdict, wrong):
    checks = split_checks(
        "Split by group, the accuracy is **0.646**; shuffled, it was 0.900. The difference by group against shuffled: "
        f"{words}. Always naming\nhere {here}; on real blood 0.109 (cnmc): {verdict}."
    )
    assert [name for name, holds in checks.items() if not holds] == wrong


@pytest.mark.slow
def test_sentences_turn_round_where_the_effect_does(read_aloud, tmp_path):
    folder = cells_for_the_colour_rule(tmp_path / "cells")
    text, stored = read_aloud("02-preprocess", dataset=f"folder:{folder}", size=48), stored_text("02-preprocess")
    assert preprocessing_contradictions(text) == []
    assert "mean Dice of *HSV threshold* against that of *Otsu on green*: higher by" in text
    assert "against that of *HSV threshold*: higher by" in stored
    assert re.search(r"\*\*Nucleus\*\*: [^*]+ so lower here", text)
    assert re.search(r"\*\*Nucleus\*\*: [^*]+ so higher here", stored)
    assert "The difference by group against shuffled: no difference shown (0.000 [0.000, 0.000])" in text
    assert "(cnmc): a difference." in text
    assert "synthetic" not in text
