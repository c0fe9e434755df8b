"""The datasets page: what each card says with and without the dataset at hand, and whose cells may be shown."""

from dataclasses import replace

import pytest
from factories import cell_folder

from helpers import datasets
from helpers.book import dataset_pages

WBC1 = datasets.SOURCES["wbc1"]


@pytest.fixture
def cells(tmp_path):
    """Five classes of two images each, under a published card."""
    dataset = datasets.load(f"folder:{cell_folder(tmp_path / 'cells', tuple('abcde'), 2)}")
    return replace(dataset, card=WBC1.card)


def test_without_any_dataset_every_card_says_so_and_only_synthetic_cells_are_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBOOK_DATA", str(tmp_path))
    files = dataset_pages.generated_files()
    assert sorted(files) == ["cells-synthetic.png", "dataset-cards.md", "dataset-overview.md"]
    cards = files["dataset-cards.md"].decode().split("\n(dataset-")
    assert len(cards) == len(datasets.SOURCES)
    assert all("It was not at hand when this page was built" in card for card in cards[1:])
    assert "By default it draws 240 images in 12 groups: neutrophil " in cards[0]
    overview = files["dataset-overview.md"].decode()
    assert "| [`wbc1`](#dataset-wbc1) | 5 | 300 | 13 MB | GPL-3.0 | image |" in overview


def test_a_dataset_at_hand_is_counted_and_one_cell_of_each_class_shown(cells):
    assert "holds 10 images in 10 groups: a 2, b 2, c 2, d 2, e 2." in dataset_pages.contents(WBC1, cells)
    figure = dataset_pages.row_of_cells("wbc1", cells)
    assert figure.alt == f"One image of each class of {WBC1.card.title}: a, b, c, d, e."
    assert [ax.get_title() for ax in figure.figure.axes if ax.images] == list("abcde")
    assert figure.caption.startswith(f"Images of {WBC1.card.title}, GPL-3.0")


def test_cells_whose_terms_forbid_it_are_not_shown(cells, monkeypatch):
    monkeypatch.setattr(dataset_pages, "load_at_hand", lambda name: cells)
    restricted = {"all_idb2": datasets.SOURCES["all_idb2"], "aria": datasets.SOURCES["aria"]}
    monkeypatch.setattr(datasets, "SOURCES", restricted)
    files = dataset_pages.generated_files()
    assert sorted(files) == ["dataset-cards.md", "dataset-overview.md"]
    assert files["dataset-cards.md"].decode().count("Its terms do not allow us to show cells.") == 2


def test_a_broken_dataset_is_an_error_not_an_absent_one(monkeypatch):
    def load(name):
        raise datasets.DatasetError(f"{name}: two files are damaged")

    monkeypatch.setattr(datasets, "load", load)
    with pytest.raises(datasets.DatasetError, match="pbc: two files are damaged"):
        dataset_pages.load_at_hand("pbc")


def test_cards_state_the_classes_that_their_loaders_give(real):
    for name in ("wbc1", "bccd", "pbc", "cnmc"):
        assert real(name).classes == datasets.SOURCES[name].card.classes, name
