"""Sentences of chapters compared with the numbers beside them: of the book's run, and of runs on unusual data."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.project import Project
from helpers.runs import notebooks

ROUNDING = 0.0151  # of a difference between numbers with two decimals
MEASURED_TO = 0.0006  # half of the last decimal of a sentence, and some rounding


def displayed_text(notebook: Path):
    """All that an executed notebook prints or displays as text."""
    outputs = [output for cell in notebooks.read(notebook).cells for output in cell.get("outputs", [])]
    return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def stored_text(chapter):
    """All that a committed chapter shows: the quick run on synthetic cells, without what a training decides."""
    return displayed_text(Project.current().notebooks / f"{chapter}.ipynb")


# --- chapter 02

NUMBER = r"(-?\d+\.\d+)"
INTERVAL = rf"\[{NUMBER}, {NUMBER}\]"


def published_auc(split):
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
    here, there = np.sign(float(gap)), np.sign(float(stored_gap))
    directions = "the same direction" if here == there else "not the direction seen here" if here else "a difference"
    return {
        "split": fits(split[3], difference),
        "split here": float(gap) == pytest.approx(-difference, abs=2e-3),
        "split on blood": verdict == (directions if there else "no difference"),
    }


def preprocessing_contradictions(text):
    """Names of the sentences of chapter 02 that contradict a number beside them; an empty list is a true chapter."""
    checks = {}
    for find in (best_checks, rule_checks, blood_checks, normalisation_checks, split_checks):
        checks |= find(text)
    return [name for name, holds in checks.items() if not holds]


# --- chapter 03


def find(pattern, text):
    """The groups of the first match, numbers as such."""
    found = re.search(pattern, text)
    assert found, f"no sentence like {pattern!r}"
    return [float(part) if re.fullmatch(r"-?[\d.]*\d", part or "") else part for part in found.groups()]


def wrong_learning_sentences(text):
    """The sentences of chapter 03 that contradict the numbers beside them."""
    wrong = []
    left, right, darker = find(r"left half has a mean of (\d+), the right half of (\d+): the (\w+) one is", text)
    if left != right and (darker == "right") != (left > right):
        wrong.append("which half is darker")
    before, after, sensitive = find(
        r"By (\d+) % on average before pooling and by (\d+) % after it.*?map (less|not)", text
    )
    if before != after and (sensitive == "less") != (after < before):
        wrong.append("what pooling does")
    two_numbers, more, common = find(
        r"name (\d+) % of the \d+ validation cells correctly, (more|no more) than the (\d+)", text
    )
    if two_numbers != common and (more == "more") != (two_numbers > common):
        wrong.append("what two numbers can do")
    for training, validation, gap in re.findall(r"training ([\d.]+), validation ([\d.]+), gap (-?[\d.]*\d)", text):
        if abs(float(validation) - float(training) - float(gap)) > ROUNDING:
            wrong.append(f"gap {gap}")
    last = find(r"\d+ images: training [\d.]+, validation ([\d.]+), gap -?[\d.]+\d\.\n", text)[0]
    lowest, turn, n_epochs, rise = find(
        r"was lowest, ([\d.]+), after epoch (\d+) of (\d+), (?:and has risen by ([\d.]*\d)|the last)", text
    )
    if (turn == n_epochs) != (rise is None) or abs(lowest + (rise or 0) - last) > ROUNDING:
        wrong.append("where the validation loss turned")
    return wrong + _wrong_cures(text)


def _wrong_cures(text):
    """The cures whose comparison with no cure contradicts the table of losses."""
    table = dict(
        re.findall(r"(?m)^(nothing|more data|augmentation|dropout|\w+ decay|smaller \w+|early \w+) +([\d.]+) ", text)
    )
    compared = find(r"against no cure, on the same cells: (.*?)\. An interval", text)[0].split("; ")
    wrong = []
    for cure, loss in list(table.items())[1:]:
        (words,) = [clause for clause in compared if clause.startswith(cure)]
        sign = {"lower": -1, "higher": 1, "no": 1, "equal": 0}[words.removeprefix(cure).split()[0]]
        size = float(re.search(r"-?\d+\.\d+", f"{words} 0.0")[0])
        if abs(float(loss) - float(table["nothing"]) - sign * size) > 0.0021:
            wrong.append(words)
    assert len(table) == len(compared) + 1 == 7
    return wrong


# --- chapter 04


def stated(text, clause):
    """The signed difference that follows a clause: ``higher by 0.1``, ``equal`` or ``here -0.1``."""
    found = re.search(re.escape(clause) + r" (?:(higher|larger|lower|smaller) by |here |equal)(-?[\d.]*)", text)
    assert found, f"{clause!r} is not followed by a difference"
    comparative, size = found.groups()
    return (-1 if comparative in ("lower", "smaller") else 1) * float(size or 0)


def value(table, column="dice", **row):
    """The value of the one row that has these contents."""
    selected = table[(table[[*row]] == [*row.values()]).all(axis=1)]
    (only,) = selected[column]
    return only


def check_gain_and_ablation(text, read_table):
    """Compare the sentences on thresholds, network and skip connections with the tables of chapter 04."""
    dice, skips = read_table("dice"), read_table("skips")
    cell = {"region": "whole cell"}
    gain = value(dice, method="U-Net", **cell) - value(dice, method="Otsu", **cell)
    assert stated(text, "Whole-cell Dice, U-Net − Otsu:") == pytest.approx(gain, abs=MEASURED_TO)
    assert stated(text, "over thresholds (whole-cell Dice, U-Net − Otsu):") == pytest.approx(gain, abs=MEASURED_TO)
    change = value(skips, "difference", measure="dice", region="nucleus")
    assert stated(text, "on the nucleus: Dice") == pytest.approx(change, abs=MEASURED_TO)
    further = value(skips, "difference", measure="hausdorff95", region="nucleus")
    assert stated(text, "; HD95, in pixels,") == pytest.approx(further, abs=MEASURED_TO)
    assert "largest difference from Conv2DTranspose: 0" in text
    assert "has the same value on all" in text  # the loss in sight and that of the helper
    assert "nan" not in text.lower().split()


def check_shift_and_augmentation(text, read_table):
    """Compare the sentences on the second stain and on augmentation with the tables of chapter 04."""
    shift, augmentation = read_table("shift"), read_table("augmentation")
    at = {"region": "whole cell", "tested on": "target"}
    home = {"region": "whole cell", "tested on": "source", "trained on": "source"}
    away = value(shift, **at, **{"trained on": "source"})
    assert stated(text, "target − source:") == pytest.approx(away - value(shift, **home), abs=MEASURED_TO)
    both = value(shift, **at, **{"trained on": "both"}) - away
    assert stated(text, "here with 120 images in place of 60:") == pytest.approx(both, abs=MEASURED_TO)
    usual = value(augmentation, augmentation="usual", **at) - value(augmentation, augmentation="nothing", **at)
    assert stated(text, "Usual augmentation − none:") == pytest.approx(usual, abs=MEASURED_TO)


# --- chapter 06


def check_averages_and_copies(text, recognised):
    """Compare the sentences on accuracy and on copies before the split with their numbers.

    Args:
        recognised: whether the images are so unlike each other that a network recognises copies of them.
    """
    averages = re.search(r"Accuracy is (\d\.\d+), balanced accuracy (\d\.\d+)", text)
    difference = float(averages[1]) - float(averages[2])
    assert ("the common classes hide" in text) == (difference > 0.02) or np.isclose(difference, 0.02, atol=0.01)
    memory = re.search(r"balanced accuracy is (\d\.\d+) without copies.* made before the split it is (\d\.\d+)", text)
    without, copies = float(memory[1]), float(memory[2])
    assert without < 0.6
    assert (copies > 0.9) == recognised
    gain = copies - without
    assert ("copies of the test images, recognised." in text) == (gain > 0.1) or np.isclose(gain, 0.1, atol=0.01)
    assert "nan" not in text.lower().split()


# --- chapter 09

HONEST = "New patients, no mistake that we know of: AUC"


def number_after(text, pattern):
    """The first number that follows a pattern."""
    return float(re.search(pattern + r"\D*?(\d\.\d+)", text)[1])


def check_mistakes_and_shift(text):
    """Compare the sentences of chapter 09 on the honest result, the mistakes and the shift with each other."""
    honest = number_after(text, HONEST)
    assert honest == number_after(text, "\nB +AUC")
    assert honest == number_after(text, r"2 copies before the split\*\*.*corrected, AUC")
    assert re.search(
        r"In this run the mistake raises \d+ of 13 numbers.*lies above 0 in \d+ rows and below 0 in \d+\.", text
    )
    assert "1.00 by the first definition" in text
    assert re.search(r"\*\*The same stain:\*\* 11% are blasts, .*whose interval (holds|misses) the true share", text)
    assert "AUC of 0.5" in text
    assert "nan" not in text.lower().split()
