"""Pairs of images that show one cell are printed, written as a table, and shown on a page."""

import re

import cv2
import numpy as np
import pandas as pd
import pytest
from factories import save
from typer.testing import CliRunner

from helpers import datasets
from helpers.cli import app
from helpers.evaluation import duplicates


@pytest.fixture(scope="module")
def cells():
    return datasets.load("synthetic", n_images=24, n_patients=6, size=96).load_images(96)


def crop(cell):
    """The same cell cut out anew, mirrored."""
    return np.ascontiguousarray(cv2.resize(cell[4:90, 6:92], (96, 96))[:, ::-1])


@pytest.fixture
def laboratories(tmp_path, cells):
    """Two class folders: a cell is twice in the first, and once more in the second, where another is a plain copy."""
    for number, cell in enumerate(cells):
        folder = "first" if number < 12 else "second"
        save(tmp_path / folder / ("blast" if number % 2 else "normal") / f"{number:02d}.png", cell)
    save(tmp_path / "first" / "normal" / "again.png", crop(cells[1]))
    save(tmp_path / "second" / "blast" / "once-more.png", np.ascontiguousarray(np.rot90(cells[1])))
    save(tmp_path / "second" / "normal" / "copy.png", cells[4])
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["duplicates", *map(str, words)])


def test_pairs_of_one_dataset_are_counted_listed_and_shown(laboratories):
    out = laboratories / "out"
    done = run(f"folder:{laboratories / 'first'}", "--out", out)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert "folder:first: 13 images" in lines
    assert "  pairs that show the same cell: 1" in lines
    assert "  pairs with different labels: 1" in lines
    assert "  pairs in different groups: 1" in lines
    table = pd.read_csv(out / "duplicates.csv")
    assert table[["image_a", "image_b", "label_a", "label_b", "identical"]].to_numpy().tolist() == [
        ["blast/01.png", "normal/again.png", "blast", "normal", False]
    ]
    page = (out / "duplicates.html").read_text()
    assert page.count('src="data:image/png;base64,') == 2
    assert "blast/01.png" in page
    assert str(laboratories) not in page


def test_pairs_of_two_datasets_lie_between_them(laboratories):
    out = laboratories / "out"
    done = run(f"folder:{laboratories / 'first'}", f"folder:{laboratories / 'second'}", "--out", out)
    assert done.exit_code == 0, done.output
    assert "folder:first and folder:second: 27 images" in done.output
    assert "leave these images out of one of the datasets" in done.output
    assert "pairs in different groups" not in done.output
    table = pd.read_csv(out / "duplicates.csv")
    pairs = {
        (a, b, identical) for a, b, identical in table[["image_a", "image_b", "identical"]].itertuples(index=False)
    }
    assert pairs == {
        ("blast/01.png", "second/blast/once-more.png", False),
        ("normal/again.png", "second/blast/once-more.png", False),
        ("normal/04.png", "second/normal/copy.png", True),
    }


def test_a_second_run_says_that_it_replaces_the_page(laboratories):
    words = (f"folder:{laboratories / 'second'}", "--out", laboratories / "out")
    assert "will be replaced" not in run(*words).output
    again = run(*words)
    assert re.search(r"duplicates\.html: exists from an earlier run and will be replaced", again.output)
    assert "pairs that show the same cell: 0" in again.output


def test_options_of_a_second_dataset_need_one(tmp_path):
    refused = run("synthetic", "--second-option", "size=64", "--out", tmp_path)
    assert refused.exit_code == 1
    assert "--second-option is of a second dataset" in refused.output


def test_only_the_most_similar_pairs_have_pictures(laboratories, monkeypatch):
    found = duplicates.search(datasets.load(f"folder:{laboratories / 'first'}"))
    monkeypatch.setattr(duplicates, "MAX_SHOWN", 1)
    several = duplicates.DuplicateSearch(found.dataset, False, pd.concat([found.pairs] * 3, ignore_index=True))
    page = duplicates.page(several)
    assert page.count("<figure>") == 1
    assert "the first 1 of 3" in page
