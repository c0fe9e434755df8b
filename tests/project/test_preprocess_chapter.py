"""Chapter 02 as a whole: no sentence contradicts the numbers beside it, on other resamples and on reversed effects."""

import re

import numpy as np
import pandas as pd
import pytest
from factories import disc, save, write

from helpers.project import Project
from helpers.runs import notebooks

NUMBER = r"(-?\d+\.\d+)"
INTERVAL = rf"\[{NUMBER}, {NUMBER}\]"
BACKGROUND = {"blast": (238, 222, 236), "normal": (222, 238, 236)}


def stored_text():
    """All that the committed chapter shows: the quick run on synthetic cells, without what a training decides."""
    cells = notebooks.read(Project.current().notebooks / "02-preprocess.ipynb").cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def published(split):
    """AUC and interval of one split of C-NMC, from the published table."""
    rows = pd.read_csv(Project.current().results / "full-cnmc-classify-split.csv", index_col="split")
    return "{AUC:.3f} [{low:.3f}, {high:.3f}]".format(**rows.loc[split])


def rule_means(text):
    """Mean Dice of each rule, from the table."""
    rows = re.findall(r"^(HSV threshold|Otsu on green|k-means in Lab) +(\d\.\d+) ", text, re.MULTILINE)
    return {rule: float(mean) for rule, mean in rows}


def fits(words, difference):
    """Whether the words on a difference (A − B) fit its value, rounded to three decimals."""
    if unclear := re.match(rf"no difference shown \({NUMBER} {INTERVAL}\)", words):
        value, low, high = map(float, unclear.groups())
        return low <= 0 <= high and value == pytest.approx(difference, abs=2e-3)
    comparative, size = re.match(rf"(higher|lower) by {NUMBER}", words).groups()
    return float(size) * (1 if comparative == "higher" else -1) == pytest.approx(difference, abs=2e-3)


def best_checks(text):
    """Whether what is called the best of a list has its highest value."""
    patterns = {
        "channel": r"stands out most in \*(\w+)\*\. Distances of the means, in spreads: (.+)\.",
        "method": r"before any clean-up: (?=.*Best here: \*([^*]+)\*)(.+)\. Best",
    }
    checks = {}
    for name, pattern in patterns.items():
        best, values = re.search(pattern, text).groups()
        value = {item: float(number) for item, number in re.findall(r"\*?([a-zA-Z, ]+?)\*? (\d+\.\d+)", values)}
        checks[name] = value[next(item for item in value if item.strip(", ") == best)] == max(value.values())
    return checks


def rule_checks(text):
    """Whether the sentences on the three rules fit their table and figure."""
    means = rule_means(text)
    pattern = r"mean Dice of \*([^*]+)\* against that of \*([^*]+)\*: (.+)\.$"
    best, worst, words = re.search(pattern, text, re.MULTILINE).groups()
    hook = re.search(rf"the rule has a mean Dice of \*\*{NUMBER}", text)[1]
    checks = {
        "hook": float(hook) == means["HSV threshold"],
        "best rule": means[best] == max(means.values()),
        "worst rule": means[worst] == min(means.values()),
        "rules": fits(words, means[best] - means[worst]),
    }
    for rule, label, value in re.findall(r"\*([^*]+)\*: (\w+) \((\d\.\d\d), \d+ images of", text):
        of_rule = re.findall(rf"[:;] \w+, {rule} (\d\.\d\d)[ ,]", text)
        checks[f"weakest class of {rule}"] = value == min(of_rule) and f" {label}, {rule} {value}" in text
    return checks


def blood_checks(text):
    """Whether the comparison with wbc1 fits the intervals beside it."""
    pattern = rf"\*\*([\w ]+)\*\*: {NUMBER} {INTERVAL} here, {NUMBER} {INTERVAL} there \([^)]*\), so (\w+) here"
    checks = {}
    for region, _, low, high, _, stored_low, stored_high, verdict in re.findall(pattern, text):
        apart = low > stored_high if verdict == "higher" else high < stored_low  # all have three decimals
        checks[region] = apart
    return checks


def normalisation_checks(text):
    """Whether *nearer* is written where the distance has become less."""
    words = r"\*(\w+)\*, fitted on each batch, takes the mean colours (nearer|no nearer) to "
    matches = re.findall(rf"{words}.+?: {NUMBER} before, {NUMBER} after", text)
    return {method: (word == "nearer") == (float(after) < float(before)) for method, word, before, after in matches}


def split_checks(text):
    """Whether the sentences on the split fit each other; no checks where its numbers are not stored."""
    pattern = (
        rf"Split by group, the accuracy is \*\*{NUMBER}\*\*; shuffled, it was {NUMBER}\. "
        r"The difference by group against shuffled: (.+?)\. Always"
    )
    split = re.search(pattern, text)
    if not split:
        return {}
    difference = float(split[1]) - float(split[2])
    gap, stored_gap, verdict = re.search(rf"here {NUMBER}; on real blood {NUMBER} \(cnmc\): (.+)\.", text).groups()
    same = np.sign(float(gap)) == np.sign(float(stored_gap))
    return {
        "split": fits(split[3], difference),
        "split here": float(gap) == pytest.approx(-difference, abs=2e-3),
        "split on blood": verdict == ("the same direction" if same else "not the direction seen here"),
    }


def contradictions(text):
    """Names of the sentences that contradict a number beside them; an empty list is a true chapter."""
    checks = {}
    for find in (best_checks, rule_checks, blood_checks, normalisation_checks, split_checks):
        checks |= find(text)
    return [name for name, holds in checks.items() if not holds]


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
    assert contradictions(stored_text()) == []


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
    text = stored_text()
    assert text.count(true) == 1
    assert ", ".join(contradictions(text.replace(true, false))) == names


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
def test_another_seed_changes_the_intervals_and_no_conclusion(read_aloud):
    text, stored = read_aloud("02-preprocess", seed=21), stored_text()
    assert contradictions(text) == []
    assert rule_means(text) == rule_means(stored)
    pattern = rf"the rule has a mean Dice of \*\*({NUMBER} {INTERVAL})"
    assert re.search(pattern, text)[1] != re.search(pattern, stored)[1]
    assert "The difference by group against shuffled: lower by" in text
    assert "(cnmc): the same direction." in text
    assert f"AUC **{published('by image')}** split by image, **{published('by patient')}** split by patient" in text


@pytest.mark.slow
def test_sentences_turn_round_where_the_effect_does(read_aloud, tmp_path):
    folder = cells_for_the_colour_rule(tmp_path / "cells")
    text, stored = read_aloud("02-preprocess", dataset=f"folder:{folder}", size=48), stored_text()
    assert contradictions(text) == []
    assert "mean Dice of *HSV threshold* against that of *Otsu on green*: higher by" in text
    assert "against that of *HSV threshold*: higher by" in stored
    assert re.search(r"\*\*Nucleus\*\*: [^*]+ so lower here", text)
    assert re.search(r"\*\*Nucleus\*\*: [^*]+ so higher here", stored)
    assert "The difference by group against shuffled: no difference shown (0.000 [0.000, 0.000])" in text
    assert "(cnmc): not the direction seen here." in text
    assert "synthetic" not in text
