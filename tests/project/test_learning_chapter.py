"""Sentences of chapter 03 say what its numbers say where no network has to memorise."""

import numpy as np
import pytest
from chapter_claims import find, wrong_learning_sentences
from factories import save, write


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


@pytest.mark.slow
def test_where_colour_tells_the_classes_apart_nothing_is_memorised(read_aloud, tmp_path):
    data = {"dataset": f"folder:{noise_of_two_colours(tmp_path / 'cells')}", "size": 24, "epochs": 8}
    text = read_aloud("03-how-a-network-learns", **data)
    assert wrong_learning_sentences(text) == []
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
    assert wrong_learning_sentences(text) == [
        "which half is darker",
        "what two numbers can do",
        "gap 0.30",
        "where the validation loss turned",
        "more data higher by 0.400",
    ]
