"""Sentences of chapter 03 say what its numbers say: with another seed, and where no network has to memorise."""

import re

import numpy as np
import pytest
from factories import save, write

from helpers.project import Project
from helpers.runs import kernels, notebooks

pytestmark = pytest.mark.slow

ROUNDING = 0.0151  # of a difference between numbers with two decimals


@pytest.fixture
def run_chapter(tmp_path):
    """A function that executes the chapter with small images and returns all that it prints or displays as text."""

    def execute(**parameters):
        target = tmp_path / "03-how-a-network-learns.ipynb"
        source = Project.current().notebooks / target.name
        kernels.execute(source, target, {"size": 24, "epochs": 8, **parameters}, tmp_path, progress=False)
        outputs = [output for cell in notebooks.read(target).cells for output in cell.get("outputs", [])]
        return "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)

    return execute


def noise_of_two_colours(folder):
    """72 images of noise from 18 patients: one class is yellow, and size and shape say nothing."""
    rows = ["image,group"]
    for number in range(72):
        label = ("grey", "yellow")[number % 2]
        picture = np.random.default_rng(number).integers(150, 250, (48, 48, 3), np.uint8)
        picture[..., 2] //= 4 if label == "yellow" else 1
        name = f"{label}/{number:02d}.png"
        save(folder / name, picture)
        rows.append(f"{name},P{number // 2 % 18}")
    write(folder / "groups.csv", "\n".join(rows))
    return folder


def find(pattern, text):
    found = re.search(pattern, text)
    assert found, f"no sentence like {pattern!r}"
    return [float(part) if re.fullmatch(r"-?[\d.]*\d", part or "") else part for part in found.groups()]


def wrong_sentences(text):
    """The sentences of the chapter that contradict the numbers beside them."""
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
    return wrong + wrong_cures(text)


def wrong_cures(text):
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


def test_with_another_seed_the_sentences_follow_the_numbers(run_chapter):
    cells = {"synthetic": {"n_images": 360, "n_patients": 60, "size": 48, "balanced": True}}
    text = run_chapter(options=cells, seed=21, n_few=24)
    assert wrong_sentences(text) == []
    assert "All cells here are synthetic" in text
    assert "every one is the same, 4 columns further right" in text
    assert "it is smallest with sigmoid" in text
    assert "the first 8 epochs are the same to the last digit" in text


def test_where_colour_tells_the_classes_apart_nothing_is_memorised(run_chapter, tmp_path):
    text = run_chapter(dataset=f"folder:{noise_of_two_colours(tmp_path / 'cells')}")
    assert wrong_sentences(text) == []
    assert find(r"cells of other patients it is right in (\d+) %", text) == [100]
    assert find(r"images the network names (\d+) % of the validation cells", text) == [100]
    assert find(r"area and N:C ratio alone named (\d+) %", text)[0] < 90
    assert find(r"(\d+) % of its \d+ cells, and in", text)[0] < 100  # shuffled labels of noise take longer to remember
    assert "synthetic" not in text


def test_a_sentence_that_contradicts_its_numbers_is_found_out():
    text = (
        "left half has a mean of 9, the right half of 4: the left one is darker. By 7 % on average before pooling and "
        "by 5 % after it, so pooling has made the map less sensitive. They name 60 % of the 9 validation cells "
        "correctly, no more than the 50 % of one class. one kernel: training 0.60, validation 0.70, gap 0.30; "
        "40 images: training 0.10, validation 0.90, gap 0.80.\n"
        "It was lowest, 0.50, after epoch 8 of 8, and has risen by 0.40 since.\n"
        "nothing 0.900 [\nmore data 0.500 [\naugmentation 0.950 [\ndropout 0.900 [\nweight decay 0.800 [\n"
        "smaller network 0.700 [\nearly stopping 0.500 [\n"
        "against no cure, on the same cells: more data higher by 0.400; augmentation no difference shown "
        "(0.050 [0, 1]); dropout equal in these 6 groups; weight decay lower by 0.100; smaller network lower by 0.200; "
        "early stopping lower by 0.400. An interval"
    )
    assert wrong_sentences(text) == [
        "which half is darker",
        "what two numbers can do",
        "gap 0.30",
        "where the validation loss turned",
        "more data higher by 0.400",
    ]
